// A graph as rows for people: what each node gives and costs.
import { shapes } from './check.js';
import { costs } from './cost.js';
import type { Graph, NodeId } from './ir.js';
import { field, opOf } from './ops.js';

export interface PrintedNode {
  readonly id: NodeId;
  readonly op: string;
  /** '16 x 32 x 32' (channels, height, width) for a map, '10' for a vector. */
  readonly shape: string;
  readonly macs: number;
  readonly params: number;
}

/** One row a node, in order: id, op, output shape, MACs and trained parameters. */
export function printGraph(graph: Graph): readonly PrintedNode[] {
  const values = shapes(graph);
  return costs(graph).map((row) => {
    const value = values.get(row.id) ?? { channels: 0, block: 1, size: null };
    const shape =
      value.size === null ? `${value.channels * value.block}` : [value.channels, ...value.size].join(' x ');
    return { ...row, shape };
  });
}

/** Width of every layer that makes channels, the output's included, in node order. */
export function widths(graph: Graph): Readonly<Record<NodeId, number>> {
  const sources = graph.nodes.filter((node) => opOf(node).channels === 'source');
  return Object.fromEntries(sources.map((node) => [node.id, Number(field(node, 'out'))]));
}
