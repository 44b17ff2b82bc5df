// What a network costs: MACs, parameters, and what one more channel adds.
import { closest } from 'fastest-levenshtein';
import { SplitgrowError } from '../errors.js';
import { type ChannelGroup, type GroupId, groupsByNode } from './channels.js';
import { inputsOf, shapes } from './check.js';
import { row } from './fields.js';
import { widen } from './grow.js';
import { type Graph, type GraphNode, INPUT, type NodeId, type Value } from './ir.js';
import { opOf } from './ops.js';

/** A cost that is a sum over nodes. A new one is one row of ENERGIES, or an object of this type. */
export interface Energy {
  readonly name: string;
  /** True where every cost is a whole number, so that limits are too. */
  readonly isInteger: boolean;
  /** Cost of one node, from the values around it; 0 or more, and never less for wider values. */
  readonly ofNode: (node: GraphNode, inputs: readonly Value[], output: Value) => number;
}

/** Weights and biases, those of batch norm included; running statistics are not trained and not counted. */
function trained(node: GraphNode, inputs: readonly Value[]): number {
  return opOf(node)
    .parameters(node, inputs)
    .reduce(
      (sum, { axes, isTrained }) => sum + (isTrained ? axes.reduce((n, { size }) => n * size, 1) : 0),
      0,
    );
}

function valuesOf({ channels, block, size }: Value): number {
  return channels * block * (size === null ? 1 : size[0] * size[1]);
}

/** Operations a value of a node's output, multiply-accumulates aside; see `flops2x`. */
function valueOperations(node: GraphNode, inputs: readonly Value[]): number {
  const { chain, parameters } = opOf(node);
  if (chain !== undefined) return chain === 'batch_norm' ? 2 : 1;
  return parameters(node, inputs).some(({ name }) => name === 'bias') ? 1 : 0;
}

export const ENERGIES = {
  /** Multiply-accumulates for one image. */
  macs: {
    name: 'macs',
    isInteger: true,
    ofNode: (node, inputs, output) => opOf(node).macs(node, inputs, output),
  },
  /** Trained parameters. */
  params: { name: 'params', isInteger: true, ofNode: trained },
  /**
   * FLOPs as the CIFAR figures of the paper's authors count them, for one image: 2 a multiply-accumulate, 1 a value that
   * a bias is added to, 2 a value of batch norm, 1 a value of an activation. Adds and pools count nothing. Their ImageNet
   * tables are MACs.
   */
  flops2x: {
    name: 'flops2x',
    isInteger: true,
    ofNode: (node, inputs, output) =>
      2 * opOf(node).macs(node, inputs, output) + valueOperations(node, inputs) * valuesOf(output),
  },
} as const satisfies Readonly<Record<string, Energy>>;
export type EnergyName = keyof typeof ENERGIES;

/**
 * The row of ENERGIES of that name, or the energy itself.
 * @throws E_ARGUMENT naming the nearest.
 */
export function energyOf(energy: string | Energy): Energy {
  if (typeof energy !== 'string') return energy;
  const found = row<Energy>(ENERGIES, energy);
  if (found !== undefined) return found;
  const near = closest(energy, Object.keys(ENERGIES));
  throw new SplitgrowError('E_ARGUMENT', `there is no energy "${energy}"; the nearest is "${near}"`);
}

/** Cost of the whole graph. */
export function cost(graph: Graph, energy: string | Energy): number {
  const { ofNode } = energyOf(energy);
  const values = shapes(graph);
  return graph.nodes.reduce((sum, node) => {
    const output = values.get(node.id);
    return output === undefined ? sum : sum + ofNode(node, inputsOf(node, values), output);
  }, 0);
}

/** Multiply-accumulates for one image. */
export function macs(graph: Graph): number {
  return cost(graph, ENERGIES.macs);
}

/** Trained parameters: weights and biases, those of batch norm included. */
export function params(graph: Graph): number {
  return cost(graph, ENERGIES.params);
}

export interface NodeCost {
  readonly id: NodeId;
  readonly op: string;
  readonly macs: number;
  readonly params: number;
}

/** MACs and parameters of every node, in order. */
export function costs(graph: Graph): readonly NodeCost[] {
  const values = shapes(graph);
  return graph.nodes.map((node) => {
    const inputs = inputsOf(node, values);
    const output = values.get(node.id) ?? { channels: 0, block: 1, size: null };
    const of = ({ ofNode }: Energy): number => ofNode(node, inputs, output);
    return { id: node.id, op: node.op, macs: of(ENERGIES.macs), params: of(ENERGIES.params) };
  });
}

/** What the graph costs more when `group` gains one channel: the only formula there is for it. */
export function marginalCost(graph: Graph, groupId: GroupId, energy: string | Energy): number {
  return cost(widen(graph, groupId, 1), energy) - cost(graph, energy);
}

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

/**
 * An evaluator for the knapsack: equals cost(widen(...)) of every group exactly,
 * but re-evaluates only the nodes around groups whose width changed since its
 * last call. Sizes do not depend on widths, so shapes are worked out once.
 * A frozen group may not be among `added`.
 */
export function costOfWidths(graph: Graph, energy: string | Energy): CostOfWidths {
  const { ofNode } = energyOf(energy);
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
