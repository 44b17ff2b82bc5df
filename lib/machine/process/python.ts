// Runs python3 as a child process of setup: lines of its output, its last words, and what to do where it is missing.

import { SplitgrowError } from '../../errors.js';
import type { Environment } from '../environment.js';
import { endChild, startChild } from './child.js';
import { isolated } from './isolated-python.js';

export interface Finished {
  readonly code: number;
  /** The end of its standard error. */
  readonly errors: string;
}

export interface PythonOptions {
  readonly env?: Environment | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Gets each line of standard output. */
  readonly onLine?: (line: string) => void;
}

const KEPT_ERRORS = 8_000;

/**
 * Runs a program of Python's, given as text, by python3; an abort ends it and what it started.
 * @throws E_LIBTORCH where there is no python3
 */
export function python(
  script: string,
  parameters: readonly string[],
  options: PythonOptions = {},
): Promise<Finished> {
  const { env, signal } = options;
  return new Promise((resolve, reject) => {
    const child = startChild('python3', isolated(script, parameters), { env });
    const stop = (): void => endChild(child, 'SIGKILL');
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted === true) stop();
    let errors = '';
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) options.onLine?.(line);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      errors = (errors + chunk).slice(-KEPT_ERRORS);
    });
    child.on('error', (error) => {
      signal?.removeEventListener('abort', stop);
      // A process that never started sends no 'close'.
      if (child.pid === undefined) reject(missing(error));
    });
    // Only after 'close' has the process stopped writing.
    child.on('close', (code) => {
      signal?.removeEventListener('abort', stop);
      if (signal?.aborted === true) reject(signal.reason);
      else resolve({ code: code ?? 1, errors });
    });
  });
}

function missing(error: Error): Error {
  if (!('code' in error) || error.code !== 'ENOENT') return error;
  return new SplitgrowError(
    'E_LIBTORCH',
    'python3 is missing: it is not on PATH; install it, for example: sudo apt-get install python3 python3-pip',
    { cause: error },
  );
}

/** The last lines of standard error, on one line. */
export function lastWords(errors: string): string {
  const lines = errors
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^(WARNING: )?Retrying/.test(line));
  return lines.slice(-2).join(' ').slice(0, 500) || 'no reason given';
}
