// Which nodes read a layer's channels, and which node works on every channel alone.
import type { Graph, GraphNode, NodeId } from './ir.js';
import { opOf } from './ops.js';

/** True for a convolution with one filter for each channel. */
export function isDepthwise(node: GraphNode): boolean {
  const { channels, native } = opOf(node);
  return channels === 'pass' && native === 'conv2d';
}

/** The nodes that read each node, in order; one that reads it twice is there twice. */
export function consumersOf(graph: Graph): ReadonlyMap<NodeId, readonly GraphNode[]> {
  const consumers = new Map<NodeId, GraphNode[]>();
  for (const node of graph.nodes) {
    for (const id of node.inputs) {
      const readers = consumers.get(id);
      if (readers === undefined) consumers.set(id, [node]);
      else readers.push(node);
    }
  }
  return consumers;
}

/**
 * The depthwise convolutions and the layers that `id`'s channels reach without passing another of them: through batch
 * norms, activations, pools and adds. Each once, in the order found.
 */
export function directReaders(
  id: NodeId,
  consumers: ReadonlyMap<NodeId, readonly GraphNode[]>,
): readonly GraphNode[] {
  const found = new Set<GraphNode>();
  const seen = new Set<NodeId>();
  const open = [id];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const node of consumers.get(at) ?? []) {
      if (opOf(node).channels === 'source' || isDepthwise(node)) found.add(node);
      else if (!seen.has(node.id)) {
        seen.add(node.id);
        open.push(node.id);
      }
    }
  }
  return [...found];
}

/** Ids of the batch norms right behind depthwise convolutions, in node order. */
export function depthwiseNorms(graph: Graph): readonly NodeId[] {
  const depthwise = new Set(graph.nodes.filter(isDepthwise).map(({ id }) => id));
  return graph.nodes
    .filter((node) => opOf(node).chain === 'batch_norm' && node.inputs.some((id) => depthwise.has(id)))
    .map(({ id }) => id);
}
