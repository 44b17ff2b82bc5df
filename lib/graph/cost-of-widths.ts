// What a network costs once channels are added: an evaluator that the knapsack can afford to ask again and again.
import { type ChannelGroup, channelGroups, type GroupId, groupsByNode } from './channels.js';
import { inputsOf, shapes } from './check.js';
import { type Energy, energyOf, type GraphEnergy, type NodeEnergy } from './cost.js';
import { withWidths } from './grow.js';
import { type Graph, type GraphNode, INPUT, type NodeId, type Value } from './ir.js';
import { opOf } from './ops.js';
import { refuseFall } from './own-cost.js';

/** Cost of the graph with `added` channels in each group. */
export type CostOfWidths = (added: ReadonlyMap<GroupId, number>) => number;

/** A node whose cost is kept until one of the groups around it changes its width. */
interface Kept {
  readonly node: GraphNode;
  readonly inputs: readonly Value[];
  readonly output: Value;
  readonly own: ChannelGroup | undefined;
  readonly around: readonly (ChannelGroup | undefined)[];
}

function nodewise(graph: Graph, { ofNode }: NodeEnergy): CostOfWidths {
  const groups = groupsByNode(graph);
  const values = shapes(graph);
  const groupAt = (id: NodeId): ChannelGroup | undefined => (id === INPUT ? undefined : groups.get(id));
  const touched = new Map<GroupId, number[]>();
  const kept = graph.nodes.map((node, i): Kept => {
    const [own, around] = [groupAt(node.id), node.inputs.map(groupAt)];
    for (const group of new Set([own, ...around])) {
      if (group === undefined) continue;
      const list = touched.get(group.id);
      if (list === undefined) touched.set(group.id, [i]);
      else list.push(i);
    }
    const output = values.get(node.id) ?? { channels: 0, block: 1, size: null };
    return { node, inputs: inputsOf(node, values), output, own, around };
  });
  const each = kept.map(({ node, inputs, output }) => ofNode(node, inputs, output));
  const last = new Map<GroupId, number>();
  const wider = (value: Value, group: ChannelGroup | undefined): Value => {
    const by = group === undefined ? 0 : (last.get(group.id) ?? 0);
    return by === 0 ? value : { ...value, channels: value.channels + by };
  };
  const evaluate = (i: number): void => {
    const entry = kept[i];
    if (entry === undefined) return;
    const output = wider(entry.output, entry.own);
    const isSource = opOf(entry.node).channels === 'source';
    const node = isSource ? { ...entry.node, out: output.channels } : entry.node;
    each[i] = ofNode(
      node,
      entry.inputs.map((value, j) => wider(value, entry.around[j])),
      output,
    );
  };
  return (added) => {
    const stale = new Set<number>();
    for (const [id, nodes] of touched) {
      const by = added.get(id) ?? 0;
      if (by === (last.get(id) ?? 0)) continue;
      last.set(id, by);
      for (const i of nodes) stale.add(i);
    }
    for (const i of stale) evaluate(i);
    // Summed afresh in node order: no drift for costs that are not integers.
    return each.reduce((sum, one) => sum + one, 0);
  };
}

/** Whether every group of `wide` is at least as wide as in `narrow`. */
function isAsWide(wide: ReadonlyMap<GroupId, number>, narrow: ReadonlyMap<GroupId, number>): boolean {
  return [...narrow].every(([id, by]) => (wide.get(id) ?? 0) >= by);
}

/** The whole graph anew for widths that are not those of the call before; a cost that falls as widths grow is refused. */
function graphwise(graph: Graph, energy: GraphEnergy): CostOfWidths {
  const groups = new Map(channelGroups(graph).map((group) => [group.id, group] as const));
  let last = { added: new Map<GroupId, number>(), value: energy.ofGraph(graph) };
  return (added) => {
    const now = new Map([...added].filter(([, by]) => by !== 0));
    const [isWider, isNarrower] = [isAsWide(now, last.added), isAsWide(last.added, now)];
    if (isWider && isNarrower) return last.value;
    const value = energy.ofGraph(withWidths(graph, now, groups));
    if (isWider) refuseFall(energy.name, last.value, value);
    if (isNarrower) refuseFall(energy.name, value, last.value);
    last = { added: now, value };
    return value;
  };
}

/**
 * An evaluator for the knapsack: equals cost(widen(...)) of every group exactly. Of costs that are sums over nodes
 * it re-evaluates only the nodes around groups whose width changed since its last call; sizes do not depend on widths, so
 * shapes are worked out once. A frozen group may not be among `added`.
 */
export function costOfWidths(graph: Graph, energy: string | Energy): CostOfWidths {
  const found = energyOf(energy);
  return 'ofGraph' in found ? graphwise(graph, found) : nodewise(graph, found);
}
