// What an experiment asks of the addon, over and over on a tiny network: an epoch, an evaluation, indices, growth.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { grow } from '../../lib/graph/grow.js';
import { lower } from '../../lib/graph/lower.js';
import { core, datasetOf, graphOf, indexing, networkOf, randomBatch, rates, training } from './golden.js';

const GRAPH = graphOf(
  [1, 4, 4],
  [
    ['conv', 'conv2d', 'input', { out: 4, kernel: 3 }],
    ['norm', 'batch_norm', 'conv'],
    ['act', 'activation', 'norm', { kind: 'silu' }],
    ['pool', 'global_avg_pool', 'act'],
    ['out', 'linear', 'pool', { out: 2 }],
  ],
);

/** What the process holds: resident bytes, and bytes of the addon's tensors. */
export interface Held {
  readonly epoch: number;
  readonly resident: number;
  readonly tensors: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Looked at after garbage is collected: what JavaScript has not let go of yet is no growth. */
function held(epoch: number): Held {
  collect();
  return { epoch, resident: process.memoryUsage.rss(), tensors: core().memory('cpu').allocated };
}

/**
 * Runs the calls of `epochs` epochs; every tenth one also computes indices and directions, splits a neuron, and lets
 * the grown network go. What is held is looked at `looks` times, after the calls of an epoch.
 */
export async function manyEpochs(epochs: number, looks: number): Promise<readonly Held[]> {
  const found: Held[] = [];
  const network = networkOf(GRAPH);
  const data = datasetOf(randomBatch([1, 4, 4], 2, 32, 1), 2);
  const plan = { splits: { conv: [0] } };
  const { graph, surgery } = grow(GRAPH, plan);
  for (let epoch = 1; epoch <= epochs; epoch += 1) {
    const options = training(16, rates(2, 0.01), { momentum: 0.9 });
    await core().train(network, data, options, () => {}, core().createAbort());
    await core().evaluate(network, data, { batch: 16 }, () => {}, null);
    if (epoch % 10 === 0) {
      const { directions } = await core().indices(network, data, indexing(GRAPH, 'rayleigh'), null, null);
      const grown = await core().rewrite(network, lower(graph), surgery, directions, 0.01, 'keep');
      grown.dispose();
      directions.dispose();
    }
    if (epoch % Math.floor(epochs / looks) === 0) found.push(held(epoch));
  }
  for (const handle of [network, data]) handle.dispose();
  return found;
}
