// Programs that are run: what they say, how they end, and that an abort ends what they started too.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { runTool } from '../../../lib/machine/process/run-tool.js';
import { failureOf, inFolder } from '../../data/places.js';

test('both outputs come as they are written, with the exit code', async () => {
  let seen = '';
  const onOutput = (text: string) => {
    seen += text;
  };
  const ran = await runTool('sh', ['-c', 'echo out; echo err >&2; exit 3'], { onOutput });
  expect(ran.code).toBe(3);
  expect(ran.output.split('\n').sort()).toEqual(['', 'err', 'out']);
  expect(seen).toBe(ran.output);
});

test('a program that is not there is 127 with the reason', async () => {
  const { code, output } = await runTool('/nowhere/compiler', []);
  expect(code).toBe(127);
  expect(output).toContain('ENOENT');
});

test('an abort ends the program and what it started', () =>
  inFolder(async (folder) => {
    const [abort, file] = [new AbortController(), join(folder, 'pid')];
    const running = failureOf(
      runTool('sh', ['-c', 'sleep 600 & echo $! > "$0.new"; mv "$0.new" "$0"; wait', file], {
        signal: abort.signal,
      }),
    );
    while (!existsSync(file)) await sleep(5);
    const pid = (await readFile(file, 'utf8')).trim();
    abort.abort();
    expect(await running).toBe('E_ABORTED: sh was aborted');
    // Its parent is gone, so that it may stay for a moment until it is reaped.
    const isRunning = async () =>
      /^State:\s+[^ZX]/m.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''));
    while (await isRunning()) await sleep(5);
  }));

test('one that is aborted before it begins ends at once', async () => {
  const started = runTool('sleep', ['600'], { signal: AbortSignal.abort() });
  expect(await failureOf(started)).toBe('E_ABORTED: sleep was aborted');
});
