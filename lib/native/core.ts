// The only file that loads the addon; the typed face of native/core.
import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { SplitgrowError } from '../errors.js';
import type { Program, Surgery } from '../graph/program.js';
import { releaseOf } from '../machine/libtorch/addon.js';
import { REMEDIES } from '../machine/libtorch/pinned.js';
import { brief, type Preloaded, placeText, preloadLibTorch, traceText } from '../machine/libtorch/preload.js';
import type { Features } from '../machine/libtorch/trial.js';
import type { CounterCore } from './counters.js';
import { wrap } from './errors.js';
import type { ImageCore, ImageProgress, LoaderStats } from './images.js';
import type { IndexCore } from './indices.js';
import type { BenchOptions, BenchResult, GroupOptions, PauseReason, RowsOptions } from './options.js';
import { threadsHere } from './threads.js';
import type {
  EvaluateOptions,
  EvaluateResult,
  RecalibrateOptions,
  TrainOptions,
  TrainResult,
} from './train.js';

export type { CounterCore, GpuCounters, HandleCounters, MemoryCounters } from './counters.js';
export type { IndicesPaused, IndicesResult, IndicesStateHandle } from './indices.js';
export type {
  BenchOptions,
  BenchResult,
  ChainIndices,
  GroupOptions,
  IndexMethod,
  IndicesOptions,
  PauseReason,
} from './options.js';

export type {
  AverageOptions,
  EvaluateOptions,
  EvaluateResult,
  Precision,
  RecalibrateOptions,
  Statistics,
  TrainOptions,
  TrainResult,
} from './train.js';

/** Type of the numbers of a tensor. */
export type DType = 'float32' | 'float64' | 'int64' | 'uint8' | 'int32' | 'bool';

/** A tensor on the JavaScript side: little-endian, row-major bytes. Used at the edges (files), never per step. */
export interface TensorData {
  /** Type of its numbers. */
  readonly dtype: DType;
  /** Length of every axis. */
  readonly shape: readonly number[];
  /** Its bytes. */
  readonly data: Uint8Array;
}
/** Tensors by name. */
export type TensorMap = ReadonlyMap<string, TensorData>;
export type TensorEntries = readonly (readonly [string, TensorData])[];

/** An opaque native object. Using it after dispose(), or where another kind is expected, throws E_HANDLE. */
export interface Handle<Kind extends string> {
  /** What it is. */
  readonly kind: Kind;
  /** True once it was disposed of. */
  readonly isDisposed: boolean;
  /** Gives its memory back, once no call needs it any more. Twice is harmless. */
  dispose(): void;
  /** The same, for `using`. */
  [Symbol.dispose](): void;
}
/** The tensors of a network. */
export type NetworkHandle = Handle<'network'>;
export type DatasetHandle = Handle<'dataset'>;
/** Splitting directions of every chain (unit rows, one a neuron). */
export type DirectionsHandle = Handle<'directions'>;
export type AbortHandle = Handle<'abort'>;
/** Asks work to pause after the minibatch it is at. */
export type PauseHandle = Handle<'pause'>;

/** Where tensors are. */
export type Device = 'cpu' | 'cuda';

/** How far a native call is. */
export interface Progress {
  /** What it is at. */
  readonly phase:
    | ImageProgress['phase']
    | 'train'
    | 'evaluate'
    | 'recalibrate'
    | 'rayleigh'
    | 'exact'
    | 'bench';
  /** Minibatches done and in all. */
  readonly done: number;
  /** Minibatches in all. */
  readonly total: number;
  /** Images handled so far in this call. */
  readonly images: number;
  /** Seconds since it began. */
  readonly seconds: number;
  /** Mean loss so far; NaN where it has no meaning. */
  readonly loss: number;
  /** What the loader did so far in this call; absent where images are in memory. */
  readonly loader?: LoaderStats | undefined;
}
export type OnProgress = (progress: Progress) => void;

/** What is kept of a network: `weights` are parameters and running statistics; the other two come with training. */
export type TensorSet = 'weights' | 'momentum' | 'average';

/** What native/core exports. Everything that returns a promise runs on a thread of its own. */
export interface Core extends ImageCore, IndexCore, CounterCore {
  features(): Features;
  /** Of all tasks of the process that begin outside of `withThreads`. */
  setThreads(threads: number): void;
  createAbort(): AbortHandle;
  abort(handle: AbortHandle): void;
  createPause(): PauseHandle;
  /** A stop is not taken back by a checkpoint. */
  pause(handle: PauseHandle, why: PauseReason): void;

  /** Missing tensors are initialised from `seed`; given ones must match name, shape and dtype (E_WEIGHTS). */
  createNetwork(
    program: Program,
    tensors: TensorEntries,
    seed: number,
    device: Device,
    dtype?: 'float32' | 'float64',
  ): NetworkHandle;
  /**
   * `weights`: parameters and statistics; `momentum`: the optimizer's buffers; `average`: moving averages of the weights.
   * The last two are empty before the first step that makes them.
   */
  readNetwork(network: NetworkHandle, what: TensorSet): [string, TensorData][];
  /** Names, shapes and dtype must fit (E_WEIGHTS). Of `weights`, missing ones stay; of the others they are 0, and no tensors end the set. */
  writeNetwork(network: NetworkHandle, what: TensorSet, tensors: TensorEntries): void;
  /** A new network with the averaged weights and statistics, without momentum; null where no average is kept. */
  averagedNetwork(network: NetworkHandle): NetworkHandle | null;

  /** images uint8 (pixels; normalised by (x / 255 - mean) / std on the fly) or float32 (as they are), [N, C, H, W]. */
  createDataset(
    images: TensorData,
    labels: TensorData,
    mean: readonly number[],
    std: readonly number[],
    classes: number,
    device: Device,
  ): DatasetHandle;

  train(
    network: NetworkHandle,
    data: DatasetHandle,
    options: TrainOptions,
    progress: OnProgress | null,
    abort: AbortHandle | null,
  ): Promise<TrainResult>;
  evaluate(
    network: NetworkHandle,
    data: DatasetHandle,
    options: EvaluateOptions,
    progress: OnProgress | null,
    abort: AbortHandle | null,
  ): Promise<EvaluateResult>;
  /** Running mean and variance of every batch norm become the mean over the minibatches of one sweep; on failure they stay. */
  recalibrate(
    network: NetworkHandle,
    data: DatasetHandle,
    options: RecalibrateOptions,
    progress: OnProgress | null,
    abort: AbortHandle | null,
  ): Promise<void>;
  /** Logits of every image of `data`, float32 [N, classes]. */
  forward(
    network: NetworkHandle,
    data: DatasetHandle,
    options: { readonly mode: 'eval' | 'train'; readonly batch: number },
  ): Promise<TensorData>;
  /** uint8 or float32 [N, C, H, W] to [N, C, size, size]: bilinear, antialiased, as PyTorch's interpolate. */
  resizeImages(images: TensorData, size: number, abort: AbortHandle | null): Promise<TensorData>;
  /** A new network for `program`, its tensors rewritten from the old by `surgery`; the old one stays as it is. */
  rewrite(
    network: NetworkHandle,
    program: Program,
    surgery: Surgery,
    directions: DirectionsHandle | null,
    epsilon: number,
    momentum: 'reset' | 'keep',
  ): Promise<NetworkHandle>;
  /** This process becomes one of the ranks: sums of gradients and splitting matrices go over all of them. */
  joinGroup(options: GroupOptions): Promise<void>;
  /** `reason`: why this rank ends before the work is done, told to the others; empty: it is done. */
  leaveGroup(reason: string): Promise<void>;
  /** In place of each number its sum over the ranks. Every rank must call with as many. E_DISTRIBUTED. */
  sumOverRanks(values: Float64Array): Promise<Float64Array>;
  /** Rank 0's bytes on every rank. E_DISTRIBUTED. */
  broadcastOverRanks(bytes: Uint8Array | null): Promise<Uint8Array>;
  /** Positions of an epoch's order that a rank works on: minibatch, piece, first position, count, again and again. */
  rowsOfRank(options: RowsOptions): Float64Array;
  bench(
    network: NetworkHandle,
    data: DatasetHandle,
    options: BenchOptions,
    abort: AbortHandle | null,
  ): Promise<BenchResult>;
}

export interface LoadedCore extends Preloaded {
  readonly core: Core;
}

function load(): LoadedCore {
  const preloaded = preloadLibTorch();
  const module: { exports: Record<string, unknown> } = { exports: {} };
  try {
    process.dlopen(module, preloaded.addon, constants.dlopen.RTLD_NOW);
  } catch (error) {
    throw new SplitgrowError(
      'E_ADDON',
      `${preloaded.addon} does not load: ${brief(error)} (with ${placeText(preloaded)}: ${traceText(preloaded.trace)}); run: ${REMEDIES.build}`,
      { cause: error },
    );
  }
  const { useThreads, exiting } = module.exports;
  if (isMainThread && typeof exiting === 'function') process.once('exit', () => exiting());
  const core = wrap(module.exports, () => {
    if (typeof useThreads === 'function') useThreads(threadsHere());
  }) as unknown as Core;
  const version =
    typeof core.features === 'function' ? (core.features().compiledFor ?? 'unknown') : 'unknown';
  const opened = preloaded.libtorch.version;
  if (releaseOf(version) === releaseOf(opened)) return { ...preloaded, core };
  throw new SplitgrowError(
    'E_ADDON',
    `${preloaded.addon} was compiled for LibTorch ${version}, and ${opened} is opened (${placeText(preloaded)}); run: ${REMEDIES.build}`,
  );
}

// One per environment: every Worker has its own copy of this module.
let loaded: LoadedCore | null = null;

/** The core where it has been loaded by this thread, else null; loads nothing. */
export function loadedCore(): Core | null {
  return loaded?.core ?? null;
}

/** The core with what was opened to load it. */
export function loadCoreTraced(): LoadedCore {
  loaded ??= load();
  return loaded;
}

/** The native core, loaded on first use. Throws E_MACHINE, E_LIBTORCH or E_ADDON with what mends it. */
export function loadCore(): Core {
  return loadCoreTraced().core;
}
