// How many CPU threads work computes with: a number of each run or call, not of the process.
import { AsyncLocalStorage } from 'node:async_hooks';
import { SplitgrowError } from '../errors.js';

/** Most threads of a task, as the native core has it. */
export const MOST_THREADS = 1024;

const chosen = new AsyncLocalStorage<number>();

/**
 * Does the work, and all that it begins, with so many threads; others that run beside it keep theirs. Absent or null: as many
 * as the work around it, or else as the process has.
 *
 * @throws E_ARGUMENT for a number that is not whole, below 1 or above 1,024
 */
export function withThreads<T>(threads: number | null | undefined, work: () => T): T {
  if (threads === null || threads === undefined) return work();
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS)
    throw new SplitgrowError(
      'E_ARGUMENT',
      `threads: expected a whole number of 1 to ${MOST_THREADS}, got ${threads}`,
    );
  return chosen.run(threads, work);
}

/** The threads of the work that asks; 0: not given. */
export function threadsHere(): number {
  return chosen.getStore() ?? 0;
}
