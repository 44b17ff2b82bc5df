import { expect, test } from 'vitest';
import { macs } from '../../../lib/graph/cost.js';
import type { Graph } from '../../../lib/graph/ir.js';
import { lower } from '../../../lib/graph/lower.js';
import { buildPreset } from '../../../lib/models/zoo.js';
import {
  type AutoSettings,
  chooseMethods,
  keptOf,
  type MethodChoice,
  WORK,
  weighMethods,
} from '../../../lib/split/indices/auto.js';
import { computeIndices, enoughEpochs, evenBatch } from '../../../lib/split/indices/indices.js';
import { INDEX_DEFAULTS, imagesOf, METHODS } from '../../../lib/split/indices/settings.js';
import { createNetwork } from '../../../lib/train/network.js';
import { assertClose } from '../../reference.js';
import { convGraph, IMAGES, trainedNetwork } from '../nets.js';

const REQUEST = { ...INDEX_DEFAULTS, batch: evenBatch(IMAGES, 128), images: IMAGES, seed: 1 };

/** With what the core keeps of a network of this graph on the CPU. */
function weigh(graph: Graph, settings: Omit<AutoSettings, 'kept'>): MethodChoice {
  using network = createNetwork(graph, { seed: 0, device: 'cpu' });
  return weighMethods(graph, { ...settings, kept: keptOf(network, settings) });
}

/** Numbers of the input, of stem, batch norm and activation, of four layers with theirs at half the size, of pool and logits. */
const VALUES = 3 * 32 ** 2 + 3 * 8 * 32 ** 2 + 4 * 3 * 8 * 16 ** 2 + 8 + 10;

test('the Rayleigh descent reaches the exact indices when it is given enough epochs', async () => {
  const { network, data } = await trainedNetwork(convGraph());
  using exact = await computeIndices(network, data, { ...REQUEST, method: 'exact' });
  const epochs = enoughEpochs(IMAGES, REQUEST.batch);
  using descent = await computeIndices(network, data, { ...REQUEST, method: 'rayleigh', epochs });
  for (const [i, chain] of exact.chains.entries()) {
    const size = Math.max(...chain.indices.map(Math.abs));
    const difference = chain.indices.map((index, n) =>
      Math.abs(index - (descent.chains[i]?.indices[n] ?? Number.NaN)),
    );
    // 1,600 steps come within 0.5 % on most; a neuron whose two least eigenvalues are close takes longer.
    expect(Math.max(...difference), chain.id).toBeLessThan(0.02 * size);
    expect(chain.indices.every((index) => Number.isFinite(index))).toBe(true);
    // The eigensolver works in float32.
    expect(Math.max(...chain.residuals), chain.id).toBeLessThan(1e-4 * size);
  }
});

test('lobpcg is within 1 % of the exact index in the passes asked for', async () => {
  const { network, data } = await trainedNetwork(convGraph());
  using exact = await computeIndices(network, data, { ...REQUEST, method: 'exact' });
  using found = await computeIndices(network, data, { ...REQUEST, method: 'lobpcg' });
  for (const [i, chain] of exact.chains.entries()) {
    const floor = Math.max(...chain.indices.map(Math.abs)) / 100;
    const got = found.chains[i];
    const shares = chain.indices.map(
      (index, n) => Math.abs(index - (got?.indices[n] ?? Number.NaN)) / Math.max(Math.abs(index), floor),
    );
    expect(Math.max(...shares), chain.id).toBeLessThan(0.01);
    expect(got).toMatchObject({ method: 'lobpcg', above: 0 });
    expect(got?.epochs).toBeLessThanOrEqual(REQUEST.passes);
  }
});

test('the usual images are all of them, or 2,048 where lobpcg may take part', () => {
  expect(METHODS.map((method) => imagesOf(method, null, 50_000))).toEqual([50_000, 50_000, 2048, 2048]);
  expect(METHODS.map((method) => imagesOf(method, 300, 50_000))).toEqual([300, 300, 300, 300]);
  expect(METHODS.map((method) => imagesOf(method, 300, 96))).toEqual([96, 96, 96, 96]);
});

test('auto gives the indices of the methods that it picked', async () => {
  const { network, data } = await trainedNetwork(convGraph(), 3);
  using exact = await computeIndices(network, data, { ...REQUEST, method: 'exact' });
  using auto = await computeIndices(network, data, { ...REQUEST, method: 'auto' });
  expect(auto.method).toBe('auto');
  const settings = { ...REQUEST, kept: keptOf(network, REQUEST) };
  expect(auto.chains.map(({ method }) => method)).toEqual([...chooseMethods(network.graph, settings)]);
  for (const [i, chain] of auto.chains.entries()) {
    if (chain.method === 'exact') expect(chain.indices).toEqual(exact.chains[i]?.indices);
  }
});

test('auto is exact where neurons are small, and takes lobpcg where they are large', () => {
  const settings = { images: 8000, passes: 12, memoryLimit: 2 ** 30 };
  expect(new Set(weigh(buildPreset('mobilenet_cifar10'), settings).methods)).toEqual(new Set(['exact']));
  const wide = buildPreset('mobilenet_v1', { width: 2, resolution: 32, classes: 10 });
  expect(weigh(wide, { ...settings, images: 100_000 }).methods).toContain('lobpcg');
});

test('a layer without activation costs neither method anything, unless it is given a curvature', () => {
  const settings = { images: 10, passes: 7, memoryLimit: 2 ** 40 };
  const [plain, linear] = ['silu', 'identity'].map((activation) =>
    buildPreset('mobilenet_cifar10', { blocks: 1, activation }),
  );
  if (plain === undefined || linear === undefined) throw new Error('no graph');
  const curved = weigh(linear, { ...settings, identityCurvature: 1 }).work;
  expect(curved).toEqual(weigh(plain, settings).work);
  const { exact, lobpcg } = weigh(linear, settings).work;
  // One pass: two a multiply-accumulate, and the values of each image.
  expect(exact).toBe(10 * (2 * macs(linear) + WORK.value * VALUES));
  expect(lobpcg).toBe(exact);
});

test('a search that keeps S is the sums of exact and all eigenpairs, and one that keeps nothing is products in every pass', () => {
  const graph = buildPreset('mobilenet_cifar10', { blocks: 1 });
  const { chains } = lower(graph);
  const settings = { images: 10, passes: 7, memoryLimit: 2 ** 40 };
  const pass = 10 * (2 * macs(graph) + WORK.value * VALUES);
  const keeping = (form: 'matrices' | 'none', memoryLimit = 2 ** 40) => {
    const kept = chains.map(() => ({ form, bytes: 100 }));
    return weighMethods(graph, { ...settings, memoryLimit, kept });
  };
  const matrices = keeping('matrices');
  expect(new Set(matrices.methods)).toEqual(new Set(['exact']));
  const solved = chains.reduce(
    (sum, { neurons: n, dimension: d }) =>
      sum + n * (d ** 2 * (WORK.pairs - WORK.eigenSquare) - d ** 3 * WORK.eigenCube),
    0,
  );
  // The sums are the same, and so is the one pass. Rounding.
  assertClose([matrices.work.lobpcg - matrices.work.exact], [solved], { rtol: 1e-9, atol: 0 });
  const { lobpcg } = keeping('none').work;
  const sides = [32, 16, 16];
  const products = chains.reduce(
    (sum, { neurons: n, dimension: d }, i) => sum + 2 * 10 * n * d * (sides[i] ?? 0) ** 2,
    0,
  );
  const searches = chains.reduce((sum, { neurons: n, dimension: d }) => sum + WORK.search * n * d, 0);
  const passes = settings.passes * (pass + products);
  assertClose([lobpcg], [passes + searches], { rtol: 1e-12, atol: 0 });
  // What does not fit is not kept: one layer of 100 bytes does, the others are passed over.
  expect(keeping('matrices', 99).work.lobpcg).toBe(lobpcg);
  const stem = 8 * 27;
  const kept = stem * 27 * (WORK.pairs + WORK.matrices * 10 * 32 ** 2);
  const swept = stem * (settings.passes * 2 * 10 * 32 ** 2 + WORK.search);
  assertClose([keeping('matrices', 100).work.lobpcg], [lobpcg - swept + kept], { rtol: 1e-12, atol: 0 });
});

test('lobpcg keeps something of every layer of a seed, and nothing where statistics move', () => {
  const graph = buildPreset('mobilenet_cifar10', { blocks: 1 });
  using network = createNetwork(graph, { seed: 0, device: 'cpu' });
  const forms = (depthwiseBatchNorm: 'eval' | 'train') =>
    new Set(keptOf(network, { images: 10, depthwiseBatchNorm }).map(({ form }) => form));
  expect(forms('eval')).not.toContain('none');
  expect(forms('train')).toEqual(new Set(['none']));
});

test('auto keeps the splitting matrices within the memory limit', () => {
  const graph = buildPreset('mobilenet_cifar10');
  const settings = { images: 8000, passes: 12 };
  const choose = (memoryLimit: number) => weigh(graph, { ...settings, memoryLimit }).methods;
  const [free, bounded] = [choose(2 ** 40), choose(2 ** 14)];
  const count = (methods: readonly string[]): number => methods.filter((method) => method === 'exact').length;
  expect(count(bounded)).toBeLessThan(count(free));
  expect(choose(1)).not.toContain('exact');
});

test('the default of the command lets the descent take 2,000 steps, and never less than the ten epochs of the paper', () => {
  expect(enoughEpochs(64, 64)).toBe(2000);
  expect(enoughEpochs(65, 64)).toBe(1000);
  expect(enoughEpochs(1_000_000, 64)).toBe(10);
});

test('minibatches of a file are equal, or nearly, and at most as large as asked', () => {
  expect([64, 96, 100, 129, 1].map((images) => evenBatch(images, 64))).toEqual([64, 48, 50, 43, 1]);
});

test('another seed starts the descent elsewhere; the same seed gives the same bits', async () => {
  const { network, data } = await trainedNetwork(convGraph(), 3);
  const run = async (seed: number): Promise<readonly (readonly number[])[]> => {
    using found = await computeIndices(network, data, { ...REQUEST, seed, method: 'rayleigh', epochs: 2 });
    return found.chains.map(({ indices }) => indices);
  };
  const [one, same, other] = [await run(1), await run(1), await run(2)];
  expect(same).toEqual(one);
  expect(other).not.toEqual(one);
});
