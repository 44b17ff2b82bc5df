// How many neurons of a layer one stage may split, where an experiment limits that.
import { SplitgrowError } from '../../errors.js';
import { channelGroups, type GroupId } from '../../graph/channels.js';
import { didYouMean } from '../../graph/fields.js';
import type { Graph } from '../../graph/ir.js';
import type { Candidate } from './knapsack.js';

/**
 * A share: of every layer at most that part of its neurons is split in a stage. A record: no stage makes a layer wider
 * than its number, and layers that are not named have no limit. The authors' code has such a table of widths: MobileNet's
 * own in the first four layers, 1.25 times them in the others. Null: none.
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
