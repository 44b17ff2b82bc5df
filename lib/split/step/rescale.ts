// Shorter weights before a batch norm, of offspring or of all neurons: the function stays, and training turns them faster.
import type { Graph, GraphNode } from '../../graph/ir.js';
import { field, opOf } from '../../graph/ops.js';
import type { Surgery } from '../../graph/program.js';
import { consumersOf } from '../../graph/readers.js';
import type { Device, TensorMap } from '../../native/face.js';
import { loadCore } from '../../native/load.js';
import { createNetwork, type Network } from '../../train/network.js';
import { floatsOf, timesRows, weightsOf } from './neuron-weights.js';

export interface Rescale {
  /** Exponent of the share. With 1/2 offspring turn as fast as their parent; 0: not. */
  readonly power: number;
  /** Factor on all neurons, old ones too, above 0. Default 1: not. */
  readonly shrink?: number;
  readonly device: Device;
}

interface Normed {
  readonly node: GraphNode;
  /** Who reads it. */
  readonly norm: GraphNode;
}

/** Nodes that a batch norm alone reads. */
export function normedNodes(graph: Graph): readonly Normed[] {
  const consumers = consumersOf(graph);
  return graph.nodes.flatMap((node) => {
    const [norm, ...others] = consumers.get(node.id) ?? [];
    if (norm === undefined || others.length > 0 || node.id === graph.output) return [];
    return opOf(norm).chain === 'batch_norm' ? [{ node, norm }] : [];
  });
}

/** Factor on gamma where the variance becomes f^2 times what it was. It is not 1 only because eps is not scaled. */
function scaleFactors(variance: ArrayLike<number>, factors: Float64Array, eps: number): Float64Array {
  return factors.map((factor, i) => {
    const before = variance[i] ?? 0;
    return Math.sqrt((factor ** 2 * before + eps) / (before + eps)) / factor;
  });
}

/** The tensors that change: weights, depthwise filters, biases and mean times f, variance times f^2, gamma to make up for eps. */
function rescaled(
  graph: Graph,
  weights: TensorMap,
  surgery: Surgery,
  { power, shrink = 1 }: Omit<Rescale, 'device'>,
): TensorMap {
  const changed = new Map(weights);
  const times = (name: string, factors: Float64Array): void => {
    // The first of two batch norms in a row is changed twice: as a norm, and as a node that a norm reads.
    const tensor = changed.get(name);
    if (tensor !== undefined) changed.set(name, timesRows(tensor, factors));
  };
  const rowShares = new Map(surgery.map((one) => [one.name, one.rowShares] as const));
  for (const { node, norm } of normedNodes(graph)) {
    const weight = weights.get(`${node.id}.weight`);
    const variance = weights.get(`${norm.id}.running_var`);
    if (weight === undefined || variance === undefined) continue;
    const shares = rowShares.get(`${node.id}.weight`) ?? null;
    if (shares === null && shrink === 1) continue;
    const rows = shares ?? new Float32Array(weight.shape[0] ?? 0).fill(1);
    const factors = Float64Array.from(rows, (share) => shrink * share ** power);
    times(`${node.id}.weight`, factors);
    times(`${node.id}.bias`, factors);
    times(`${norm.id}.running_mean`, factors);
    times(
      `${norm.id}.running_var`,
      factors.map((factor) => factor ** 2),
    );
    times(`${norm.id}.weight`, scaleFactors(floatsOf(variance), factors, Number(field(norm, 'eps'))));
  }
  return changed;
}

/**
 * Multiplies the weights of every offspring that a batch norm reads, and its depthwise filter, by share^power. The share
 * is what consumers take of the parent: 1/2 for a neuron split once. Batch norm's statistics and scale are changed to
 * match, so that in evaluation mode the function is the same to rounding.
 *
 * Why: an offspring of share s has s times its parent's gradient. Before a batch norm only the direction of the weights
 * counts. SGD turns it by about rate x gradient / |theta|, and the gradient goes as 1 / |theta|, together 1 / |theta|^2.
 * So with |theta| an offspring turns s times as fast as its parent, and with sqrt(s) |theta| as fast. Departs: the paper
 * keeps |theta|. Momentum that is kept is not scaled; for a few steps it is shorter than the new gradients.
 *
 * With `shrink` the same is done to every neuron that a batch norm reads: all of them then turn 1 / shrink^2 times as fast
 * (Ash and Adams 2020, "On Warm-Starting Neural Network Training", the shrinking half; withPerturbed has the other half).
 * Departs: they shrink all weights, which changes the function.
 */
export function withRescaled(network: Network, surgery: Surgery, { device, ...how }: Rescale): Network {
  const core = loadCore();
  const weights = rescaled(network.graph, weightsOf(network), surgery, how);
  const momentum = core.readNetwork(network.handle, 'momentum');
  const made = createNetwork(network.graph, { seed: 0, device, weights });
  try {
    if (momentum.length > 0) core.writeNetwork(made.handle, 'momentum', momentum);
    return made;
  } catch (error) {
    made[Symbol.dispose]();
    throw error;
  }
}
