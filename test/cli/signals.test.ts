// Signals: the first stops, the same one again is no second, and a second ends the process at once.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { ROOT } from '../data/places.js';

const MODULE = pathToFileURL(join(ROOT, 'dist', 'cli', 'signals.js')).href;
/** Its clock stands still: timers run when a line comes on standard input. It ends with that input. */
const PROGRAM = `
  const timers = [];
  globalThis.setTimeout = (run) => (timers.push(run), { unref() {} });
  const { listenForSignals } = await import(${JSON.stringify(MODULE)});
  const say = (word) => process.stdout.write(word + ' ');
  const signals = listenForSignals(() => say('first'));
  for (const name of ['SIGTERM', 'SIGUSR1']) process.once(name, () => say('again'));
  signals.signal.addEventListener('abort', () => say('stopping'));
  process.stdin.on('end', () => process.exit(signals.exitCode() ?? 0));
  process.stdin.setEncoding('utf8').on('data', (text) => {
    if (text === 'stop') {
      signals.stop();
      return say('stopped');
    }
    for (const run of timers.splice(0)) run();
    say('later');
  });
  say('ready');
`;

async function started() {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], { stdio: 'pipe' });
  let said = '';
  let wake = (): void => {};
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    wake();
  });
  child.on('exit', () => wake());
  const until = async (word: string): Promise<void> => {
    while (!said.includes(word)) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended after: ${said}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  await until('ready');
  return { child, until, words: () => said.trim().split(' ') };
}

test.each([
  ['SIGTERM', null, 'SIGTERM'],
  ['SIGUSR1', 138, null],
] as const)(
  '%s right after SIGINT is the same stop; a later one ends the process',
  async (name, code, signal) => {
    const { child, until, words } = await started();
    child.kill('SIGINT');
    await until('stopping');
    child.kill(name);
    await until('again');
    child.stdin.write('the time of the same signal is over\n');
    await until('later');
    expect(words()).toEqual(['ready', 'first', 'stopping', 'again', 'later']);
    child.kill(name);
    expect(await once(child, 'exit')).toEqual([code, signal]);
  },
);

test('the same signal again does not kill a process that ends because of the first', async () => {
  const { child, until } = await started();
  child.kill('SIGINT');
  await until('stopping');
  child.stdin.write('stop');
  await until('stopped');
  child.kill('SIGINT');
  child.stdin.end();
  expect(await once(child, 'exit')).toEqual([130, null]);
});
