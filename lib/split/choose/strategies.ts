// What to split first: the table of strategies, and how one of the caller's becomes a row of it.
import { SplitgrowError } from '../../errors.js';
import { show } from '../../graph/fields.js';
import type { Graph } from '../../graph/ir.js';
import { orAborted } from '../../native/watched.js';
import { sampleIndices } from '../../train/seeds.js';
import { allowed, type Budget, type Candidate } from './knapsack.js';
import { type LinearProgram, type LinearSolution, ratioOrder } from './solvers.js';

/** What a strategy orders by. */
export interface Stage {
  readonly graph: Graph;
  readonly budgets: readonly Budget[];
  readonly candidates: readonly Candidate[];
  readonly program: LinearProgram;
  /** Optimum of the relaxation of `program`. */
  readonly relaxed: LinearSolution;
  readonly seed: number;
}

type Order = ArrayLike<number> & Iterable<number>;

export interface Strategy {
  readonly summary: string;
  /** Positions in `candidates`, most wanted first; those left out are not split. */
  readonly order: (stage: Stage) => Order | Promise<Order>;
  /** True where the aim is the least sum of indices, for which picks may be exchanged after rounding. */
  readonly lowersSum: boolean;
}

export const STRATEGIES: Readonly<Record<string, Strategy>> = {
  'energy-aware': {
    summary:
      "most decrease of the loss for the cost: the LP's choice first, then by ratio (arXiv 1910.03103)",
    order: ({ program, relaxed }) => {
      // One budget: the LP's choice is a prefix of its ratio order already. Else chosen ones first; the sort is stable.
      const share = (i: number): number => relaxed.beta[i] ?? 0;
      return relaxed.order ?? ratioOrder(program).sort((a, b) => share(b) - share(a));
    },
    lowersSum: true,
  },
  vanilla: {
    summary: 'most negative index first, whatever it costs (arXiv 1910.02366)',
    order: ({ candidates }) => {
      const index = (i: number): number => candidates[i]?.index ?? 0;
      return Int32Array.from(candidates, (_, i) => i).sort((a, b) => index(a) - index(b) || a - b);
    },
    lowersSum: false,
  },
  random: {
    summary: 'a seeded random order of the neurons with a negative index',
    order: ({ candidates, seed }) => sampleIndices(candidates.length, candidates.length, seed),
    lowersSum: false,
  },
  'cost-only': {
    summary: 'the cheapest neurons first, whatever their index; equal ones in a seeded random order',
    order: ({ candidates, budgets, seed }) => {
      const shares = candidates.map((candidate) => largestShare(candidate, budgets));
      const share = (i: number): number => shares[i] ?? 0;
      // The sort is stable.
      return sampleIndices(candidates.length, candidates.length, seed).sort((a, b) => share(a) - share(b));
    },
    lowersSum: false,
  },
};

/** What splitting the neuron alone adds, as a share of what a budget still allows: of the budget where that is most. */
function largestShare({ costs }: Candidate, budgets: readonly Budget[]): number {
  return budgets.reduce((most, budget) => {
    const added = costs[budget.cost.name] ?? 0;
    // A budget that allows nothing is passed by every neuron that costs anything.
    return added === 0 ? most : Math.max(most, added / allowed(budget));
  }, 0);
}

/** A neuron that may be split, as a strategy of your own sees it. The loss falls by epsilon^2 / 2 times the size of its index. */
export interface StrategyCandidate extends Candidate {
  /** Share of it, 0 to 1, that the optimum of the linear relaxation takes. */
  readonly share: number;
}

/** One budget of the stage, as a strategy of your own sees it. */
export interface StrategyBudget {
  /** A row of `COSTS`, or the name of a cost of your own. */
  readonly name: string;
  /** Cost of the network before the stage. */
  readonly before: number;
  /** The most that it may cost after. */
  readonly limit: number;
}

/** What a strategy of your own is told besides the candidates. */
export interface StrategyContext {
  /** The network that is split. */
  readonly graph: Graph;
  /** MACs come first. */
  readonly budgets: readonly StrategyBudget[];
  /** Of this stage: what is drawn from it is drawn again when the run is resumed. */
  readonly seed: number;
}

/**
 * A strategy of your own: the candidates, most wanted first. Those that it leaves out are not split. Budgets are kept for
 * it: the longest prefix that fits within every limit is split, and then each later one that still fits.
 */
export type StrategyFunction = (
  candidates: readonly StrategyCandidate[],
  context: StrategyContext,
) => Iterable<StrategyCandidate> | Promise<Iterable<StrategyCandidate>>;

/** What the function gave, as positions. @throws E_CALLBACK for anything else than the given candidates, each once at most */
function positionsOf(name: string, given: readonly StrategyCandidate[], wanted: unknown): Int32Array {
  const refuse = (found: string): SplitgrowError =>
    new SplitgrowError(
      'E_CALLBACK',
      `strategy "${name}": expected a list of the candidates that it was given, each once at most, got ${found}`,
    );
  if (typeof wanted !== 'object' || wanted === null || !(Symbol.iterator in wanted))
    throw refuse(show(wanted));
  const left = new Map<unknown, number>(given.map((candidate, i) => [candidate, i] as const));
  return Int32Array.from(wanted as Iterable<unknown>, (one) => {
    const position = left.get(one);
    if (position === undefined)
      throw refuse(given.some((known) => known === one) ? 'one of them twice' : show(one));
    left.delete(one);
    return position;
  });
}

/** The caller's function as a strategy. @throws E_CALLBACK, when it is asked, where it throws or gives no order; E_ABORTED where the signal fires before it answers */
export function callerStrategy(name: string, of: StrategyFunction, signal?: AbortSignal): Strategy {
  return {
    summary: 'of the caller',
    lowersSum: false,
    order: async ({ candidates, relaxed, budgets, graph, seed }) => {
      const given = candidates.map(
        (candidate, i): StrategyCandidate => Object.freeze({ ...candidate, share: relaxed.beta[i] ?? 0 }),
      );
      const shown = budgets.map(
        ({ cost, before, limit }): StrategyBudget => ({ name: cost.name, before, limit }),
      );
      const asked = async (): Promise<unknown> => of(Object.freeze(given), { graph, budgets: shown, seed });
      const answer = asked().catch((cause: unknown) => {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new SplitgrowError('E_CALLBACK', `strategy "${name}": its function threw: ${reason}`, {
          cause,
        });
      });
      return positionsOf(name, given, await orAborted(signal, answer));
    },
  };
}
