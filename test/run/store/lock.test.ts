import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { holdOf, lockOutput } from '../../../lib/run/store/lock.js';
import { SHORT } from '../../machine/files/processes.js';
import { temporaryFolder } from '../tiny.js';

async function goneProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid ?? 0;
}

const lockOf = (pid: number, fields: Record<string, unknown> = {}): string =>
  JSON.stringify({ pid, host: hostname(), started: null, ...fields });

test('a folder is locked once, and again when it has been released', async () => {
  const folder = temporaryFolder();
  const lease = await lockOutput(folder);
  await expect(lockOutput(folder)).rejects.toMatchObject({
    code: 'E_RESUME',
    message: expect.stringContaining(`process ${process.pid}`),
  });
  await lease.release();
  await (await lockOutput(folder)).release();
  expect(readdirSync(folder)).toEqual([]);
});

test('a lock of an earlier version is respected while its process lives', async () => {
  const folder = temporaryFolder();
  await writeFile(join(folder, 'run.lock'), lockOf(process.ppid));
  await expect(lockOutput(folder)).rejects.toMatchObject({ code: 'E_RESUME' });
  expect(readdirSync(folder)).toEqual(['run.lock']);
});

test.each([
  ['of a process that is gone', async () => lockOf(await goneProcess())],
  ['of a process whose number was given to another', async () => lockOf(process.ppid, { started: '1' })],
  ['that a crash of the machine cut short', async () => '{"pid": 12'],
])('a lock of an earlier version %s is taken over', async (_what, text) => {
  const folder = temporaryFolder();
  const file = join(folder, 'run.lock');
  await writeFile(file, await text());
  await utimes(file, 1, 1);
  const lease = await lockOutput(folder, undefined, { times: SHORT });
  await lease.check();
  await lease.release();
  expect(readdirSync(folder)).toEqual([]);
});

test('a lock of an earlier version on another machine is taken over after a note, once it is old', async () => {
  const folder = temporaryFolder();
  await writeFile(join(folder, 'run.lock'), lockOf(await goneProcess(), { host: 'elsewhere.invalid' }));
  const notes: string[] = [];
  const hold = holdOf({ onEvent: (event) => event.type === 'note' && notes.push(event.text) });
  await (await lockOutput(folder, hold, { times: SHORT })).release();
  expect(notes).toEqual([
    expect.stringMatching(/locked by process \d+ on elsewhere.invalid.*not renewed within 3 s/),
  ]);
});

test('of several that start at once on a stale lock exactly one gets it', async () => {
  for (let round = 0; round < 10; round += 1) {
    const folder = temporaryFolder();
    await writeFile(join(folder, 'run.lock'), lockOf(await goneProcess()));
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => lockOutput(folder)));
    const leases = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    expect(leases).toHaveLength(1);
    await leases[0]?.release();
  }
});
