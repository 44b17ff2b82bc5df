// Width multiplier (Howard et al. 2017): every splittable width times one factor.
import { SplitgrowError } from '../../errors.js';
import { channelGroups } from '../../graph/channels.js';
import { macs } from '../../graph/cost.js';
import { widen } from '../../graph/grow.js';
import type { Graph } from '../../graph/ir.js';
import { largestReal } from './search.js';

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
 * The widest multiple of a graph with at most `target` MACs, narrower than the
 * graph itself where need be; the multiplier is that of the widths reached.
 *
 * @throws E_ARGUMENT where even one channel a group has more.
 */
export function atMostMacs(
  graph: Graph,
  target: number,
): { readonly graph: Graph; readonly multiplier: number } {
  const fits = (multiplier: number): boolean => macs(scaleWidths(graph, multiplier)) <= target;
  if (!fits(0)) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `width multiplier: expected a target of at least ${macs(scaleWidths(graph, 0))} MACs, what one channel a group has, got ${target}`,
    );
  }
  let [low, high] = fits(1) ? [1, 2] : [0, 1];
  // Costs grow with widths; without a splittable group they do not.
  while (high < target && fits(high)) [low, high] = [high, 2 * high];
  const scaled = scaleWidths(graph, largestReal(low, high, fits));
  return { graph: scaled, multiplier: widthRatio(scaled, graph) };
}
