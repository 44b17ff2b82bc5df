// Pruning as a pure function: the channels to keep -> a narrower graph and the surgery on its tensors.
import { SplitgrowError } from '../errors.js';
import { type ChannelGroup, type GroupId, groupsByNode } from './channels.js';
import { didYouMean, show } from './fields.js';
import { type Channel, rewire, withWidths } from './grow.js';
import type { Graph } from './ir.js';
import type { Surgery, TensorSurgery } from './program.js';

/** Channels that stay, by group: ascending, at least one. */
export type Keep = ReadonlyMap<GroupId, readonly number[]>;

function refuseWrong(group: ChannelGroup, kept: readonly number[]): void {
  const { id, neurons } = group;
  if (!group.isSplittable)
    throw new SplitgrowError('E_PLAN', `"${id}" cannot be pruned: ${group.frozenBecause}`);
  if (kept.length === 0)
    throw new SplitgrowError('E_PLAN', `"${id}": expected at least one channel to keep, got none`);
  const bad = kept.findIndex(
    (n, i) => !Number.isInteger(n) || n < 0 || n >= neurons || (i > 0 && n <= (kept[i - 1] ?? n)),
  );
  if (bad >= 0) {
    throw new SplitgrowError(
      'E_PLAN',
      `"${id}": the channels to keep must be ascending integers from 0 to ${neurons - 1}, got ${show(kept[bad])} at place ${bad}`,
    );
  }
}

/** A channel that is kept stays as it was: no step, and its whole weight. */
const gathered = ({ name, rows, columns }: TensorSurgery): TensorSurgery => ({
  ...{ name, rows, columns },
  ...{ shift: null, direction: null, rowShares: null, scales: null },
});

/**
 * The graph with only the named channels of the named groups, and the surgery on its tensors: gathers alone, nulls where an
 * axis does not change. Groups that are not named keep all their channels. All tied layers, batch norms and depthwise
 * filters lose the same channels, and all layers that read them lose the columns. So the new network computes what the
 * old one would with these channels set to 0 where they are read. The native `rewrite` runs the surgery without
 * directions. Reset the momentum then.
 *
 * @throws E_PLAN for an unknown or frozen group, an empty list, or one that is not ascending channels of the group.
 */
export function prune(graph: Graph, keep: Keep): { readonly graph: Graph; readonly surgery: Surgery } {
  const byNode = groupsByNode(graph);
  const byId = new Map([...byNode.values()].map((group) => [group.id, group] as const));
  const channels = new Map<ChannelGroup, readonly Channel[]>();
  for (const [id, kept] of keep) {
    const group = byId.get(id);
    if (group === undefined) {
      throw new SplitgrowError(
        'E_PLAN',
        `there is no channel group ${show(id)}${didYouMean(id, [...byId.keys()])}`,
      );
    }
    refuseWrong(group, kept);
    if (kept.length === group.neurons) continue;
    channels.set(
      group,
      kept.map((source): Channel => ({ source, share: 1, shift: 0 })),
    );
  }
  const removed = [...channels].map(([{ id, neurons }, kept]) => [id, kept.length - neurons] as const);
  return {
    graph: withWidths(graph, new Map(removed), byId),
    surgery: rewire(graph, byNode, channels).map(gathered),
  };
}
