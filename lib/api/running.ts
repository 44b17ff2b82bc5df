// Long work that began already: a promise of its result, and an iterable of what it finishes on the way.
import { isSplitgrowError } from '../errors.js';

/**
 * Long work, begun when it is made. Await it for its result, iterate over what it finishes on the way, or both: it is done
 * once, and every iterator starts at the first item. It does not wait for its readers.
 *
 * - Leaving a `for await` early (break, return, an error in its body) stops the work as an abort does, and waits until it has
 *   stopped. Awaited then, it rejects with E_ABORTED.
 * - An error reaches whoever awaits, and whoever iterates, after the items that were finished before it.
 * - `await using` stops it at the end of the block, where it is not over; that never throws.
 */
export interface Running<Item, Result> extends Promise<Result>, AsyncIterable<Item>, AsyncDisposable {}

/** What the work is given: where items go, and the signal that stops it. */
export interface Outlet<Item> {
  readonly emit: (item: Item) => void;
  readonly signal: AbortSignal;
}

function isAbort(error: unknown): boolean {
  return isSplitgrowError(error) && error.code === 'E_ABORTED';
}

const ignore = (): undefined => undefined;

/** Begins `work` at once. `signal`: of the caller, which stops it too. */
export function running<Item, Result>(
  work: (outlet: Outlet<Item>) => Promise<Result>,
  signal?: AbortSignal | undefined,
): Running<Item, Result> {
  const stopping = new AbortController();
  const items: Item[] = [];
  let waiting: (() => void)[] = [];
  let isOver = false;
  const wake = (): void => {
    for (const resume of waiting) resume();
    waiting = [];
  };
  const emit = (item: Item): void => {
    items.push(item);
    wake();
  };
  const signals = signal === undefined ? [stopping.signal] : [signal, stopping.signal];
  const promise = work({ emit, signal: AbortSignal.any(signals) }).finally(() => {
    isOver = true;
    wake();
  });

  /** Stops the work, waits for its end, and throws what else went wrong. */
  const stop = async (): Promise<void> => {
    if (!isOver) stopping.abort();
    await promise.catch((error: unknown) => {
      if (!isAbort(error)) throw error;
    });
  };

  const iterator = (): AsyncIterator<Item, undefined> => {
    // Its errors are thrown by `next`.
    promise.catch(ignore);
    let at = 0;
    let isLeft = false;
    const done = { done: true, value: undefined } as const;
    return {
      next: async () => {
        while (!isLeft && at >= items.length && !isOver)
          await new Promise<void>((resume) => waiting.push(resume));
        if (isLeft) return done;
        const next = at;
        at += 1;
        if (next < items.length) return { done: false, value: items[next] as Item };
        isLeft = true;
        await promise;
        return done;
      },
      return: async () => {
        if (isLeft) return done;
        isLeft = true;
        wake();
        await stop();
        return done;
      },
    };
  };

  return Object.assign(promise, {
    [Symbol.asyncIterator]: iterator,
    [Symbol.asyncDispose]: () => stop().catch(ignore),
  });
}
