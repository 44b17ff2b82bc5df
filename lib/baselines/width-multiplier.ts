// Width multiplier (Howard et al. 2017): every splittable width times one factor.
import { SplitgrowError } from '../errors.js';
import { channelGroups } from '../graph/channels.js';
import { macs } from '../graph/cost.js';
import { widen } from '../graph/grow.js';
import type { Graph } from '../graph/ir.js';

/** Halvings of the interval of multipliers: finer than any width can tell apart. */
const HALVINGS = 50;

/** The graph with every splittable channel group `multiplier` times as wide, rounded, at least 1. */
export function scaleWidths(graph: Graph, multiplier: number): Graph {
  return channelGroups(graph)
    .filter(({ isSplittable }) => isSplittable)
    .reduce((scaled, { id, neurons }) => {
      const by = Math.max(1, Math.round(neurons * multiplier)) - neurons;
      return by === 0 ? scaled : widen(scaled, id, by);
    }, graph);
}

/** Splittable width in all, of `graph` over `base`. */
function widthRatio(graph: Graph, base: Graph): number {
  const total = (one: Graph): number =>
    channelGroups(one).reduce((sum, { isSplittable, neurons }) => sum + (isSplittable ? neurons : 0), 0);
  return total(base) === 0 ? 1 : total(graph) / total(base);
}

/**
 * The widest multiple of a graph with at most `target` MACs; the multiplier is that of the widths reached.
 *
 * @throws E_ARGUMENT where the graph itself has more.
 */
export function atMostMacs(
  graph: Graph,
  target: number,
): { readonly graph: Graph; readonly multiplier: number } {
  if (macs(graph) > target) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `width multiplier: expected a target of at least ${macs(graph)} MACs, got ${target}`,
    );
  }
  let [low, high] = [1, 2];
  // Costs grow with widths; without a splittable group they do not.
  while (high < target && macs(scaleWidths(graph, high)) <= target) [low, high] = [high, 2 * high];
  for (let i = 0; i < HALVINGS; i += 1) {
    const middle = (low + high) / 2;
    if (macs(scaleWidths(graph, middle)) <= target) low = middle;
    else high = middle;
  }
  const scaled = scaleWidths(graph, low);
  return { graph: scaled, multiplier: widthRatio(scaled, graph) };
}
