// Small networks around the ops under test, with weights and images that are float32 in both precisions.
import type { Graph } from '../../../lib/graph/ir.js';
import { mildWeights } from '../../random-graphs.js';
import type { Tensor, Weights } from '../../reference.js';
import { graphOf, randomBatch, type ShortNode } from '../golden.js';
import type { Start } from './agreement.js';
import { kinkDistance } from './kinks.js';

/** Around the engine's blocks of 16 images. */
export const BATCHES = [1, 2, 15, 16, 17, 31, 33, 64, 65] as const;
/** Around its tiles of channels. */
export const CHANNELS = [1, 2, 3, 5, 13, 16, 17, 21, 33, 48] as const;
/** [height, width] */
export const SIZES = [
  [5, 7],
  [2, 3],
  [1, 1],
  [1, 6],
  [8, 8],
  [6, 1],
  [4, 9],
] as const;
const CLASSES = 3;

/** The element at `i` of a list that begins anew at its end. */
export function cycled<T>(list: readonly T[], i: number): T {
  return list[i % list.length] as T;
}

/**
 * `body` between a convolution "before", which gives `channels` channels, and a linear layer that reads every value of
 * the body's last node with a weight of its own: so the gradients of the body's input and parameters are all seen.
 */
export function around(channels: number, size: readonly [number, number], body: readonly ShortNode[]): Graph {
  const last = body.at(-1)?.[0] ?? 'before';
  return graphOf(
    [2, ...size],
    [
      ['before', 'conv2d', 'input', { out: channels, kernel: 1, bias: true }],
      ...body,
      ['flat', 'flatten', last],
      ['out', 'linear', 'flat', { out: CLASSES }],
    ],
  );
}

const rounded = (weights: Weights): Weights =>
  new Map(
    [...weights].map(([name, { shape, data }]): [string, Tensor] => [
      name,
      { shape, data: data.map(Math.fround) },
    ]),
  );

/** Images of a graph with random weights. */
export function startOf(graph: Graph, images: number, seed: number): Start {
  const output = graph.nodes.find(({ id }) => id === graph.output);
  const classes = Math.min(CLASSES, Number(output?.out ?? CLASSES));
  const batch = randomBatch(graph.input.shape, classes, images, seed);
  return { graph, weights: rounded(mildWeights(graph, seed)), batch, classes };
}

/** Seeds that are tried before a graph is given up. */
const TRIES = 40;

/** Share of the root mean square of a map's values; roundings of float32 after some layers are a tenth of it. */
const NEAR = 1e-5;

/**
 * As startOf, from the first seed with which no value is near a kink of relu, relu6 or max_pool. There a rounding decides
 * which way a gradient goes, and float32 may differ from float64 by more than roundings. Null where no seed is found.
 */
export async function firstAwayFromKinks(
  graph: Graph,
  images: number,
  seed: number,
  mode: 'train' | 'eval' = 'train',
): Promise<Start | null> {
  for (let i = 0; i < TRIES; i += 1) {
    const start = startOf(graph, images, seed + 1000 * i);
    if ((await kinkDistance(start, mode)) > NEAR) return start;
  }
  return null;
}

/** As firstAwayFromKinks; fails where there is none. */
export async function startAwayFromKinks(
  graph: Graph,
  images: number,
  seed: number,
  mode: 'train' | 'eval' = 'train',
): Promise<Start> {
  const start = await firstAwayFromKinks(graph, images, seed, mode);
  if (start === null)
    throw new Error(`seed ${seed}: no start away from kinks; take fewer images or channels`);
  return start;
}
