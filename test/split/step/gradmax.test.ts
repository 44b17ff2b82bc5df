// GradMax: the gradient of the direct map against finite differences in doubles, singular vectors by hand, where it can stand.
import { expect, test } from 'vitest';
import { channelGroups } from '../../../lib/graph/channels.js';
import type { Graph } from '../../../lib/graph/ir.js';
import { lower } from '../../../lib/graph/lower.js';
import { buildPreset } from '../../../lib/models/zoo.js';
import { loadCore } from '../../../lib/native/load.js';
import { besideOf, directionsOf, gradMaxFanIns, withDirectMap } from '../../../lib/split/step/gradmax.js';
import { insertNeurons } from '../../../lib/split/step/insert.js';
import { relativeChange } from '../../../lib/split/step/offspring.js';
import { rightSingularVectors } from '../../../lib/split/step/singular-vectors.js';
import { recalibrate } from '../../../lib/train/fit.js';
import { type Network, networkOf } from '../../../lib/train/network.js';
import {
  datasetOf,
  doubles,
  graphOf,
  networkOf as handleOf,
  numbersOf,
  randomBatch,
  tensorOf,
} from '../../native/golden.js';
import { mildWeights } from '../../random-graphs.js';
import { assertClose, randomOf } from '../../reference.js';
import { convGraph } from '../nets.js';

const COUNT = 12;
const MOBILE = buildPreset('mobilenet_cifar10', {
  ...{ blocks: 2, width: 4, activation: 'silu', resolution: 8, channels: 1, classes: 4 },
});
const groupOf = (graph: Graph, id: string) => {
  const found = channelGroups(graph).find((group) => group.id === id);
  if (found === undefined) throw new Error(`no group ${id}`);
  return found;
};
const probeOf = (graph: Graph) => {
  const { classes } = lower(graph);
  const data = datasetOf(randomBatch(graph.input.shape, classes, COUNT, 4), classes);
  return { data, images: COUNT, batch: COUNT, labelSmoothing: 0, seed: 0, device: 'cpu' } as const;
};
const doubleNetwork = (graph: Graph): Network =>
  networkOf(graph, handleOf(graph, mildWeights(graph, 3), { dtype: 'float64' }));

/** The gradient of the direct map by central differences of the training loss, batch norm on its minibatch. */
async function differences(network: Network, id: string): Promise<readonly Float64Array[]> {
  const beside = besideOf(network.graph, groupOf(network.graph, id));
  if (typeof beside === 'string') throw new Error(beside);
  const { graph, map } = withDirectMap(network.graph, beside);
  const { data } = probeOf(network.graph);
  const weights = new Map(loadCore().readNetwork(network.handle, 'weights'));
  const shape = lower(graph).instructions.find((one) => one.id === map)?.parameters[0]?.shape ?? [];
  const size = shape.reduce((a, b) => a * b, 1);
  const lossAt = async (at: number, value: number): Promise<number> => {
    const tensor = doubles(shape, (i) => (i === at ? value : 0));
    const tensors = [...weights, [`${map}.weight`, tensor] as const];
    using made = networkOf(graph, loadCore().createNetwork(lower(graph), tensors, 0, 'cpu', 'float64'));
    const options = { batch: COUNT, statistics: 'batch' } as const;
    return (await loadCore().evaluate(made.handle, data, options, null, null)).loss;
  };
  const h = 1e-4;
  const all = new Float64Array(size);
  for (let at = 0; at < size; at += 1) all[at] = ((await lossAt(at, h)) - (await lossAt(at, -h))) / (2 * h);
  const rows = shape[0] ?? 0;
  return Array.from({ length: rows }, (_, r) => all.subarray((r * size) / rows, ((r + 1) * size) / rows));
}

test.each(['stem', 'b1_pw', 'b3_pw'])(
  'the fan-in of "%s" is that of finite differences in doubles',
  async (id) => {
    const network = doubleNetwork(MOBILE);
    const { vectors, graphs } = await gradMaxFanIns(network, new Map([[id, 2]]), probeOf(MOBILE));
    expect(graphs).toHaveLength(1);
    const want = rightSingularVectors(await differences(network, id)).slice(0, 2);
    const found = vectors.get(id) ?? [];
    expect(found).toHaveLength(2);
    // Differences are exact to about h^2; vectors turn by the error over the gap of the singular values.
    for (const [k, vector] of found.entries())
      assertClose(vector, want[k] ?? [], { rtol: 0, atol: 1e-4, note: `${id}, ${k}` });
  },
);

test('right singular vectors are unit and orthogonal, and diagonalise M^T M in falling order, wide and tall', () => {
  const random = randomOf(3);
  for (const [rows, columns] of [
    [3, 7],
    [7, 3],
    [4, 4],
  ] as const) {
    const matrix = Array.from({ length: rows }, () =>
      Float64Array.from({ length: columns }, () => random() - 0.5),
    );
    const found = rightSingularVectors(matrix);
    expect(found).toHaveLength(Math.min(rows, columns));
    const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
      Array.from(a).reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
    const images = found.map((v) => matrix.map((row) => dot(row, v)));
    const values = images.map((image) => dot(image, image));
    expect(values).toEqual([...values].sort((a, b) => b - a));
    for (const [i, v] of found.entries())
      for (const [k, w] of found.entries()) {
        assertClose([dot(v, w)], [i === k ? 1 : 0], { rtol: 0, atol: 1e-12, note: 'doubles' });
        if (i !== k)
          assertClose([dot(images[i] ?? [], images[k] ?? [])], [0], {
            rtol: 0,
            atol: 1e-12,
            note: 'doubles',
          });
      }
  }
  expect(rightSingularVectors([new Float64Array(3), Float64Array.of(0, 2, 0)])).toEqual([
    Float64Array.of(0, 1, 0),
  ]);
});

test('new neurons have half the mean length, nobody reads them, and the network computes the same', async () => {
  const network = doubleNetwork(MOBILE);
  const probe = probeOf(MOBILE);
  const inserted = new Map([
    ['stem', 1],
    ['b1_pw', 3],
  ]);
  const { vectors } = await gradMaxFanIns(network, inserted, probe);
  const made = await insertNeurons(network, inserted, {
    ...{ seed: 1, fanIn: vectors },
    estimate: (wide) =>
      recalibrate(wide, probe.data, {
        ...{ batch: COUNT, remainder: 'keep', leastImages: 1, syncBatchNorm: false },
        ...{ shuffle: false, flip: false, crop: 0, seed: 0 },
      }),
  });
  const logits = ({ handle }: Network, mode: 'eval' | 'train') =>
    loadCore().forward(handle, probe.data, { mode, batch: COUNT });
  for (const mode of ['eval', 'train'] as const)
    expect(relativeChange(await logits(network, mode), await logits(made, mode)), mode).toBeLessThan(1e-12);
  const tensors = new Map(loadCore().readNetwork(made.handle, 'weights'));
  const rows = (name: string): readonly number[][] => {
    const [count = 0] = tensorOf(tensors, name).shape;
    const values = [...numbersOf(tensors, name)];
    return Array.from({ length: count }, (_, i) =>
      values.slice((i * values.length) / count, ((i + 1) * values.length) / count),
    );
  };
  const weight = rows('b1_pw.weight');
  const lengths = weight.map((row) => Math.hypot(...row));
  const half = lengths.slice(0, 4).reduce((a, b) => a + b, 0) / 8;
  assertClose(lengths.slice(4), [half, half, half], { rtol: 1e-12, atol: 0, note: 'doubles' });
  // The stem's new channel is the fifth input: old neurons and new ones read nothing of it.
  expect(weight.every((row) => row[4] === 0)).toBe(true);
  expect(rows('b2_pw.weight').every((row) => row.slice(4).every((value) => value === 0))).toBe(true);
});

test('where no direct map can stand, a group gets none, and it says why', () => {
  const because = (graph: Graph, id: string) => directionsOf(graph, groupOf(graph, id));
  const conv = convGraph();
  expect(because(conv, 'b')).toEqual({ most: 0, because: 'several layers make its channels' });
  expect(because(conv, 'a').because).toContain('its reader is no 1x1 convolution');
  expect(because(conv, 'd')).toEqual({ most: 4, because: 'its direct map has 4 singular vectors' });
  expect(because(MOBILE, 'stem')).toEqual({ most: 4, because: 'its direct map has 4 singular vectors' });
  const flat = graphOf(
    [1, 4, 4],
    [
      ['a', 'conv2d', 'input', { out: 2, kernel: 3 }],
      ['max', 'max_pool', 'a', { kernel: 2 }],
      ['b', 'conv2d', 'max', { out: 3, kernel: 1 }],
      ['flat', 'flatten', 'b'],
      ['hidden', 'linear', 'flat', { out: 3 }],
      ['out', 'linear', 'hidden', { out: 3 }],
    ],
  );
  expect(because(flat, 'a').because).toBe('"max" (max_pool) is on the way to its reader');
  expect(because(flat, 'b').because).toBe('"flat" (flatten) is on the way to its reader');
  expect(because(flat, 'hidden').because).toBe('its layer is no convolution');
});
