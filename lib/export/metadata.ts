// What somebody who has only the exported file must know: how images become input, the classes, the cost.
import { macs, params } from '../graph/cost.js';
import type { Graph } from '../graph/ir.js';

/** How an image becomes the network's input. */
export interface Preprocessing {
  /** Of the input: batch, channels, rows, columns. */
  readonly layout: 'NCHW';
  readonly colours: 'RGB' | 'gray' | 'channels';
  /** Height and width of the input. */
  readonly size: readonly [number, number];
  /** Pixels from 0 to 255 are divided by this first. */
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
    size: [height, width],
    divisor: 255,
    mean: input.mean ?? null,
    std: input.std ?? null,
  };
}

/** Metadata of an exported model: texts by name, JSON where the value is more than a text (docs/formats.md). */
export function metadataOf(graph: Graph): Readonly<Record<string, string>> {
  return {
    name: graph.name,
    preprocessing: JSON.stringify(preprocessingOf(graph)),
    macs: String(macs(graph)),
    params: String(params(graph)),
  };
}
