// Gradients by finite differences of the loss in doubles, and norms of newborn and old channels taken by loops over them.
import { expect, test } from 'vitest';
import { grow } from '../../../lib/graph/grow.js';
import type { Graph } from '../../../lib/graph/ir.js';
import { lower } from '../../../lib/graph/lower.js';
import type { TensorData } from '../../../lib/native/face.js';
import { gradientsOf, newbornGradients } from '../../../lib/split/step/gradients.js';
import { networkOf as named } from '../../../lib/train/network.js';
import {
  core,
  datasetOf,
  doubles,
  graphOf,
  networkOf,
  numbers,
  numbersOf,
  randomBatch,
  rates,
  tensorOf,
  training,
  weightsOf,
} from '../../native/golden.js';
import { assertClose } from '../../reference.js';

/** Tied layers b and c, a depthwise layer, and a classifier that reads 2 x 2 features of each channel. */
const GRAPH: Graph = graphOf(
  [2, 4, 4],
  [
    ['a', 'conv2d', 'input', { out: 2, kernel: 3 }],
    ['a_bn', 'batch_norm', 'a'],
    ['a_act', 'activation', 'a_bn', { kind: 'silu' }],
    ['b', 'conv2d', 'a_act', { out: 3, kernel: 1 }],
    ['b_bn', 'batch_norm', 'b'],
    ['c', 'conv2d', 'a_act', { out: 3, kernel: 3, bias: true }],
    ['sum', 'add', ['b_bn', 'c']],
    ['dw', 'depthwise_conv2d', 'sum', { kernel: 3, stride: 2 }],
    ['dw_act', 'activation', 'dw', { kind: 'tanh' }],
    ['flat', 'flatten', 'dw_act'],
    ['out', 'linear', 'flat', { out: 3 }],
  ],
);
const SPLITS = { a: [0], b: [2, 0], c: [2, 0] };
const [IMAGES, BATCH] = [12, 6];

async function grown() {
  const batch = randomBatch(GRAPH.input.shape, 3, IMAGES, 4);
  const start = networkOf(GRAPH, new Map(), { dtype: 'float64', seed: 2 });
  const { graph, surgery } = grow(GRAPH, { splits: SPLITS }, { outgoingDelta: 0.2 });
  const handle = await core().rewrite(start, lower(graph), surgery, null, 0, 'reset');
  const probe = { images: IMAGES, batch: BATCH, labelSmoothing: 0, seed: 0, data: datasetOf(batch, 3) };
  return { network: named(graph, handle), graph, probe };
}

test('gradients are finite differences of the loss with batch statistics', async () => {
  const { network, probe } = await grown();
  const gradients = await gradientsOf(network, probe);
  const weights = weightsOf(network.handle);
  const lossWith = async (name: string, tensor: TensorData): Promise<number> => {
    core().writeNetwork(network.handle, 'weights', [[name, tensor]]);
    const options = { batch: BATCH, statistics: 'batch' } as const;
    return (await core().evaluate(network.handle, probe.data, options, null, null)).loss;
  };
  const trained = [...weights.keys()].filter((name) => !name.includes('running'));
  expect([...gradients.keys()].sort()).toEqual([...trained].sort());
  const step = 1e-5;
  for (const name of trained) {
    const tensor = tensorOf(weights, name);
    const values = numbers(tensor);
    const found = numbersOf(gradients, name);
    const wanted: number[] = [];
    for (let at = 0; at < values.length; at += 1) {
      const moved = (by: number) => doubles(tensor.shape, (i) => (values[i] ?? 0) + (i === at ? by : 0));
      wanted.push(((await lossWith(name, moved(step))) - (await lossWith(name, moved(-step)))) / (2 * step));
    }
    await lossWith(name, tensor);
    // Central differences: an error of step^2 times the third derivative, and rounding of 1e-16 / step.
    assertClose(found, wanted, { rtol: 1e-6, atol: 1e-8, note: name });
  }
});

test('taking gradients leaves weights, statistics and momentum as they are', async () => {
  const { network, probe } = await grown();
  const options = training(BATCH, rates(2, 0.01), { momentum: 0.9 });
  await core().train(network.handle, probe.data, options, null, null);
  const read = () =>
    (['weights', 'momentum'] as const).map((what) => core().readNetwork(network.handle, what));
  const before = read();
  const gradients = await gradientsOf(network, probe);
  expect(read()).toEqual(before);
  // Momentum that is there does not come in.
  const again = await gradientsOf(network, { ...probe });
  expect(again).toEqual(gradients);
});

test('norms are those of the rows and the columns of each channel, copies apart', async () => {
  const { network, probe } = await grown();
  const gradients = await gradientsOf(network, probe);
  const record = await newbornGradients(network, SPLITS, probe);
  const at = (name: string, ...place: readonly number[]): number => {
    const { shape } = tensorOf(gradients, name);
    return numbersOf(gradients, name)[place.reduce((sum, i, axis) => sum * (shape[axis] ?? 0) + i, 0)] ?? 0;
  };
  const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);
  const rms = (channels: readonly number[], square: (channel: number) => number): number =>
    Math.sqrt(channels.reduce((sum, channel) => sum + square(channel), 0) / channels.length);
  const sum = (values: readonly number[]): number => values.reduce((total, x) => total + x, 0);
  const windows = range(3).flatMap((y) => range(3).map((x) => [y, x] as const));
  /** Squares of all that belongs to one channel, by hand: a has 3 channels now, b and c have 5. */
  const squares = {
    a: (n: number) => sum(range(2).flatMap((i) => windows.map(([y, x]) => at('a.weight', n, i, y, x) ** 2))),
    b: (n: number) => sum(range(3).map((i) => at('b.weight', n, i, 0, 0) ** 2)),
    c: (n: number) => sum(range(3).flatMap((i) => windows.map(([y, x]) => at('c.weight', n, i, y, x) ** 2))),
  };
  const readersOfA = (n: number): number =>
    sum(range(5).map((o) => at('b.weight', o, n, 0, 0) ** 2)) +
    sum(range(5).flatMap((o) => windows.map(([y, x]) => at('c.weight', o, n, y, x) ** 2)));
  const readersOfSum = (n: number): number =>
    sum(range(3).flatMap((o) => range(4).map((feature) => at('out.weight', o, 4 * n + feature) ** 2)));
  const want = [
    { layer: 'a', old: [0, 1], newborn: [2], own: squares.a, readers: readersOfA },
    { layer: 'b', old: [0, 1, 2], newborn: [3, 4], own: squares.b, readers: readersOfSum },
    { layer: 'c', old: [0, 1, 2], newborn: [3, 4], own: squares.c, readers: readersOfSum },
  ];
  expect(record?.layers.map(({ layer, newborns }) => [layer, newborns])).toEqual(
    want.map(({ layer, newborn }) => [layer, newborn.length]),
  );
  want.forEach(({ old, newborn, own, readers }, i) => {
    const found = record?.layers[i];
    for (const [norms, square] of [
      [found?.weights, own],
      [found?.consumers, readers],
    ] as const) {
      expect(norms?.old).toBeCloseTo(rms(old, square), 12);
      expect(norms?.newborn).toBeCloseTo(rms(newborn, square), 12);
      expect(norms?.ratio).toBeCloseTo(rms(newborn, square) / rms(old, square), 10);
    }
  });
  const ratios = want.map(({ old, newborn, own }) => rms(newborn, own) / rms(old, own));
  expect(record?.ratio).toBeCloseTo(ratios.reduce((product, ratio) => product * ratio, 1) ** (1 / 3), 10);
  expect(record).toMatchObject({ images: IMAGES, minibatches: 2 });
});

test('without offspring there is no record, and where old channels have no gradient no ratio', async () => {
  const { network, graph, probe } = await grown();
  expect(await newbornGradients(network, { a: [] }, probe)).toBeNull();
  // Nothing reaches the layers before a classifier of zeros.
  const silent = doubles(tensorOf(weightsOf(network.handle), 'out.weight').shape, () => 0);
  core().writeNetwork(network.handle, 'weights', [['out.weight', silent]]);
  const record = await newbornGradients(named(graph, network.handle), SPLITS, probe);
  expect(record?.layers[0]?.weights).toEqual({ newborn: 0, old: 0, ratio: null });
  expect(record?.ratio).toBeNull();
});
