// Programs that are run: what they say, how they end, and that an abort ends what they started too.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { run } from '../../../lib/machine/process/run.js';
import { failureOf, inFolder } from '../../data/places.js';

test('both outputs come as they are written, with the exit code', async () => {
  let seen = '';
  const onOutput = (text: string) => {
    seen += text;
  };
  const ran = await run('sh', ['-c', 'echo out; echo err >&2; exit 3'], { onOutput });
  expect(ran.code).toBe(3);
  expect(ran.said.split('\n').sort()).toEqual(['', 'err', 'out']);
  expect(seen).toBe(ran.said);
  expect(ran.output).toBe('out\n');
});

test('a program that is not there is 127 with the reason', async () => {
  const ran = await run('/nowhere/compiler', []);
  expect(ran).toMatchObject({ code: 127, isAbsent: true, output: '' });
  for (const text of [ran.said, ran.fault]) expect(text).toContain('ENOENT');
});

test('how a program ended is told: by its exit code, a signal or the limit of time', async () => {
  const shell = (script: string, timeoutMs = 100_000) => run('/bin/sh', ['-c', script], { timeoutMs });
  expect(await shell('echo 3')).toMatchObject({ code: 0, fault: null, isAbsent: false, output: '3\n' });
  expect(await shell('echo first >&2; echo why >&2; exit 4')).toMatchObject({
    fault: 'it ended with code 4: why',
  });
  expect(await shell('kill -SEGV $$')).toMatchObject({ fault: 'it died of SIGSEGV', isAbsent: false });
  const start = performance.now();
  expect(await shell('sleep 3000', 200)).toMatchObject({ fault: 'it hung: no answer in 0.2 s' });
  // A child of the child keeps the pipe open; that is not waited for either.
  expect(await shell('sleep 3000 & sleep 3000', 200)).toMatchObject({ fault: 'it hung: no answer in 0.2 s' });
  expect(performance.now() - start).toBeLessThan(1_000_000);
});

test('what does not end when it is asked to is killed', async () => {
  const control = new AbortController();
  const running = run('/bin/sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 1; done'], {
    signal: control.signal,
    onOutput: () => control.abort(),
  });
  expect(await failureOf(running)).toBe('E_ABORTED: /bin/sh was aborted');
});

test('an abort ends the program and what it started', () =>
  inFolder(async (folder) => {
    const [abort, file] = [new AbortController(), join(folder, 'pid')];
    const running = failureOf(
      run('sh', ['-c', 'sleep 600 & echo $! > "$0.new"; mv "$0.new" "$0"; wait', file], {
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
  const started = run('sleep', ['600'], { signal: AbortSignal.abort() });
  expect(await failureOf(started)).toBe('E_ABORTED: sleep was aborted');
});
