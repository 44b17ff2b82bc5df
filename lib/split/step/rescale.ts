// Shorter weights for offspring before a batch norm: the function stays, and training turns them as fast as their parent.
import type { Graph, GraphNode } from '../../graph/ir.js';
import { field, opOf } from '../../graph/ops.js';
import type { Surgery } from '../../graph/program.js';
import { consumersOf } from '../../graph/readers.js';
import type { Device, TensorMap } from '../../native/face.js';
import { loadCore } from '../../native/load.js';
import { createNetwork, type Network } from '../../train/network.js';
import { floatsOf, timesRows, weightsOf } from './neuron-weights.js';

export interface Rescale {
  /** Exponent of the share. With 1/2 offspring turn as fast as their parent. */
  readonly power: number;
  readonly device: Device;
}

interface Normed {
  readonly node: GraphNode;
  readonly norm: GraphNode;
}

/** Nodes that a batch norm alone reads. */
function normedNodes(graph: Graph): readonly Normed[] {
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
function rescaled(graph: Graph, weights: TensorMap, surgery: Surgery, power: number): TensorMap {
  const changed = new Map(weights);
  const times = (name: string, factors: Float64Array): void => {
    // The first of two batch norms in a row is changed twice: as a norm, and as a node that a norm reads.
    const tensor = changed.get(name);
    if (tensor !== undefined) changed.set(name, timesRows(tensor, factors));
  };
  const rowShares = new Map(surgery.map((one) => [one.name, one.rowShares] as const));
  for (const { node, norm } of normedNodes(graph)) {
    const shares = rowShares.get(`${node.id}.weight`);
    const variance = weights.get(`${norm.id}.running_var`);
    if (!shares || variance === undefined) continue;
    const factors = Float64Array.from(shares, (share) => share ** power);
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
 */
export function withRescaled(network: Network, surgery: Surgery, { power, device }: Rescale): Network {
  const core = loadCore();
  const weights = rescaled(network.graph, weightsOf(network), surgery, power);
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
