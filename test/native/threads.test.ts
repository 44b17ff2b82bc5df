// The number of threads belongs to the work that was given it.
import { expect, test } from 'vitest';
import { COMMON_FLAGS } from '../../lib/cli/command.js';
import { loadCore } from '../../lib/native/load.js';
import { MOST_THREADS, withThreads } from '../../lib/native/threads.js';
import { parseExperiment } from '../../lib/run/spec/spec.js';

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

test('command line, experiment file and core take as many threads, and none takes one more', () => {
  const experiment = (threads: number): number | null => {
    const data = { name: 'fashion-mnist' };
    return parseExperiment({ name: 'x', network: { preset: 'mobilenet_cifar10' }, data, threads }).threads;
  };
  const takes: Readonly<Record<string, (threads: number) => unknown>> = {
    flag: (threads) => COMMON_FLAGS.threads.parse(String(threads), '--threads', undefined),
    experiment,
    core: (threads) => loadCore().setThreads(threads),
  };
  for (const [name, take] of Object.entries(takes)) {
    expect(() => take(MOST_THREADS), name).not.toThrow();
    expect(() => take(MOST_THREADS + 1), name).toThrow(/1,?024/);
  }
  loadCore().setThreads(1);
});
