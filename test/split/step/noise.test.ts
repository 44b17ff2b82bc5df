import { expect, test } from 'vitest';
import { grow } from '../../../lib/graph/grow.js';
import { lower } from '../../../lib/graph/lower.js';
import { withNoise, withPerturbed } from '../../../lib/split/step/noise.js';
import { networkOf as namedNetwork } from '../../../lib/train/network.js';
import {
  core,
  datasetOf,
  networkOf,
  numbers,
  randomBatch,
  rates,
  training,
  weightsOf,
} from '../../native/golden.js';
import { convGraph } from '../nets.js';

const GRAPH = convGraph();
const SIZE = 0.5;

async function grownBy(seed: number) {
  const start = networkOf(GRAPH);
  const data = datasetOf(randomBatch(GRAPH.input.shape, 4, 16, 2), 4);
  await core().train(start, data, training(8, rates(2, 0.01), { momentum: 0.9 }), null, null);
  const { graph, surgery } = grow(GRAPH, { splits: { a: [0, 1, 2, 3], b: [4, 4], d: [5] } });
  const handle = await core().rewrite(start, lower(graph), surgery, null, 0, 'keep');
  const noisy = await withNoise(namedNetwork(graph, handle), surgery, { size: SIZE, seed });
  return { before: handle, after: noisy.handle };
}

/** First copy of each split layer: c is tied to b. */
const FIRST_COPY: Readonly<Record<string, number>> = {
  'a.weight': 4,
  'b.weight': 5,
  'c.weight': 5,
  'd.weight': 6,
};

test('noise moves the own weights of copies by about its share of their length, and nothing else', async () => {
  const { before, after } = await grownBy(3);
  const [old, now] = [weightsOf(before), weightsOf(after)];
  let [sum, copies] = [0, 0];
  for (const [name, tensor] of old) {
    const moved = numbers(now.get(name) ?? tensor);
    const first = FIRST_COPY[name] ?? tensor.shape[0] ?? 0;
    const size = moved.length / (tensor.shape[0] ?? 1);
    expect(moved.slice(0, first * size), name).toEqual(numbers(tensor).slice(0, first * size));
    for (let row = first; row < (tensor.shape[0] ?? 0); row += 1) {
      const own = numbers(tensor).slice(row * size, (row + 1) * size);
      const noise = own.map((x, i) => (moved[row * size + i] ?? 0) - x);
      sum += (Math.hypot(...noise) / Math.hypot(...own)) ** 2;
      copies += 1;
    }
  }
  expect(copies).toBe(9);
  // |noise|^2 / |theta|^2 has mean size^2 and, with d weights, deviation size^2 sqrt(2 / d). The copies have d = 9 (4 of
  // them), 72 (2) and 7 (3): the mean of the nine deviates by 0.15 size^2; four times that.
  expect(Math.abs(sum / copies - SIZE ** 2)).toBeLessThan(0.6 * SIZE ** 2);
  expect(core().readNetwork(after, 'momentum')).toEqual(core().readNetwork(before, 'momentum'));
});

/** Weights of layers that a batch norm reads. A layer that two nodes read has none of its own. */
const NORMED = ['a.weight', 'b.weight', 'c.weight', 'd.weight'];

test('perturbing moves all weights before a batch norm by about its share of their length, and nothing else', async () => {
  const { before } = await grownBy(3);
  const { graph } = grow(GRAPH, { splits: { a: [0, 1, 2, 3], b: [4, 4], d: [5] } });
  const by = async (seed: number) =>
    (await withPerturbed(namedNetwork(graph, before), { size: SIZE, seed })).handle;
  const [after, same, other] = [await by(7), await by(7), await by(8)];
  const [old, now] = [weightsOf(before), weightsOf(after)];
  let [sum, neurons] = [0, 0];
  for (const [name, tensor] of old) {
    const [was, is] = [numbers(tensor), numbers(now.get(name) ?? tensor)];
    if (!NORMED.includes(name)) {
      expect(is, name).toEqual(was);
      continue;
    }
    const size = was.length / (tensor.shape[0] ?? 1);
    for (let row = 0; row * size < was.length; row += 1) {
      const own = was.slice(row * size, (row + 1) * size);
      const noise = own.map((x, i) => (is[row * size + i] ?? 0) - x);
      sum += (Math.hypot(...noise) / Math.hypot(...own)) ** 2;
      neurons += 1;
    }
  }
  // 8, 7, 7 and 7 neurons of 9, 72, 7 and 7 weights.
  expect(neurons).toBe(29);
  // The mean of the 29 deviates by sqrt(8 2/9 + 7 2/72 + 14 2/7) / 29 = 0.084 size^2; four times that.
  expect(Math.abs(sum / neurons - SIZE ** 2)).toBeLessThan(0.34 * SIZE ** 2);
  expect(core().readNetwork(after, 'momentum')).toEqual(core().readNetwork(before, 'momentum'));
  expect(weightsOf(same)).toEqual(now);
  expect(weightsOf(other)).not.toEqual(now);
});

test('noise follows from its seed', async () => {
  const [one, same, other] = [await grownBy(3), await grownBy(3), await grownBy(4)];
  expect(weightsOf(one.after)).toEqual(weightsOf(same.after));
  expect(weightsOf(one.after)).not.toEqual(weightsOf(other.after));
});
