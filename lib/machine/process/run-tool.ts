// A program of the machine: its output, and an end with everything that it started.
import { SplitgrowError } from '../../errors.js';
import { endChild, startChild } from './child.js';

export interface Ran {
  /** 127 where the program is not there. */
  readonly code: number;
  /** Standard output and error as they came, the last `KEPT` characters. */
  readonly output: string;
}

export interface RunToolOptions {
  /** A folder of this package. */
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  readonly onOutput?: ((text: string) => void) | undefined;
}

const KEPT = 200_000;

/**
 * Runs `command`; resolves whatever its exit code is.
 * @throws E_ABORTED where `signal` ended it
 */
export function runTool(
  command: string,
  parameters: readonly string[],
  options: RunToolOptions = {},
): Promise<Ran> {
  const { cwd, env, signal, onOutput } = options;
  return new Promise((resolve, reject) => {
    const stop = (): void => endChild(child, 'SIGTERM');
    const child = startChild(command, parameters, { cwd, env });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-KEPT);
        onOutput?.(text);
      });
    const end = (code: number) => {
      signal?.removeEventListener('abort', stop);
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
