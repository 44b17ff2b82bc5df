// Parametric updates against torch.optim.SGD (test/golden/generate.py), and what is decayed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { NetworkHandle, TensorEntries, TrainOptions } from '../../lib/native/face.js';
import { failureOf } from '../data/places.js';
import { assertClose } from '../reference.js';
import {
  core,
  datasetOf,
  doubles,
  floats,
  GOLDEN,
  golden,
  goldenGraph,
  largest,
  networkOf,
  numbers,
  numbersOf,
  type Precision,
  rates,
  tensorOf,
  training,
  weightsOf,
} from './golden.js';

type Run = Partial<Omit<TrainOptions, 'penalties'>> & {
  readonly dtype: Precision;
  readonly penalties?: Readonly<Record<string, readonly number[]>>;
};
interface Runs {
  readonly batch: number;
  readonly rates: readonly number[];
  readonly runs: Readonly<Record<string, Run>>;
}
const RUNS: Runs = JSON.parse(readFileSync(join(GOLDEN, 'train', 'runs.json'), 'utf8'));

/**
 * Share of a tensor's largest value after 6 steps. float32: the promised
 * bound; each step adds roundings of 6e-8 that batch norm's division by a
 * small deviation and momentum enlarge. float64: the same with 1e-16.
 */
const CLOSE: Readonly<Record<Precision, number>> = { float32: 1e-4, float64: 1e-11 };

const start = async (dtype: Precision) =>
  networkOf(goldenGraph('train'), await golden('train', 'weights'), { dtype });
const images = async () => datasetOf(await golden('train', 'batch'), 5);

/** Coefficients in the shapes of the network's own tensors. */
const coefficients = (network: NetworkHandle, penalties: Run['penalties'] = {}): TensorEntries =>
  Object.entries(penalties).map(([name, values]) => [
    name,
    floats(tensorOf(weightsOf(network), name).shape, (i) => values[i] ?? Number.NaN),
  ]);

for (const [name, { dtype, penalties, ...run }] of Object.entries(RUNS.runs)) {
  test(`weights, statistics and losses after two epochs of SGD (${name}) equal PyTorch's`, async () => {
    const [network, data, want] = [await start(dtype), await images(), await golden('train', name)];
    const losses: number[] = [];
    for (const epoch of [RUNS.rates.slice(0, 3), RUNS.rates.slice(3)]) {
      const options = training(RUNS.batch, epoch, { ...run, penalties: coefficients(network, penalties) });
      const result = await core().train(network, data, options, null, null);
      expect(result.images).toBe(20);
      losses.push(result.loss);
    }
    assertClose(losses, numbersOf(want, 'losses'), { rtol: CLOSE[dtype], atol: 0, note: 'losses' });
    const got = weightsOf(network);
    expect([...got.keys(), 'losses'].sort()).toEqual([...want.keys()].sort());
    for (const [id, tensor] of got) {
      const expected = numbersOf(want, id);
      assertClose(numbers(tensor), expected, { rtol: 0, atol: CLOSE[dtype] * largest(expected), note: id });
    }
  });
}

test('an epoch says the loss without updates and the top-1 of its images', async () => {
  const [network, data] = [await start('float64'), await images()];
  const logits = numbers(await core().forward(network, data, { mode: 'train', batch: 20 }));
  const labels = numbersOf(await golden('train', 'batch'), 'labels');
  let [loss, top1] = [0, 0];
  labels.forEach((label, i) => {
    const row = [...logits.slice(5 * i, 5 * i + 5)];
    loss += (Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - (row[label] ?? 0)) / 20;
    top1 += row.indexOf(Math.max(...row)) === label ? 5 : 0;
  });
  const got = await core().train(network, data, training(20, [0]), null, null);
  expect(got.top1).toBe(top1);
  assertClose([got.loss], [loss], { rtol: 1e-12, atol: 0, note: 'float64' });
});

test("decay 'weights' decays what has two axes or more, and no bias, scale or shift", async () => {
  const [rate, weightDecay] = [0.5, 0.25];
  const after = async (decay: 'all' | 'weights', amount: number) => {
    const network = await start('float64');
    const options = training(20, [rate], { weightDecay: amount, decay });
    await core().train(network, await images(), options, null, null);
    return weightsOf(network);
  };
  const [none, weights, all] = [
    await after('all', 0),
    await after('weights', weightDecay),
    await after('all', weightDecay),
  ];
  const before = await golden('train', 'weights');
  for (const [name, tensor] of before) {
    const isStatistic = name.includes('running');
    const shift = numbers(tensor).map((x) => (isStatistic ? 0 : -rate * weightDecay * x));
    const moved = (to: typeof all) => numbersOf(to, name).map((x, i) => x - (numbersOf(none, name)[i] ?? 0));
    const tolerance = { rtol: 0, atol: 1e-13, note: `${name}, float64` };
    assertClose(moved(all), shift, tolerance);
    assertClose(moved(weights), tensor.shape.length > 1 ? shift : shift.map(() => 0), tolerance);
  }
});

test('momentum buffers are empty before the first step, and carry an epoch on where they are written back', async () => {
  const [whole, first, second, data] = [
    await start('float32'),
    await start('float32'),
    await start('float32'),
    await images(),
  ];
  expect(core().readNetwork(first, 'momentum')).toEqual([]);
  const options = training(8, rates(3, 0.05), { momentum: 0.9 });
  for (const network of [whole, whole, first]) await core().train(network, data, options, null, null);
  const copy = networkOf(goldenGraph('train'), weightsOf(first));
  core().writeNetwork(copy, 'momentum', core().readNetwork(first, 'momentum'));
  await core().train(copy, data, options, null, null);
  expect(weightsOf(copy)).toEqual(weightsOf(whole));
  expect(core().readNetwork(copy, 'momentum')).toEqual(core().readNetwork(whole, 'momentum'));
  core().writeNetwork(copy, 'momentum', []);
  expect(core().readNetwork(copy, 'momentum')).toEqual([]);
  expect(core().readNetwork(second, 'momentum')).toEqual([]);
});

test('initial weights follow the seed alone, in both precisions', () => {
  const graph = goldenGraph('train');
  const [one, again, other] = [1, 1, 2].map((seed) => weightsOf(networkOf(graph, new Map(), { seed })));
  const wide = weightsOf(networkOf(graph, new Map(), { seed: 1, dtype: 'float64' }));
  expect(one).toEqual(again);
  expect(one).not.toEqual(other);
  for (const [name, tensor] of one ?? []) expect(numbersOf(wide, name), name).toEqual(numbers(tensor));
});

test('a loss that is not finite is E_NOT_FINITE and names the minibatch', async () => {
  const network = await start('float32');
  const failure = await failureOf(
    core().train(network, await images(), training(8, rates(3, 1e30)), null, null),
  );
  expect(failure).toMatch(/^E_NOT_FINITE: .*minibatch [23] .*learningRate/);
});

test('weights in float64 are taken as they are by a float64 network', () => {
  const graph = goldenGraph('train');
  const third = new Map([['classifier.bias', doubles([5], () => 1 / 3)]]);
  expect(numbersOf(weightsOf(networkOf(graph, third, { dtype: 'float64' })), 'classifier.bias')[0]).toBe(
    1 / 3,
  );
  expect(numbersOf(weightsOf(networkOf(graph, third)), 'classifier.bias')[0]).toBe(Math.fround(1 / 3));
});
