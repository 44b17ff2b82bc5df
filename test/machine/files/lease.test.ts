// The lock on disk: one owner, taken over only from the dead and from leases that ran out, never lost to a late claimant.
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeFileAtomic } from '../../../lib/machine/files/atomic.js';
import { guardOf, leaseOf } from '../../../lib/machine/files/lease.js';
import { newId, thisProcess } from '../../../lib/machine/files/owner.js';
import { failureOf, inFolder } from '../../data/places.js';
import { CONTAINER, child, ELSEWHERE, HOUR_AGO, holder, LEASE, leave, SHORT } from './processes.js';

const refuse = (): void => {
  throw Object.assign(new Error('busy'), { code: 'BUSY' });
};

test('a lock is held by one, and leaves nothing when it is given back', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'lock');
    const lease = await leaseOf(file);
    expect(await failureOf(leaseOf(file, { onBusy: refuse }))).toBe(
      `E_WRITE: cannot write ${file}: see the reason (busy)`,
    );
    await lease.check();
    await lease.release();
    expect(readdirSync(folder)).toEqual([]);
    await (await leaseOf(file)).release();
  }));

test('a lock of a process of this machine that is gone is taken over at once', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'lock');
    for (const gone of [{ pid: 999_999_999 }, { pid: process.ppid, started: '1' }, { started: '1' }]) {
      leave(file, { ...thisProcess(), ...gone }, false);
      await (await leaseOf(file, { onWatch: refuse, onBusy: refuse })).release();
    }
    expect(readdirSync(folder)).toEqual([]);
  }));

test('a lock of a living process is never taken over, however old it is', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'lock');
    const one = child(holder(file));
    expect(await one.line()).toBe('held');
    one.process.kill('SIGSTOP');
    const record = join(file, readdirSync(file)[0] ?? '', 'owner.json');
    utimesSync(record, HOUR_AGO, HOUR_AGO);
    expect(await failureOf(leaseOf(file, { onBusy: refuse, times: SHORT }))).toMatch(/busy/);
    one.process.kill('SIGCONT');
    one.process.stdin?.write('check\n');
    expect(await one.line()).toBe('mine');
    one.process.stdin?.end('release\n');
    await one.ended;
    expect(readdirSync(folder)).toEqual([]);
  }));

test.each([
  ['on another machine', ELSEWHERE],
  ['in another container of this one', CONTAINER],
])('a lock of a process %s is watched: refused once it is renewed', (_where, self) =>
  inFolder(async (folder) => {
    const file = join(folder, 'lock');
    const one = child(holder(file, { self }));
    expect(await one.line()).toBe('held');
    const told: string[] = [];
    const options = {
      onBusy: refuse,
      onWatch: () => told.push('watched'),
      times: { ...SHORT, leaseMs: 60_000 },
    };
    expect(await failureOf(leaseOf(file, options))).toMatch(/busy/);
    expect(told).toEqual(['watched']);
    one.process.stdin?.end('release\n');
    await one.ended;
  }),
);

test('a lock that nobody renews is taken over: an old one after a short watch, a fresh one after the whole lease', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'lock');
    for (const isOld of [true, false]) {
      leave(file, ELSEWHERE, isOld);
      const from = performance.now();
      const times = { ...SHORT, watchMs: 200, leaseMs: 2_000 };
      await (await leaseOf(file, { onBusy: refuse, times })).release();
      const waited = performance.now() - from;
      expect(waited).toBeGreaterThan(isOld ? 200 : 1_900);
    }
    expect(readdirSync(folder)).toEqual([]);
  }));

test('the wait for a lock can be aborted', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'lock');
    leave(file, ELSEWHERE, false);
    const controller = new AbortController();
    const waiting = leaseOf(file, { signal: controller.signal, onWatch: () => controller.abort() });
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    expect(readdirSync(folder)).toEqual(['lock']);
  }));

test('an owner that was stopped for longer than its lease finds it lost, and touches nothing of the new one', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'lock');
    const one = child(holder(file, { self: ELSEWHERE }));
    expect(await one.line()).toBe('held');
    one.process.kill('SIGSTOP');
    const lease = await leaseOf(file, { onBusy: refuse, times: SHORT });
    one.process.kill('SIGCONT');
    one.process.stdin?.write('check\n');
    expect(await one.line()).toMatch(
      new RegExp(
        `^E_OUTPUT 1 .*process ${process.pid} on .* took it over, for this run had not renewed its lock for 3 s; .*wait for that process`,
      ),
    );
    one.process.stdin?.end('release\n');
    await one.ended;
    await lease.check();
    await lease.release();
    expect(readdirSync(folder)).toEqual([]);
  }));

test('eight processes that find a lock whose owner is gone, or whose lease ran out, hold it one after another', () =>
  inFolder(async (folder) => {
    const log = join(folder, 'log');
    for (const [k, self] of [{ ...thisProcess(), pid: 999_999_999 }, ELSEWHERE].entries()) {
      const file = join(folder, `lock-${k}`);
      leave(file, self, true);
      writeFileSync(log, '');
      const script = `
        import { appendFileSync } from 'node:fs';
        import { setTimeout as sleep } from 'node:timers/promises';
        import { leaseOf } from ${JSON.stringify(LEASE)};
        const lease = await leaseOf(${JSON.stringify(file)}, { times: ${JSON.stringify({ ...SHORT, watchMs: 300, pollMs: 5 })} });
        appendFileSync(${JSON.stringify(log)}, 'in ');
        await sleep(20);
        await lease.check();
        appendFileSync(${JSON.stringify(log)}, 'out ');
        await lease.release();`;
      const all = Array.from({ length: 8 }, () => child(script));
      expect(await Promise.all(all.map(({ ended }) => ended))).toEqual(Array(8).fill(0));
      expect(readFileSync(log, 'utf8')).toBe('in out '.repeat(8));
    }
    expect(readdirSync(folder)).toEqual(['log']);
  }));

test('the lock of a Worker that was terminated is free, while its process goes on', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'lock');
    const script = `
      import { Worker } from 'node:worker_threads';
      import { leaseOf } from ${JSON.stringify(LEASE)};
      const busy = () => { throw new Error('busy'); };
      const file = ${JSON.stringify(file)};
      const worker = new Worker(\`
        import(\${JSON.stringify(${JSON.stringify(LEASE)})}).then(async ({ leaseOf }) => {
          globalThis.lease = await leaseOf(\${JSON.stringify(file)});
          (await import('node:worker_threads')).parentPort.postMessage('held');
          setInterval(() => {}, 1000);
        })\`, { eval: true });
      await new Promise((done) => worker.once('message', done));
      await leaseOf(file, { onBusy: busy }).then(() => console.log('taken from a living one'), () => console.log('refused'));
      await worker.terminate();
      const lease = await leaseOf(file, { onBusy: busy, onWatch: busy });
      console.log('taken');
      await lease.release();`;
    const one = child(script);
    expect([await one.line(), await one.line()]).toEqual(['refused', 'taken']);
    expect(await one.ended).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  }));

test('a package that is loaded twice in a process sees its own locks', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'lock');
    const script = `
      const one = await import(${JSON.stringify(`${LEASE}?1`)});
      const two = await import(${JSON.stringify(`${LEASE}?2`)});
      const busy = () => { throw new Error('busy'); };
      const file = ${JSON.stringify(file)};
      const lease = await one.leaseOf(file);
      await two.leaseOf(file, { onBusy: busy }).then(() => console.log('taken'), () => console.log('refused'));
      await lease.release();
      await (await two.leaseOf(file, { onBusy: busy })).release();`;
    const both = child(script);
    expect(await both.line()).toBe('refused');
    expect(await both.ended).toBe(0);
  }));

test.each([
  ['removed', (folder: string) => rmSync(folder, { recursive: true })],
  ['moved', (folder: string) => renameSync(folder, `${folder}-elsewhere`)],
  [
    'replaced',
    (folder: string) => {
      renameSync(folder, `${folder}-elsewhere`);
      mkdirSync(folder);
    },
  ],
])('a folder that is %s while it is locked takes no more writes and is not made anew', (what, change) =>
  inFolder(async (parent) => {
    const folder = join(parent, 'run');
    let told = '';
    const lost = new Promise<void>((done) => {
      void guardOf(join(folder, 'lock'), {
        times: SHORT,
        onLost: (error) => {
          told = error.code;
          done();
        },
      }).then(async (lease) => {
        await writeFileAtomic(join(folder, 'deep', 'before'), '1');
        change(folder);
        expect(await failureOf(writeFileAtomic(join(folder, 'after'), '1'))).toMatch(
          /^E_OUTPUT: .*removed, moved or replaced/,
        );
        await expect(lease.check()).rejects.toMatchObject({ code: 'E_OUTPUT', exitCode: 1 });
        await lease.release();
      });
    });
    await lost;
    expect(told).toBe('E_OUTPUT');
    const expected = { removed: [], moved: ['run-elsewhere'], replaced: ['run', 'run-elsewhere'] };
    expect(readdirSync(parent).sort()).toEqual(expected[what as keyof typeof expected]);
    if (what === 'replaced') expect(readdirSync(folder)).toEqual([]);
  }),
);

test('what a killed owner left is removed, a directory that it was replacing is put back, and files of others stay', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'lock');
    const first = leave(file, { ...thisProcess(), pid: 999_999_999 }, false);
    mkdirSync(join(first, '3', 'new'), { recursive: true });
    mkdirSync(join(first, '4', 'old'), { recursive: true });
    writeFileSync(join(first, '4', 'old', 'weights'), 'good');
    writeFileSync(join(first, '4', 'target.json'), JSON.stringify({ target: 'best/stage-0' }));
    mkdirSync(join(folder, 'best'));
    const others = [
      '.x.tmp-999999999-dead',
      '.y.old',
      '.splitgrow-notes',
      `.splitgrow-${newId()}`,
      'lock.1.own',
    ];
    for (const name of others) writeFileSync(join(folder, name), 'mine');
    mkdirSync(join(folder, `.splitgrow-${'a'.repeat(32)}`));
    writeFileSync(
      join(folder, `.splitgrow-${'a'.repeat(32)}`, 'owner.json'),
      '{"pid": 999999999, "host": "x"}',
    );
    await (await leaseOf(file)).release();
    expect(readFileSync(join(folder, 'best', 'stage-0', 'weights'), 'utf8')).toBe('good');
    expect(readdirSync(folder).sort()).toEqual([...others, 'best', `.splitgrow-${'a'.repeat(32)}`].sort());
  }));

test.each([
  ['a file', (path: string) => writeFileSync(path, 'of somebody')],
  ['an empty file', (path: string) => writeFileSync(path, '')],
  [
    'a folder with a file in it',
    (path: string) => {
      mkdirSync(path);
      writeFileSync(join(path, 'x'), '');
    },
  ],
  ['a link to a folder', (path: string) => symlinkSync('/tmp', path)],
  ['a link that leads nowhere', (path: string) => symlinkSync('/nowhere', path)],
])('%s of somebody else under the name of the lock is refused and stays', (_what, make) =>
  inFolder(async (folder) => {
    const file = join(folder, 'lock');
    make(file);
    expect(await failureOf(leaseOf(file))).toMatch(/^E_RESUME: .*expected a lock that splitgrow wrote/);
    expect(readdirSync(folder)).toEqual(['lock']);
  }),
);
