// Work that is promise and iterable at once: who gets items and errors, and how leaving stops it.
import { expect, test } from 'vitest';
import { type Outlet, type Running, running } from '../../lib/api/running.js';
import { SplitgrowError } from '../../lib/errors.js';

const ABORTED = new SplitgrowError('E_ABORTED', 'the work was aborted');

/** Rejects with E_ABORTED once the signal fires; resolves by `proceed`. */
function gate(signal: AbortSignal): { readonly open: () => void; readonly passed: Promise<void> } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve, reject) => {
    open = resolve;
    if (signal.aborted) reject(ABORTED);
    signal.addEventListener('abort', () => reject(ABORTED), { once: true });
  });
  return { open, passed };
}

async function counting({ emit }: Outlet<number>): Promise<string> {
  for (const item of [1, 2, 3]) {
    await Promise.resolve();
    emit(item);
  }
  return 'done';
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Runs `body` and returns what nobody handled meanwhile. */
async function unhandledDuring(body: () => Promise<void>): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown): void => void unhandled.push(reason);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', listen);
  try {
    await body();
    await new Promise((resolve) => setTimeout(resolve, 20));
  } finally {
    process.off('unhandledRejection', listen);
    for (const other of others) process.on('unhandledRejection', other);
  }
  return unhandled;
}

test('it is a promise, begins at once, and is done once however often it is consumed', async () => {
  let begun = 0;
  const run = running<number, string>(async (outlet) => {
    begun += 1;
    return counting(outlet);
  });
  expect(begun).toBe(1);
  expect(run).toBeInstanceOf(Promise);
  expect(await all(run)).toEqual([1, 2, 3]);
  expect(await run).toBe('done');
  expect(await all(run), 'a later iterator starts at the first item').toEqual([1, 2, 3]);
  expect(begun).toBe(1);
});

test('two iterators at a time get every item each', async () => {
  const run = running(counting);
  expect(await Promise.all([all(run), all(run)])).toEqual([
    [1, 2, 3],
    [1, 2, 3],
  ]);
});

test('leaving the loop aborts the work and waits until it has stopped', async () => {
  let hasStopped = false;
  const run = running<number, void>(async ({ emit, signal }) => {
    emit(1);
    try {
      await gate(signal).passed;
    } finally {
      await new Promise((resolve) => setTimeout(resolve, 10));
      hasStopped = true;
    }
  });
  for await (const item of run) {
    expect(item).toBe(1);
    break;
  }
  expect(hasStopped).toBe(true);
  await expect(run).rejects.toMatchObject({ code: 'E_ABORTED' });
});

test('an error in the body of the loop stops the work too, and is the one that is thrown', async () => {
  const run = running<number, void>(async ({ emit, signal }) => {
    emit(1);
    await gate(signal).passed;
  });
  const loop = async (): Promise<void> => {
    for await (const item of run) throw new Error(`no ${item}`);
  };
  await expect(loop()).rejects.toThrow('no 1');
  await expect(run).rejects.toMatchObject({ code: 'E_ABORTED' });
});

test('an error comes after the items before it, to the iterator and to the promise alike', async () => {
  const run = running<number, void>(async ({ emit }) => {
    emit(1);
    throw new SplitgrowError('E_WRITE', 'the disk is full');
  });
  const found: number[] = [];
  const loop = async (): Promise<void> => {
    for await (const item of run) found.push(item);
  };
  await expect(loop()).rejects.toMatchObject({ code: 'E_WRITE' });
  expect(found).toEqual([1]);
  await expect(run).rejects.toMatchObject({ code: 'E_WRITE' });
});

test('what fails while it stops is thrown where the loop is left', async () => {
  const run = running<number, void>(async ({ emit, signal }) => {
    emit(1);
    await gate(signal).passed.catch(() => {
      throw new SplitgrowError('E_WRITE', 'the disk is full');
    });
  });
  const loop = async (): Promise<void> => {
    for await (const _ of run) break;
  };
  await expect(loop()).rejects.toMatchObject({ code: 'E_WRITE' });
});

test('no rejection goes unhandled where it is iterated alone, awaited alone, or left early', async () => {
  const failing = (): Running<number, void> =>
    running<number, void>(async ({ emit }) => {
      await Promise.resolve();
      emit(1);
      throw new SplitgrowError('E_WRITE', 'the disk is full');
    });
  const unhandled = await unhandledDuring(async () => {
    await expect(all(failing())).rejects.toMatchObject({ code: 'E_WRITE' });
    await expect(failing()).rejects.toMatchObject({ code: 'E_WRITE' });
    const left = running<number, void>(async ({ emit, signal }) => {
      emit(1);
      await gate(signal).passed;
    });
    for await (const _ of left) break;
    {
      await using _dropped = running<number, void>(({ signal }) => gate(signal).passed);
    }
  });
  expect(unhandled).toEqual([]);
});

test("the caller's own signal stops it, before it begins and later", async () => {
  const controller = new AbortController();
  const run = running<number, void>(({ signal }) => gate(signal).passed, controller.signal);
  controller.abort();
  await expect(all(run)).rejects.toMatchObject({ code: 'E_ABORTED' });
  const late = running<number, void>(({ signal }) => gate(signal).passed, controller.signal);
  await expect(late).rejects.toMatchObject({ code: 'E_ABORTED' });
});

test('return while next waits ends both', async () => {
  const run = running<number, void>(({ signal }) => gate(signal).passed);
  const iterator = run[Symbol.asyncIterator]();
  const next = iterator.next();
  await iterator.return?.();
  expect(await next).toEqual({ done: true, value: undefined });
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test('a block with await using stops it at its end, without an error', async () => {
  let stopped: AbortSignal | undefined;
  {
    await using _run = running<number, void>(({ signal }) => {
      stopped = signal;
      return gate(signal).passed;
    });
  }
  expect(stopped?.aborted).toBe(true);
});
