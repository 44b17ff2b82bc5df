// cost: MACs and parameters of a network, of its nodes, and of one more neuron.
import { channelGroups } from '../graph/channels.js';
import { costOfGraph, costs, macs, params } from '../graph/cost.js';
import { marginalCosts } from '../graph/cost-of-widths.js';
import type { Graph } from '../graph/ir.js';
import { graphOf } from '../run/network-source.js';

/** Which network `cost` counts. */
export interface CostOptions {
  /** A network directory or the name of a preset. */
  readonly network: string;
  /** Width multiplier and resolution of a preset. */
  readonly width?: number | undefined;
  /** Pixels a side of its images. */
  readonly resolution?: number | undefined;
  /** Further options of a preset (blocks, activation ...). */
  readonly preset?: Readonly<Record<string, unknown>> | undefined;
}
/** What `cost` prints. */
export interface CostDocument {
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Trained parameters. */
  readonly params: number;
  /** 2 a MAC, batch norm, activations and biases: what the authors' CIFAR figures count. */
  readonly flops2x: number;
  /** Every node, in order. */
  readonly nodes: readonly {
    /** Id of the node. */
    readonly id: string;
    /** Its op. */
    readonly op: string;
    /** Multiply-accumulates for one image. */
    readonly macs: number;
    /** Trained parameters. */
    readonly params: number;
  }[];
  /** Every splittable channel group. */
  readonly groups: readonly {
    /** Id of its first producer. */
    readonly id: string;
    /** Its channels. */
    readonly neurons: number;
    /** MACs that one channel more adds to the network. */
    readonly marginalMacs: number;
    /** Layers that make its channels. */
    readonly producers: readonly string[];
  }[];
}

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
  const flops2x = costOfGraph(graph, 'flops2x');
  return { macs: macs(graph), params: params(graph), flops2x, nodes: costs(graph), groups };
}

/** What a network costs, and what splitting one neuron of each splittable channel group would add. */
export async function cost(options: CostOptions): Promise<CostDocument> {
  return costOf(await graphOf(options));
}
