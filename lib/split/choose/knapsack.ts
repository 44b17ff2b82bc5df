// Which neurons to split within hard limits: an order of preference, rounded by recounting the true cost.
import type { GroupId } from '../../graph/channels.js';
import { type Cost, costOfGraph } from '../../graph/cost.js';
import { type CostOfWidths, costOfWidths } from '../../graph/cost-of-widths.js';
import type { Graph } from '../../graph/ir.js';

/**
 * A neuron that may be split, because its index is below 0. The ones chosen are the picks, in memory and in stage.json.
 *
 * The third channel of "b1_pw" (index -0.2) would add 400 MACs and 50 parameters:
 *   { group: 'b1_pw', neuron: 2, index: -0.2, costs: { macs: 400, params: 50 }, ratio: -0.2 / 400 }
 * With 400 MACs left it is taken; with 399 left it is not, and another group's neuron may still fit.
 */
export interface Candidate {
  /** Channel group, by its first producer. */
  readonly group: GroupId;
  /** Its place in the group, from 0. */
  readonly neuron: number;
  /** Splitting index: the sum over the producers tied in the group. */
  readonly index: number;
  /** What splitting this neuron alone adds to each budget, by the budget's name. */
  readonly costs: Readonly<Record<string, number>>;
  /** index / MACs: what energy-aware splitting orders by. */
  readonly ratio: number;
}

/** A neuron chosen for splitting, and why. */
export type PickRecord = Candidate;

/** A hard limit on one cost of the grown network. */
export interface Budget {
  readonly cost: Cost;
  /** Cost before. */
  readonly before: number;
  /** Largest cost after; a whole number for costs that are. */
  readonly limit: number;
  /** The absolute limit, where there is one. */
  readonly cap?: number;
}

/** What picks may not exceed: a cost of the channels that they add. */
export interface Limit {
  readonly costOf: CostOfWidths;
  readonly before: number;
  readonly limit: number;
}

export interface BudgetOptions {
  /** alpha: every cost of `costs` may grow to (1 + growthRatio) times what it is. */
  readonly growthRatio: number;
  readonly costs: readonly Cost[];
  /** Absolute limits by cost's name, of any cost of `known`. */
  readonly caps?: Readonly<Record<string, number>>;
  readonly known: readonly Cost[];
}

/**
 * The limits of a stage: for each cost the largest value with
 * value <= (1 + growthRatio) * before, and no more than its cap.
 */
export function budgetsOf(
  graph: Graph,
  { growthRatio, costs, caps = {}, known }: BudgetOptions,
): readonly Budget[] {
  const capped = known.filter(
    ({ name }) => Object.hasOwn(caps, name) && costs.every((cost) => cost.name !== name),
  );
  return [...costs, ...capped].map((cost): Budget => {
    const before = costOfGraph(graph, cost);
    const grown = costs.includes(cost) ? (1 + growthRatio) * before : Number.POSITIVE_INFINITY;
    const cap = Object.hasOwn(caps, cost.name) ? caps[cost.name] : undefined;
    const limit = Math.min(grown, cap ?? grown);
    const whole = cost.isInteger ? Math.floor(limit) : limit;
    return { cost, before, limit: whole, ...(cap === undefined ? {} : { cap }) };
  });
}

/** What the budgets allow to add; 0 where the limit is reached already. */
export function allowed({ before, limit }: Pick<Budget, 'before' | 'limit'>): number {
  return Math.max(0, limit - before);
}

/** Channels added to each group, and whether the graph with them is within every limit. */
interface Widths {
  readonly add: (candidate: Candidate, by: 1 | -1) => void;
  readonly areWithin: () => boolean;
  /** Share of its allowance that the budget nearest to its limit has left. */
  readonly slack: () => number;
}

/** Below this share of a budget left over, exchanging picks is not worth its time. */
const SMALL_SLACK = 0.01;

/** The true cost of the widened graph within every budget. */
export function limitsOf(graph: Graph, budgets: readonly Budget[]): readonly Limit[] {
  return budgets.map(({ cost, before, limit }) => ({ costOf: costOfWidths(graph, cost), before, limit }));
}

function widthsOf(limits: readonly Limit[]): Widths {
  const added = new Map<GroupId, number>();
  // Per limit, the groups that changed since its cost was last asked for: only they are looked at again.
  const asked = limits.map((one) => ({ ...one, changed: new Set<GroupId>() }));
  const costNow = ({ costOf, changed }: (typeof asked)[number]): number => {
    const cost = costOf(added, changed);
    changed.clear();
    return cost;
  };
  return {
    add: ({ group }, by) => {
      added.set(group, (added.get(group) ?? 0) + by);
      for (const { changed } of asked) changed.add(group);
    },
    areWithin: () => asked.every((one) => costNow(one) <= one.limit),
    slack: () =>
      asked.reduce((least, one) => {
        const room = allowed(one);
        return Math.min(least, room === 0 ? 0 : (one.limit - costNow(one)) / room);
      }, 1),
  };
}

/** Length of the longest prefix of `order` that is within the limits; leaves `widths` at it. */
function prefixWithin(order: readonly Candidate[], widths: Widths): number {
  let [fitting, tooMany, reached] = [0, order.length + 1, 0];
  const reach = (count: number): void => {
    for (const candidate of order.slice(reached, count)) widths.add(candidate, 1);
    for (const candidate of order.slice(count, reached)) widths.add(candidate, -1);
    reached = count;
  };
  while (tooMany - fitting > 1) {
    const middle = Math.floor((fitting + tooMany) / 2);
    reach(middle);
    if (widths.areWithin()) fitting = middle;
    else tooMany = middle;
  }
  reach(fitting);
  return fitting;
}

/** Those of `rest` that still fit, in order; a group is full once one of its neurons does not fit. */
function fill(rest: Iterable<Candidate>, widths: Widths): Candidate[] {
  const full = new Set<GroupId>();
  const taken: Candidate[] = [];
  for (const candidate of rest) {
    if (full.has(candidate.group)) continue;
    widths.add(candidate, 1);
    if (widths.areWithin()) {
      taken.push(candidate);
    } else {
      widths.add(candidate, -1);
      full.add(candidate.group);
    }
  }
  return taken;
}

/**
 * The longest prefix of an order whose true cost is within every limit, then
 * every later neuron that still fits, in order. Costs never fall as widths
 * grow, so when this returns no neuron that was left out fits. The result is
 * in the order given.
 *
 * @param options.exchange Then also give up picks for a neuron that lowers the sum of indices more than all of them
 *   together (see `exchanged`); for orders that mean to lower that sum.
 */
export function takeWithin(
  graph: Graph,
  order: readonly Candidate[],
  budgets: readonly Budget[],
  options: { readonly exchange: boolean },
): readonly Candidate[] {
  return takeWithinLimits(order, limitsOf(graph, budgets), options);
}

/** The longest prefix of an order that is within every limit; nothing where the limits are passed already. */
export function prefixOf(order: readonly Candidate[], limits: readonly Limit[]): readonly Candidate[] {
  const widths = widthsOf(limits);
  return widths.areWithin() ? order.slice(0, prefixWithin(order, widths)) : [];
}

/** `takeWithin` under any limits whose costs never fall as widths grow. */
export function takeWithinLimits(
  order: readonly Candidate[],
  limits: readonly Limit[],
  options: { readonly exchange: boolean },
): readonly Candidate[] {
  const widths = widthsOf(limits);
  if (!widths.areWithin()) return [];
  const fitting = prefixWithin(order, widths);
  const taken = new Set([...order.slice(0, fitting), ...fill(order.slice(fitting), widths)]);
  while (options.exchange && widths.slack() > SMALL_SLACK && exchanged(order, taken, widths));
  return order.filter((candidate) => taken.has(candidate));
}

/**
 * Rounding leaves a gap where the next neuron is large: the first neuron left
 * out of each group in turn is taken in for the last picks of the order, as
 * few as make it fit, if it lowers the sum of indices more than they do; then
 * what fits again is filled in. True where that was done: the sum fell, so it ends. Not in the paper, which only rounds.
 */
function exchanged(order: readonly Candidate[], taken: Set<Candidate>, widths: Widths): boolean {
  const tried = new Set<GroupId>();
  for (const wanted of order) {
    if (taken.has(wanted) || tried.has(wanted.group)) continue;
    tried.add(wanted.group);
    widths.add(wanted, 1);
    const given = givenUp(order, taken, wanted, widths);
    if (given !== undefined) {
      taken.add(wanted);
      for (const candidate of given) taken.delete(candidate);
      const rest = order.filter((candidate) => !taken.has(candidate));
      for (const candidate of fill(rest, widths)) taken.add(candidate);
      return true;
    }
    widths.add(wanted, -1);
  }
  return false;
}

/** The last picks, worth less than `wanted`, without which the widths are within the limits; undefined where there are none. */
function givenUp(
  order: readonly Candidate[],
  taken: ReadonlySet<Candidate>,
  wanted: Candidate,
  widths: Widths,
): readonly Candidate[] | undefined {
  const given: Candidate[] = [];
  let worth = 0;
  for (let i = order.length - 1; i >= 0; i -= 1) {
    const last = order[i];
    if (last === undefined || !taken.has(last) || last.group === wanted.group) continue;
    worth += last.index;
    if (worth <= wanted.index) break;
    given.push(last);
    widths.add(last, -1);
    if (widths.areWithin()) return given;
  }
  for (const candidate of given) widths.add(candidate, 1);
  return undefined;
}
