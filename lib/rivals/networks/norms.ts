// Batch norms of channel groups, and the numbers of their tensors: what pruning by scales reads.
import { SplitgrowError } from '../../errors.js';
import { type ChannelGroup, channelGroups, groupsByNode } from '../../graph/channels.js';
import { shapes } from '../../graph/check.js';
import type { Graph, NodeId } from '../../graph/ir.js';
import { lower } from '../../graph/lower.js';
import { opOf } from '../../graph/ops.js';
import type { TensorMap } from '../../native/face.js';

/** A splittable group and batch norms of its channels, one scale a channel each. */
export interface GroupNorms {
  readonly group: ChannelGroup;
  readonly norms: readonly NodeId[];
}

export function splittableGroups(graph: Graph): readonly ChannelGroup[] {
  return channelGroups(graph).filter(({ isSplittable }) => isSplittable);
}

/**
 * The batch norm that alone reads each producer's output. Groups that have a
 * producer without one are left out: its channels reach the consumers whatever
 * the others' scales say.
 */
export function normsBehindProducers(graph: Graph): readonly GroupNorms[] {
  const { chains, instructions } = lower(graph);
  const norms = new Map(chains.map(({ id, batchNorm }) => [id, instructions[batchNorm - 1]?.id] as const));
  return splittableGroups(graph).flatMap((group) => {
    const behind = group.producers.flatMap((id) => norms.get(id) ?? []);
    return behind.length === group.producers.length ? [{ group, norms: behind }] : [];
  });
}

/**
 * Every batch norm of a group's channels, those behind depthwise convolutions
 * and adds too, in node order; groups without any are left out. Behind a
 * flatten a channel has several scales: those are not counted among them.
 */
export function normsOfChannels(graph: Graph): readonly GroupNorms[] {
  const [groups, values] = [groupsByNode(graph), shapes(graph)];
  const found = new Map<ChannelGroup, NodeId[]>();
  for (const node of graph.nodes) {
    const group = groups.get(node.id);
    if (opOf(node).chain !== 'batch_norm' || values.get(node.id)?.block !== 1) continue;
    if (group?.isSplittable !== true) continue;
    found.set(group, [...(found.get(group) ?? []), node.id]);
  }
  return [...found].map(([group, norms]) => ({ group, norms }));
}

/** Name of a batch norm's scale, gamma. */
export const gammaOf = (norm: NodeId): string => `${norm}.weight`;

/** A float32 tensor's numbers. @throws E_WEIGHTS where it is missing, of another dtype or of another count */
export function numbersOf(weights: TensorMap, name: string, count: number): Float32Array {
  const tensor = weights.get(name);
  const want = `weights: expected "${name}" float32 of ${count} numbers`;
  if (tensor === undefined) throw new SplitgrowError('E_WEIGHTS', `${want}, found no such tensor`);
  const { dtype, shape, data } = tensor;
  if (dtype !== 'float32' || data.byteLength !== 4 * count) {
    throw new SplitgrowError('E_WEIGHTS', `${want}, got ${dtype} [${shape.join(', ')}]`);
  }
  // A copy: bytes of a file need not lie where float32 may.
  return new Float32Array(data.slice().buffer);
}
