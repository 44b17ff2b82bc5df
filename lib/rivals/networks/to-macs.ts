// Which channels to keep so that a network has at most so many MACs: one ratio for all layers, or one threshold.
import { SplitgrowError } from '../../errors.js';
import { type ChannelGroup, type GroupId, groupsByNode } from '../../graph/channels.js';
import { costOfWidths } from '../../graph/cost-of-widths.js';
import type { Graph } from '../../graph/ir.js';
import type { Keep } from '../../graph/prune.js';
import type { Importance } from './importance.js';
import { largestReal, leastInteger } from './search.js';

/** True MACs of the graph with so many channels kept in each group. */
type MacsOf = (widths: ReadonlyMap<GroupId, number>) => number;

function checked(graph: Graph, importance: Importance): ReadonlyMap<GroupId, ChannelGroup> {
  const groups = new Map([...groupsByNode(graph).values()].map((group) => [group.id, group] as const));
  for (const [id, values] of importance) {
    const group = groups.get(id);
    const isFine = group?.isSplittable === true && values.length === group.neurons;
    if (!isFine || values.some((value) => !Number.isFinite(value))) {
      throw new SplitgrowError(
        'E_ARGUMENT',
        `importance of "${id}": expected a splittable group and one finite number a channel, got ${values.length} numbers for ` +
          `${group === undefined ? 'no such group' : `${group.neurons} channels${group.isSplittable ? '' : ' that cannot be pruned'}`}`,
      );
    }
  }
  return groups;
}

function macsOf(graph: Graph, groups: ReadonlyMap<GroupId, ChannelGroup>): MacsOf {
  const evaluate = costOfWidths(graph, 'macs');
  return (widths) =>
    evaluate(new Map([...widths].map(([id, width]) => [id, width - (groups.get(id)?.neurons ?? width)])));
}

function refuseTooSmall(target: number, least: number): void {
  if (least <= target) return;
  throw new SplitgrowError(
    'E_ARGUMENT',
    `pruning: expected a target of at least ${least} MACs, what one channel a group leaves, got ${target}`,
  );
}

/** The `count` most important channels, ascending; of equal ones the first. */
function mostImportant(values: Float64Array, count: number): readonly number[] {
  const order = Array.from(values.keys()).sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
  return order.slice(0, count).sort((a, b) => a - b);
}

/**
 * The same share of the channels of every group, rounded, at least one: the
 * largest share whose network has at most `target` MACs. Within a group the
 * most important stay. Groups without an importance stay whole.
 *
 * @throws E_ARGUMENT where even one channel a group is above the target, or an importance does not fit the graph
 */
export function keepUniform(graph: Graph, importance: Importance, target: number): Keep {
  const evaluate = macsOf(graph, checked(graph, importance));
  const widths = (share: number): ReadonlyMap<GroupId, number> =>
    new Map([...importance].map(([id, { length }]) => [id, Math.max(1, Math.round(length * share))]));
  refuseTooSmall(target, evaluate(widths(0)));
  const chosen = widths(largestReal(0, 1, (share) => evaluate(widths(share)) <= target));
  return new Map([...importance].map(([id, values]) => [id, mostImportant(values, chosen.get(id) ?? 1)]));
}

/**
 * The channels above one threshold on the importance of all groups, and of each
 * group at least its most important one: the lowest threshold whose network has
 * at most `target` MACs. Channels of equal importance go together. Groups
 * without an importance stay whole.
 *
 * @throws E_ARGUMENT where even one channel a group is above the target, or an importance does not fit the graph
 */
export function keepGlobal(graph: Graph, importance: Importance, target: number): Keep {
  const evaluate = macsOf(graph, checked(graph, importance));
  const sorted = new Map([...importance].map(([id, values]) => [id, values.slice().sort()] as const));
  const thresholds = [Number.NEGATIVE_INFINITY, ...new Set([...sorted.values()].flatMap((v) => [...v]))].sort(
    (a, b) => a - b,
  );
  const widths = (at: number): ReadonlyMap<GroupId, number> => {
    const threshold = thresholds[at] ?? 0;
    return new Map(
      [...sorted].map(([id, values]) => {
        // Ascending: those from the first above the threshold on stay.
        const above = leastInteger(
          0,
          values.length,
          (i) => i === values.length || (values[i] ?? 0) > threshold,
        );
        return [id, Math.max(1, values.length - above)];
      }),
    );
  };
  const last = thresholds.length - 1;
  refuseTooSmall(target, evaluate(widths(last)));
  const chosen = widths(leastInteger(0, last, (at) => evaluate(widths(at)) <= target));
  return new Map([...importance].map(([id, values]) => [id, mostImportant(values, chosen.get(id) ?? 1)]));
}
