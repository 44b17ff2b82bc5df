// Forward passes and evaluation against PyTorch's golden logits (test/golden/generate.py), a naive forward pass, and counts by hand.
import { expect, test } from 'vitest';
import { failureOf } from '../data/places.js';
import { randomGraph, randomWeights } from '../random-graphs.js';
import { assertClose, forward, size } from '../reference.js';
import {
  core,
  datasetOf,
  doubles,
  golden,
  goldenGraph,
  graphOf,
  largest,
  networkOf,
  numbers,
  numbersOf,
  type Precision,
  randomBatch,
  rates,
  training,
  weightsOf,
} from './golden.js';

/**
 * Share of the largest logit. float32: a dozen layers, each of which rounds
 * sums of up to 200 products by some 6e-8; float64: the same with 1e-16.
 */
const CLOSE: Readonly<Record<Precision, number>> = { float32: 1e-5, float64: 1e-12 };
const CASES = [
  ['maps', 'eval'],
  ['maps', 'train'],
  ['gray', 'eval'],
] as const;

for (const [folder, mode] of CASES) {
  for (const dtype of ['float32', 'float64'] as const) {
    test(`${mode} logits of ${folder} equal PyTorch's in ${dtype}, and no statistic moves`, async () => {
      const weights = await golden(folder, 'weights');
      const network = networkOf(goldenGraph(folder), weights, { dtype });
      const data = datasetOf(await golden(folder, 'batch'), folder === 'maps' ? 6 : 3);
      const want = numbersOf(await golden(folder, 'logits'), mode);
      const got = await core().forward(network, data, { mode, batch: 4 });
      expect(got.dtype).toBe(dtype);
      expect(got.shape).toEqual([10, want.length / 10]);
      const atol = CLOSE[dtype] * largest(want);
      assertClose(numbers(got), want, { rtol: 0, atol });
      for (const [name, tensor] of weightsOf(network))
        expect(numbers(tensor), name).toEqual(numbersOf(weights, name));
    });
  }
}

test('evaluation mode runs random graphs as the naive forward pass does', async () => {
  for (let seed = 0; seed < 25; seed += 1) {
    const graph = randomGraph(seed);
    const weights = randomWeights(graph, seed);
    const batch = randomBatch(graph.input.shape, 2, 2, seed);
    const network = networkOf(graph, weights, { dtype: 'float64' });
    const got = numbers(await core().forward(network, datasetOf(batch, 2), { mode: 'eval', batch: 2 }));
    const images = numbersOf(batch, 'images');
    const area = size(graph.input.shape);
    const want = [0, 1].flatMap((i) => {
      const image = { shape: graph.input.shape, data: images.slice(i * area, (i + 1) * area) };
      return [...(forward(graph, weights, image).get(graph.output)?.data ?? [])];
    });
    // float64 sums in another order.
    assertClose(got, want, { rtol: 0, atol: 1e-11 * largest(want), note: `seed ${seed}` });
  }
});

test('a batch norm behind a pool runs its activation once', async () => {
  const graph = graphOf(
    [1, 2, 2],
    [
      ['pool', 'avg_pool', 'input', { kernel: 2 }],
      ['norm', 'batch_norm', 'pool'],
      ['act', 'activation', 'norm', { kind: 'tanh' }],
      ['flat', 'flatten', 'act'],
      ['out', 'linear', 'flat', { out: 2, bias: false }],
    ],
  );
  const weights = new Map([['out.weight', doubles([2, 1], () => 1)]]);
  const data = datasetOf(randomBatch([1, 2, 2], 2, 3, 1), 2);
  const got = numbers(await core().forward(networkOf(graph, weights), data, { mode: 'eval', batch: 3 }));
  const images = numbersOf(randomBatch([1, 2, 2], 2, 3, 1), 'images');
  const want = [0, 1, 2].flatMap((i) => {
    const mean = images.slice(4 * i, 4 * i + 4).reduce((sum, x) => sum + x / 4, 0);
    const y = Math.tanh(mean / Math.sqrt(1 + 1e-5));
    return [y, y];
  });
  assertClose(got, want, { rtol: 1e-6, atol: 1e-6, note: 'float32' });
});

test('evaluation counts top-1, top-5 and the loss as a count by hand does, whatever the batch', async () => {
  const network = networkOf(goldenGraph('maps'), await golden('maps', 'weights'));
  const batch = await golden('maps', 'batch');
  const logits = numbersOf(await golden('maps', 'logits'), 'eval');
  const labels = numbersOf(batch, 'labels');
  let [top1, top5, loss] = [0, 0, 0];
  labels.forEach((label, i) => {
    const row = [...logits.slice(6 * i, 6 * i + 6)];
    const logit = row[label] ?? Number.NaN;
    const above = row.filter((x) => x > logit).length;
    top1 += above < 1 ? 10 : 0;
    top5 += above < 5 ? 10 : 0;
    loss += (Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - logit) / 10;
  });
  expect(top5).toBeLessThan(100);
  for (const size of [1, 4, 10, 64]) {
    const got = await core().evaluate(network, datasetOf(batch, 6), { batch: size }, null, null);
    expect([got.top1, got.top5, got.images]).toEqual([top1, top5, 10]);
    // Of float32 logits, see CLOSE.
    assertClose([got.loss], [loss], { rtol: 1e-5, atol: 0 });
  }
});

test('with fewer than five classes every image counts for top-5', async () => {
  const network = networkOf(goldenGraph('gray'), await golden('gray', 'weights'));
  const data = datasetOf(await golden('gray', 'batch'), 3);
  expect((await core().evaluate(network, data, { batch: 10 }, null, null)).top5).toBe(100);
});

test('a train-mode forward pass that fails, or is followed by training, leaves no statistic behind', async () => {
  const graph = graphOf(
    [1, 3, 3],
    [
      ['conv', 'conv2d', 'input', { out: 2, kernel: 3 }],
      ['norm', 'batch_norm', 'conv'],
      ['pool', 'global_avg_pool', 'norm'],
      ['second', 'batch_norm', 'pool'],
      ['out', 'linear', 'second', { out: 2 }],
    ],
  );
  const network = networkOf(graph);
  const before = weightsOf(network);
  const one = datasetOf(randomBatch([1, 3, 3], 2, 1, 2), 2);
  const failure = await failureOf(core().forward(network, one, { mode: 'train', batch: 1 }));
  expect(failure).toMatch(/^E_ARGUMENT: second: batch norm in training needs more than one value/);
  expect(weightsOf(network)).toEqual(before);
  const four = datasetOf(randomBatch([1, 3, 3], 2, 4, 3), 2);
  const other = networkOf(graph);
  await core().forward(network, four, { mode: 'train', batch: 4 });
  for (const each of [network, other]) await core().train(each, four, training(4, rates(1, 0.1)), null, null);
  expect(weightsOf(network)).toEqual(weightsOf(other));
});
