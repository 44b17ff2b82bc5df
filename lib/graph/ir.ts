// The graph as data: types of network.json. Every width is written once, as `out`.

export const FORMAT = 'splitgrow-network/1';
/** Reserved id of the network's input. */
export const INPUT = 'input';

/** Name of a node, unique in its network; `input` is reserved. */
export type NodeId = string;
/** Value of a field of a node. */
export type FieldValue = number | string | boolean;

/** One node. Which fields an op has stands in the op table (ops.ts). */
export interface GraphNode {
  /** Its name. */
  readonly id: NodeId;
  /** A row of the op table. */
  readonly op: string;
  /** Ids of nodes before it, or `input`. */
  readonly inputs: readonly NodeId[];
  readonly [field: string]: FieldValue | readonly NodeId[] | undefined;
}

/** What an image is. */
export interface GraphInput {
  /** [channels, height, width] */
  readonly shape: readonly [number, number, number];
  /** Per channel; pixels / 255 were normalised by (x - mean) / std. */
  readonly mean?: readonly number[];
  /** Likewise; above 0. */
  readonly std?: readonly number[];
  /** Of images in files: the shorter side, in pixels, that evaluation brings them to before it takes the middle. */
  readonly shortSide?: number;
}

/** A network as data, network.json. Made by `parseGraph`, `buildPreset` or `network`, never by hand. */
export interface Graph {
  /** Format and version of the document. */
  readonly format: typeof FORMAT;
  /** For people. */
  readonly name: string;
  /** What an image is. */
  readonly input: GraphInput;
  /** Names of the output's classes, in order. */
  readonly classes?: readonly string[];
  /** In topological order. */
  readonly nodes: readonly GraphNode[];
  /** Id of the node that gives the logits. */
  readonly output: NodeId;
}

/**
 * What flows along an edge: `channels` channels, each `block` consecutive
 * features wide (1 except after flatten), of `size` [height, width], or null
 * for a vector of channels * block features.
 */
export interface Value {
  /** How many. */
  readonly channels: number;
  /** Features of each, side by side. */
  readonly block: number;
  /** [height, width], or null. */
  readonly size: readonly [number, number] | null;
}

/** How one axis of a parameter follows the channels: of the node itself, of its input, or neither. */
export type AxisRole = 'out' | 'in' | 'none';

export interface Axis {
  readonly size: number;
  readonly role: AxisRole;
}

/** How a parameter starts: fan-scaled normal or uniform, or a constant. */
export type Initial =
  | { readonly kind: 'normal'; readonly std: number }
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'constant'; readonly value: number };

export interface Parameter {
  /** PyTorch's name: weight, bias, running_mean, running_var. */
  readonly name: string;
  readonly axes: readonly Axis[];
  readonly initial: Initial;
  /** false for statistics, which are saved but not trained. */
  readonly isTrained: boolean;
}
