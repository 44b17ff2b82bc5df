// Splitting indices of channel groups, from those of the layers tied together in them.
import { SplitgrowError } from '../../errors.js';
import { type ChannelGroup, channelGroups, type GroupId } from '../../graph/channels.js';
import type { Graph, NodeId } from '../../graph/ir.js';

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
  return new Map(splittable.map((group) => [group.id, summedIndices(group, layers)] as const));
}

/** Per neuron of a group the sum over its producers. @throws as `groupIndices` */
export function summedIndices(
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
