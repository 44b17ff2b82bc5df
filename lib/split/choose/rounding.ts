// From the relaxation's solution to whole neurons: two ways, a row each.
import type { Graph } from '../../graph/ir.js';
import type { EstimateBudget } from './estimate.js';
import { type Budget, type Candidate, type Limit, limitsOf, prefixOf, takeWithinLimits } from './knapsack.js';

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
      return { costOf, current: 0, limit: allowed };
    }),
  ];
}
