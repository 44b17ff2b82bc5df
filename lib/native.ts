// The only file that loads the addon; the typed face of native/core.
import { constants } from 'node:os';
import { SplitgrowError } from './errors.js';
import type { Program, Surgery } from './graph/program.js';
import type { CounterCore } from './native-counters.js';
import { wrap } from './native-errors.js';
import type { ImageAugment, ImageCore, ImageProgress, LoaderStats } from './native-images.js';
import type { IndexCore } from './native-indices.js';
import type {
  BenchOptions,
  BenchResult,
  Features,
  GroupOptions,
  PauseReason,
  RowsOptions,
} from './native-options.js';
import { LIBTORCH_VERSION, REMEDIES } from './setup/pinned.js';
import { brief, type Preloaded, preloadLibTorch, traceText } from './setup/preload.js';

export type { CounterCore, GpuCounters, MemoryCounters } from './native-counters.js';
export type { IndicesPaused, IndicesResult, IndicesStateHandle } from './native-indices.js';
export type {
  BenchOptions,
  BenchResult,
  ChainIndices,
  Features,
  GroupOptions,
  IndexMethod,
  IndicesOptions,
  PauseReason,
} from './native-options.js';

export type DType = 'float32' | 'float64' | 'int64' | 'uint8' | 'int32' | 'bool';

/** A tensor on the JavaScript side: little-endian, row-major bytes. Used at the edges (files), never per step. */
export interface TensorData {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}
export type TensorMap = ReadonlyMap<string, TensorData>;
export type TensorEntries = readonly (readonly [string, TensorData])[];

/** An opaque native object. Using it after dispose(), or where another kind is expected, throws E_HANDLE. */
export interface Handle<Kind extends string> {
  readonly kind: Kind;
  readonly isDisposed: boolean;
  dispose(): void;
  [Symbol.dispose](): void;
}
export type NetworkHandle = Handle<'network'>;
export type DatasetHandle = Handle<'dataset'>;
/** Splitting directions of every chain (unit rows, one a neuron). */
export type DirectionsHandle = Handle<'directions'>;
export type AbortHandle = Handle<'abort'>;
/** Asks work to pause after the minibatch it is at. */
export type PauseHandle = Handle<'pause'>;

export type Device = 'cpu' | 'cuda';

export interface Progress {
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
  readonly total: number;
  /** Images handled so far in this call. */
  readonly images: number;
  readonly seconds: number;
  /** Mean loss so far; NaN where it has no meaning. */
  readonly loss: number;
  /** What the loader did so far in this call; absent where images are in memory. */
  readonly loader?: LoaderStats | undefined;
}
export type OnProgress = (progress: Progress) => void;

/**
 * Exponential moving average of weights and running statistics, as torchvision's ExponentialMovingAverage takes it: after
 * every `every`-th minibatch of an epoch, from its first, it becomes decay * average + (1 - decay) * network. The first one
 * ever is the network itself, and so are those within the first `copies` minibatches of the epoch.
 */
export interface AverageOptions {
  readonly decay: number;
  readonly every: number;
  readonly copies: number;
}

/**
 * What training multiplies in. bfloat16 as torch.autocast has it: layers take weights and activations rounded to 8 bits of
 * mantissa and add up in float32; weights, batch norm, gradients of parameters and the loss stay in float32.
 */
export type Precision = 'float32' | 'bfloat16';

/** What is kept of a network: `weights` are parameters and running statistics; the other two come with training. */
export type TensorSet = 'weights' | 'momentum' | 'average';

export interface TrainOptions extends ImageAugment {
  readonly batch: number;
  /**
   * Images that one forward and backward pass of a rank works on, about; gradients of the passes add up to those of the
   * minibatch. Batch norm takes the statistics of each pass. Absent or 0: the rank's whole part of the minibatch.
   */
  readonly microBatch?: number;
  /** Default: float32. E_DEVICE where the device has no bfloat16 (`features().bfloat16`). */
  readonly precision?: Precision;
  /** One rate a minibatch of the epoch, in order. */
  readonly learningRates: Float64Array;
  /** Minibatches [start, stop) of the epoch are worked on; absent: all. Every random choice is that of the whole epoch. */
  readonly start?: number;
  readonly stop?: number;
  /** Once asked for, the call returns after the minibatch it is at; of several ranks, all after the same one. */
  readonly pause?: PauseHandle | null;
  /** `state` of the call that was paused before `start`: loss and accuracy are then those of the epoch so far. */
  readonly state?: TensorEntries;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  /** Decay weights only, or batch-norm scales, shifts and biases too. */
  readonly decay: 'all' | 'weights';
  readonly labelSmoothing: number;
  /** The largest L2 norm that the gradient of all parameters may have; a longer one is scaled to it. Absent or 0: any. */
  readonly gradientClip?: number;
  /** Keeps a moving average beside the weights. Absent, or with `decay` 0: none. */
  readonly average?: AverageOptions;
  /** Batch statistics over the minibatch of all ranks instead of each rank's own. */
  readonly syncBatchNorm?: boolean;
  /**
   * L1 penalties: `<node id>.<parameter>` -> float32 coefficients of the parameter's shape. After the backward pass
   * (and the sum over ranks) the gradient grows by coefficient * sign(parameter), as from sum coefficient * |parameter|
   * in the loss; reported losses leave it out. E_WEIGHTS where a name, shape or dtype does not fit.
   */
  readonly penalties?: TensorEntries;
  readonly shuffle: boolean;
  readonly flip: boolean;
  /** Pixels of zero padding before a random crop back to size; 0: none. */
  readonly crop: number;
  /** Decides order, augmentation and dropout of this epoch. */
  readonly seed: number;
}
export interface TrainResult {
  readonly loss: number;
  readonly top1: number;
  readonly images: number;
  readonly seconds: number;
  /** Absent where images are in memory. */
  readonly loader?: LoaderStats | undefined;
  /** Why it returned before `stop`, with the minibatch to go on with; loss and accuracy are then this rank's, so far. */
  readonly paused: PauseReason | null;
  readonly next: number;
  /** Recorded graphs: `on`; `off` where nothing can record or the steps are not alike; `failed: <reason>`. */
  readonly graph: string;
  /** What belongs to a paused epoch besides the network, of all ranks. */
  readonly state: TensorEntries;
}
export interface EvaluateOptions {
  readonly batch: number;
  /** `batch`: batch norm takes each minibatch's statistics; the running ones stay as they are. Default: running. */
  readonly statistics?: Statistics;
}
export type Statistics = 'running' | 'batch';
export type RecalibrateOptions = Pick<TrainOptions, 'batch' | 'shuffle' | 'flip' | 'crop' | 'seed'> &
  ImageAugment & {
    readonly syncBatchNorm: boolean;
  };
export interface EvaluateResult {
  /** Per cent. */
  readonly top1: number;
  readonly top5: number;
  /** Mean cross-entropy, without label smoothing. */
  readonly loss: number;
  readonly images: number;
  readonly seconds: number;
}

/** What native/core exports. Everything that returns a promise runs on a thread of its own. */
export interface Core extends ImageCore, IndexCore, CounterCore {
  features(): Features;
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
      `${preloaded.addon} does not load: ${brief(error)} (${traceText(preloaded.trace)}); run: ${REMEDIES.build}`,
      { cause: error },
    );
  }
  const core = wrap(module.exports) as unknown as Core;
  const version = typeof core.features === 'function' ? core.features().libtorch : 'unknown';
  if (version.split('+')[0] === LIBTORCH_VERSION) return { ...preloaded, core };
  throw new SplitgrowError(
    'E_ADDON',
    `${preloaded.addon} was built for LibTorch ${version}, expected ${LIBTORCH_VERSION}; run: ${REMEDIES.build}`,
  );
}

// One per environment: every Worker has its own copy of this module.
let loaded: LoadedCore | null = null;

/** The core with what was opened to load it. */
export function loadCoreTraced(): LoadedCore {
  loaded ??= load();
  return loaded;
}

/** The native core, loaded on first use. Throws E_LIBTORCH or E_ADDON with the command that mends it. */
export function loadCore(): Core {
  return loadCoreTraced().core;
}
