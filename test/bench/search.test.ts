import { expect, test } from 'vitest';
import { checkedMinibatches } from '../../lib/bench/check.js';
import type { ExactSearch, Search, StepTime } from '../../lib/bench/documents.js';
import { overLimit, workRatios } from '../../lib/bench/expected.js';
import { graphsAt, sizesOf, widthsBetween, widthsOf } from '../../lib/bench/networks.js';
import { partSizes } from '../../lib/bench/point.js';
import { descentSearch, equalEpochs, exactSearch } from '../../lib/bench/search.js';
import { keptOf, passWork, weighMethods } from '../../lib/split/indices/auto.js';
import { createNetwork } from '../../lib/train/network.js';
import { assertClose, codeOf } from '../reference.js';

const step = (medianMs: number, peakBytes = 7): StepTime => ({ medianMs, leastMs: 1, repeats: 3, peakBytes });
const EXTENT = { images: 130, epochs: 4, batch: 64 };

test('seconds are scaled by minibatches, the last one counted whole, and by epochs', () => {
  // 3 minibatches.
  expect(descentSearch(step(50), EXTENT)).toEqual({ seconds: 0.6, peakBytes: 7 });
  const steps = { exactStep: step(200, 5), eigensolver: step(1500, 9) };
  expect(exactSearch(steps, EXTENT, 2)).toEqual({
    seconds: 2.1,
    matricesSeconds: 0.6,
    eigenSeconds: 1.5,
    sweeps: 2,
    peakBytes: 9,
  });
});

test('a step that was left out leaves its searches out, with its reason', () => {
  const none = { leftOut: 'memory: none' };
  expect(descentSearch(none, EXTENT)).toBe(none);
  expect(exactSearch({ exactStep: step(1), eigensolver: none }, EXTENT, 1)).toBe(none);
  const exact = exactSearch({ exactStep: step(1), eigensolver: step(1) }, EXTENT, 1) as ExactSearch;
  expect(equalEpochs({ fast: none, exact }, 10)).toBeNull();
});

test('at the equal epochs fast takes as long as exact', () => {
  const exact = exactSearch({ exactStep: step(200), eigensolver: step(1500) }, EXTENT, 1) as ExactSearch;
  const epochs = equalEpochs({ fast: descentSearch(step(50), EXTENT), exact }, EXTENT.epochs) ?? 0;
  const { seconds } = descentSearch(step(50), { ...EXTENT, epochs }) as Search;
  // Rounding.
  assertClose([seconds], [exact.seconds], { rtol: 1e-14, atol: 0 });
});

test('the check takes as many whole minibatches as there is time for', () => {
  expect(checkedMinibatches(0.5, 1, { limit: 4, most: 100 })).toBe(6);
  expect(checkedMinibatches(0.5, 1, { limit: 4, most: 5 })).toBe(5);
  expect(checkedMinibatches(9, 1, { limit: 4, most: 5 })).toBe(0);
});

test('widths are 1, 2, 4 and 8 times the own one, or those given, in order', () => {
  expect(widthsOf({})).toEqual([1, 2, 4, 8]);
  expect(widthsOf({ network: 'mobilenet_cifar10' })).toEqual([8, 16, 32, 64]);
  expect(widthsOf({ widths: [4, 1, 4] })).toEqual([1, 4]);
  for (const widths of [[], [0], [-1], [Number.NaN]])
    expect(codeOf(() => widthsOf({ widths }))).toBe('E_ARGUMENT');
});

test('a range of widths has equal ratios, whole ones where the preset counts channels', () => {
  expect(widthsBetween('mobilenet_cifar100', { from: 1, to: 8, points: 4 })).toEqual([1, 2, 4, 8]);
  expect(widthsBetween('mobilenet_cifar10', { from: 8, to: 16, points: 3 })).toEqual([8, 11, 16]);
  expect(widthsBetween('mobilenet_cifar10', { from: 2, to: 3, points: 9 })).toEqual([2, 3]);
  expect(widthsBetween('mobilenet_v1', { from: 0.5, to: 2, points: 1 })).toEqual([0.5]);
  expect(codeOf(() => widthsBetween('mobilenet_v1', { from: 2, to: 1, points: 3 }))).toBe('E_ARGUMENT');
});

test('sizes are those counted by hand', async () => {
  const [graph] = await graphsAt({ network: 'mobilenet_cifar10', preset: { blocks: 1, channels: 1 } }, [4]);
  if (graph === undefined) throw new Error('no graph');
  // A stem of 3x3 on 1 channel and two pointwise layers on 4.
  expect(sizesOf(graph)).toMatchObject({
    chains: 3,
    neurons: 12,
    largestDimension: 9,
    weights: 4 * 9 + 2 * 4 * 4,
    matrixBytes: 4 * (4 * 81 + 2 * 4 * 16),
  });
  const place = { batch: 8, threads: 2, device: 'cpu' } as const;
  // Two threads may keep a copy each.
  expect(overLimit(graph, { ...place, memoryLimit: 2 * 4 * 81 })).toBeNull();
  expect(overLimit(graph, { ...place, memoryLimit: 2 * 4 * 81 - 1 })).toMatch(
    /^memory: the matrix of one neuron/,
  );
  expect(overLimit(graph, { ...place, device: 'cuda', memoryLimit: 4 * 81 })).toBeNull();
});

test('parts are about equal and end with all', () => {
  expect(partSizes(14, 4)).toEqual([4, 7, 11, 14]);
  expect(partSizes(2, 4)).toEqual([1, 2]);
  expect(partSizes(5, 1)).toEqual([5]);
  expect(partSizes(0, 3)).toEqual([]);
});

test('auto weighs what it chooses, and expects more of exact the wider the network', async () => {
  // Wide enough for layers whose x and h lobpcg keeps; of narrower ones it keeps S, which is the work of exact.
  const graphs = await graphsAt({}, [4, 8, 16]);
  const settings = { images: 50_000, passes: 10, memoryLimit: 2 ** 40 };
  const choices = graphs.map((graph) => {
    using network = createNetwork(graph, { seed: 0, device: 'cpu' });
    return weighMethods(graph, { ...settings, kept: keptOf(network, settings) });
  });
  for (const { methods, work } of choices) {
    expect(work.chosen).toBeLessThanOrEqual(Math.min(work.exact, work.lobpcg));
    if (!methods.includes('lobpcg')) expect(work.chosen).toBe(work.exact);
  }
  const ratios = choices.map(({ work }) => work.exact / work.lobpcg);
  expect([...ratios].sort((a, b) => a - b)).toEqual(ratios);
  const [narrow, , wide] = graphs.map((graph) => workRatios(graph, { batch: 64, memoryLimit: 2 ** 40 }));
  expect(wide?.exactStep).toBeGreaterThan(narrow?.exactStep ?? 0);
  // Every further sweep is a pass more.
  const [tight] = graphs.map((graph) =>
    workRatios(graph, { batch: 64, memoryLimit: sizesOf(graph).matrixBytes / 5 }),
  );
  const [seed] = graphs;
  if (seed === undefined) throw new Error('no graph');
  const pass = passWork(seed, 2) / passWork(seed, 3);
  assertClose([tight?.exactStep ?? 0], [(narrow?.exactStep ?? 0) + 4 * pass], { rtol: 1e-12, atol: 0 });
});
