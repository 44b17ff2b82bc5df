// cost: MACs and parameters of a network, of its nodes, and of one more neuron.
import { channelGroups } from '../graph/channels.js';
import { costs, macs, params, cost as totalOf } from '../graph/cost.js';
import { marginalCosts } from '../graph/cost-of-widths.js';
import type { Graph } from '../graph/ir.js';
import { graphOf } from '../run/network-source.js';
import type { CostDocument, CostOptions } from './documents.js';

/** What `cost` says of a graph. */
export function costOf(graph: Graph): CostDocument {
  const marginal = marginalCosts(graph, 'macs');
  const groups = channelGroups(graph)
    .filter(({ isSplittable }) => isSplittable)
    .map(({ id, neurons, producers }) => ({
      id,
      neurons,
      marginalMacs: marginal.get(id) ?? 0,
      producers,
    }));
  const flops2x = totalOf(graph, 'flops2x');
  return { macs: macs(graph), params: params(graph), flops2x, nodes: costs(graph), groups };
}

/** What a network costs, and what splitting one neuron of each splittable channel group would add. */
export async function cost(options: CostOptions): Promise<CostDocument> {
  return costOf(await graphOf(options));
}
