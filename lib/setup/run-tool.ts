// A program of the machine: its output, and an end with everything that it started.
import { spawn } from 'node:child_process';
import { SplitgrowError } from '../errors.js';

export interface Ran {
  /** 127 where the program is not there. */
  readonly code: number;
  /** Standard output and error as they came, the last `KEPT` characters. */
  readonly output: string;
}

export interface RunToolOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  readonly onOutput?: ((text: string) => void) | undefined;
}

const KEPT = 200_000;

/**
 * Runs `command`; resolves whatever its exit code is. With `signal` it has a process group of its own.
 * @throws E_ABORTED where `signal` ended it
 */
export function runTool(
  command: string,
  parameters: readonly string[],
  options: RunToolOptions = {},
): Promise<Ran> {
  const { cwd, env, signal, onOutput } = options;
  return new Promise((resolve, reject) => {
    const stop = () => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGTERM');
      } catch {
        // It has just ended.
      }
    };
    // A group of its own can be ended whole. Without a signal nobody would: then a terminal's Ctrl-C is to reach it.
    const detached = signal !== undefined;
    const child = spawn(command, parameters, { cwd, env, detached, stdio: ['ignore', 'pipe', 'pipe'] });
    if (detached) process.once('exit', stop);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-KEPT);
        onOutput?.(text);
      });
    const end = (code: number) => {
      signal?.removeEventListener('abort', stop);
      process.removeListener('exit', stop);
      if (signal?.aborted) reject(new SplitgrowError('E_ABORTED', `${command} was aborted`));
      else resolve({ code, output });
    };
    child.on('error', (error) => {
      output += error.message;
      // A process that never started sends no 'close'.
      if (child.pid === undefined) end(127);
    });
    child.on('close', (code) => end(code ?? 1));
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) stop();
  });
}
