// The choice of a splitting stage: strategy -> order -> picks within the budgets, with a certificate of what was reached.
import { SplitgrowError } from '../../errors.js';
import { channelGroups, type GroupId } from '../../graph/channels.js';
import { COSTS, type Cost, costNamed } from '../../graph/cost.js';
import { didYouMean, row } from '../../graph/fields.js';
import { normalizedPlan, type Plan } from '../../graph/grow.js';
import type { Graph } from '../../graph/ir.js';
import { summedIndices } from '../indices/indices.js';
import { type CertificateRecord, certificateOf } from './certificate.js';
import {
  type CostEstimate,
  type EstimateBudget,
  type EstimateOptions,
  estimateBudgets,
  firstOrderBudgets,
  isFirstOrder,
} from './estimate.js';
import { budgetsOf, type Candidate, type PickRecord } from './knapsack.js';
import {
  type LayerCap,
  layerCaps,
  limitsFor,
  ROUNDINGS,
  type RoundingSettings,
  withinCaps,
} from './rounding.js';
import { type LinearProgram, type LinearSolution, solveLp } from './solvers.js';
import { STRATEGIES, type Strategy } from './strategies.js';

export interface ChooseOptions {
  /** A name of STRATEGIES or of `strategies`. */
  readonly strategy?: string;
  /** Strategies besides those of the table. */
  readonly strategies?: Readonly<Record<string, Strategy>>;
  /** alpha: cost after <= (1 + growthRatio) * cost before, for every cost, exactly. */
  readonly growthRatio: number;
  /** Costs with a budget each, by name or as they are; MACs always have one. */
  readonly costs?: readonly (string | Cost)[];
  /** Absolute limits, by cost's name: a row of COSTS, or one of `costs` or `capped`. */
  readonly caps?: Readonly<Record<string, number>>;
  /** Costs of the caller's own that nothing but `caps` limits. */
  readonly capped?: readonly Cost[];
  /** Order of the strategy `random`. */
  readonly seed?: number;
  /** What the relaxation takes a neuron to cost, and its budgets: by default true first-order costs and one budget. */
  readonly costEstimate?: CostEstimate;
  readonly budgets?: EstimateOptions['budgets'];
  readonly layerCap?: LayerCap;
  readonly rounding?: RoundingSettings;
  /** Default true. False, as in the authors' code: growthRatio limits the estimate alone, and the true growth may be more. */
  readonly hardLimit?: boolean;
}

const DEFAULTS = {
  costEstimate: { estimate: 'marginal', transform: 'none' },
  budgets: 'total',
  rounding: { kind: 'exchange', threshold: 0.99 },
} as const satisfies Pick<ChooseOptions, 'costEstimate' | 'budgets' | 'rounding'>;

export interface Choice {
  /** A list for every tied producer. */
  readonly plan: Plan;
  /** In order of preference. */
  readonly picks: readonly PickRecord[];
  readonly certificate: CertificateRecord;
}

function budgeted(options: ChooseOptions): readonly Cost[] {
  const costs = [COSTS.macs, ...(options.costs ?? []).map(costNamed)];
  return costs.filter(({ name }, i) => costs.findIndex((cost) => cost.name === name) === i);
}

/** The strategy and the costs asked for. @throws E_ARGUMENT for what is not there or cannot be together */
function checked(options: ChooseOptions) {
  const { strategy: name = 'energy-aware', growthRatio, caps = {}, seed = 0 } = options;
  const strategies = { ...options.strategies, ...STRATEGIES };
  const strategy = row(strategies, name);
  if (strategy === undefined) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `there is no strategy "${name}"${didYouMean(name, Object.keys(strategies))}`,
    );
  }
  const costs = budgeted(options);
  const known = [
    ...costs,
    ...[...Object.values<Cost>(COSTS), ...(options.capped ?? [])].filter((one) =>
      costs.every((e) => e.name !== one.name),
    ),
  ];
  if (!(Number.isFinite(growthRatio) && growthRatio >= 0)) {
    throw new SplitgrowError('E_ARGUMENT', `growthRatio must be a number of 0 or more, got ${growthRatio}`);
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new SplitgrowError('E_ARGUMENT', `seed must be a whole number of 0 or more, got ${seed}`);
  }
  if (options.rounding?.kind === 'threshold' && !strategy.lowersSum) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `rounding "threshold" rounds the solution of energy-aware splitting, which strategy "${name}" does not follow`,
    );
  }
  if (options.costEstimate?.estimate === 'own-layer' && costs.length > 1) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `cost estimate "own-layer" is one of MACs, got a budget on ${costs.map((one) => one.name).join(', ')}`,
    );
  }
  const names = known.map((one) => one.name);
  for (const [cost, cap] of Object.entries(caps)) {
    if (!names.includes(cost))
      throw new SplitgrowError('E_ARGUMENT', `there is a cap on "${cost}"${didYouMean(cost, names)}`);
    if (!(cap >= 0))
      throw new SplitgrowError(
        'E_ARGUMENT',
        `the cap on "${cost}" must be a number of 0 or more, got ${cap}`,
      );
  }
  return { strategy, costs, known };
}

/** Every neuron with a negative index, with what it alone would add to each budget. MACs are the first of them. */
function candidatesOf(
  graph: Graph,
  indices: ReadonlyMap<GroupId, ArrayLike<number>>,
  firstOrder: readonly EstimateBudget[],
): readonly Candidate[] {
  return channelGroups(graph).flatMap((group): Candidate[] => {
    if (!group.isSplittable) return [];
    const added = firstOrder.map(({ name, costs }) => [name, costs.get(group.id) ?? 0] as const);
    const costs = Object.freeze(Object.fromEntries(added));
    const macs = costs[COSTS.macs.name] ?? 0;
    const values = summedIndices({ ...group, producers: [group.id] }, indices);
    return Array.from(values).flatMap((index, neuron) =>
      index < 0 ? [{ group: group.id, neuron, index, costs, ratio: index / macs }] : [],
    );
  });
}

/** The knapsack of candidates under budgets. */
function programOf(candidates: readonly Candidate[], budgets: readonly EstimateBudget[]): LinearProgram {
  return {
    values: Float64Array.from(candidates, ({ index }) => -index),
    costs: budgets.map(({ costs }) => Float64Array.from(candidates, ({ group }) => costs.get(group) ?? 0)),
    budgets: budgets.map(({ allowed }) => allowed),
  };
}

/** The optimum where no group may have more splits than its cap: one row more for each. */
function relaxedWithin(
  candidates: readonly Candidate[],
  program: LinearProgram,
  caps: ReadonlyMap<GroupId, number>,
): Promise<LinearSolution> {
  const rows = [...caps].map(([capped]) =>
    Float64Array.from(candidates, ({ group }) => (group === capped ? 1 : 0)),
  );
  return solveLp({
    ...program,
    costs: [...program.costs, ...rows],
    budgets: [...program.budgets, ...caps.values()],
  });
}

/**
 * The neurons to split in one stage. Only those with a negative index are
 * eligible. With hard limits, the default, the true cost of the grown network,
 * recounted, is within every limit; unless a threshold rounds or layers have
 * caps, no eligible neuron that was left out would still fit.
 *
 * @param indices Per splittable group one index a neuron (`groupIndices`).
 * @throws E_ARGUMENT for unknown strategies, costs and caps, naming the nearest, and for options that exclude one another.
 */
export async function choose(
  graph: Graph,
  indices: ReadonlyMap<GroupId, ArrayLike<number>>,
  options: ChooseOptions,
): Promise<Choice> {
  const { strategy, costs, known } = checked(options);
  const { growthRatio, caps = {}, seed = 0, hardLimit = true } = options;
  const budgets = budgetsOf(graph, { growthRatio, costs, caps, known });
  const rounding = options.rounding ?? DEFAULTS.rounding;
  const most = layerCaps(graph, options.layerCap ?? null);
  const estimating = {
    costEstimate: options.costEstimate ?? DEFAULTS.costEstimate,
    budgets: options.budgets ?? DEFAULTS.budgets,
    growthRatio,
  };
  // Limits by `caps` on other costs have no estimate of the authors'.
  const growing = isFirstOrder(estimating) ? budgets : budgets.slice(0, costs.length);
  const firstOrder = firstOrderBudgets(graph, budgets);
  const estimates = isFirstOrder(estimating) ? firstOrder : estimateBudgets(graph, growing, estimating);
  const candidates = candidatesOf(graph, indices, firstOrder);
  const program = programOf(candidates, estimates);
  const relaxed = await relaxedWithin(candidates, program, most);
  const order = await strategy.order({ graph, budgets, candidates, program, relaxed, seed });
  const beta = new Map(candidates.map((candidate, i) => [candidate, relaxed.beta[i] ?? 0] as const));
  const picks = ROUNDINGS[rounding.kind](
    {
      order: withinCaps(
        Array.from(order).flatMap((i) => candidates[i] ?? []),
        most,
      ),
      betaOf: (candidate) => beta.get(candidate) ?? 0,
      limits: limitsFor(graph, budgets, estimates, hardLimit),
      lowersSum: strategy.lowersSum,
    },
    rounding.threshold,
  );
  // The bound is one on what the limits allow. Estimates are sums, so their relaxation is one. True costs are no sums:
  // a budget on a cost that is not known to be superadditive is left out, for what it allows may be below its relaxation.
  const unproven = hardLimit ? budgets.filter(({ cost }) => cost.isSuperadditive !== true) : [];
  const isBound = !hardLimit || (isFirstOrder(estimating) && unproven.length === 0);
  const proven = firstOrder.filter(({ name }) => unproven.every(({ cost }) => cost.name !== name));
  const bound = isBound ? relaxed : await relaxedWithin(candidates, programOf(candidates, proven), most);
  return {
    plan: planOf(graph, picks),
    picks,
    certificate: certificateOf(graph, {
      budgets,
      picks,
      relaxed: bound,
      unproven: unproven.map(({ cost }) => cost.name),
      eligible: candidates.length,
      solver: relaxed.solver,
      ...(hardLimit && isFirstOrder(estimating) ? {} : { estimates, isHard: hardLimit }),
    }),
  };
}

/** The plan that splits the picks, for every tied producer. */
export function planOf(graph: Graph, picks: readonly PickRecord[]): Plan {
  const splits = new Map<GroupId, number[]>();
  for (const { group, neuron } of picks) {
    const list = splits.get(group);
    if (list === undefined) splits.set(group, [neuron]);
    else list.push(neuron);
  }
  return normalizedPlan(graph, { splits: Object.fromEntries(splits) });
}
