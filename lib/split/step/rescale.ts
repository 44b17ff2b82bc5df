// Shorter weights for offspring behind batch norm: the function stays, and they turn as fast as their parent did.
import type { Graph, GraphNode } from '../../graph/ir.js';
import { field, opOf } from '../../graph/ops.js';
import type { Surgery } from '../../graph/program.js';
import { consumersOf } from '../../graph/readers.js';
import { type Device, loadCore, type TensorMap } from '../../native/core.js';
import { createNetwork, type Network } from '../../train/network.js';
import { floatsOf, timesRows, weightsOf } from './neuron-weights.js';

export interface Rescale {
  /** Exponent of the share; 1/2 keeps how fast offspring turn. */
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

/** gamma's factor where the variance before it becomes f^2 times itself: eps is what scaling by f does not reach. */
function scaleFactors(variance: ArrayLike<number>, factors: Float64Array, eps: number): Float64Array {
  return factors.map((factor, i) => {
    const before = variance[i] ?? 0;
    return Math.sqrt((factor ** 2 * before + eps) / (before + eps)) / factor;
  });
}

/** The tensors that change: own weights, depthwise filters and biases times f; mean f, variance f^2, gamma for eps. */
function rescaled(graph: Graph, weights: TensorMap, surgery: Surgery, power: number): TensorMap {
  const changed = new Map(weights);
  const times = (name: string, factors: Float64Array): void => {
    // Of two batch norms in a row the first is scaled for both reasons.
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
 * The grown network with the weights of every offspring right before a batch norm, its own and its depthwise filter's, times
 * share^power, share being what consumers take of the parent (1/2 for a neuron split once). Batch norm's statistics and
 * scale follow, so that in evaluation mode the function is the same to rounding.
 *
 * Why: at a share s an offspring's gradient is s times its parent's. Behind batch norm only the direction of weights
 * counts, and SGD turns it by about rate x gradient / |theta|, while the gradient itself goes as 1 / |theta|: with
 * |theta| times sqrt(s) offspring turn as fast as the parent did, with |theta| kept at s times that. Departs: the
 * paper keeps |theta|. Momentum that is kept stays as it was, for its first few steps shorter than the gradients.
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
