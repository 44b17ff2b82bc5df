// The public face of the network builder: what can be built, and with which options.
import type { Graph } from '../graph/ir.js';
import type { Activation } from '../graph/ops.js';

/** What all layers of a network have in common. */
export interface NetworkOptions {
  /** Channels, height and width of an image. */
  readonly input: readonly [channels: number, height: number, width: number];
  /** Outputs of the classifier. */
  readonly classes: number;
  /** After every layer that is not told otherwise; default relu. */
  readonly activation?: Activation | undefined;
  /** Name written into the graph; default `network`. */
  readonly name?: string | undefined;
  /** Per channel: pixels / 255 are normalised by (x - mean) / std. Default: the data's own, when it is trained. */
  readonly mean?: readonly number[] | undefined;
  /** Likewise; above 0. */
  readonly std?: readonly number[] | undefined;
}

/** Options of every block. */
export interface BlockOptions {
  /** Id of its first layer, and what the ids of the others begin with. Default: `stem`, then b1, b2 and so on. */
  readonly name?: string | undefined;
  /** Default 1. */
  readonly stride?: number | undefined;
  /** Default: the network's. */
  readonly activation?: Activation | undefined;
}

/** Options of a single layer. */
export interface LayerOptions {
  /** Id of the layer, and what the ids of those behind it begin with. */
  readonly name?: string | undefined;
  /** Default: the network's; null: none. */
  readonly activation?: Activation | null | undefined;
  /** Batch norm behind the layer, which then has no bias; default true. */
  readonly norm?: boolean | undefined;
}

/** Options of a depthwise convolution. */
export interface DepthwiseOptions extends LayerOptions {
  /** Pixels a side of its window; default 3. */
  readonly kernel?: number | undefined;
  /** Default 1. */
  readonly stride?: number | undefined;
  /** Pixels added at every side; default half the kernel, rounded down. */
  readonly padding?: number | undefined;
}

/** Options of a convolution. */
export interface ConvOptions extends DepthwiseOptions {
  /** Groups of channels that do not see one another; more than 1 are never split. Default 1. */
  readonly groups?: number | undefined;
  /** False: its neurons are never split. Default true. */
  readonly split?: boolean | undefined;
}

/** Options of an inverted residual. */
export interface InvertedOptions extends BlockOptions {
  /** Inner width over the width that it reads; default 6. */
  readonly expansion?: number | undefined;
  /** Inner width itself, instead. */
  readonly hidden?: number | undefined;
  /** What joins a block of stride 1 that keeps its width: the input itself, or a learned 1x1 convolution of it. Default identity. */
  readonly shortcut?: 'identity' | 'conv' | undefined;
}

/** Options of a residual. */
export interface ResidualOptions {
  /** Id of its add, with `_add` behind. */
  readonly name?: string | undefined;
  /** After the add; default: the network's; null: none. */
  readonly activation?: Activation | null | undefined;
}

/** Options of a pooling. */
export interface PoolOptions {
  /** Its id. */
  readonly name?: string | undefined;
  /** Pixels a side of its window. */
  readonly kernel: number;
  /** Default: the kernel. */
  readonly stride?: number | undefined;
  /** Default 0. */
  readonly padding?: number | undefined;
}

/** Options of a fully connected layer. */
export interface LinearOptions {
  /** Its id. */
  readonly name?: string | undefined;
  /** Default: the network's; null: none. */
  readonly activation?: Activation | null | undefined;
}

/** A branch of a sum: layers put behind the layers that it is given. */
export type Branch = (from: MapLayers) => MapLayers;

/** Layers so far, whose last gives maps [channels, height, width]. Every call returns new ones; these stay as they are. */
export interface MapLayers {
  /** A convolution to `width` channels, its batch norm and its activation. */
  conv(width: number, options?: ConvOptions): MapLayers;
  /** A depthwise convolution, its batch norm and its activation; the width stays. */
  depthwise(options?: DepthwiseOptions): MapLayers;
  /** MobileNetV1's block: 3x3 depthwise with the stride, then 1x1 to `width`, each with batch norm and activation. */
  separable(width: number, options?: BlockOptions): MapLayers;
  /** MobileNetV2's block (Sandler et al. 2018): expand, 3x3 depthwise with the stride, project to `width` without activation. */
  invertedResidual(width: number, options?: InvertedOptions): MapLayers;
  /** ResNet-18's block (He et al. 2016): two 3x3 convolutions, joined to what they read, or to a 1x1 convolution of it. */
  basic(width: number, options?: BlockOptions): MapLayers;
  /** ResNet-50's block, version 1.5: 1x1, 3x3 with the stride, 1x1 to `width`; the inner width is a quarter. */
  bottleneck(width: number, options?: BlockOptions): MapLayers;
  /**
   * Blocks in short: `conv32s2 ds64 ir24t6s2n3`. A kind (conv 3x3, pw 1x1, ds separable, ir inverted residual, basic, bottle,
   * stem: ResNet's 7x7 and pooling), its width, then `s` stride, `t` expansion, `e` inner width, `n` repeats.
   *
   * @throws E_ARGUMENT for a word that does not parse
   */
  blocks(text: string): MapLayers;
  /**
   * The branch added to what it reads, or, where widths or sizes differ, to a 1x1 convolution of it with batch norm.
   *
   * @throws E_ARGUMENT where no stride of a 1x1 convolution leads to the branch's size
   */
  residual(branch: Branch, options?: ResidualOptions): MapLayers;
  /** The sum of branches that read the same layer; their widths and sizes must be equal. Two at least. */
  sum(branches: readonly [Branch, Branch, ...Branch[]], options?: ResidualOptions): MapLayers;
  /** The largest value of each window. */
  maxPool(options: PoolOptions): MapLayers;
  /** The mean of each window, borders counted as 0. */
  avgPool(options: PoolOptions): MapLayers;
  /** Dropout with probability `p`, 0 <= p < 1, in training. */
  dropout(p: number): MapLayers;
  /** The mean over all pixels: a vector of the channels. */
  globalPool(): VectorLayers;
  /** All channels of all pixels as one vector. */
  flatten(): VectorLayers;
  /** `globalPool` and `classifier`. @throws E_GRAPH_* where the whole is no network, naming the node */
  head(): Graph;
}

/** Layers so far, whose last gives a vector. */
export interface VectorLayers {
  /** A fully connected layer with bias, and its activation. */
  linear(width: number, options?: LinearOptions): VectorLayers;
  /** Dropout with probability `p`, 0 <= p < 1, in training. */
  dropout(p: number): VectorLayers;
  /**
   * The network: a fully connected layer to the classes comes last.
   *
   * @throws E_GRAPH_* where the whole is no network, naming the node
   */
  classifier(): Graph;
}
