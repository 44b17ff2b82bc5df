// A graph as rows for people: what each node is, gives and costs, and the channels it belongs to.
import { groupsByNode } from './channels.js';
import { shapes } from './check.js';
import { costs } from './cost.js';
import { row } from './fields.js';
import type { FieldValue, Graph, GraphNode, NodeId, Value } from './ir.js';
import { field, opOf } from './ops.js';

/** A node as the table of `splitgrow show` has it. */
export interface PrintedNode {
  /** Its name. */
  readonly id: NodeId;
  /** Its op. */
  readonly op: string;
  /** The op with what tells it from its like: 'conv2d 3x3 /2', 'activation relu'. */
  readonly form: string;
  /** Ids of the nodes that it reads. */
  readonly inputs: readonly NodeId[];
  /** [channels, height, width] of its output for one image, or [features] of a vector. */
  readonly shape: readonly number[];
  /** Trained parameters. */
  readonly params: number;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** MACs by those of the network, from 0 to 1. */
  readonly macsShare: number;
  /** Channel group of its output; null where these are the network input's own channels. */
  readonly group: NodeId | null;
  /** Whether neurons of that group can be split. */
  readonly isSplittable: boolean;
}

/** How a field is written in a node's form; other fields are there by name, where they have not their default. */
const SHORT: Readonly<Record<string, (value: FieldValue) => string>> = {
  kernel: (value) => `${value}x${value}`,
  stride: (value) => `/${value}`,
  padding: (value) => `pad ${value}`,
  groups: (value) => `${value} groups`,
  kind: String,
};
/** Written in a column of its own. */
const ELSEWHERE: ReadonlySet<string> = new Set(['out']);

/** 'conv2d 3x3 /2', 'activation relu', 'dropout p 0.2': the op and those of its fields that have no default, or another value. */
export function formOf(node: GraphNode): string {
  const words = Object.entries(opOf(node).fields).flatMap(([name, { default: fallback }]) => {
    const value = field(node, name);
    const usual = typeof fallback === 'function' ? fallback(node) : fallback;
    if (ELSEWHERE.has(name) || value === usual) return [];
    return [row(SHORT, name)?.(value) ?? `${name} ${value}`];
  });
  return [node.op, ...words].join(' ');
}

/** [channels, height, width] of a map, [features] of a vector. */
export function dimensions({ channels, block, size }: Value): readonly number[] {
  return size === null ? [channels * block] : [channels, ...size];
}

/** One row a node, in order. */
export function printGraph(graph: Graph): readonly PrintedNode[] {
  const values = shapes(graph);
  const groups = groupsByNode(graph);
  const rows = costs(graph);
  const total = rows.reduce((sum, { macs }) => sum + macs, 0);
  return graph.nodes.map((node, at) => {
    const { macs, params } = rows[at] ?? { macs: 0, params: 0 };
    const group = groups.get(node.id);
    return {
      id: node.id,
      op: node.op,
      form: formOf(node),
      inputs: node.inputs,
      shape: dimensions(values.get(node.id) ?? { channels: 0, block: 1, size: null }),
      params,
      macs,
      macsShare: total === 0 ? 0 : macs / total,
      group: group?.id ?? null,
      isSplittable: group?.isSplittable ?? false,
    };
  });
}

/** Width of every layer that makes channels, the output's included, in node order. */
export function widths(graph: Graph): Readonly<Record<NodeId, number>> {
  const sources = graph.nodes.filter((node) => opOf(node).channels === 'source');
  return Object.fromEntries(sources.map((node) => [node.id, Number(field(node, 'out'))]));
}
