// The choice of a splitting stage: strategy -> order -> picks within the budgets, with a certificate of what was reached.
import { SplitgrowError } from '../errors.js';
import { type ChannelGroup, channelGroups, type GroupId } from '../graph/channels.js';
import { ENERGIES, type Energy, energyOf, marginalCost } from '../graph/cost.js';
import { hint, row } from '../graph/fields.js';
import { normalizedPlan, type Plan } from '../graph/grow.js';
import type { Graph, NodeId } from '../graph/ir.js';
import { sampleIndices } from '../train/seeds.js';
import { type Certificate, certificateOf, type Picked } from './certificate.js';
import { allowed, type Budget, budgetsOf, type Candidate, takeWithin } from './knapsack.js';
import { type LinearProgram, type LinearSolution, ratioOrder, solveLp, solverFor } from './solvers.js';

/** What a strategy orders by. */
interface Stage {
  readonly candidates: readonly Candidate[];
  readonly program: LinearProgram;
  /** Optimum of the relaxation of `program`. */
  readonly relaxed: LinearSolution;
  readonly seed: number;
}

interface Strategy {
  readonly summary: string;
  /** Positions in `candidates`, most wanted first. */
  readonly order: (stage: Stage) => Int32Array;
  /** True where the aim is the least sum of indices, for which picks may be exchanged after rounding. */
  readonly lowersSum: boolean;
}

export const STRATEGIES: Readonly<Record<string, Strategy>> = {
  'energy-aware': {
    summary:
      "most decrease of the loss for the energy: the LP's choice first, then by ratio (arXiv 1910.03103)",
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
};

export interface ChooseOptions {
  /** A name of STRATEGIES. */
  readonly strategy?: string;
  /** alpha: cost after <= (1 + growthRatio) * cost before, for every energy, exactly. */
  readonly growthRatio: number;
  /** Energies with a budget each, by name or as they are; MACs always have one. */
  readonly energies?: readonly (string | Energy)[];
  /** Absolute limits, by energy's name (macs, params, or one of `energies`). */
  readonly caps?: Readonly<Record<string, number>>;
  /** Order of the strategy `random`. */
  readonly seed?: number;
}

export interface Choice {
  /** A list for every tied producer. */
  readonly plan: Plan;
  /** In order of preference. */
  readonly picks: readonly Picked[];
  readonly certificate: Certificate;
}

/**
 * Splitting index of every neuron of every splittable group: the sum over the tied producers (DESIGN decision 4).
 *
 * @param layers Per layer one index a neuron; layers of frozen groups are ignored.
 * @throws E_ARGUMENT where a layer is missing or of another width, E_NOT_FINITE for an index that is no number.
 */
export function groupIndices(
  graph: Graph,
  layers: ReadonlyMap<NodeId, ArrayLike<number>>,
): ReadonlyMap<GroupId, Float64Array> {
  const splittable = channelGroups(graph).filter(({ isSplittable }) => isSplittable);
  return new Map(splittable.map((group) => [group.id, summed(group, layers)] as const));
}

function summed(
  { producers, neurons }: ChannelGroup,
  layers: ReadonlyMap<NodeId, ArrayLike<number>>,
): Float64Array {
  const sum = new Float64Array(neurons);
  for (const id of producers) {
    const indices = layers.get(id);
    if (indices?.length !== neurons) {
      throw new SplitgrowError(
        'E_ARGUMENT',
        `"${id}" needs ${neurons} splitting indices, got ${indices?.length ?? 'none'}`,
      );
    }
    for (const [i, before] of sum.entries()) sum[i] = before + (indices[i] ?? 0);
  }
  const bad = sum.findIndex((index) => !Number.isFinite(index));
  if (bad >= 0)
    throw new SplitgrowError(
      'E_NOT_FINITE',
      `the splitting index of neuron ${bad} of "${producers.join('", "')}" is not finite`,
    );
  return sum;
}

function budgeted(options: ChooseOptions): readonly Energy[] {
  const energies = [ENERGIES.macs, ...(options.energies ?? []).map(energyOf)];
  return energies.filter(({ name }, i) => energies.findIndex((energy) => energy.name === name) === i);
}

function checked(options: ChooseOptions, energies: readonly Energy[]): void {
  const { growthRatio, caps = {}, seed = 0 } = options;
  if (!(Number.isFinite(growthRatio) && growthRatio >= 0)) {
    throw new SplitgrowError('E_ARGUMENT', `growthRatio must be a number of 0 or more, got ${growthRatio}`);
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new SplitgrowError('E_ARGUMENT', `seed must be a whole number of 0 or more, got ${seed}`);
  }
  const names = energies.map(({ name }) => name);
  for (const [name, cap] of Object.entries(caps)) {
    if (!names.includes(name))
      throw new SplitgrowError('E_ARGUMENT', `there is a cap on "${name}"${hint(name, names)}`);
    if (!(cap >= 0))
      throw new SplitgrowError(
        'E_ARGUMENT',
        `the cap on "${name}" must be a number of 0 or more, got ${cap}`,
      );
  }
}

/** Every neuron with a negative index, at what it alone would add to each energy: the first-order knapsack. */
function programOf(
  graph: Graph,
  indices: ReadonlyMap<GroupId, ArrayLike<number>>,
  budgets: readonly Budget[],
): { readonly candidates: readonly Candidate[]; readonly program: LinearProgram } {
  const candidates: Candidate[] = [];
  const costs = budgets.map((): number[] => []);
  for (const group of channelGroups(graph)) {
    if (!group.isSplittable) continue;
    const marginal = budgets.map(({ energy }) => marginalCost(graph, group.id, energy));
    // MACs are always the first budget.
    const cost = marginal[0] ?? 0;
    for (const [neuron, index] of summed({ ...group, producers: [group.id] }, indices).entries()) {
      if (!(index < 0)) continue;
      candidates.push({ group: group.id, neuron, index, cost, ratio: index / cost });
      for (const [j, list] of costs.entries()) list.push(marginal[j] ?? 0);
    }
  }
  const values = Float64Array.from(candidates, ({ index }) => -index);
  const rows = costs.map((list) => Float64Array.from(list));
  return { candidates, program: { values, costs: rows, budgets: budgets.map(allowed) } };
}

/**
 * The neurons to split in one stage. Only those with a negative index are
 * eligible; the true cost of the grown network, recounted, is within every
 * limit, and no eligible neuron that was left out would still fit.
 *
 * @param indices Per splittable group one index a neuron (`groupIndices`).
 * @throws E_ARGUMENT for unknown strategies, energies and caps, naming the nearest.
 */
export async function choose(
  graph: Graph,
  indices: ReadonlyMap<GroupId, ArrayLike<number>>,
  options: ChooseOptions,
): Promise<Choice> {
  const name = options.strategy ?? 'energy-aware';
  const strategy = row(STRATEGIES, name);
  if (strategy === undefined) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `there is no strategy "${name}"${hint(name, Object.keys(STRATEGIES))}`,
    );
  }
  const energies = budgeted(options);
  const known = [
    ...energies,
    ...Object.values<Energy>(ENERGIES).filter((one) => energies.every((e) => e.name !== one.name)),
  ];
  checked(options, known);
  const budgets = budgetsOf(graph, {
    growthRatio: options.growthRatio,
    energies,
    caps: options.caps ?? {},
    known,
  });
  const { candidates, program } = programOf(graph, indices, budgets);
  const solver = solverFor(program);
  const relaxed = await solveLp(program, solver);
  const order = strategy.order({ candidates, program, relaxed, seed: options.seed ?? 0 });
  const wanted = Array.from(order).flatMap((i) => candidates[i] ?? []);
  const picks = takeWithin(graph, wanted, budgets, { exchange: strategy.lowersSum });
  return {
    plan: planOf(graph, picks),
    picks,
    certificate: certificateOf(graph, {
      strategy: name,
      budgets,
      picks,
      relaxed,
      eligible: candidates.length,
      solver,
    }),
  };
}

function planOf(graph: Graph, picks: readonly Picked[]): Plan {
  const splits = new Map<GroupId, number[]>();
  for (const { group, neuron } of picks) {
    const list = splits.get(group);
    if (list === undefined) splits.set(group, [neuron]);
    else list.push(neuron);
  }
  return normalizedPlan(graph, { splits: Object.fromEntries(splits) });
}
