// Gradients of newborn channels beside those of old ones: newborns are reported to starve after growth.

import { groupsByNode } from '../../graph/channels.js';
import { inputsOf, shapes } from '../../graph/check.js';
import { grow } from '../../graph/grow.js';
import type { Graph, NodeId } from '../../graph/ir.js';
import { lower } from '../../graph/lower.js';
import { opOf } from '../../graph/ops.js';
import type { DatasetHandle, TensorData, TensorMap, TrainOptions } from '../../native/face.js';
import { loadCore } from '../../native/load.js';
import { type Batching, minibatches } from '../../train/minibatches.js';
import type { Network } from '../../train/network.js';
import { floatsOf, layerWeight, lengthOf, rowsOf } from './neuron-weights.js';

/** Root mean square, over channels, of the L2 norm of a channel's gradient. */
export interface GradientNorms {
  /** Of the copies that the last split appended. */
  readonly newborn: number;
  /** Of all others, split ones too. */
  readonly old: number;
  /** newborn / old; null where old is 0. */
  readonly ratio: number | null;
}

/** Of one layer that has offspring. */
export interface LayerGradients {
  /** Its id. */
  readonly layer: NodeId;
  /** Copies among its channels. */
  readonly newborns: number;
  /** A channel's row of the layer's weight. */
  readonly weights: GradientNorms;
  /** A channel's columns of all layers that read it. */
  readonly consumers: GradientNorms;
}

/** Gradients of newborn and old channels on the same training images. */
export interface GradientsRecord {
  /** Training images, all in minibatches of batch norm's training mode. */
  readonly images: number;
  /** Their number. */
  readonly minibatches: number;
  /** Geometric mean over layers of the ratio in their weights; null where a layer has none. */
  readonly ratio: number | null;
  /** Of the ratio in their consumers' columns. */
  readonly consumersRatio: number | null;
  /** Every layer that got offspring. */
  readonly layers: readonly LayerGradients[];
}

/** On what gradients are taken, and of which loss. */
export interface GradientProbe extends Batching {
  readonly data: DatasetHandle;
  readonly images: number;
  readonly labelSmoothing: number;
  readonly microBatch?: number;
  readonly syncBatchNorm?: boolean;
  /** Of dropout. */
  readonly seed: number;
}

/**
 * Gradients of the mean loss over the minibatches of the probe, by tensor. The network stays as it is. Training of a copy at
 * rate 0 with momentum 1, which sums gradients up, gives them to the last bit; weight decay and clipping are left out.
 */
export async function gradientsOf(network: Network, probe: GradientProbe): Promise<TensorMap> {
  const { data, images, batch, labelSmoothing, microBatch = 0, syncBatchNorm = false, seed } = probe;
  const { steps, remainder, leastImages } = minibatches(images, probe, network.graph);
  const core = loadCore();
  const { surgery } = grow(network.graph, { splits: {} });
  // A copy without momentum.
  using copy = await core.rewrite(network.handle, lower(network.graph), surgery, null, 0, 'reset');
  const options: TrainOptions = {
    ...{ batch, remainder, leastImages, microBatch, labelSmoothing, syncBatchNorm, seed },
    ...{ momentum: 1, nesterov: false, weightDecay: 0, shuffle: false, flip: false, crop: 0 },
    decay: 'all',
    learningRates: new Float64Array(steps),
  };
  await core.train(copy, data, options, null, null);
  return new Map(
    core.readNetwork(copy, 'momentum').map(([name, sum]) => [name, dividedBy(sum, steps)] as const),
  );
}

function dividedBy(tensor: TensorData, count: number): TensorData {
  const mean = floatsOf(tensor).map((value) => value / count);
  return { ...tensor, data: new Uint8Array(mean.buffer) };
}

/** L2 norm of each channel's columns, over all layers that read the group. */
function columnNorms(graph: Graph, gradients: TensorMap, group: NodeId, channels: number): Float64Array {
  const groups = groupsByNode(graph);
  const values = shapes(graph);
  const squares = new Float64Array(channels);
  for (const node of graph.nodes) {
    const [input = ''] = node.inputs;
    if (groups.get(input)?.id !== group) continue;
    for (const { name, axes } of opOf(node).parameters(node, inputsOf(node, values))) {
      const [rows, columns, ...window] = axes;
      const gradient = gradients.get(`${node.id}.${name}`);
      if (rows === undefined || columns?.role !== 'in' || gradient === undefined) continue;
      const numbers = floatsOf(gradient);
      // Entries of one row that belong to a channel: its features side by side, each with its window.
      const each = (values.get(input)?.block ?? 1) * window.reduce((size, axis) => size * axis.size, 1);
      numbers.forEach((x, i) => {
        const channel = Math.floor(i / each) % channels;
        squares[channel] = (squares[channel] ?? 0) + x ** 2;
      });
    }
  }
  return squares.map(Math.sqrt);
}

function normsOf(norms: Float64Array, newborns: number): GradientNorms {
  const first = norms.length - newborns;
  const [old, newborn] = [norms.subarray(0, first), norms.subarray(first)].map(
    (part) => lengthOf(part) / Math.sqrt(part.length),
  ) as [number, number];
  return { newborn, old, ratio: old > 0 ? newborn / old : null };
}

function geometricMean(ratios: readonly (number | null)[]): number | null {
  const logs = ratios.map((ratio) => (ratio === null || ratio === 0 ? null : Math.log(ratio)));
  if (logs.includes(null) || logs.length === 0) return null;
  return Math.exp(logs.reduce<number>((sum, log) => sum + (log ?? 0), 0) / logs.length);
}

/**
 * Gradient norms of the newborn channels of each split layer, and of its others. `splits`: the last plan, whose copies are the last channels of each layer.
 * @returns null where nothing was split
 */
export async function newbornGradients(
  network: Network,
  splits: Readonly<Record<NodeId, readonly number[]>>,
  probe: GradientProbe,
): Promise<GradientsRecord | null> {
  const split = Object.entries(splits).filter(([, neurons]) => neurons.length > 0);
  if (split.length === 0) return null;
  const { graph } = network;
  const gradients = await gradientsOf(network, probe);
  const groups = groupsByNode(graph);
  const layers = split.map(([layer, { length: newborns }]): LayerGradients => {
    const rows = Float64Array.from(rowsOf(layerWeight(gradients, layer)), lengthOf);
    const columns = columnNorms(graph, gradients, groups.get(layer)?.id ?? layer, rows.length);
    return {
      ...{ layer, newborns },
      weights: normsOf(rows, newborns),
      consumers: normsOf(columns, newborns),
    };
  });
  return {
    images: probe.images,
    minibatches: minibatches(probe.images, probe, graph).steps,
    ratio: geometricMean(layers.map(({ weights }) => weights.ratio)),
    consumersRatio: geometricMean(layers.map(({ consumers }) => consumers.ratio)),
    layers,
  };
}
