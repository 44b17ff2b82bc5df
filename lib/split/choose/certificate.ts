// The certificate of a choice: what it reached within which budgets, and how near that is to the best there could be.
import { channelGroups, type GroupId } from '../../graph/channels.js';
import { costOfWidths } from '../../graph/cost-of-widths.js';
import type { Graph } from '../../graph/ir.js';
import type { EstimateBudget } from './estimate.js';
import { allowed, type Budget, type Candidate } from './knapsack.js';
import type { LinearSolution, SolverName } from './solvers.js';

/** One budget of the choice: how much was allowed and used. */
export interface BudgetRecord {
  /** Name of the cost. */
  readonly cost: string;
  /** Cost of the network before. */
  readonly before: number;
  /** The most that the network after may cost. */
  readonly limit: number;
  /** What it costs, counted on the widened graph. */
  readonly after: number;
  /** (after - before) / (limit - before). */
  readonly usedShare: number;
}

/**
 * Proof of the choice: the relaxed optimum bounds every choice from below.
 *
 * Three neurons of index -3, -2 and -2, of 30, 20 and 30 MACs, and 60 MACs allowed: the relaxation takes the first two
 * and a third of the last, bound = -3 - 2 - 2/3 = -5.67. Whole neurons: objective = -3 - 2 = -5, or with the last
 * instead of the second also -5. gap = (-5 + 5.67) / 5.67 = 0.12: no choice is better by more than 12% of the bound.
 */
export interface CertificateRecord {
  /** What solved the linear relaxation. */
  readonly solver: string;
  /** A row a cost, MACs first. */
  readonly budgets: readonly BudgetRecord[];
  /** Sum of the chosen indices. It predicts the change of the loss, times epsilon^2 / 2. */
  readonly objective: number;
  /**
   * Optimum of the linear relaxation with first-order costs: no choice within the limits has a lower sum. Costs that are
   * products of widths grow by more together than one by one, so that this holds for true costs as well.
   */
  readonly bound: number;
  /** (objective - bound) / |bound|; 0 where there is nothing to gain. */
  readonly gap: number;
  /**
   * Budgets that `bound` leaves out, because splits together may cost less there than the sum of what each alone adds:
   * costs of the caller's own. That can only lower the bound. Absent where it has all.
   */
  readonly boundWithout?: readonly string[];
  /** Neurons with a negative index. */
  readonly eligible: number;
  /** Neurons of all splittable groups. */
  readonly neurons: number;
  /** Budgets of the relaxation where they are not the true ones: `bound` is the optimum under these if limits are soft. */
  readonly estimates?: readonly {
    /** Cost, and group of layers where there are two. */
    readonly name: string;
    /** What the relaxation may spend. */
    readonly allowed: number;
    /** What the picks spend of it. */
    readonly used: number;
  }[];
  /** False where only the estimates were limited, and the true cost may be above `limit`; absent with `estimates`. */
  readonly isHard?: boolean;
}

/** What a certificate is made from. */
export interface Reached {
  readonly budgets: readonly Budget[];
  readonly picks: readonly Candidate[];
  readonly relaxed: LinearSolution;
  /** Budgets that `relaxed` leaves out. */
  readonly unproven: readonly string[];
  readonly eligible: number;
  readonly solver: SolverName;
  readonly estimates?: readonly EstimateBudget[];
  readonly isHard?: boolean;
}

/** Costs recounted on the widened graph, and the distance to the bound. */
export function certificateOf(
  graph: Graph,
  { budgets, picks, relaxed, unproven, eligible, solver, estimates, isHard }: Reached,
): CertificateRecord {
  const added = new Map<GroupId, number>();
  for (const { group } of picks) added.set(group, (added.get(group) ?? 0) + 1);
  const objective = picks.reduce((sum, { index }) => sum + index, 0);
  const bound = relaxed.objective === 0 ? 0 : -relaxed.objective;
  return {
    solver,
    budgets: budgets.map((budget): BudgetRecord => {
      const { cost, before, limit } = budget;
      const [after, room] = [costOfWidths(graph, cost)(added), allowed(budget)];
      return { cost: cost.name, before, limit, after, usedShare: room === 0 ? 0 : (after - before) / room };
    }),
    objective,
    bound,
    ...(unproven.length > 0 && { boundWithout: unproven }),
    gap: bound === 0 ? 0 : (objective - bound) / -bound,
    eligible,
    neurons: channelGroups(graph).reduce((sum, one) => sum + (one.isSplittable ? one.neurons : 0), 0),
    ...(estimates && {
      estimates: estimates.map(({ name, allowed: room, costs }) => ({
        name,
        allowed: room,
        used: picks.reduce((sum, { group }) => sum + (costs.get(group) ?? 0), 0),
      })),
    }),
    ...(isHard === undefined ? {} : { isHard }),
  };
}
