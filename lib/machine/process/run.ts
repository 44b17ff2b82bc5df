// Runs a program to its end and returns its output and how it ended. A limit of time or an abort ends the program and all that it started.
import { reasonOf, SplitgrowError } from '../../errors.js';
import type { Environment } from '../environment.js';
import { endChild, startChild } from './child.js';

export interface RunOptions {
  /** A folder of this package. */
  readonly cwd?: string | undefined;
  readonly env?: Environment | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The program is killed after this time. Absent: it may take as long as it likes. */
  readonly timeoutMs?: number | undefined;
  /** Gets standard output and standard error as they come. */
  readonly onOutput?: ((text: string) => void) | undefined;
}

/** How a program ended. */
export interface Ran {
  /** 127 where the program is not there. */
  readonly code: number;
  /** Null where it succeeded. Else how it ended, in words: exit code, signal or limit of time, and the last line of its errors. */
  readonly fault: string | null;
  /** True where there is no such program. */
  readonly isAbsent: boolean;
  /** The end of its standard output. */
  readonly output: string;
  /** The end of both outputs, as they came. */
  readonly said: string;
}

/** Characters that are kept of an output. */
const KEPT = 1 << 20;
const NOT_THERE = 127;
/** A program that was asked to end is killed after this time. */
const GRACE_MS = 2_000;

function lastLine(text: string): string {
  const line = text.trim().split('\n').at(-1)?.trim() ?? '';
  return line === '' ? '' : `: ${line.slice(0, 300)}`;
}

/**
 * Resolves however the program ends. A process that a kill does not end, because it waits within the kernel, is left behind.
 * @throws E_ABORTED where `signal` ended it
 */
export function run(command: string, parameters: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { cwd, env, signal, timeoutMs, onOutput } = options;
  return new Promise((resolve, reject) => {
    const child = startChild(command, parameters, { cwd, env });
    const kept = { output: '', errors: '', said: '' };
    let limit: NodeJS.Timeout | undefined;
    const listen = (name: 'output' | 'errors', stream: typeof child.stdout): void => {
      stream.setEncoding('utf8').on('data', (text: string) => {
        kept[name] = (kept[name] + text).slice(-KEPT);
        kept.said = (kept.said + text).slice(-KEPT);
        onOutput?.(text);
      });
    };
    const end = (code: number, fault: string | null, isAbsent = false): void => {
      clearTimeout(limit);
      signal?.removeEventListener('abort', stop);
      if (signal?.aborted) reject(new SplitgrowError('E_ABORTED', `${command} was aborted`));
      else resolve({ code, fault, isAbsent, output: kept.output, said: kept.said });
    };
    const kill = (fault: string): void => {
      endChild(child, 'SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      end(1, fault);
    };
    const stop = (): void => {
      endChild(child, 'SIGTERM');
      clearTimeout(limit);
      limit = setTimeout(() => kill('it was aborted'), GRACE_MS);
    };
    listen('output', child.stdout);
    listen('errors', child.stderr);
    child.on('error', (error) => {
      // A process that never started sends no 'close'.
      if (child.pid !== undefined) return;
      kept.said += reasonOf(error);
      end(NOT_THERE, reasonOf(error), 'code' in error && error.code === 'ENOENT');
    });
    child.on('close', (code, by) => {
      if (code === 0) end(0, null);
      else
        end(code ?? 1, `${by ? `it died of ${by}` : `it ended with code ${code}`}${lastLine(kept.errors)}`);
    });
    if (timeoutMs !== undefined)
      limit = setTimeout(() => kill(`it hung: no answer in ${timeoutMs / 1000} s`), timeoutMs);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
  });
}
