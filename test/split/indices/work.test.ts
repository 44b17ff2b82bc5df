// Multiply-adds of splitting indices against counts by hand.
import { expect, test } from 'vitest';
import { parseGraph } from '../../../lib/graph/check.js';
import type { Graph } from '../../../lib/graph/ir.js';
import { keptForms } from '../../../lib/split/indices/auto.js';
import { computeIndices } from '../../../lib/split/indices/indices.js';
import { INDEX_DEFAULTS } from '../../../lib/split/indices/settings.js';
import { indicesCompute, type Searched, type SearchSettings } from '../../../lib/split/indices/work.js';
import { createNetwork } from '../../../lib/train/network.js';
import { convGraph, IMAGES, trainedNetwork } from '../nets.js';

/** Layer a: 4 neurons of 27 weights; b: 6 of 4; 64 positions each. 64 x 4 x 27 + 64 x 6 x 4 + 6 x 2 = 8,460 MACs. */
function handGraph(last = 'silu'): Graph {
  return parseGraph({
    format: 'splitgrow-network/1',
    name: 'hand',
    input: { shape: [3, 8, 8] },
    nodes: [
      { id: 'a', op: 'conv2d', inputs: ['input'], out: 4, kernel: 3 },
      { id: 'a_act', op: 'activation', inputs: ['a'], kind: 'silu' },
      { id: 'b', op: 'conv2d', inputs: ['a_act'], out: 6, kernel: 1 },
      { id: 'b_act', op: 'activation', inputs: ['b'], kind: last },
      { id: 'pool', op: 'global_avg_pool', inputs: ['b_act'] },
      { id: 'classifier', op: 'linear', inputs: ['pool'], out: 2 },
    ],
    output: 'classifier',
  });
}

const MACS = 8_460;
/** Forward and backward over 10 images. */
const PASS = 10 * 3 * MACS;
/** Sums of S over 10 images: 640 positions, 4 neurons, 27 x 28 / 2 numbers; 640, 6, 4 x 5 / 2. */
const [A_MATRICES, B_MATRICES] = [640 * 4 * 378, 640 * 6 * 10];
/** S p of every neuron over 10 images. */
const [A_PRODUCT, B_PRODUCT] = [2 * 640 * 4 * 27, 2 * 640 * 6 * 4];

const SETTINGS: SearchSettings = {
  images: 10,
  identityCurvature: 0,
  memoryLimit: 2 ** 30,
  kept: ['none', 'none'],
};

function work(
  a: Omit<Searched, 'id'>,
  b: Omit<Searched, 'id'>,
  settings: Partial<SearchSettings> = {},
  graph = handGraph(),
): number {
  const chains = [
    { id: 'a', ...a },
    { id: 'b', ...b },
  ];
  return indicesCompute(graph, chains, { ...SETTINGS, ...settings });
}

test('exact is one forward and backward pass, and the upper triangles of all matrices', () => {
  const exact = { method: 'exact', epochs: 0 } as const;
  expect(work(exact, exact)).toBe(PASS + A_MATRICES + B_MATRICES);
});

test('exact passes once more for all matrices that do not fit the memory limit together', () => {
  const exact = { method: 'exact', epochs: 0 } as const;
  // Matrices of 4 x 27 x 27 = 2,916 and 64 bytes: two of a in a sweep, then two of a and all of b.
  const two = work(exact, exact, { memoryLimit: 2 * 2_916 + 6 * 64 });
  expect(two).toBe(2 * PASS + A_MATRICES + B_MATRICES);
  // Never less than one neuron: four of a, and b beside none of them.
  expect(work(exact, exact, { memoryLimit: 6 * 64 })).toBe(5 * PASS + A_MATRICES + B_MATRICES);
});

test('rayleigh passes once an epoch, and a layer has products until it is done', () => {
  const found = work({ method: 'rayleigh', epochs: 3 }, { method: 'rayleigh', epochs: 10 });
  expect(found).toBe(10 * PASS + 3 * A_PRODUCT + 10 * B_PRODUCT);
});

test('lobpcg passes again only for layers of which nothing is kept', () => {
  const [a, b] = [
    { method: 'lobpcg', epochs: 7 },
    { method: 'lobpcg', epochs: 2 },
  ] as const;
  const products = 7 * A_PRODUCT + 2 * B_PRODUCT;
  expect(work(a, b)).toBe(7 * PASS + products);
  expect(work(a, b, { kept: ['inputs', 'none'] })).toBe(2 * PASS + products);
  expect(work(a, b, { kept: ['inputs', 'inputs'] })).toBe(PASS + products);
  // S of b is summed, then all four directions of six neurons are multiplied with it.
  const kept = PASS + 7 * A_PRODUCT + B_MATRICES + 6 * 4 * 4 * 4;
  expect(work(a, b, { kept: ['inputs', 'matrices'] })).toBe(kept);
});

test('each method passes for itself, and a layer without curvature has nothing to compute', () => {
  const mixed = work({ method: 'exact', epochs: 0 }, { method: 'lobpcg', epochs: 5 });
  expect(mixed).toBe(PASS + A_MATRICES + 5 * PASS + 5 * B_PRODUCT);
  const flat = work(
    { method: 'exact', epochs: 0 },
    { method: 'lobpcg', epochs: 0 },
    {},
    handGraph('identity'),
  );
  expect(flat).toBe(PASS + A_MATRICES);
});

test('lobpcg is said to keep what fits its memory, and nothing of layers that it does not take', () => {
  using network = createNetwork(convGraph(), { seed: 0, device: 'cpu' });
  const settings = { ...INDEX_DEFAULTS, images: IMAGES };
  const forms = (method: 'lobpcg' | 'exact', memoryLimit = settings.memoryLimit): readonly string[] =>
    keptForms(
      network,
      ['a', 'b', 'c', 'd'].map(() => method),
      { ...settings, memoryLimit },
    );
  const none = ['none', 'none', 'none', 'none'];
  expect(forms('lobpcg')).not.toContain('none');
  expect(forms('lobpcg', 1)).toEqual(none);
  expect(forms('exact')).toEqual(none);
});

test('what a search tells of its epochs is what it did', async () => {
  const { network, data } = await trainedNetwork(convGraph());
  const request = { ...INDEX_DEFAULTS, batch: 64, images: IMAGES, seed: 1, method: 'rayleigh' } as const;
  using descent = await computeIndices(network, data, { ...request, epochs: 3, mostEpochs: 3 });
  const settings = { ...SETTINGS, images: IMAGES, kept: descent.chains.map(() => 'none' as const) };
  const one = indicesCompute(
    network.graph,
    descent.chains.map(({ id }) => ({ id, method: 'rayleigh', epochs: 1 })),
    settings,
  );
  expect(indicesCompute(network.graph, descent.chains, settings)).toBe(3 * one);
});
