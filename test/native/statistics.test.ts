// Batch norm's statistics: measured on without a trace, and estimated anew, against PyTorch (test/golden/generate.py).
import { expect, test } from 'vitest';
import { parseGraph } from '../../lib/graph/check.js';
import type { EvaluateOptions, RecalibrateOptions } from '../../lib/native/face.js';
import { failureOf } from '../data/places.js';
import { assertClose } from '../reference.js';
import {
  core,
  datasetOf,
  golden,
  goldenGraph,
  graphOf,
  largest,
  networkOf,
  numbers,
  numbersOf,
  randomBatch,
  weightsOf,
} from './golden.js';

const SWEEP: RecalibrateOptions = {
  batch: 4,
  syncBatchNorm: false,
  shuffle: false,
  flip: false,
  crop: 0,
  seed: 0,
};
const maps = async (dtype: 'float32' | 'float64') =>
  networkOf(goldenGraph('maps'), await golden('maps', 'weights'), { dtype });
const images = async () => datasetOf(await golden('maps', 'batch'), 6);

/** Share of a tensor's largest value: as in forward.test.ts, a dozen layers of roundings. */
const CLOSE = { float32: 1e-5, float64: 1e-12 } as const;

for (const dtype of ['float32', 'float64'] as const) {
  test(`statistics estimated anew equal PyTorch's of momentum=None in ${dtype}, and no parameter moves`, async () => {
    const [network, want] = [await maps(dtype), await golden('maps', 'statistics')];
    await core().recalibrate(network, await images(), SWEEP, null, null);
    for (const [name, tensor] of weightsOf(network)) {
      if (!name.includes('running')) {
        expect(numbers(tensor), name).toEqual(numbersOf(await golden('maps', 'weights'), name));
        continue;
      }
      const expected = numbersOf(want, name);
      assertClose(numbers(tensor), expected, { rtol: 0, atol: CLOSE[dtype] * largest(expected), note: name });
    }
  });

  test(`the loss on batch statistics equals PyTorch's in training mode in ${dtype}, and no statistic moves`, async () => {
    const network = await maps(dtype);
    const before = weightsOf(network);
    const options: EvaluateOptions = { batch: 4, statistics: 'batch' };
    const { loss } = await core().evaluate(network, await images(), options, null, null);
    const [want = 0] = numbersOf(await golden('maps', 'statistics'), 'loss');
    assertClose([loss], [want], { rtol: CLOSE[dtype], atol: 0 });
    expect(weightsOf(network)).toEqual(before);
  });
}

test('nothing is dropped out where statistics are estimated or a loss is measured on them', async () => {
  const dropping = graphOf(
    [1, 4, 4],
    [
      ['conv', 'conv2d', 'input', { out: 3, kernel: 3 }],
      ['norm', 'batch_norm', 'conv'],
      ['drop', 'dropout', 'norm', { p: 0.5 }],
      ['pool', 'global_avg_pool', 'drop'],
      ['second', 'batch_norm', 'pool'],
      ['out', 'linear', 'second', { out: 2 }],
    ],
  );
  const keeping = parseGraph(JSON.parse(JSON.stringify(dropping).replace('"p":0.5', '"p":0')));
  const data = datasetOf(randomBatch([1, 4, 4], 2, 12, 4), 2);
  const found = await Promise.all(
    [dropping, keeping].map(async (graph) => {
      const network = networkOf(graph);
      const { loss } = await core().evaluate(network, data, { batch: 6, statistics: 'batch' }, null, null);
      await core().recalibrate(network, data, SWEEP, null, null);
      return { loss, weights: weightsOf(network) };
    }),
  );
  expect(found[0]).toEqual(found[1]);
});

test('the order, and with it the minibatches, follows from the seed', async () => {
  const after = async (seed: number) => {
    const network = await maps('float32');
    const options = { ...SWEEP, shuffle: true, flip: true, crop: 1, seed };
    await core().recalibrate(network, await images(), options, null, null);
    return weightsOf(network);
  };
  expect(await after(3)).toEqual(await after(3));
  expect(await after(3)).not.toEqual(await after(4));
});

test('a sweep that fails leaves the statistics as they were', async () => {
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
  const five = datasetOf(randomBatch([1, 3, 3], 2, 5, 2), 2);
  expect(await failureOf(core().recalibrate(network, five, SWEEP, null, null))).toMatch(
    /^E_ARGUMENT: second: batch norm in training needs more than one value/,
  );
  expect(weightsOf(network)).toEqual(before);
});

test('options of a wrong type or name are refused', async () => {
  const [network, data] = [await maps('float32'), await images()];
  const recalibrated = (change: object): Promise<string> =>
    failureOf(
      Promise.resolve().then(() => core().recalibrate(network, data, { ...SWEEP, ...change }, null, null)),
    );
  for (const change of [
    { batch: 0 },
    { batch: 1.5 },
    { crop: -1 },
    { seed: -1 },
    { shuffle: 1 },
    { syncBatchNorm: null },
  ])
    expect(await recalibrated(change), JSON.stringify(change)).toMatch(/^E_ARGUMENT: /);
  const evaluated = (statistics: string): Promise<string> =>
    failureOf(
      Promise.resolve().then(() =>
        core().evaluate(network, data, { batch: 4, statistics: statistics as never }, null, null),
      ),
    );
  expect(await evaluated('moving')).toMatch(/^E_ARGUMENT: .*running or batch, found moving/);
});
