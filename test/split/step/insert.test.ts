// New neurons in pairs: the function before and after in doubles, lengths and places by hand, first gradients that are opposite.
import { expect, test } from 'vitest';
import { channelGroups, type GroupId } from '../../../lib/graph/channels.js';
import type { Graph } from '../../../lib/graph/ir.js';
import { lower } from '../../../lib/graph/lower.js';
import { widths } from '../../../lib/graph/print.js';
import { buildPreset } from '../../../lib/models/zoo.js';
import type { DatasetHandle } from '../../../lib/native/face.js';
import { loadCore } from '../../../lib/native/load.js';
import { insertNeurons } from '../../../lib/split/step/insert.js';
import { relativeChange } from '../../../lib/split/step/offspring.js';
import { recalibrate } from '../../../lib/train/fit.js';
import { type Network, networkOf } from '../../../lib/train/network.js';
import {
  datasetOf,
  networkOf as handleOf,
  largest,
  numbersOf,
  randomBatch,
  tensorOf,
  training,
} from '../../native/golden.js';
import { drawOf, mildWeights, randomGraph } from '../../random-graphs.js';
import { assertClose } from '../../reference.js';
import { convGraph, trainedNetwork } from '../nets.js';

const COUNT = 24;

/** Statistics of the new channels over all images in one minibatch. */
const estimateOn = (data: DatasetHandle, images: number) => (network: Network) =>
  recalibrate(network, data, {
    ...{ batch: images, remainder: 'keep', leastImages: 1, syncBatchNorm: false },
    ...{ shuffle: false, flip: false, crop: 0, seed: 0 },
  });

/** Two or four new neurons in some of the groups that may be split. */
function someGroups(graph: Graph, seed: number): Map<GroupId, number> {
  const { below, chance } = drawOf(seed + 11);
  return new Map(
    channelGroups(graph).flatMap(({ id, isSplittable }) =>
      isSplittable && chance(0.7) ? [[id, 2 * (1 + below(2))] as const] : [],
    ),
  );
}

const tensors = ({ handle }: Network) => new Map(loadCore().readNetwork(handle, 'weights'));
const logits = ({ handle }: Network, data: DatasetHandle, mode: 'eval' | 'train' = 'eval') =>
  loadCore().forward(handle, data, { mode, batch: COUNT });

test('random networks compute the same with new pairs, in evaluation and in training, with exact widths', async () => {
  let groups = 0;
  for (let seed = 0; seed < 30; seed += 1) {
    const graph = randomGraph(seed);
    const inserted = someGroups(graph, seed);
    const network = networkOf(graph, handleOf(graph, mildWeights(graph, seed), { dtype: 'float64' }));
    const { classes } = lower(graph);
    const data = datasetOf(randomBatch(graph.input.shape, classes, COUNT, seed), classes);
    const made = await insertNeurons(network, inserted, { seed, estimate: estimateOn(data, COUNT) });
    // Float64: sums in another order.
    const isRandom = graph.nodes.some(({ op }) => op === 'dropout');
    for (const mode of isRandom ? (['eval'] as const) : (['eval', 'train'] as const))
      expect(
        relativeChange(await logits(network, data, mode), await logits(made, data, mode)),
        `seed ${seed}, ${mode}`,
      ).toBeLessThan(1e-9);
    const [before, after] = [widths(graph), widths(made.graph)];
    for (const { id, producers } of channelGroups(graph))
      for (const producer of producers)
        expect((after[producer] ?? 0) - (before[producer] ?? 0), `seed ${seed}`).toBe(inserted.get(id) ?? 0);
    groups += inserted.size;
  }
  expect(groups).toBeGreaterThan(20);
});

const DEPTHWISE = { blocks: 2, width: 4, activation: 'silu', resolution: 8, channels: 1, classes: 4 };
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const length = (row: readonly number[]): number => Math.hypot(...row);
const rowsOf = (network: Network, name: string): readonly (readonly number[])[] => {
  const all = tensors(network);
  const [rows = 0] = tensorOf(all, name).shape;
  const values = [...numbersOf(all, name)];
  const size = values.length / rows;
  return Array.from({ length: rows }, (_, i) => values.slice(i * size, (i + 1) * size));
};
/** Columns of a layer, each over all of its rows. */
const columnsOf = (network: Network, name: string): readonly (readonly number[])[] => {
  const rows = rowsOf(network, name);
  return (rows[0] ?? []).map((_, c) => rows.map((row) => row[c] ?? Number.NaN));
};

test('of a pair fan-in and depthwise filters are equal and fan-out is opposite, as long as the old ones in the mean', async () => {
  const { network, data } = await trainedNetwork(buildPreset('mobilenet_cifar10', DEPTHWISE));
  const inserted = new Map([['b1_pw', 4]]);
  const made = await insertNeurons(network, inserted, { seed: 3, estimate: estimateOn(data, 96) });
  const close = { rtol: 1e-5, atol: 0, note: 'float32' };
  for (const layer of ['b1_pw', 'b2_dw']) {
    const [old, rows] = [rowsOf(network, `${layer}.weight`), rowsOf(made, `${layer}.weight`)];
    expect(rows.slice(0, 4)).toEqual(old);
    expect(rows[4]).toEqual(rows[5]);
    expect(rows[6]).toEqual(rows[7]);
    expect(rows[4]).not.toEqual(rows[6]);
    assertClose(rows.slice(4).map(length), Array(4).fill(mean(old.map(length))), close);
  }
  const [old, columns] = [columnsOf(network, 'b2_pw.weight'), columnsOf(made, 'b2_pw.weight')];
  expect(columns.slice(0, 4)).toEqual(old);
  expect(columns[5]).toEqual(columns[4]?.map((value) => -value));
  expect(columns[7]).toEqual(columns[6]?.map((value) => -value));
  assertClose(columns.slice(4).map(length), Array(4).fill(mean(old.map(length))), close);
  for (const norm of ['b1_pw_bn', 'b2_dw_bn']) {
    const of = (net: Network, name: string): readonly number[] => [
      ...numbersOf(tensors(net), `${norm}.${name}`),
    ];
    expect(of(made, 'weight').slice(4)).toEqual([1, 1, 1, 1]);
    expect(of(made, 'bias').slice(4)).toEqual([0, 0, 0, 0]);
    for (const name of ['weight', 'bias', 'running_mean', 'running_var'])
      expect(of(made, name).slice(0, 4), name).toEqual(of(network, name));
    const [mu, variance] = [of(made, 'running_mean').slice(4), of(made, 'running_var').slice(4)];
    expect([mu[1], mu[3], variance[1], variance[3]]).toEqual([mu[0], mu[2], variance[0], variance[2]]);
    expect(variance.every((one) => one > 0 && one !== 1)).toBe(true);
  }
});

test('their statistics are those of the images', async () => {
  const { network, data } = await trainedNetwork(convGraph());
  const made = await insertNeurons(network, new Map([['a', 2]]), { seed: 1, estimate: estimateOn(data, 96) });
  // By hand: the new channels of the first layer see the images themselves, so a mean over all of them is that of one minibatch.
  const estimated = networkOf(
    made.graph,
    loadCore().createNetwork(lower(made.graph), [...tensors(made)], 0, 'cpu', 'float32'),
  );
  await estimateOn(data, 96)(estimated);
  for (const name of ['a_bn.running_mean', 'a_bn.running_var'])
    assertClose(numbersOf(tensors(made), name).slice(4), numbersOf(tensors(estimated), name).slice(4), {
      ...{ rtol: 1e-5, atol: 1e-7, note: 'float32' },
    });
});

test('the first gradients of a pair are opposite, so that it parts without a step', async () => {
  const graph = buildPreset('mobilenet_cifar10', DEPTHWISE);
  const network = networkOf(graph, handleOf(graph, mildWeights(graph, 2), { dtype: 'float64' }));
  const data = datasetOf(randomBatch(graph.input.shape, 4, COUNT, 2), 4);
  const made = await insertNeurons(network, new Map([['b1_pw', 2]]), {
    seed: 5,
    estimate: estimateOn(data, COUNT),
  });
  const before = rowsOf(made, 'b1_pw.weight');
  await loadCore().train(made.handle, data, training(COUNT, [0.1]), null, null);
  const moved = rowsOf(made, 'b1_pw.weight').map((row, at) =>
    row.map((value, i) => value - (before[at]?.[i] ?? 0)),
  );
  expect(largest(moved[4] ?? [])).toBeGreaterThan(1e-6);
  assertClose(moved[5] ?? [], moved[4]?.map((value) => -value) ?? [], {
    rtol: 1e-6,
    atol: 1e-12,
    note: 'doubles',
  });
});

test('equal seeds give equal networks, and their momentum is 0', async () => {
  const { network, data } = await trainedNetwork(convGraph());
  const make = (seed: number) =>
    insertNeurons(
      network,
      new Map([
        ['a', 2],
        ['b', 2],
      ]),
      { seed, estimate: estimateOn(data, 96) },
    );
  const [one, same, other] = [await make(1), await make(1), await make(2)];
  expect(tensors(same)).toEqual(tensors(one));
  expect(tensors(other)).not.toEqual(tensors(one));
  const momentum = new Map(loadCore().readNetwork(one.handle, 'momentum'));
  const values = [...numbersOf(momentum, 'a.weight')];
  expect(values.slice(0, 4 * 9).some((value) => value !== 0)).toBe(true);
  expect(values.slice(4 * 9).every((value) => value === 0)).toBe(true);
});
