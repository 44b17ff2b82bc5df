// metrics.jsonl while a run loses its output: nothing of it gets into the file of the run that took over.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockOutput } from '../../../lib/run/store/lock.js';
import { appendMetrics, readMetrics } from '../../../lib/run/store/metrics.js';
import type { MetricsLine } from '../../../lib/run/store/records.js';
import { temporaryFolder } from '../tiny.js';

const line = (epoch: number): MetricsLine => ({
  ...{ type: 'epoch', stage: 0, epoch },
  ...{ loss: 1, top1: 2, learningRate: 0.1, seconds: 1 },
});

test('a line of a run whose lock is taken over while it writes does not get into the new file', async () => {
  const output = temporaryFolder();
  const file = join(output, 'metrics.jsonl');
  const lease = await lockOutput(output);
  await appendMetrics(output, line(0));
  await appendMetrics(output, line(1));
  expect(await readMetrics(output)).toEqual([line(0), line(1)]);
  // The new owner begins the file anew as soon as it has the lock, here right after the old one has looked at it.
  const { check } = lease;
  Object.assign(lease, {
    check: async () => {
      await check();
      writeFileSync(`${file}-new`, 'of the new owner\n');
      renameSync(`${file}-new`, file);
    },
  });
  await appendMetrics(output, line(2));
  expect(readFileSync(file, 'utf8')).toBe('of the new owner\n');
  await lease.release();
});
