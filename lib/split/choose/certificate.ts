// What a splitting stage chose and why, and how near that is to the best there could be.
import type { GroupId } from '../../graph/channels.js';
import { costOfWidths } from '../../graph/cost-of-widths.js';
import type { Graph } from '../../graph/ir.js';
import type { EstimateBudget } from './estimate.js';
import { allowed, type Budget, type Candidate } from './knapsack.js';
import type { LinearSolution, SolverName } from './solvers.js';

/** A chosen neuron and why: index, first-order cost and their ratio. */
export type Picked = Candidate;

/** What a stage reached, and how near that is to the best there could be. */
export interface Certificate {
  readonly strategy: string;
  readonly budgets: readonly {
    readonly cost: string;
    readonly current: number;
    /** Growth that the limit allows, and growth that the picks use: true costs, recounted on the widened graph. */
    readonly allowed: number;
    readonly used: number;
    readonly limit: number;
  }[];
  /** Sum of the picked indices (negative: predicted decrease of the loss, per epsilon^2 / 2). */
  readonly indexSum: number;
  /**
   * Least sum of indices of the relaxed knapsack with first-order costs. Energies that are products of widths cost more
   * together than one by one, so for them no choice within the true limits can be below it either. Budgets on other
   * costs are left out of it, which can only lower it.
   */
  readonly lpBound: number;
  /** Names of the budgets left out of `lpBound`; absent where it has all. */
  readonly boundWithout?: readonly string[];
  /** (indexSum - lpBound) / |lpBound|; 0 where there is nothing to gain. */
  readonly gap: number;
  /** Neurons with a negative index in splittable groups. */
  readonly eligible: number;
  readonly solver: SolverName;
  /** Sum of the picks' first-order MACs; the true growth differs as neighbours grow together. */
  readonly firstOrderCost: number;
  /**
   * Where the relaxation has other budgets than the true ones: what the picks use of them. With soft limits `lpBound`
   * is the optimum under these, and `used` of the true budgets may be more than `allowed`.
   */
  readonly estimates?: readonly { readonly name: string; readonly allowed: number; readonly used: number }[];
  /** False where only the estimates were limited; absent with `estimates`. */
  readonly isHard?: boolean;
}

/** The stage that a certificate is of. */
export interface Reached {
  readonly strategy: string;
  readonly budgets: readonly Budget[];
  readonly picks: readonly Picked[];
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
  { strategy, budgets, picks, relaxed, unproven, eligible, solver, estimates, isHard }: Reached,
): Certificate {
  const added = new Map<GroupId, number>();
  for (const { group } of picks) added.set(group, (added.get(group) ?? 0) + 1);
  const indexSum = picks.reduce((sum, { index }) => sum + index, 0);
  const lpBound = relaxed.objective === 0 ? 0 : -relaxed.objective;
  return {
    strategy,
    budgets: budgets.map((budget) => ({
      cost: budget.cost.name,
      current: budget.current,
      allowed: allowed(budget),
      used: costOfWidths(graph, budget.cost)(added) - budget.current,
      limit: budget.limit,
    })),
    indexSum,
    lpBound,
    ...(unproven.length > 0 && { boundWithout: unproven }),
    gap: lpBound === 0 ? 0 : (indexSum - lpBound) / -lpBound,
    eligible,
    solver,
    firstOrderCost: picks.reduce((sum, { cost }) => sum + cost, 0),
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
