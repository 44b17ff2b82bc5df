// The graph as data: types of network.json. Every width is written once, as `out`.

export const FORMAT = 'splitgrow-network/1';
/** Reserved id of the network's input. */
export const INPUT = 'input';

export type NodeId = string;
export type FieldValue = number | string | boolean;

/** One node. Which fields an op has stands in the op table (ops.ts). */
export interface GraphNode {
  readonly id: NodeId;
  readonly op: string;
  readonly inputs: readonly NodeId[];
  readonly [field: string]: FieldValue | readonly NodeId[] | undefined;
}

export interface GraphInput {
  /** [channels, height, width] */
  readonly shape: readonly [number, number, number];
  /** Per channel; pixels / 255 were normalised by (x - mean) / std. */
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  /** Of images in files: the shorter side, in pixels, that evaluation brings them to before it takes the middle. */
  readonly shortSide?: number;
}

export interface Graph {
  readonly format: typeof FORMAT;
  readonly name: string;
  readonly input: GraphInput;
  /** Names of the output's classes, in order. */
  readonly classes?: readonly string[];
  /** In topological order. */
  readonly nodes: readonly GraphNode[];
  readonly output: NodeId;
}

/**
 * What flows along an edge: `channels` channels, each `block` consecutive
 * features wide (1 except after flatten), of `size` [height, width], or null
 * for a vector of channels * block features.
 */
export interface Value {
  readonly channels: number;
  readonly block: number;
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
