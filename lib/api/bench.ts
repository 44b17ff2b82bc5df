// bench: times of a training step, of the splitting steps and of a forward pass, on synthetic images.

import { toDevice } from '../data/part.js';
import type { TensorPart } from '../data/parts.js';
import { SplitgrowError } from '../errors.js';
import type { RunControl } from '../events.js';
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import { type BenchResult, loadCore } from '../native.js';
import { NOWHERE, underControl } from '../train/control.js';
import type { BenchDocument, BenchOptions, Timing } from './documents.js';
import { networkOfSource, useThreads } from './source.js';

const REPEATS = 10;
const WARMUP = 3;

/** Marsaglia's xorshift of 32 bits: fast, and the same images every time. */
function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Uniform images of mean 0 and variance 1, with random labels. */
function syntheticImages(graph: Graph, count: number): TensorPart {
  const [c, h, w] = graph.input.shape;
  const { classes } = lower(graph);
  const next = xorshift(1);
  const images = Float32Array.from(
    { length: count * c * h * w },
    () => (next() / 2 ** 31 - 1) * Math.sqrt(3),
  );
  const labels = BigInt64Array.from({ length: count }, () => BigInt(next() % classes));
  return {
    images: { dtype: 'float32', shape: [count, c, h, w], data: new Uint8Array(images.buffer) },
    labels: { dtype: 'int64', shape: [count], data: new Uint8Array(labels.buffer) },
  };
}

function median(values: Float64Array): number {
  const sorted = values.slice().sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

const timing = ({ milliseconds }: BenchResult): Timing => ({ medianMs: median(milliseconds) });

function checkCount(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new SplitgrowError(
    'E_ARGUMENT',
    `bench: expected ${name} to be a whole number of 1 or more, got ${value}`,
  );
}

/** Medians of each step over one synthetic minibatch, after warm-up. */
export async function bench(options: BenchOptions, control: RunControl = {}): Promise<BenchDocument> {
  const { batchSize: batch, repeats = REPEATS, device = 'cpu' } = options;
  checkCount('batchSize', batch);
  checkCount('repeats', repeats);
  useThreads(options.threads);
  using network = await networkOfSource(options, device);
  using data = toDevice(
    network.graph,
    syntheticImages(network.graph, batch),
    lower(network.graph).classes,
    device,
  );
  const time = (what: 'train' | 'forward' | 'rayleigh' | 'auxiliary' | 'exact'): Promise<BenchResult> =>
    underControl(control, { ...NOWHERE, phase: 'bench' }, (_progress, abort) =>
      loadCore().bench(network.handle, data, { what, batch, repeats, warmup: WARMUP }, abort),
    );
  const trainStep = await time('train');
  const rayleighStep = await time('rayleigh');
  const auxiliaryStep = await time('auxiliary');
  const exactStep = await time('exact');
  const forward = await time('forward');
  return {
    trainStep: timing(trainStep),
    rayleighStep: timing(rayleighStep),
    auxiliaryStep: timing(auxiliaryStep),
    exactStep: timing(exactStep),
    forward: timing(forward),
    peakBytes: trainStep.peakBytes,
    peakBytesRayleigh: rayleighStep.peakBytes,
    threads: loadCore().features().threads,
    device,
    precision: 'float32',
  };
}
