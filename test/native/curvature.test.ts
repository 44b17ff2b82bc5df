// Splitting indices against the loss itself: finite differences in float64 of networks that were really split.
import { expect, test } from 'vitest';
import { grow } from '../../lib/graph/grow.js';
import type { Graph } from '../../lib/graph/ir.js';
import { lower } from '../../lib/graph/lower.js';
import type { DatasetHandle, NetworkHandle } from '../../lib/native/face.js';
import { randomWeights } from '../random-graphs.js';
import { assertClose } from '../reference.js';
import {
  core,
  datasetOf,
  graphOf,
  indexing,
  networkOf,
  numbers,
  numbersOf,
  randomBatch,
  type ShortNode,
} from './golden.js';

const SMOOTH = ['silu', 'softplus', 'tanh', 'sigmoid', 'gelu'];
const CLASSES = 4;
const COUNT = 6;
/** A power of two, so that float32 surgery holds it exactly. */
const STEP = 2 ** -8;

/** Chains whose readers are all split layers or linear maps: with batch norm, with bias, behind a flatten. */
function network(kind: string): Graph {
  const act = (id: string, of: string): ShortNode => [id, 'activation', of, { kind }];
  return graphOf(
    [2, 5, 5],
    [
      ['stem', 'conv2d', 'input', { out: 3, kernel: 3, stride: 2 }],
      ['stem_bn', 'batch_norm', 'stem', { eps: 1e-2 }],
      act('stem_act', 'stem_bn'),
      ['mid', 'conv2d', 'stem_act', { out: 2, kernel: 2, padding: 1, bias: true }],
      act('mid_act', 'mid'),
      ['avg', 'avg_pool', 'mid_act', { kernel: 2 }],
      ['flat', 'flatten', 'avg'],
      ['hidden', 'linear', 'flat', { out: 3 }],
      ['hidden_bn', 'batch_norm', 'hidden'],
      act('hidden_act', 'hidden_bn'),
      ['out', 'linear', 'hidden_act', { out: CLASSES }],
    ],
  );
}

/** Mean cross-entropy of the logits, in doubles. */
async function lossOf(network: NetworkHandle, data: DatasetHandle, labels: Float64Array): Promise<number> {
  const logits = numbers(await core().forward(network, data, { mode: 'eval', batch: COUNT }));
  return labels.reduce((sum, label, i) => {
    const row = logits.slice(CLASSES * i, CLASSES * (i + 1));
    const most = Math.max(...row);
    const all = row.reduce((total, x) => total + Math.exp(x - most), 0);
    return sum + (Math.log(all) + most - (row[label] ?? Number.NaN)) / COUNT;
  }, 0);
}

for (const kind of SMOOTH) {
  test(`splitting a ${kind} neuron along v changes the loss by epsilon^2 / 2 v' S v`, async () => {
    const graph = network(kind);
    const batch = randomBatch(graph.input.shape, CLASSES, COUNT, 5);
    const [data, labels] = [datasetOf(batch, CLASSES), numbersOf(batch, 'labels')];
    const start = networkOf(graph, randomWeights(graph, 8), { dtype: 'float64' });
    const before = await lossOf(start, data, labels);
    // The directions of the seed, with their quotients in the whole batch; and the exact ones, with their indices.
    for (const method of ['rayleigh', 'exact'] as const) {
      const { chains, directions } = await core().indices(start, data, indexing(graph, method), null, null);
      expect(chains).toHaveLength(3);
      const largest = Math.max(...chains.flatMap(({ indices }) => [...indices].map(Math.abs)));
      for (const { id, neurons, indices } of chains) {
        for (let n = 0; n < neurons; n += 1) {
          const { graph: grown, surgery } = grow(graph, { splits: { [id]: [n] } });
          const change = async (epsilon: number): Promise<number> => {
            const split = await core().rewrite(start, lower(grown), surgery, directions, epsilon, 'reset');
            return (await lossOf(split, data, labels)) - before;
          };
          // The change is even in epsilon: two steps take the term of epsilon^4 away.
          const [one, two] = [await change(STEP), await change(2 * STEP)];
          const second = (16 * one - two) / (12 * STEP ** 2);
          // What is left is of order epsilon^4 = 2e-10, and 1e-16 / epsilon^2 = 7e-12 of rounding.
          assertClose([2 * second], [indices[n] ?? Number.NaN], {
            rtol: 1e-6,
            atol: 1e-8 * (1 + largest),
            note: `${id} ${n}`,
          });
        }
      }
    }
  });
}

test('the step along minus the direction is the same split', async () => {
  const graph = network('tanh');
  const data = datasetOf(randomBatch(graph.input.shape, CLASSES, COUNT, 5), CLASSES);
  const start = networkOf(graph, randomWeights(graph, 8), { dtype: 'float64' });
  const { directions } = await core().indices(start, data, indexing(graph, 'exact'), null, null);
  const { graph: grown, surgery } = grow(graph, { splits: { stem: [0], mid: [1], hidden: [0, 2] } });
  const logits = async (epsilon: number): Promise<Float64Array> => {
    const split = await core().rewrite(start, lower(grown), surgery, directions, epsilon, 'reset');
    return numbers(await core().forward(split, data, { mode: 'eval', batch: COUNT }));
  };
  // Offspring change places, consumers' halves are equal: float64 sums in another order.
  assertClose(await logits(-0.25), await logits(0.25), { rtol: 1e-11, atol: 1e-12 });
  const unmoved = numbers(await core().forward(start, data, { mode: 'eval', batch: COUNT }));
  assertClose(await logits(0), unmoved, { rtol: 1e-11, atol: 1e-12, note: 'epsilon 0' });
});
