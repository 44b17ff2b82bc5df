// What a network costs once channels are added: an evaluator that the knapsack can afford to ask again and again.

import { type ChannelGroup, channelGroups, type GroupId, groupsByNode } from './channels.js';
import { inputsOf, shapes } from './check.js';
import { type Cost, type CostOfGraph, type CostOfNodes, costNamed, refuseFall } from './cost.js';
import { withWidths } from './grow.js';
import { type Graph, type GraphNode, INPUT, type NodeId, type Value } from './ir.js';
import { opOf } from './ops.js';

/**
 * Cost of the graph with `added` channels in each group. `changed` names the groups that may differ from the call before;
 * left out, all are looked at.
 */
export type CostOfWidths = (added: ReadonlyMap<GroupId, number>, changed?: Iterable<GroupId>) => number;

/** A node whose cost is kept until one of the groups around it changes its width. */
interface Kept {
  readonly node: GraphNode;
  readonly inputs: readonly Value[];
  readonly output: Value;
  readonly own: ChannelGroup | undefined;
  readonly around: readonly (ChannelGroup | undefined)[];
}

function nodewise(graph: Graph, { ofNode, isInteger }: CostOfNodes): CostOfWidths {
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
  const sum = (): number => each.reduce((total, one) => total + one, 0);
  let total = sum();
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
    const now = ofNode(
      node,
      entry.inputs.map((value, j) => wider(value, entry.around[j])),
      output,
    );
    total += now - (each[i] ?? 0);
    each[i] = now;
  };
  return (added, changed) => {
    const stale = new Set<number>();
    for (const id of changed ?? new Set([...last.keys(), ...added.keys()])) {
      const by = added.get(id) ?? 0;
      if (by === (last.get(id) ?? 0)) continue;
      if (by === 0) last.delete(id);
      else last.set(id, by);
      for (const i of touched.get(id) ?? []) stale.add(i);
    }
    for (const i of stale) evaluate(i);
    // Differences of whole numbers are exact. Others are summed afresh in node order, so that nothing drifts.
    return isInteger ? total : sum();
  };
}

/** Whether every group of `wide` is at least as wide as in `narrow`. */
function isAsWide(wide: ReadonlyMap<GroupId, number>, narrow: ReadonlyMap<GroupId, number>): boolean {
  return [...narrow].every(([id, by]) => (wide.get(id) ?? 0) >= by);
}

/** The whole graph anew for widths that are not those of the call before; a cost that falls as widths grow is refused. */
function graphwise(graph: Graph, cost: CostOfGraph): CostOfWidths {
  const groups = new Map(channelGroups(graph).map((group) => [group.id, group] as const));
  let last = { added: new Map<GroupId, number>(), value: cost.ofGraph(graph, shapes(graph)) };
  return (added) => {
    const now = new Map([...added].filter(([, by]) => by !== 0));
    const [isWider, isNarrower] = [isAsWide(now, last.added), isAsWide(last.added, now)];
    if (isWider && isNarrower) return last.value;
    const wide = withWidths(graph, now, groups);
    const value = cost.ofGraph(wide, shapes(wide));
    if (isWider) refuseFall(cost.name, last.value, value);
    if (isNarrower) refuseFall(cost.name, value, last.value);
    last = { added: now, value };
    return value;
  };
}

/**
 * An evaluator for the knapsack: equals costOfGraph(widen(...)) of every group exactly. Of costs that are sums over nodes
 * it re-evaluates only the nodes around groups whose width changed since its last call; sizes do not depend on widths, so
 * shapes are worked out once. A frozen group may not be among `added`.
 */
export function costOfWidths(graph: Graph, cost: string | Cost): CostOfWidths {
  const found = costNamed(cost);
  return 'ofGraph' in found ? graphwise(graph, found) : nodewise(graph, found);
}

/**
 * `marginalCost` of every splittable group: what the graph costs more when that group alone gains one channel. Of costs that
 * are sums over nodes all of them together take time linear in the graph.
 */
export function marginalCosts(graph: Graph, cost: string | Cost): ReadonlyMap<GroupId, number> {
  const found = costNamed(cost);
  const evaluate = costOfWidths(graph, found);
  const before = evaluate(new Map());
  const groups = channelGroups(graph).filter(({ isSplittable }) => isSplittable);
  return new Map(
    groups.map(({ id }) => {
      const after = evaluate(new Map([[id, 1]]));
      if ('ofGraph' in found) refuseFall(found.name, before, after);
      return [id, after - before] as const;
    }),
  );
}
