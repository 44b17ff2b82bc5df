// Rounds of work under a clock that only the test moves.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Paced, paced } from '../../lib/machine/paced.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Rounds of 10 ms with pauses of 30; `begun` has the time that each began at. */
function rounds(): Paced & { readonly begun: readonly number[] } {
  const start = performance.now();
  const begun: number[] = [];
  const work = async (): Promise<void> => {
    begun.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 10));
  };
  return { ...paced(work, 3), begun };
}

test('requests before a round and within it come to one each, with the pause between', async () => {
  const { begun, request } = rounds();
  request();
  request();
  await vi.advanceTimersByTimeAsync(5);
  request();
  request();
  await vi.advanceTimersByTimeAsync(200);
  expect(begun).toEqual([0, 40]);
});

test('a request after the pause is not kept waiting', async () => {
  const { begun, request } = rounds();
  request();
  await vi.advanceTimersByTimeAsync(100);
  request();
  await vi.advanceTimersByTimeAsync(100);
  expect(begun).toEqual([0, 100]);
});

test('to stop waits for the round and begins no other', async () => {
  const { begun, request, stop } = rounds();
  request();
  await vi.advanceTimersByTimeAsync(5);
  request();
  let hasStopped = false;
  const stopped = stop().then(() => {
    hasStopped = true;
  });
  await vi.advanceTimersByTimeAsync(4);
  expect(hasStopped).toBe(false);
  await vi.advanceTimersByTimeAsync(200);
  await stopped;
  request();
  await vi.advanceTimersByTimeAsync(200);
  expect(begun).toEqual([0]);
});
