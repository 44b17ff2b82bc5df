// A network whose convolutions are long enough to be shared among threads has the same bits beside other work as alone: what is
// shared follows from shapes alone.
import { expect, test } from 'vitest';
import type { Graph } from '../../lib/graph/ir.js';
import { withThreads } from '../../lib/native/threads.js';
import { core, datasetOf, graphOf, networkOf, randomBatch, rates, training, weightsOf } from './golden.js';

const BATCH = 4;
// Work of `short` and of `long`, from 6 million on shared: 4 images x 256 positions x 18 or 36 weights x width
// multiply-accumulates, and 10 for each value that is read or written. 0.1 million, and 24 million.
const GRAPH: Graph = graphOf(
  [2, 16, 16],
  [
    ['short', 'conv2d', 'input', { out: 4, kernel: 3, padding: 1 }],
    ['long', 'conv2d', 'short', { out: 512, kernel: 3, padding: 1 }],
    ['pool', 'global_avg_pool', 'long'],
    ['out', 'linear', 'pool', { out: 2 }],
  ],
);

test('the bits of a training are the same beside other work', async () => {
  const data = datasetOf(randomBatch([2, 16, 16], 2, 5 * BATCH, 3), 2);
  const trained = async () => {
    const network = networkOf(GRAPH);
    const options = training(BATCH, rates(5, 0.01));
    await withThreads(3, () => core().train(network, data, options, null, null));
    return weightsOf(network);
  };
  const alone = await trained();
  for (const one of await Promise.all([trained(), trained(), trained()])) expect(one).toEqual(alone);
});
