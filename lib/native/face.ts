// The typed face of native/core: every type that crosses between JavaScript and C++. load.ts opens the addon.
import type { Program, Surgery } from '../graph/program.js';
import type { Ranks } from '../machine/launchers.js';
import type { Features } from '../machine/libtorch/trial.js';

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
    | 'lobpcg'
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

// What work is asked for, and what it gives: indices, timed steps, ranks, features.

/** Why work pauses: to be kept and to go on, or to end. */
export type PauseReason = 'checkpoint' | 'stop';

/** How the native core computes splitting indices. */
export type IndexMethod = 'exact' | 'rayleigh' | 'lobpcg';
export interface IndicesOptions {
  /** One entry a chain of the program. */
  readonly methods: readonly IndexMethod[];
  readonly batch: number;
  readonly epochs: number;
  /** Neurons whose residual is above the tolerance go on up to this epoch; `epochs`: none does. */
  readonly mostEpochs: number;
  /** Most passes of lobpcg over the images, one product S p of every neuron each. */
  readonly passes: number;
  /** Share of |lambda|, or of a hundredth of the chain's largest |lambda| where that is more. */
  readonly tolerance: number;
  readonly learningRate: number;
  /** RMSprop's smoothing constant, momentum and epsilon. */
  readonly alpha: number;
  readonly momentum: number;
  readonly rmsEpsilon: number;
  /** Rate factor applied every `decayEvery` epochs; 1: none. */
  readonly decayFactor: number;
  readonly decayEvery: number;
  /** Epoch, counted from 0, of the first decay. */
  readonly decayFirst: number;
  /** Ids of batch norms that take the minibatch's statistics and move their running ones. */
  readonly trainedNorms: readonly string[];
  readonly reluBeta: number;
  readonly identityCurvature: number;
  readonly shuffle: boolean;
  readonly seed: number;
  /** Bytes that the exact method's working buffers may take, and what lobpcg keeps of the images. */
  readonly memoryLimit: number;
  /** Use the literal auxiliary activation (autodiff) for S v instead of the closed form; lobpcg refuses it with E_ARGUMENT. */
  readonly auxiliary: boolean;
}
export interface ChainIndices {
  readonly id: string;
  readonly method: IndexMethod;
  readonly neurons: number;
  readonly dimension: number;
  readonly indices: Float64Array;
  /** |S v - lambda v| of each neuron. */
  readonly residuals: Float64Array;
  /** Rayleigh epochs or passes of lobpcg that it took; 0: exact. */
  readonly epochs: number;
  /** Neurons whose residual is above the tolerance. */
  readonly above: number;
}
export interface BenchOptions {
  /** Of the training step; the others are in float32. Default: float32. */
  readonly precision?: 'float32' | 'bfloat16';
  /** `eigen` is the eigensolver of the exact method, `eigensystem` LibTorch's eigh of the same matrices. */
  readonly what: 'train' | 'forward' | 'rayleigh' | 'auxiliary' | 'exact' | 'eigen' | 'eigensystem';
  readonly batch: number;
  readonly repeats: number;
  readonly warmup: number;
  /** Bytes that the exact method's sums may take. */
  readonly memoryLimit: number;
  /** One entry a chain of the program: whether its indices are computed; all where absent. */
  readonly chains?: readonly boolean[];
}
export interface BenchResult {
  readonly milliseconds: Float64Array;
  /** Peak of tensor memory during the step above what was held before it; bytes. */
  readonly peakBytes: number;
  /** What the step keeps from one time to the next (the descent's vectors); bytes. */
  readonly stateBytes: number;
  /** Sweeps over the data of an exact pass within the memory limit. */
  readonly sweeps: number;
  /** Loops of the CPU engine that runs float32 steps of this network; empty: LibTorch runs all. */
  readonly engine: string;
  /** Ops of the network that the engine leaves to LibTorch. */
  readonly byLibTorch: readonly string[];
}

export interface GroupOptions extends Omit<Ranks, 'attempt' | 'launcher'> {
  readonly prefix: string;
  /** E_DISTRIBUTED where rank 0 has others. */
  readonly settings: string;
  readonly timeoutMs: number;
  /** Gradients are summed in stretches of about this size beside the backward pass; 0: in one piece after it. */
  readonly bucketBytes: number;
}

export interface RowsOptions {
  readonly images: number;
  readonly batch: number;
  readonly microBatch: number;
  readonly rank: number;
  readonly world: number;
}

// Training and evaluation.

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
 * mantissa and add up in float32; weights, batch norm, gradients of parameters and the loss stay in float32. The CPU engine
 * rounds where that is faster than float32: in layers without a window of 24 channels or more on both sides.
 */
export type Precision = 'float32' | 'bfloat16';

/** What becomes of the images behind the last whole minibatch: one minibatch more, part of the last whole one, or nothing. */
export type Remainder = 'keep' | 'join' | 'drop';

export interface TrainOptions extends ImageAugment {
  readonly batch: number;
  /** Default: keep. */
  readonly remainder?: Remainder;
  /** Images of each pass at least, as far as the minibatch has them; default 1. */
  readonly leastImages?: number;
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
  /**
   * Factors on the rate: `<node id>.<parameter>` -> float32 numbers of the parameter's shape, one an entry; others have 1. An
   * entry trains as in a parameter group of torch.optim.SGD with the rate factor * rate: momentum and decay are not
   * multiplied. E_WEIGHTS where a name, shape or dtype does not fit.
   */
  readonly rateFactors?: TensorEntries;
  readonly shuffle: boolean;
  readonly flip: boolean;
  /** Pixels of zero padding before a random crop back to size; 0: none. */
  readonly crop: number;
  /** Decides order, augmentation and dropout of this epoch. */
  readonly seed: number;
}
export interface TrainResult {
  /** Means over the images that could be read. */
  readonly loss: number;
  readonly top1: number;
  /** Images that could be read, and that could not, over all ranks. */
  readonly images: number;
  readonly skipped: number;
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
/** Which network `evaluate` runs, on which test images. */
export interface EvaluateOptions {
  readonly batch: number;
  /** Default: keep. */
  readonly remainder?: Remainder;
  /** `batch`: batch norm takes each minibatch's statistics; the running ones stay as they are. Default: running. */
  readonly statistics?: Statistics;
}
/** Statistics of batch norm: the running ones, or those of each minibatch. */
export type Statistics = 'running' | 'batch';
export type RecalibrateOptions = Pick<
  TrainOptions,
  'batch' | 'remainder' | 'leastImages' | 'shuffle' | 'flip' | 'crop' | 'seed'
> &
  ImageAugment & {
    readonly syncBatchNorm: boolean;
  };
export interface EvaluateResult {
  /** Per cent. */
  readonly top1: number;
  readonly top5: number;
  /** Mean cross-entropy, without label smoothing. */
  readonly loss: number;
  /** Images that could be read, and that could not, over all ranks. The means are over those that could. */
  readonly images: number;
  readonly skipped: number;
  readonly seconds: number;
  /** Absent where images are in memory. */
  readonly loader?: LoaderStats | undefined;
}

// Images in files and in packed stores.

/** Files of one part of a dataset. */
export interface ImageFiles {
  readonly root: string;
  /** Relative to `root`, without NUL. */
  readonly paths: readonly string[];
  /** One class a path. */
  readonly labels: Int32Array;
}

/** What a file's first bytes say it is, whatever its name. */
export const IMAGE_KINDS = { unreadable: 0, jpeg: 1, png: 2 } as const;

/** Limits that a file has to keep before a pixel of it is decoded. */
export interface ImageLimits {
  /** Width times height. */
  readonly maxPixels: number;
  /** Scans of a progressive JPEG. */
  readonly maxScans: number;
}

export interface ImageProblem {
  /** Position in `paths`. */
  readonly index: number;
  readonly reason: string;
}

/** What the headers say, one entry a file. */
export interface ImageHeaders {
  /** A value of IMAGE_KINDS; `unreadable` ones are told of in `problems`, and their other entries are 0. */
  readonly kinds: Uint8Array;
  /** As stored, before the orientation is applied. */
  readonly widths: Int32Array;
  readonly heights: Int32Array;
  /** Bytes of the file. */
  readonly bytes: Float64Array;
  /** EXIF's 1 to 8. */
  readonly orientations: Uint8Array;
  /** 1 grey, 2 grey and alpha, 3 colours, 4 CMYK, YCCK or colours and alpha. */
  readonly channels: Uint8Array;
  readonly problems: readonly ImageProblem[];
  /** Files that were decoded although the decoder warns of them, as Pillow and PyTorch do without a word. */
  readonly warnings: readonly ImageProblem[];
}

export interface ScanOptions extends ImageLimits {
  readonly threads: number;
  /** Decode every image as well: finds truncated and damaged ones. */
  readonly decode: boolean;
}

/** A part of a packed store, in the order of its files. */
export interface StorePart {
  readonly name: string;
  readonly files: ImageFiles;
}

export interface PackOptions extends ImageLimits {
  /** Path of the store; written beside it until it is whole. */
  readonly store: string;
  readonly classNames: readonly string[];
  /** Images whose shorter side is longer are made smaller; null: the files' bytes as they are. */
  readonly shortSide: number | null;
  /** JPEG quality of images that are encoded anew, 1 to 100. */
  readonly quality: number;
  readonly threads: number;
}
export interface PackResult {
  readonly images: number;
  /** Bytes of the store. */
  readonly bytes: number;
  /** Images that an interrupted run had packed already. */
  readonly resumed: number;
  /** Files left out; `part` is a position in the parts given. */
  readonly problems: readonly (ImageProblem & { readonly part: number })[];
}

export interface StoreInfo {
  readonly parts: readonly { readonly name: string; readonly images: number }[];
  readonly classNames: readonly string[];
  readonly shortSide: number | null;
  readonly quality: number;
  readonly bytes: number;
}
export interface VerifyResult {
  readonly images: number;
  readonly bytes: number;
  /** Position counted over all parts; the stored name is in the reason. */
  readonly problems: readonly ImageProblem[];
}

export type ImageSource =
  | { readonly files: ImageFiles }
  /** `chosen`: these images of the part, in this order; absent: all. */
  | {
      readonly store: string;
      readonly part: string;
      readonly chosen?: Int32Array | undefined;
      /** Classes of those images, one an image; absent: the store's own. */
      readonly labels?: Int32Array | undefined;
    };

export interface ImageDatasetOptions extends ImageLimits {
  /** Height and width of what the network sees. */
  readonly resolution: number;
  readonly classes: number;
  /** Of pixels / 255: three numbers each; or one, and the images are seen as their Rec. 601 luma. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly device: Device;
  /** Threads that read and decode. */
  readonly workers: number;
  /** Minibatches kept ready ahead of the trainer. */
  readonly prefetch: number;
  /** Evaluation and shifting: images are brought to this shorter side before the crop. */
  readonly shortSide: number;
  /** Let the JPEG decoder halve (quarter, ...) where no less than what is wanted is left. */
  readonly scaledDecoding: boolean;
  /**
   * Leave an image that cannot be decoded out of its minibatch, and of every mean, instead of failing with E_DATA. A pass
   * of which none can be decoded fails all the same.
   */
  readonly skipUnreadable: boolean;
}

/** Szegedy et al. 2015, as torchvision's RandomResizedCrop. */
export interface ResizedCrop {
  /** Least share of the image's area; the most is 1. */
  readonly leastArea: number;
  readonly leastRatio: number;
  readonly mostRatio: number;
}

/** How images from files are augmented, beside `flip`: options of train() and recalibrate(). Neither: one centre crop. */
export interface ImageAugment {
  readonly resizedCrop?: ResizedCrop | undefined;
  /** Shorter side to `shortSide`, then a random crop of the resolution. */
  readonly shift?: boolean | undefined;
}

/** What the loader of a pass over an image dataset did so far. */
export interface LoaderStats {
  /** Images decoded by this rank. */
  readonly decoded: number;
  /** Images left out because they could not be decoded, by this rank. */
  readonly skipped: number;
  /** The first image left out, with its reason. */
  readonly firstSkipped?: string | undefined;
  /** Images decoded although the decoder warns of them, by this rank. */
  readonly warned: number;
  /** The first image that the decoder warns of, with its warning. */
  readonly firstWarned?: string | undefined;
  /** Sum over the workers. */
  readonly decodeSeconds: number;
  /** Seconds that the trainer waited for images. */
  readonly waited: number;
}

/** What one pass over images alone gave, of this rank. */
export interface SweepResult extends LoaderStats {
  readonly images: number;
  readonly seconds: number;
  /** float32 [images, C, R, R], normalised, in the order of the pass, and int64 [images]; absent unless kept. */
  readonly kept?: { readonly images: TensorData; readonly labels: TensorData } | undefined;
}

export interface ImageProgress {
  readonly phase: 'scan' | 'pack' | 'verify';
  /** Images done and in all. */
  readonly done: number;
  readonly total: number;
  readonly images: number;
  readonly seconds: number;
}
export type OnImageProgress = (progress: ImageProgress) => void;

/** What native/core exports for images. Everything that returns a promise runs on threads of its own. */
export interface ImageCore {
  /** Opens libturbojpeg, once a process; later calls do nothing. Throws E_IMAGES with the reason. */
  openJpeg(path: string): void;
  /** Reads every file's header, and the image itself where `decode` is set. Bad files are problems, never errors. */
  scanImages(
    files: ImageFiles,
    options: ScanOptions,
    progress: OnImageProgress | null,
    abort: AbortHandle | null,
  ): Promise<ImageHeaders>;
  /** Writes a store, or goes on with one that was interrupted; the same bytes for any number of threads. E_WRITE. */
  packImages(
    parts: readonly StorePart[],
    options: PackOptions,
    progress: OnImageProgress | null,
    abort: AbortHandle | null,
  ): Promise<PackResult>;
  /** What a store holds. Throws E_DATA where it is malformed or cut short, E_FILE where it cannot be read. */
  readStore(path: string): StoreInfo;
  /** Labels of a part, for choosing or counting classes. */
  readStoreLabels(path: string, part: string): Int32Array;
  /** Compares every image's checksum. */
  verifyStore(
    path: string,
    options: { readonly threads: number },
    progress: OnImageProgress | null,
    abort: AbortHandle | null,
  ): Promise<VerifyResult>;
  /** A dataset whose images are decoded in every pass. Throws E_DATA, E_LABELS, E_FILE, E_IMAGES. */
  createImageDataset(source: ImageSource, options: ImageDatasetOptions): DatasetHandle;
  /** uint8 [C, R, R], C as the dataset has numbers of mean: an image as evaluation sees it, before normalisation. */
  imageAt(data: DatasetHandle, index: number): Promise<TensorData>;
  /** One pass's images without a network, as fast as they come: what the loader alone can do. */
  sweepImages(
    data: DatasetHandle,
    options: ImageAugment & {
      readonly batch: number;
      readonly shuffle: boolean;
      readonly flip: boolean;
      readonly seed: number;
      /** First minibatch, and how many are read; null: all that follow. */
      readonly start?: number | undefined;
      readonly steps: number | null;
      /** Hand the images out too. */
      readonly keep?: boolean | undefined;
    },
    progress: OnImageProgress | null,
    abort: AbortHandle | null,
  ): Promise<SweepResult>;
}

// Splitting indices.

/** Splitting indices that are being computed, to go on with. */
export type IndicesStateHandle = Handle<'indices-state'>;

export interface IndicesResult {
  readonly paused: null;
  readonly chains: readonly ChainIndices[];
  readonly directions: DirectionsHandle;
  /** Of all calls that worked on the state. */
  readonly seconds: number;
}
export interface IndicesPaused {
  readonly paused: PauseReason;
  readonly seconds: number;
}

export interface PausableIndicesOptions extends IndicesOptions {
  /** Once asked for, the call returns after the minibatch it is at; of several ranks, all after the same one. */
  readonly pause: PauseHandle;
  /** To be gone on with, and filled. */
  readonly state: IndicesStateHandle;
}

/** What lobpcg keeps of the images for one chain, so that its later passes do not go through the network. */
export interface KeptByLobpcg {
  /** `inputs`: x and h of every position; `matrices`: the sums S; `none`: every pass goes through the network. */
  readonly form: 'none' | 'inputs' | 'matrices';
  readonly bytes: number;
}

export interface IndexCore {
  indices(
    network: NetworkHandle,
    data: DatasetHandle,
    options: PausableIndicesOptions,
    progress: OnProgress | null,
    abort: AbortHandle | null,
  ): Promise<IndicesResult | IndicesPaused>;
  indices(
    network: NetworkHandle,
    data: DatasetHandle,
    options: IndicesOptions,
    progress: OnProgress | null,
    abort: AbortHandle | null,
  ): Promise<IndicesResult>;
  /** The state that `tensors` were read of, or a new one where there are none. E_RESUME where they do not fit. */
  createIndicesState(
    network: NetworkHandle,
    options: IndicesOptions,
    tensors: TensorEntries,
  ): Promise<IndicesStateHandle>;
  /**
   * All of a state. Sums of the exact method's sweep that take more than `bytes`, or are one rank's of several, are left
   * out: the sweep then begins anew. Empty where it cannot, because it moves running statistics (`trainedNorms`).
   */
  readIndicesState(
    network: NetworkHandle,
    options: IndicesOptions,
    state: IndicesStateHandle,
    bytes: number,
  ): [string, TensorData][];
  /** `<chain id>` -> float32 [neurons, dimension]. */
  readDirections(directions: DirectionsHandle): [string, TensorData][];
  createDirections(tensors: TensorEntries, device: Device): DirectionsHandle;
  /**
   * What lobpcg keeps of so many images for each chain, where its memory limit allows it. `positions`: of an image that
   * the chain's layer gives, one number a chain.
   */
  keptByLobpcg(network: NetworkHandle, positions: readonly number[], images: number): readonly KeptByLobpcg[];
}

// Memory and energy.

/** Bytes on one device. */
export interface MemoryCounters {
  /** Bytes that tensors hold, and the most they have held since the process began. */
  readonly allocated: number;
  /** The most that tensors have held since the process began, or since `bench` last asked anew. */
  readonly peak: number;
  /** Bytes taken from the device or the system, those that wait to be used again too. */
  readonly reserved: number;
  /** Of the whole GPU, other processes' memory counted; null on the CPU and before the GPU's first use. */
  readonly free: number | null;
  /** Likewise. */
  readonly total: number | null;
}

/** Live handles of one kind. */
export interface HandleCounters {
  /** `network`, `dataset`, `directions`, `indices-state`, `abort` or `pause`. */
  readonly kind: string;
  /** How many are not disposed of. */
  readonly handles: number;
  /** Of the tensors they hold; of a network at work, of its weights, gradients and statistics alone. */
  readonly bytes: number;
}

/** One GPU of the machine; null where it does not tell. */
export interface GpuCounters {
  readonly uuid: string;
  readonly name: string;
  /** Since the driver was loaded: differences count. */
  readonly joules: number | null;
  readonly watts: number | null;
  /** Per cent of NVML's last sampling period in which a kernel ran. */
  readonly utilisation: number | null;
}

export interface CounterCore {
  memory(device: Device): MemoryCounters;
  /** A row a kind, by name, of this environment. */
  handles(): readonly HandleCounters[];
  /** Gives memory that waits to be used again back to the system and to the GPUs. */
  emptyCache(): void;
  /** A row for every GPU of the machine, in NVML's order; none where there is no driver. */
  energy(): readonly GpuCounters[];
}

// The whole.

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
