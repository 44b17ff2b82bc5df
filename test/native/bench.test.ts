// Timed steps of the native core: sweeps within a memory limit, parts of the chains, and what each holds.
import { expect, test } from 'vitest';
import { lower } from '../../lib/graph/lower.js';
import { buildPreset } from '../../lib/models/zoo.js';
import type { BenchOptions } from '../../lib/native/face.js';
import { failureOf } from '../data/places.js';
import { core, datasetOf, networkOf, randomBatch } from './golden.js';

// Stem of 32 neurons of 9 weights; two layers of 32 neurons of 32 weights.
const SMALL = { blocks: 1, width: 32, channels: 1, resolution: 8, classes: 3 };
const GRAPH = buildPreset('mobilenet_cifar10', SMALL);
const MATRICES = 4 * (32 * 9 ** 2 + 2 * 32 * 32 ** 2);

function time(options: Partial<BenchOptions> & Pick<BenchOptions, 'what'>, graph = GRAPH) {
  core().setThreads(1);
  const data = datasetOf(randomBatch([1, 8, 8], 3, 4, 9), 3);
  const full = { batch: 4, repeats: 2, warmup: 1, memoryLimit: 2 ** 30, ...options };
  return core().bench(networkOf(graph), data, full, null);
}

test('an exact pass makes as many sweeps as its sums take of the limit', async () => {
  const one = await time({ what: 'exact' });
  expect(one.sweeps).toBe(1);
  expect(one.peakBytes).toBeGreaterThan(MATRICES);
  // A matrix of 4096 bytes at a time: 64 neurons of them, and the stem's 10,368 bytes.
  const many = await time({ what: 'exact', memoryLimit: 4096 });
  const stem = Math.ceil(32 / Math.floor(4096 / (4 * 81)));
  expect(many.sweeps).toBe(64 + stem);
  expect(many.peakBytes).toBeLessThan(one.peakBytes);
  expect(many.milliseconds).toHaveLength(2);
});

test('chains without curvature take no sweep of their own', async () => {
  const linear = buildPreset('mobilenet_cifar10', { ...SMALL, activation: 'identity' });
  const one = await time({ what: 'exact', memoryLimit: 4096 }, linear);
  expect(one.sweeps).toBe(1);
});

test('the eigensolver is timed whatever the number of sweeps, and holds the sums', async () => {
  const one = await time({ what: 'eigen' });
  expect(one.peakBytes).toBeGreaterThan(MATRICES);
  const many = await time({ what: 'eigen', memoryLimit: 4096 });
  expect(many.sweeps).toBeGreaterThan(1);
  for (const ms of [...one.milliseconds, ...many.milliseconds]) expect(ms).toBeGreaterThan(0);
});

test('a part of the chains holds the state of those alone', async () => {
  const { chains } = lower(GRAPH);
  const all = await time({ what: 'rayleigh' });
  const stem = await time({ what: 'rayleigh', chains: chains.map((_, i) => i === 0) });
  // At least vector, its square, velocity and product, float32 [n, d]; with averages to come no more than twice that.
  for (const [{ stateBytes }, weights] of [
    [all, 32 * 9 + 2 * 32 * 32],
    [stem, 32 * 9],
  ] as const) {
    expect(stateBytes).toBeGreaterThanOrEqual(4 * 4 * weights);
    expect(stateBytes).toBeLessThan(2 * 4 * 4 * weights);
  }
  const none = await time({ what: 'exact', chains: chains.map(() => false) });
  expect(none.sweeps).toBe(0);
});

test('a list of chains of another length is refused', async () => {
  expect(await failureOf(time({ what: 'exact', chains: [true] }))).toBe(
    'E_ARGUMENT: expected an entry for each of 3 chains, found 1',
  );
});
