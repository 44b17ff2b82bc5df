// Options and results of training and evaluation, as the native core takes and gives them.
import type { PauseHandle, TensorEntries } from './core.js';
import type { ImageAugment, LoaderStats } from './images.js';
import type { PauseReason } from './options.js';

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
