// Channel groups: layers whose channels are tied together and must be split, widened or pruned as one.
import { type Graph, INPUT, type NodeId } from './ir.js';
import { field, opOf } from './ops.js';

/** Id of the first producer, in node order. */
export type GroupId = NodeId;

/**
 * Layers whose channels belong together, because an add, a depthwise convolution, a batch norm, a pool or the like reads
 * them side by side. They are split, widened and pruned together. In a residual block
 *
 *     stem (16) ---> expand (96) -> depthwise (96) -> project (16) ---> add (16)
 *           \______________________________________________________/
 *
 * stem and project are one group of 16 neurons, and expand is another one of 96.
 */
export interface ChannelGroup {
  /** Id of its first producer. */
  readonly id: GroupId;
  /** Layers that make these channels, in node order; all of one width. */
  readonly producers: readonly NodeId[];
  /** Width: the channels of every producer. */
  readonly neurons: number;
  /** Whether its neurons may be split. */
  readonly isSplittable: boolean;
  /** Why not, where it is not splittable. */
  readonly frozenBecause?: string;
}

/** Disjoint sets of ids, with path halving (Tarjan and van Leeuwen 1984). */
interface Sets {
  readonly find: (id: NodeId) => NodeId;
  readonly unite: (a: NodeId, b: NodeId) => void;
}

function disjointSets(): Sets {
  const parents = new Map<NodeId, NodeId>();
  const parentOf = (id: NodeId): NodeId => parents.get(id) ?? id;
  const find = (id: NodeId): NodeId => {
    let at = id;
    while (parentOf(at) !== at) {
      const above = parentOf(parentOf(at));
      parents.set(at, above);
      at = above;
    }
    return at;
  };
  return { find, unite: (a, b) => void parents.set(find(b), find(a)) };
}

/** Sets of nodes whose outputs have the same channels. Only the roles in the op table decide that. */
function tie(graph: Graph): Sets {
  const sets = disjointSets();
  for (const node of graph.nodes) {
    if (opOf(node).channels === 'source') continue;
    for (const input of node.inputs) sets.unite(input, node.id);
  }
  return sets;
}

/** The first reason why the channels of a set are frozen. */
function freezes(graph: Graph, { find }: Sets): ReadonlyMap<NodeId, string> {
  const reasons = new Map<NodeId, string>();
  const freeze = (id: NodeId, because: string): void => {
    if (!reasons.has(find(id))) reasons.set(find(id), because);
  };
  freeze(INPUT, 'its channels are tied to the network input');
  freeze(graph.output, 'its channels are the network output');
  for (const node of graph.nodes) {
    const found = opOf(node).freezes?.(node);
    if (found === undefined) continue;
    for (const id of found.what === 'both' ? [node.id, ...node.inputs] : [node.id]) freeze(id, found.because);
  }
  return reasons;
}

/** The group of every node's output channels. Nodes that only pass the network's input channels on have no group and are left out. */
export function groupsByNode(graph: Graph): ReadonlyMap<NodeId, ChannelGroup> {
  const sets = tie(graph);
  const reasons = freezes(graph, sets);
  const members = new Map<NodeId, { producers: NodeId[]; neurons: number }>();
  for (const node of graph.nodes) {
    if (opOf(node).channels !== 'source') continue;
    const root = sets.find(node.id);
    const known = members.get(root);
    if (known === undefined) members.set(root, { producers: [node.id], neurons: Number(field(node, 'out')) });
    else known.producers.push(node.id);
  }
  const groups = new Map<NodeId, ChannelGroup>();
  for (const [root, { producers, neurons }] of members) {
    const because = reasons.get(root);
    const group = { id: producers[0] ?? root, producers, neurons, isSplittable: because === undefined };
    groups.set(root, because === undefined ? group : { ...group, frozenBecause: because });
  }
  return new Map(
    graph.nodes.flatMap(({ id }) => {
      const group = groups.get(sets.find(id));
      return group === undefined ? [] : [[id, group] as const];
    }),
  );
}

/** Every group that has a producer, by first producer in node order. */
export function channelGroups(graph: Graph): readonly ChannelGroup[] {
  return [...new Set(groupsByNode(graph).values())];
}

/** The group of a node's output channels; undefined for an unknown node and for the network input's own channels. */
export function groupOf(graph: Graph, id: NodeId): ChannelGroup | undefined {
  return groupsByNode(graph).get(id);
}
