// Signals: the first stops, the same one again is no second, and a second ends the process at once.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { ROOT } from '../data/places.js';

const MODULE = pathToFileURL(join(ROOT, 'dist', 'cli', 'signals.js')).href;
const PROGRAM = `
  const { listenForSignals } = await import(${JSON.stringify(MODULE)});
  const signals = listenForSignals(() => process.stdout.write('first '));
  signals.signal.addEventListener('abort', () => process.stdout.write('stopping '));
  process.stdout.write('ready ');
  setTimeout(() => process.exit(signals.exitCode() ?? 0), 20_000);
`;

async function started() {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], { stdio: 'pipe' });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const until = async (word: string): Promise<void> => {
    while (!said.includes(word)) await after(5);
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
    await after(1000);
    expect([child.exitCode, child.signalCode]).toEqual([null, null]);
    expect(words()).toEqual(['ready', 'first', 'stopping']);
    child.kill(name);
    expect(await once(child, 'exit')).toEqual([code, signal]);
  },
);
