// The number of threads belongs to the work that was given it.
import { expect, test } from 'vitest';
import { loadCore } from '../lib/native.js';
import { withThreads } from '../lib/threads.js';

const seen = (): number => loadCore().features().threads;

test('work beside work of another number of threads keeps its own, and the process keeps its own', async () => {
  loadCore().setThreads(5);
  const during = async (threads: number): Promise<readonly number[]> =>
    withThreads(threads, async () => {
      const all: number[] = [];
      for (let i = 0; i < 5; i += 1) {
        all.push(seen());
        await new Promise((resolve) => setImmediate(resolve));
      }
      return all;
    });
  const [two, three] = [during(2), during(3)];
  expect(seen()).toBe(5);
  expect(await two).toEqual([2, 2, 2, 2, 2]);
  expect(await three).toEqual([3, 3, 3, 3, 3]);
  expect([
    seen(),
    withThreads(2, () => withThreads(null, seen)),
    withThreads(2, () => withThreads(4, seen)),
  ]).toEqual([5, 2, 4]);
  loadCore().setThreads(1);
});

test('a number of threads that is none is refused', () => {
  for (const threads of [0, -1, 1.5, Number.NaN, 2000, '2' as never])
    expect(() => withThreads(threads, () => 0)).toThrow(expect.objectContaining({ code: 'E_ARGUMENT' }));
});
