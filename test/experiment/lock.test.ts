import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockOutput } from '../../lib/experiment/lock.js';
import { temporaryFolder } from './tiny.js';

async function goneProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid ?? 0;
}

const lockOf = (pid: number, fields: Record<string, unknown> = {}): string =>
  JSON.stringify({ pid, host: hostname(), started: null, ...fields });

test('a folder is locked once, and again when it has been released', async () => {
  const folder = temporaryFolder();
  const release = await lockOutput(folder);
  await expect(lockOutput(folder)).rejects.toMatchObject({
    code: 'E_RESUME',
    message: expect.stringContaining(`process ${process.pid}`),
  });
  await release();
  await (await lockOutput(folder))();
  expect(readdirSync(folder)).toEqual([]);
});

test('the lock of a process that lives is respected', async () => {
  const folder = temporaryFolder();
  await writeFile(join(folder, 'run.lock'), lockOf(process.ppid));
  await expect(lockOutput(folder)).rejects.toMatchObject({ code: 'E_RESUME' });
});

test.each([
  ['of a process that is gone', async () => lockOf(await goneProcess())],
  ['of a process whose number was given to another', async () => lockOf(process.ppid, { started: '1' })],
  ['torn', async () => '{"pid": 12'],
])('a lock %s is taken over', async (_what, text) => {
  const folder = temporaryFolder();
  await writeFile(join(folder, 'run.lock'), await text());
  const release = await lockOutput(folder);
  expect(JSON.parse(await readFile(join(folder, 'run.lock'), 'utf8'))).toMatchObject({ pid: process.pid });
  await release();
});

test('a lock of another machine is never taken over', async () => {
  const folder = temporaryFolder();
  await writeFile(join(folder, 'run.lock'), lockOf(await goneProcess(), { host: 'elsewhere.invalid' }));
  await expect(lockOutput(folder)).rejects.toMatchObject({
    message: expect.stringContaining('elsewhere.invalid'),
  });
});

test('of several that start at once on a stale lock exactly one gets it', async () => {
  for (let round = 0; round < 10; round += 1) {
    const folder = temporaryFolder();
    await writeFile(join(folder, 'run.lock'), lockOf(await goneProcess()));
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => lockOutput(folder)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  }
});
