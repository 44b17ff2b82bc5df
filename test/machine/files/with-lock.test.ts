// The lock between processes: one at a time, waiting, taking over from the dead, giving up on abort.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { withLock } from '../../../lib/machine/files/lease.js';
import { failureOf, inFolder, ROOT } from '../../data/places.js';

const run = promisify(execFile);
const MODULE = pathToFileURL(join(ROOT, 'dist', 'machine', 'files', 'lease.js')).href;

test('work under one lock never overlaps, also within a process', () =>
  inFolder(async (folder) => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(5);
      inside -= 1;
    };
    const file = join(folder, 'deep', 'lock');
    await Promise.all(Array.from({ length: 8 }, () => withLock(file, work, { times: { pollMs: 5 } })));
    expect(most).toBe(1);
    expect(await readdir(join(folder, 'deep'))).toEqual([]);
  }));

test('six processes that find a stale lock take turns', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'lock');
    await writeFile(file, JSON.stringify({ pid: 999999999, host: hostname(), started: '1' }));
    const script = `
      import { appendFile } from 'node:fs/promises';
      import { setTimeout as sleep } from 'node:timers/promises';
      import { withLock } from ${JSON.stringify(MODULE)};
      await withLock(${JSON.stringify(file)}, async () => {
        await appendFile(${JSON.stringify(join(folder, 'log'))}, 'in ');
        await sleep(30);
        await appendFile(${JSON.stringify(join(folder, 'log'))}, 'out ');
      }, { times: { pollMs: 10 } });`;
    await Promise.all(
      Array.from({ length: 6 }, () => run(process.execPath, ['--input-type=module', '--eval', script])),
    );
    expect(await readFile(join(folder, 'log'), 'utf8')).toBe('in out '.repeat(6));
    expect(await readdir(folder)).toEqual(['log']);
  }));

test('the lock of a killed process is taken over', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'lock');
    const script = `import { withLock } from ${JSON.stringify(MODULE)};
      await withLock(${JSON.stringify(file)}, () => new Promise((done) => setTimeout(done, 60000)));`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'ignore' });
    while (!existsSync(file)) await sleep(10);
    const gone = new Promise((done) => child.once('close', done));
    child.kill('SIGKILL');
    await gone;
    expect(await withLock(file, async () => 'mine', { times: { pollMs: 10 } })).toBe('mine');
  }));

test('a pid that another process has now does not keep the lock', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'lock');
    await writeFile(file, JSON.stringify({ pid: process.ppid, host: hostname(), started: '1' }));
    expect(await withLock(file, async () => 'mine', { times: { pollMs: 10 } })).toBe('mine');
  }));

test('the lock of an earlier version on another machine is waited for while fresh, taken over when old', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'lock');
    await writeFile(file, JSON.stringify({ pid: 1, host: 'elsewhere', started: '1' }));
    const control = new AbortController();
    let waits = 0;
    const onWait = (): void => {
      waits += 1;
      setTimeout(() => control.abort(), 60);
    };
    const failure = failureOf(
      withLock(file, async () => 0, { times: { pollMs: 10 }, signal: control.signal, onWait }),
    );
    expect(await failure).toMatch(/^E_ABORTED: /);
    expect(waits).toBe(1);
    const old = new Date(Date.now() - 3_600_000);
    await utimes(file, old, old);
    expect(await withLock(file, async () => 'mine', { times: { pollMs: 10, watchMs: 100 } })).toBe('mine');
  }));

test('the folder that the work is given is gone with the lock', () =>
  inFolder(async (folder) => {
    await withLock(join(folder, 'lock'), async (place) => {
      await writeFile(join(place, 'x'), '');
      expect(await readdir(folder)).toEqual(['lock']);
    });
    expect(await readdir(folder)).toEqual([]);
  }));

test('an error of the work leaves no lock behind', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'lock');
    const work = async (): Promise<never> => {
      throw Object.assign(new Error('broken'), { code: 'X' });
    };
    expect(await failureOf(withLock(file, work))).toBe('X: broken');
    expect(await readdir(folder)).toEqual([]);
  }));
