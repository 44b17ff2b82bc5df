// Checks the control of a call before anything runs, and hears the promises that listeners return.
import { reasonOf, SplitgrowError } from '../errors.js';
import { show } from '../graph/fields.js';
import { systemError } from '../machine/system-errors.js';

/** Fields of a control that are functions. */
const LISTENERS = ['onEvent', 'onProgress'] as const;

function refuse(field: string, wanted: string, found: unknown): SplitgrowError {
  return new SplitgrowError('E_ARGUMENT', `${field}: expected ${wanted}, got ${show(found)}`);
}

/** Whether it is a signal, or none is given. */
export function isSignal(signal: unknown): signal is AbortSignal | undefined {
  if (signal === undefined) return true;
  try {
    AbortSignal.any([signal as AbortSignal]);
    return true;
  } catch {
    return false;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

type Listener = (event: unknown) => unknown;

/**
 * Does the work under the control that it is given instead of the caller's: it stops when the caller's signal fires, and when
 * a promise that a listener returned is rejected. Nobody waits for such promises, apart from those that are settled by then.
 *
 * @throws E_ARGUMENT, before the work begins, where the signal is no AbortSignal or a listener is no function; E_CALLBACK
 *   where a listener's promise was rejected; what the work throws, errors of the system with a code
 */
export async function watched<Control extends object, Result>(
  control: Control,
  work: (control: Control) => Promise<Result>,
): Promise<Result> {
  if (typeof control !== 'object' || control === null) throw refuse('control', 'an object', control);
  const given = control as Readonly<Record<string, unknown>>;
  if (!isSignal(given.signal)) throw refuse('signal', 'an AbortSignal', given.signal);
  const failing = new AbortController();
  let failure: SplitgrowError | null = null;
  let isOver = false;
  let isAnswered = false;
  // What listeners throw themselves is handed on as it is.
  const thrown = new Set<unknown>();
  const heard = (name: string, listener: Listener): Listener => {
    const fail = (cause: unknown): void => {
      const reason = reasonOf(cause);
      const error = new SplitgrowError('E_CALLBACK', `${name}: its promise was rejected: ${reason}`, {
        cause,
      });
      // Nobody is left to tell: as if nobody had ever listened to that promise.
      if (isOver) throw error;
      failure ??= error;
      failing.abort();
    };
    return (event) => {
      let answer: unknown;
      try {
        answer = listener(event);
      } catch (error) {
        thrown.add(error);
        throw error;
      }
      if (!isThenable(answer)) return;
      isAnswered = true;
      answer.then(undefined, fail);
    };
  };
  const own: Record<string, unknown> = { ...given };
  for (const name of LISTENERS) {
    const listener = given[name];
    if (listener === undefined) continue;
    if (typeof listener !== 'function') throw refuse(name, 'a function', listener);
    own[name] = heard(name, (event) => listener(event));
  }
  const { signal } = given;
  own.signal =
    signal === undefined ? failing.signal : AbortSignal.any([signal as AbortSignal, failing.signal]);
  const settled = async (): Promise<void> => {
    if (isAnswered) await new Promise((resolve) => setImmediate(resolve));
    isOver = true;
    if (failure !== null) throw failure;
  };
  try {
    const result = await work(own as Control);
    await settled();
    return result;
  } catch (error) {
    await settled();
    throw (thrown.has(error) ? null : systemError(error)) ?? error;
  }
}

/** What the promise gives, or E_ABORTED as soon as the signal fires: for functions of the caller, which may never answer. */
export async function orAborted<T>(signal: AbortSignal | undefined, answer: PromiseLike<T> | T): Promise<T> {
  if (signal === undefined) return answer;
  const aborted = (): SplitgrowError => new SplitgrowError('E_ABORTED', 'the work was aborted');
  if (signal.aborted) throw aborted();
  let stop: (() => void) | undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(aborted());
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([answer, stopped]);
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}
