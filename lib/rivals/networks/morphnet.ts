// Sparse batch-norm scales: the penalties of MorphNet and of network slimming, and MorphNet's shrinking and expanding.
import { SplitgrowError } from '../../errors.js';
import { type ChannelGroup, type GroupId, groupOf } from '../../graph/channels.js';
import { widen } from '../../graph/grow.js';
import type { Graph, NodeId } from '../../graph/ir.js';
import { opOf } from '../../graph/ops.js';
import type { TensorMap } from '../../native/face.js';
import { largestScales } from './importance.js';
import { type LayerCost, layerCosts } from './layer-costs.js';
import { type GroupNorms, gammaOf, normsBehindProducers, normsOfChannels, numbersOf } from './norms.js';
import { atMostMacs } from './width-multiplier.js';

/** `<batch norm>.weight` -> what the penalty multiplies sign(gamma) by, one float32 a channel. */
export type Penalty = ReadonlyMap<string, Float32Array>;

export type MorphNetVariant = 'official' | 'authors';

export interface MorphNetOptions {
  readonly variant: MorphNetVariant;
  /** A channel is alive while |gamma| is above this; 1e-2 in google-research/morph-net. */
  readonly threshold: number;
}

function refuseNegative(name: string, value: number): void {
  if (Number.isFinite(value) && value >= 0) return;
  throw new SplitgrowError('E_ARGUMENT', `${name}: expected a finite number of at least 0, got ${value}`);
}

/** The scales that a variant penalises and reads. */
const NORMS: Readonly<Record<MorphNetVariant, (graph: Graph) => readonly GroupNorms[]>> = {
  // A group is regularised by the largest of all its batch norms' scales, those behind depthwise convolutions among them.
  official: normsOfChannels,
  authors: normsBehindProducers,
};

/** Channels alive in each group that has scales. */
function aliveCounts(
  graph: Graph,
  weights: TensorMap,
  { variant, threshold }: MorphNetOptions,
): ReadonlyMap<GroupId, number> {
  refuseNegative('threshold', threshold);
  return new Map(
    NORMS[variant](graph).map(({ group, norms }) => {
      const scales = largestScales(weights, norms, group.neurons);
      return [group.id, scales.filter((scale) => scale > threshold).length] as const;
    }),
  );
}

/** Which of the tied batch norms has the channel's largest |gamma|; the first of equal ones. */
function largestMembers(weights: TensorMap, { group, norms }: GroupNorms): readonly NodeId[] {
  const scales = norms.map((norm) => [norm, numbersOf(weights, gammaOf(norm), group.neurons)] as const);
  return Array.from({ length: group.neurons }, (_, channel) => {
    const size = (gammas: Float32Array | undefined): number => Math.abs(gammas?.[channel] ?? 0);
    const [first] = scales;
    const [norm] = scales.reduce(
      (best, one) => (size(one[1]) > size(best?.[1]) ? one : best),
      first ?? ['', new Float32Array()],
    );
    return norm;
  });
}

/** The official regulariser's derivative by a channel's |gamma|, over lambda. */
function officialSlope(
  { id }: ChannelGroup,
  layers: readonly LayerCost[],
  alive: ReadonlyMap<GroupId, number>,
): number {
  const count = (group: ChannelGroup | undefined, channels: number): number =>
    (group && alive.get(group.id)) ?? channels;
  return layers.reduce((slope, { isBilinear, perPair, from, to, inputs, outputs }) => {
    const [isRead, isMade] = [from?.id === id, to?.id === id];
    // Of a depthwise convolution the official code takes c (sum|gamma_in| + sum|gamma_out|).
    const [a, b] = isBilinear ? [count(from, inputs), count(to, outputs)] : [1, 1];
    return slope + 2 * perPair * ((isMade ? a : 0) + (isRead ? b : 0));
  }, 0);
}

function officialPenalty(
  graph: Graph,
  weights: TensorMap,
  options: MorphNetOptions & { readonly lambda: number },
): Penalty {
  const [layers, alive] = [layerCosts(graph), aliveCounts(graph, weights, options)];
  return new Map(
    normsOfChannels(graph).flatMap((tied) => {
      const strength = options.lambda * officialSlope(tied.group, layers, alive);
      const members = largestMembers(weights, tied);
      return tied.norms.map(
        (norm) =>
          [gammaOf(norm), Float32Array.from(members, (member) => (member === norm ? strength : 0))] as const,
      );
    }),
  );
}

/** MACs a channel of the per-channel layers between a layer and what makes or ties its input. */
function depthwiseBefore(graph: Graph, layers: ReadonlyMap<NodeId, LayerCost>, layer: LayerCost): number {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node] as const));
  let sum = 0;
  for (let node = nodes.get(layer.input); node !== undefined; node = nodes.get(node.inputs[0] ?? '')) {
    if (opOf(node).channels !== 'pass') break;
    sum += layers.get(node.id)?.perPair ?? 0;
  }
  return sum;
}

/** MACs that the authors' code reckons for one channel more of a layer (see `morphnetPenalty`). */
function authorsMacs(graph: Graph, layers: readonly LayerCost[], id: NodeId): number {
  const byId = new Map(layers.map((layer) => [layer.id, layer] as const));
  const layer = byId.get(id);
  if (layer === undefined) return 0;
  const own = layer.perPair * layer.inputs;
  const classes = groupOf(graph, graph.output)?.id;
  const after = layers.reduce((sum, next) => {
    if (!next.isBilinear || next.from?.id !== layer.to?.id) return sum;
    return sum + next.perPair * (next.to?.id === classes ? next.outputs : 1);
  }, 0);
  return own + depthwiseBefore(graph, byId, layer) + after;
}

function authorsPenalty(graph: Graph, { lambda }: { readonly lambda: number }): Penalty {
  const layers = layerCosts(graph);
  return new Map(
    normsBehindProducers(graph).flatMap(({ group, norms }) =>
      norms.map((norm, i) => {
        const strength = lambda * authorsMacs(graph, layers, group.producers[i] ?? '');
        return [gammaOf(norm), new Float32Array(group.neurons).fill(strength)] as const;
      }),
    ),
  );
}

/**
 * MorphNet's FLOPs regulariser (Gordon et al. 2018) as coefficients of sign(gamma).
 *
 * `official`, after google-research/morph-net: R = lambda * sum over layers of
 * c (A sum|gamma_out| + B sum|gamma_in|), A and B the counts of alive inputs
 * and outputs, c = 2 k k h w FLOPs a pair of channels (twice the MACs, as
 * there, so that published lambdas keep their meaning); of a depthwise
 * convolution c (sum|gamma_in| + sum|gamma_out|). A group's |gamma| is, channel
 * by channel, the largest of all its batch norms', and the penalty falls on
 * that one. Channels without a scale count as alive and are not penalised.
 * Departs: counts and largest members are those of `weights`, not of every
 * minibatch; the caller renews them every epoch.
 *
 * `authors`, after the code of the splitting paper (mbv1_cifar100/main.py,
 * config.py): on the batch norm right behind each layer lambda times the MACs
 * of one neuron more, reckoned as those of the neuron itself, of one depthwise
 * filter of its block, and of one output of the next layer (of all classes
 * where that is the classifier). No alive counts, no maximum over tied layers,
 * nothing on depthwise batch norms; `weights` is not read.
 *
 * Frozen groups and groups without batch norms (`authors`: without one behind
 * every producer) are left alone. All batch norms of the others are in the map.
 *
 * @throws E_ARGUMENT for a negative lambda or threshold; E_WEIGHTS where a scale is missing or does not fit
 */
export function morphnetPenalty(
  graph: Graph,
  weights: TensorMap,
  options: MorphNetOptions & { readonly lambda: number },
): Penalty {
  refuseNegative('lambda', options.lambda);
  return options.variant === 'official'
    ? officialPenalty(graph, weights, options)
    : authorsPenalty(graph, options);
}

/**
 * Network slimming (Liu et al. 2017), what Pruning (Bn) trains with: `strength`
 * (1e-4 there) on every gamma of the batch norms right behind the producers of
 * splittable groups. Batch norms behind depthwise convolutions get none, as in
 * the splitting paper's code: `bnImportance` does not rank by them, so they
 * would be made smaller for nothing.
 *
 * @throws E_ARGUMENT for a negative strength
 */
export function slimmingPenalty(graph: Graph, { strength }: { readonly strength: number }): Penalty {
  refuseNegative('strength', strength);
  return new Map(
    normsBehindProducers(graph).flatMap(({ group, norms }) =>
      norms.map((norm) => [gammaOf(norm), new Float32Array(group.neurons).fill(strength)] as const),
    ),
  );
}

/** The tensors with every batch norm's gamma at `value`: network slimming starts from 0.5. The rest is handed on. */
export function withGammas(graph: Graph, weights: TensorMap, value: number): TensorMap {
  const changed = new Map(weights);
  for (const { id } of graph.nodes.filter((node) => opOf(node).chain === 'batch_norm')) {
    const before = weights.get(gammaOf(id));
    if (before === undefined) continue;
    const gammas = numbersOf(weights, gammaOf(id), before.data.byteLength / 4).fill(value);
    changed.set(gammaOf(id), { ...before, data: new Uint8Array(gammas.buffer) });
  }
  return changed;
}

/**
 * MorphNet's shrunk network: every splittable group as wide as it has channels
 * alive, at least 1; groups whose scales the variant does not read stay as they
 * are. Widths only: MorphNet trains the result from scratch.
 *
 * @throws E_ARGUMENT for a negative threshold; E_WEIGHTS where a scale is missing or does not fit
 */
export function aliveGraph(graph: Graph, weights: TensorMap, options: MorphNetOptions): Graph {
  const alive = aliveCounts(graph, weights, options);
  return NORMS[options.variant](graph).reduce((shrunk, { group }) => {
    const by = Math.max(1, alive.get(group.id) ?? 1) - group.neurons;
    return by === 0 ? shrunk : widen(shrunk, group.id, by);
  }, graph);
}

/**
 * MorphNet's expansion: every splittable width times one factor, above or below
 * 1, rounded, at least 1; the widest that has at most `target` MACs. The
 * multiplier is that of the widths reached, in all.
 *
 * @throws E_ARGUMENT where even one channel a group has more
 */
export function expandTo(
  graph: Graph,
  target: number,
): { readonly graph: Graph; readonly multiplier: number } {
  return atMostMacs(graph, target);
}
