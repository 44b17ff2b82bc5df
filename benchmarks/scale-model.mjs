// A model of data-parallel steps: buckets of gradients summed in a ring beside the backward pass, and cores that decode images.
import { costs } from '../dist/graph/cost.js';
import { lower } from '../dist/graph/lower.js';

/** Bytes of the first bucket, as native/core/train/exchange.cc has it. */
const FIRST = 1 << 20;
/** Of a step's time: a backward pass does about twice a forward pass's work. */
const BACKWARD = 2 / 3;
const FLOAT = 4;

const countOf = (shape) => shape.reduce((product, size) => product * size, 1);

/** Buckets in the order of the backward pass: bytes, and the share of its work that is done when each is full. */
export function bucketsOf(graph, bucketBytes) {
  const work = new Map(costs(graph).map(({ id, macs }) => [id, macs]));
  const total = [...work.values()].reduce((sum, macs) => sum + macs, 0);
  const buckets = [];
  let [open, done, others, limit] = [0, 0, 0, Math.min(FIRST, bucketBytes)];
  for (const { id, parameters } of [...lower(graph).instructions].reverse()) {
    done += (work.get(id) ?? 0) / total;
    for (const { shape, isTrained } of parameters) {
      if (!isTrained) continue;
      if (shape.length > 1) open += FLOAT * countOf(shape);
      else others += FLOAT * countOf(shape);
    }
    if (bucketBytes > 0 && open >= limit) {
      buckets.push({ bytes: open, at: done });
      [open, limit] = [0, bucketBytes];
    }
  }
  if (bucketBytes === 0) return [{ bytes: open + others, at: 1 }];
  const rest = [open, others].filter((bytes) => bytes > 0).map((bytes) => ({ bytes, at: 1 }));
  return [...buckets, ...rest];
}

export const gradientBytes = (graph) => bucketsOf(graph, 0)[0].bytes;

/** Seconds of an all-reduce over `world` ranks in a ring: 2 (world - 1) messages, each of 1 / world of the bytes. */
export function ringSeconds(bytes, world, { latency, bandwidth }) {
  return world === 1 ? 0 : 2 * (world - 1) * (latency + bytes / world / bandwidth);
}

/** Seconds of a step where each rank's own work takes `compute`; sums follow one another, each when its bucket is full. */
export function stepSeconds({ graph, compute, world, network, bucketBytes }) {
  let end = 0;
  for (const { bytes, at } of bucketsOf(graph, bucketBytes)) {
    const full = compute * (1 - BACKWARD + BACKWARD * at);
    end = Math.max(end, full) + ringSeconds(bytes, world, network);
  }
  return Math.max(compute, end);
}

/** What `world` GPUs make of `perGpu` images/s of one alone, `batch` images each. */
export function plan({ graph, perGpu, batch, world, network, bucketBytes, images, perCore }) {
  const compute = batch / perGpu;
  const seconds = stepSeconds({ graph, compute, world, network, bucketBytes });
  const rate = (world * batch) / seconds;
  return {
    world,
    efficiency: compute / seconds,
    imagesPerSecond: rate,
    minutesAnEpoch: images / rate / 60,
    coresPerGpu: rate / world / perCore,
  };
}
