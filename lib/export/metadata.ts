// What somebody who has only the exported file must know: how images become input, the classes, the cost.
import { macs, params } from '../graph/cost.js';
import type { Graph } from '../graph/ir.js';

/** How an image becomes the network's input. */
export interface Preprocessing {
  /** Of the input: batch, channels, rows, columns. */
  readonly layout: 'NCHW';
  readonly colours: 'RGB' | 'gray' | 'channels';
  /** Pixels that the shorter side is brought to first (bilinear, antialiased); as many as `size` where the network does not say. */
  readonly shortSide: number;
  /** Height and width of the input, which are then taken out of the middle. */
  readonly size: readonly [number, number];
  /** Pixels from 0 to 255 are divided by this. */
  readonly divisor: 255;
  /** Then (x - mean) / std per channel; null where the network does not say. */
  readonly mean: readonly number[] | null;
  readonly std: readonly number[] | null;
}

const COLOURS: Readonly<Record<number, Preprocessing['colours']>> = { 1: 'gray', 3: 'RGB' };

export function preprocessingOf({ input }: Graph): Preprocessing {
  const [channels, height, width] = input.shape;
  return {
    layout: 'NCHW',
    colours: COLOURS[channels] ?? 'channels',
    shortSide: input.shortSide ?? Math.min(height, width),
    size: [height, width],
    divisor: 255,
    mean: input.mean ?? null,
    std: input.std ?? null,
  };
}

/** Metadata of an exported model: texts by name, JSON where the value is more than a text (docs/reference.md). */
export function metadataOf(graph: Graph): Readonly<Record<string, string>> {
  return {
    name: graph.name,
    preprocessing: JSON.stringify(preprocessingOf(graph)),
    ...(graph.classes && { classes: JSON.stringify(graph.classes) }),
    macs: String(macs(graph)),
    params: String(params(graph)),
  };
}
