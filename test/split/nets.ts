// Small convolutional networks without depthwise layers, trained a little: there the splitting index is the whole second-order term.

import { toDevice } from '../../lib/data/part.js';
import { parseGraph } from '../../lib/graph/check.js';
import { FORMAT, type Graph } from '../../lib/graph/ir.js';
import type { DatasetHandle } from '../../lib/native/face.js';
import { loadCore } from '../../lib/native/load.js';
import { createNetwork, type Network } from '../../lib/train/network.js';
import { tinyImages } from '../run/tiny.js';

export const IMAGES = 96;

/** Convolutions with batch norm, one of them residual, and silu. */
export function convGraph(activation = 'silu'): Graph {
  const chain = (id: string, from: string, fields: Record<string, unknown>): Record<string, unknown>[] => [
    { id, op: 'conv2d', inputs: [from], bias: false, ...fields },
    { id: `${id}_bn`, op: 'batch_norm', inputs: [id] },
    { id: `${id}_act`, op: 'activation', inputs: [`${id}_bn`], kind: activation },
  ];
  return parseGraph({
    format: FORMAT,
    name: 'conv',
    input: { shape: [1, 8, 8] },
    nodes: [
      ...chain('a', 'input', { out: 4, kernel: 3 }),
      ...chain('b', 'a_act', { out: 5, kernel: 3, stride: 2 }),
      ...chain('c', 'b_act', { out: 5, kernel: 1 }),
      { id: 'sum', op: 'add', inputs: ['b_act', 'c_act'] },
      ...chain('d', 'sum', { out: 6, kernel: 1 }),
      { id: 'pool', op: 'global_avg_pool', inputs: ['d_act'] },
      { id: 'classifier', op: 'linear', inputs: ['pool'], out: 4 },
    ],
    output: 'classifier',
  });
}

/** A network after some epochs on the tiny images, and those images. */
export async function trainedNetwork(
  graph: Graph,
  epochs = 12,
): Promise<{ readonly network: Network; readonly data: DatasetHandle }> {
  // Tests run side by side: more threads than cores wait for one another.
  loadCore().setThreads(1);
  const network = createNetwork(graph, { seed: 5, device: 'cpu' });
  const data = toDevice(graph, tinyImages(IMAGES, 1), 4, 'cpu');
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    const fixed = {
      batch: 16,
      momentum: 0.9,
      nesterov: false,
      weightDecay: 1e-4,
      decay: 'all',
      labelSmoothing: 0,
    } as const;
    const options = {
      ...fixed,
      shuffle: true,
      flip: false,
      crop: 0,
      seed: epoch,
      learningRates: new Float64Array(6).fill(0.05),
    };
    await loadCore().train(network.handle, data, options, null, null);
  }
  return { network, data };
}
