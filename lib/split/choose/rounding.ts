// From an order of preference to whole neurons: caps on layers, the limits to keep, and two ways of rounding, a row each.
import { SplitgrowError } from '../../errors.js';
import { channelGroups, type GroupId } from '../../graph/channels.js';
import { didYouMean } from '../../graph/fields.js';
import type { Graph } from '../../graph/ir.js';
import type { EstimateBudget } from './estimate.js';
import { type Budget, type Candidate, type Limit, limitsOf, prefixOf, takeWithinLimits } from './knapsack.js';

/**
 * A share: of every layer at most that part of its neurons is split in a stage. A record: no stage makes a layer wider
 * than its number, and layers that are not named have no limit. The authors' code has such a table of widths: those of MobileNet
 * in the first four layers, 1.25 times them in the others. Null: none.
 */
export type LayerCap = number | Readonly<Record<string, number>> | null;

/**
 * Most splits of each group that is limited.
 * @throws E_ARGUMENT for a layer that is not there or cannot be split, naming the nearest.
 */
export function layerCaps(graph: Graph, cap: LayerCap): ReadonlyMap<GroupId, number> {
  if (cap === null) return new Map();
  const splittable = new Map(
    channelGroups(graph)
      .filter(({ isSplittable }) => isSplittable)
      .flatMap((group) => group.producers.map((id) => [id, group] as const)),
  );
  if (typeof cap === 'number') {
    return new Map(
      [...splittable.values()].map(({ id, neurons }) => [id, Math.floor(cap * neurons)] as const),
    );
  }
  const most = new Map<GroupId, number>();
  for (const [layer, width] of Object.entries(cap)) {
    const group = splittable.get(layer);
    if (group === undefined) {
      throw new SplitgrowError(
        'E_ARGUMENT',
        `layerCap: expected layers that can be split, got "${layer}"${didYouMean(layer, [...splittable.keys()])}`,
      );
    }
    const room = Math.max(0, width - group.neurons);
    most.set(group.id, Math.min(room, most.get(group.id) ?? room));
  }
  return most;
}

/** The order without the candidates that come after their group's cap is used up. */
export function withinCaps(
  order: readonly Candidate[],
  caps: ReadonlyMap<GroupId, number>,
): readonly Candidate[] {
  const taken = new Map<GroupId, number>();
  return order.filter(({ group }) => {
    const count = (taken.get(group) ?? 0) + 1;
    taken.set(group, count);
    return count <= (caps.get(group) ?? count);
  });
}

export interface RoundingSettings {
  /**
   * `exchange`: the longest prefix of the strategy's order within the limits, filled up, and for energy-aware splitting
   * exchanged. `threshold`, as in the authors' code: those with beta >= threshold, nothing else; where limits are hard
   * and they are not within them, the last in order are dropped.
   */
  readonly kind: 'exchange' | 'threshold';
  /** The authors': 0.99 (CIFAR), 0.9 (ImageNet). */
  readonly threshold: number;
}

/** What is rounded. */
export interface Unrounded {
  /** Candidates, most wanted first. */
  readonly order: readonly Candidate[];
  readonly betaOf: (candidate: Candidate) => number;
  readonly limits: readonly Limit[];
  /** True where picks may be exchanged to lower the sum of indices. */
  readonly lowersSum: boolean;
}

export const ROUNDINGS: Readonly<
  Record<RoundingSettings['kind'], (what: Unrounded, threshold: number) => readonly Candidate[]>
> = {
  exchange: ({ order, limits, lowersSum }) => takeWithinLimits(order, limits, { exchange: lowersSum }),
  threshold: ({ order, betaOf, limits }, threshold) =>
    prefixOf(
      order.filter((candidate) => betaOf(candidate) >= threshold),
      limits,
    ),
};

/**
 * The limits that picks must keep. Hard: the true cost of the grown network within every budget. Soft: the estimated
 * costs within the relaxation's budgets, and the true cost within those limits alone that are absolute.
 */
export function limitsFor(
  graph: Graph,
  budgets: readonly Budget[],
  estimates: readonly EstimateBudget[],
  isHard: boolean,
): readonly Limit[] {
  if (isHard) return limitsOf(graph, budgets);
  const absolute = budgets.flatMap((budget): Budget[] =>
    budget.cap === undefined ? [] : [{ ...budget, limit: budget.cap }],
  );
  return [
    ...limitsOf(graph, absolute),
    ...estimates.map(({ costs, allowed }): Limit => {
      const costOf = (added: ReadonlyMap<string, number>): number =>
        [...added].reduce((sum, [group, by]) => sum + by * (costs.get(group) ?? 0), 0);
      return { costOf, before: 0, limit: allowed };
    }),
  ];
}
