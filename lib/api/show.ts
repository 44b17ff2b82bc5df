// show: a network node by node, with shapes, costs and channel groups.
import { type ChannelGroup, channelGroups } from '../graph/channels.js';
import { shapes } from '../graph/check.js';
import { dimensions, type PrintedNode, printGraph } from '../graph/print.js';
import { graphOf } from '../run/network-source.js';
import { type CostOptions, costOf } from './cost.js';

/** A channel group with what one more neuron of it costs. */
export interface ShownGroup extends ChannelGroup {
  /** MACs that splitting one neuron adds; null where the group cannot be split. */
  readonly marginalMacs: number | null;
}

/** What `show` returns: the network as it is, nothing of how it came to be. */
export interface ShowDocument {
  /** Name of the network. */
  readonly name: string;
  /** What an image is. */
  readonly input: {
    /** [channels, height, width]. */
    readonly shape: readonly number[];
    /** Per channel, what pixels / 255 were normalised by; null where network.json does not say. */
    readonly mean: readonly number[] | null;
    /** Likewise. */
    readonly std: readonly number[] | null;
    /** Of images in files: the shorter side in pixels before the middle is taken; null where network.json does not say. */
    readonly shortSide: number | null;
  };
  /** Outputs. */
  readonly classes: number;
  /** In order; null where network.json does not name them. */
  readonly classNames: readonly string[] | null;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Trained parameters. */
  readonly params: number;
  /** FLOPs as the authors' CIFAR figures count them. */
  readonly flops2x: number;
  /** Every node, in order. */
  readonly nodes: readonly PrintedNode[];
  /** Every channel group. */
  readonly groups: readonly ShownGroup[];
}

/**
 * A network node by node: op, inputs, output shape, parameters, MACs and their share, channel group, and whether its
 * neurons can be split. Reads no weights and needs no addon.
 *
 * @throws E_FILE, E_GRAPH_*, E_PRESET, and E_USAGE where options of presets are given with a directory
 */
export async function show(options: CostOptions): Promise<ShowDocument> {
  const graph = await graphOf(options);
  const { macs, params, flops2x, groups } = costOf(graph);
  const marginal = new Map(groups.map(({ id, marginalMacs }) => [id, marginalMacs]));
  const output = shapes(graph).get(graph.output);
  const { shape, mean, std, shortSide } = graph.input;
  return {
    name: graph.name,
    input: { shape, mean: mean ?? null, std: std ?? null, shortSide: shortSide ?? null },
    classes: output === undefined ? 0 : (dimensions(output)[0] ?? 0),
    classNames: graph.classes ?? null,
    ...{ macs, params, flops2x },
    nodes: printGraph(graph),
    groups: channelGroups(graph).map((group) => ({
      ...group,
      marginalMacs: marginal.get(group.id) ?? null,
    })),
  };
}
