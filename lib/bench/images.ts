// Synthetic images to time steps on: uniform, the same every time, with random labels.

import { toDevice } from '../data/part.js';
import { SplitgrowError } from '../errors.js';
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import type { DatasetHandle, Device } from '../native/face.js';

/** Numbers of all images: 4 GiB of them. */
const MOST_NUMBERS = 2 ** 30;
/** Numbers made between two turns of the event loop. */
const SLICE = 1 << 20;

/** Marsaglia's xorshift of 32 bits: fast, and the same images every time. */
function xorshift(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Of mean 0 and variance 1. Every image is new up to `distinct`, from where on they repeat. */
export async function syntheticData(
  graph: Graph,
  count: number,
  device: Device,
  { seed = 0, distinct = count }: { readonly seed?: number; readonly distinct?: number } = {},
): Promise<DatasetHandle> {
  const [c, h, w] = graph.input.shape;
  const { classes } = lower(graph);
  const next = xorshift(seed + 1);
  const each = c * h * w;
  if (count * each > MOST_NUMBERS) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `expected at most ${Math.floor(MOST_NUMBERS / each)} images of ${c} x ${h} x ${w}, got ${count}; take a smaller batch`,
    );
  }
  const images = new Float32Array(count * each);
  const made = Math.min(count, distinct) * each;
  for (let at = 0; at < made; at += 1) {
    images[at] = (next() / 2 ** 31 - 1) * Math.sqrt(3);
    if (at % SLICE === SLICE - 1) await new Promise(setImmediate);
  }
  for (let at = made; at < images.length; at += made) {
    images.copyWithin(at, 0, Math.min(made, images.length - at));
  }
  const labels = BigInt64Array.from({ length: count }, () => BigInt(next() % classes));
  return toDevice(
    graph,
    {
      images: { dtype: 'float32', shape: [count, c, h, w], data: new Uint8Array(images.buffer) },
      labels: { dtype: 'int64', shape: [count], data: new Uint8Array(labels.buffer) },
    },
    classes,
    device,
  );
}

/** The middle of `values`, which are at least one. */
export function median(values: readonly number[] | Float64Array): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
