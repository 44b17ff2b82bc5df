// What a network costs: MACs, parameters, and what one more channel adds.
import { SplitgrowError } from '../errors.js';
import type { GroupId } from './channels.js';
import { inputsOf, type Shapes, shapes } from './check.js';
import { didYouMean, row } from './fields.js';
import { widen } from './grow.js';
import type { Graph, GraphNode, NodeId, Value } from './ir.js';
import { opOf } from './ops.js';

interface Named {
  /** What budgets and records call it. */
  readonly name: string;
  /** True where every cost is a whole number, so that limits are too. */
  readonly isInteger: boolean;
  /**
   * True where splits together never cost less than the sum of what each alone adds, as for products of widths. Left out:
   * not known, and then the certificate's bound leaves the budget on it out (lib/split/choose/certificate.ts).
   */
  readonly isSuperadditive?: boolean;
}

/** A cost that is a sum over nodes. A new one is one row of COSTS, or an object of this type. */
export interface CostOfNodes extends Named {
  /** Cost of one node, from the values around it; 0 or more, and never less for wider values. */
  readonly ofNode: (node: GraphNode, inputs: readonly Value[], output: Value) => number;
}

/** A cost of a network as a whole; 0 or more, and never less for a wider one. */
export interface CostOfGraph extends Named {
  /** Cost of the network. `values` are its shapes. */
  readonly ofGraph: (graph: Graph, values: Shapes) => number;
}

/** What a network can be limited by: a sum over its nodes, or a function of the whole. */
export type Cost = CostOfNodes | CostOfGraph;

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

export const COSTS = {
  /** Multiply-accumulates for one image. */
  macs: {
    name: 'macs',
    isInteger: true,
    isSuperadditive: true,
    ofNode: (node, inputs, output) => opOf(node).macs(node, inputs, output),
  },
  /** Trained parameters. */
  params: { name: 'params', isInteger: true, isSuperadditive: true, ofNode: trained },
  /**
   * FLOPs as the CIFAR figures of the paper's authors count them, for one image: 2 a multiply-accumulate, 1 a value that
   * a bias is added to, 2 a value of batch norm, 1 a value of an activation. Adds and pools count nothing. Their ImageNet
   * tables are MACs.
   */
  flops2x: {
    name: 'flops2x',
    isInteger: true,
    isSuperadditive: true,
    ofNode: (node, inputs, output) =>
      2 * opOf(node).macs(node, inputs, output) + valueOperations(node, inputs) * valuesOf(output),
  },
} as const satisfies Readonly<Record<string, CostOfNodes>>;
export type CostName = keyof typeof COSTS;

/**
 * The row of COSTS of that name, or the cost itself.
 * @throws E_ARGUMENT naming the nearest.
 */
export function costNamed(cost: string | Cost): Cost {
  if (typeof cost !== 'string') return cost;
  const found = row<Cost>(COSTS, cost);
  if (found !== undefined) return found;
  const near = didYouMean(cost, Object.keys(COSTS));
  throw new SplitgrowError('E_ARGUMENT', `there is no cost "${cost}"${near}`);
}

/** Cost of the whole graph. */
export function costOfGraph(graph: Graph, cost: string | Cost): number {
  const found = costNamed(cost);
  const values = shapes(graph);
  if ('ofGraph' in found) return found.ofGraph(graph, values);
  return graph.nodes.reduce((sum, node) => {
    const output = values.get(node.id);
    return output === undefined ? sum : sum + found.ofNode(node, inputsOf(node, values), output);
  }, 0);
}

/** Multiply-accumulates for one image. */
export function macs(graph: Graph): number {
  return costOfGraph(graph, COSTS.macs);
}

/** Trained parameters: weights and biases, those of batch norm included. */
export function params(graph: Graph): number {
  return costOfGraph(graph, COSTS.params);
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
    const of = ({ ofNode }: CostOfNodes): number => ofNode(node, inputs, output);
    return { id: node.id, op: node.op, macs: of(COSTS.macs), params: of(COSTS.params) };
  });
}

/** @throws E_CALLBACK where the wider of two networks costs less */
export function refuseFall(name: string, narrow: number, wide: number): void {
  if (wide >= narrow) return;
  throw new SplitgrowError(
    'E_CALLBACK',
    `cost "${name}": expected no less for a wider network, got ${wide} after ${narrow}; the budgets need a cost that never falls as widths grow`,
  );
}

/** What the graph costs more when `group` gains one channel: the only formula there is for it. `marginalCosts` does all groups at once. */
export function marginalCost(graph: Graph, groupId: GroupId, cost: string | Cost): number {
  const found = costNamed(cost);
  const [before, after] = [costOfGraph(graph, found), costOfGraph(widen(graph, groupId, 1), found)];
  if ('ofGraph' in found) refuseFall(found.name, before, after);
  return after - before;
}
