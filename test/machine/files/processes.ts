// Processes that hold or claim locks, by the compiled library.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { newId, type Process, thisProcess } from '../../../lib/machine/files/owner.js';
import { ROOT } from '../../data/places.js';

export const LEASE = pathToFileURL(join(ROOT, 'dist', 'machine', 'files', 'lease.js')).href;
export const OWNER = pathToFileURL(join(ROOT, 'dist', 'machine', 'files', 'owner.js')).href;

/** Short enough for a test, and with room for a busy machine. */
export const SHORT = { renewMs: 100, leaseMs: 3_000, watchMs: 1_000, pollMs: 50 } as const;

/** A process that nobody here can see: of another machine, or of another container on this one. */
export const ELSEWHERE: Process = { ...thisProcess(), pid: 7, host: 'elsewhere', kernel: 'another kernel' };
export const CONTAINER: Process = { ...thisProcess(), pid: 1, namespace: 'pid:[1]' };

export const HOUR_AGO = new Date(Date.now() - 3_600_000);
/** A process that has ended. */
export const GONE: Process = { ...thisProcess(), pid: 999_999_999 };

/** A lock as a process left it that was killed. @returns its place */
export function leave(file: string, self: Process, isOld: boolean): string {
  const id = newId();
  const record = join(file, id, 'owner.json');
  mkdirSync(join(file, id), { recursive: true });
  writeFileSync(record, JSON.stringify({ id, ...self }));
  if (isOld) utimesSync(record, HOUR_AGO, HOUR_AGO);
  return join(file, id);
}

export interface Child {
  readonly process: ChildProcess;
  /** The next line that it prints; null at the end. */
  readonly line: () => Promise<string | null>;
  readonly ended: Promise<number | null>;
}

/** Runs JavaScript in a process of its own; `wrapper` is a command that starts it. */
export function child(script: string, wrapper: readonly string[] = []): Child {
  const [command = '', ...args] = [...wrapper, process.execPath, '--input-type=module', '--eval', script];
  const started = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: string[] = [];
  let rest = '';
  let isOver = false;
  let wake = (): void => {};
  started.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    wake();
  });
  const ended = once(started, 'close').then(([code]) => {
    isOver = true;
    wake();
    return code as number | null;
  });
  const line = async (): Promise<string | null> => {
    while (lines.length === 0 && !isOver) await new Promise<void>((done) => (wake = done));
    return lines.shift() ?? null;
  };
  return { process: started, line, ended };
}

/** Code that locks `file`, prints "held", and on each line of its input says whether the lock is still its own. */
export function holder(file: string, options: Record<string, unknown> = {}): string {
  return `
    import { createInterface } from 'node:readline';
    import { guardOf } from ${JSON.stringify(LEASE)};
    const lease = await guardOf(${JSON.stringify(file)}, ${JSON.stringify({ times: SHORT, ...options })});
    console.log('held');
    for await (const line of createInterface({ input: process.stdin })) {
      if (line === 'release') break;
      await lease.check().then(() => console.log('mine'), (error) => console.log(error.code + ' ' + error.exitCode + ' ' + error.message));
    }
    await lease.release();`;
}
