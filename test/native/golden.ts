// What the tests of the native core share: golden files (test/golden/generate.py), networks, datasets, options.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '../../lib/data/safetensors.js';
import { parseGraph } from '../../lib/graph/check.js';
import type { Graph } from '../../lib/graph/ir.js';
import { lower } from '../../lib/graph/lower.js';
import type {
  Core,
  DatasetHandle,
  Device,
  IndexMethod,
  IndicesOptions,
  NetworkHandle,
  TensorData,
  TensorMap,
  TrainOptions,
} from '../../lib/native/face.js';
import { loadCore } from '../../lib/native/load.js';
import { ROOT } from '../data/places.js';
import { randomOf, size, type Weights } from '../reference.js';

export const GOLDEN = join(ROOT, 'test', 'golden');
/** Every activation kind, aliases aside. */
export const KINDS = ['relu', 'relu6', 'silu', 'softplus', 'tanh', 'sigmoid', 'gelu', 'identity'] as const;
/** Where golden files are compared: `scripts/gpu-check.mjs` asks for the GPU. */
export const DEVICE: Device = process.env.SPLITGROW_TEST_DEVICE === 'cuda' ? 'cuda' : 'cpu';
export type Precision = 'float32' | 'float64';

let threads = 0;
/** The core, on one thread: tensors here are tiny, and test files run side by side. */
export function core(): Core {
  const loaded = loadCore();
  if (threads === 0) loaded.setThreads(1);
  threads = 1;
  return loaded;
}

/** The numbers of a tensor, as doubles. */
export function numbers({ dtype, data }: TensorData): Float64Array {
  const bytes = data.slice().buffer;
  if (dtype === 'float64') return new Float64Array(bytes);
  if (dtype === 'float32') return Float64Array.from(new Float32Array(bytes));
  if (dtype === 'int64') return Float64Array.from(new BigInt64Array(bytes), Number);
  return Float64Array.from(data);
}

export function floats(shape: readonly number[], of: (i: number) => number): TensorData {
  const values = Float32Array.from({ length: size(shape) }, (_, i) => of(i));
  return { dtype: 'float32', shape, data: new Uint8Array(values.buffer) };
}

export function doubles(shape: readonly number[], of: (i: number) => number): TensorData {
  const values = Float64Array.from({ length: size(shape) }, (_, i) => of(i));
  return { dtype: 'float64', shape, data: new Uint8Array(values.buffer) };
}

export function longs(values: readonly number[]): TensorData {
  const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return { dtype: 'int64', shape: [values.length], data };
}

/** The tensor of that name; fails where there is none. */
export function tensorOf(tensors: ReadonlyMap<string, TensorData>, name: string): TensorData {
  const found = tensors.get(name);
  if (found === undefined) throw new Error(`no tensor ${name}`);
  return found;
}
export const numbersOf = (tensors: ReadonlyMap<string, TensorData>, name: string): Float64Array =>
  numbers(tensorOf(tensors, name));

export function goldenGraph(folder: string): Graph {
  return parseGraph(JSON.parse(readFileSync(join(GOLDEN, folder, 'network.json'), 'utf8')));
}
export const golden = (folder: string, file: string): Promise<TensorMap> =>
  readSafetensors(join(GOLDEN, folder, `${file}.safetensors`));

/** The graph with every activation of another kind. */
export function withKind(graph: Graph, kind: string): Graph {
  const nodes = graph.nodes.map((node) => (node.op === 'activation' ? { ...node, kind } : node));
  return parseGraph({ ...graph, nodes });
}

/** A graph from nodes in short: [id, op, inputs, fields]. */
export type ShortNode = readonly [
  string,
  string,
  string | readonly string[],
  Readonly<Record<string, unknown>>?,
];
export function graphOf(shape: readonly number[], nodes: readonly ShortNode[]): Graph {
  const long = nodes.map(([id, op, inputs, fields]) => ({ id, op, inputs: [inputs].flat(), ...fields }));
  const output = nodes.at(-1)?.[0];
  return parseGraph({ format: 'splitgrow-network/1', name: 'short', input: { shape }, nodes: long, output });
}

export function networkOf(
  graph: Graph,
  weights: TensorMap | Weights = new Map(),
  { dtype = 'float32', seed = 1 }: { readonly dtype?: Precision; readonly seed?: number } = {},
): NetworkHandle {
  const tensors = [...weights].map(([name, t]): readonly [string, TensorData] => [
    name,
    'dtype' in t ? t : doubles(t.shape, (i) => t.data[i] ?? 0),
  ]);
  return core().createNetwork(lower(graph), tensors, seed, DEVICE, dtype);
}

/** images and labels of a golden batch, or of any map. */
export function datasetOf(batch: TensorMap, classes: number): DatasetHandle {
  return core().createDataset(tensorOf(batch, 'images'), tensorOf(batch, 'labels'), [], [], classes, DEVICE);
}

/** Seeded random float images and labels. */
export function randomBatch(
  shape: readonly number[],
  classes: number,
  count: number,
  seed: number,
): TensorMap {
  const random = randomOf(seed);
  const images = floats([count, ...shape], () => random() * 4 - 2);
  const labels = longs(Array.from({ length: count }, () => Math.floor(random() * classes)));
  return new Map([
    ['images', images],
    ['labels', labels],
  ]);
}

export const weightsOf = (network: NetworkHandle): ReadonlyMap<string, TensorData> =>
  new Map(core().readNetwork(network, 'weights'));

/** Options of plain SGD over batches in order; `steps` rates of `rate`. */
export function training(
  batch: number,
  rates: readonly number[],
  more: Partial<TrainOptions> = {},
): TrainOptions {
  return {
    batch,
    learningRates: Float64Array.from(rates),
    momentum: 0,
    nesterov: false,
    weightDecay: 0,
    decay: 'all',
    labelSmoothing: 0,
    shuffle: false,
    flip: false,
    crop: 0,
    seed: 0,
    ...more,
  };
}
export const rates = (steps: number, rate: number): number[] => Array.from({ length: steps }, () => rate);

/** Indices of every chain of a graph by one method; the paper's settings. */
export function indexing(
  graph: Graph,
  method: IndexMethod,
  more: Partial<IndicesOptions> = {},
): IndicesOptions {
  return {
    methods: lower(graph).chains.map(() => method),
    batch: 64,
    epochs: 1,
    learningRate: 1e-3,
    alpha: 0.99,
    momentum: 0,
    rmsEpsilon: 1e-8,
    mostEpochs: more.epochs ?? 1,
    passes: 12,
    tolerance: 0,
    decayFactor: 1,
    decayEvery: 1,
    decayFirst: more.decayEvery ?? 1,
    trainedNorms: [],
    reluBeta: 3,
    identityCurvature: 0,
    shuffle: false,
    seed: 0,
    memoryLimit: 2 ** 28,
    auxiliary: false,
    ...more,
  };
}

/** v' S v and |S v - (v' S v) v| of one neuron, S [d, d] row-major. */
export function quotientOf(s: Float64Array, v: Float64Array): { quotient: number; residual: number } {
  const d = v.length;
  const product = v.map((_, i) => v.reduce((sum, x, j) => sum + (s[i * d + j] ?? 0) * x, 0));
  const quotient = v.reduce((sum, x, i) => sum + x * (product[i] ?? 0), 0);
  const residual = Math.hypot(...product.map((p, i) => p - quotient * (v[i] ?? 0)));
  return { quotient, residual };
}

export const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
