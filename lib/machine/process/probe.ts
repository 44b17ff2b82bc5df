// Runs what may crash or hang in a process of its own, and tells how that ended.
import type { Environment } from '../environment.js';
import { endChild, startChild } from './child.js';

export interface ProbeOptions {
  readonly env?: Environment | undefined;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Either the output, or why there is none: a name of a signal, an exit code, a limit of time. */
export type Probed =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly why: string; readonly isAbsent: boolean };

/** A driver that hangs takes longer. */
const TIMEOUT_MS = 60_000;
const KEPT = 1 << 20;

function lastLine(text: string): string {
  const line = text.trim().split('\n').at(-1)?.trim() ?? '';
  return line === '' ? '' : `: ${line.slice(0, 300)}`;
}

/** Never rejects. A process that a kill does not end (it waits within the kernel) is left behind. */
export function probe(
  command: string,
  parameters: readonly string[],
  { env, timeoutMs = TIMEOUT_MS, signal }: ProbeOptions = {},
): Promise<Probed> {
  return new Promise((resolve) => {
    const child = startChild(command, parameters, { env });
    let output = '';
    let errors = '';
    const end = (result: Probed): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      resolve(result);
    };
    const give = (why: string): void => {
      endChild(child, 'SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      end({ ok: false, why, isAbsent: false });
    };
    const abort = (): void => give('it was aborted');
    const timer = setTimeout(() => give(`it hung: no answer in ${timeoutMs / 1000} s`), timeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (output.length < KEPT) output += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      errors = (errors + chunk).slice(-8_000);
    });
    child.on('error', (error) =>
      end({ ok: false, why: error.message, isAbsent: 'code' in error && error.code === 'ENOENT' }),
    );
    child.on('close', (code, by) => {
      if (code === 0) end({ ok: true, output });
      else {
        const how = by ? `it died of ${by}` : `it ended with code ${code}`;
        end({ ok: false, why: `${how}${lastLine(errors)}`, isAbsent: false });
      }
    });
  });
}
