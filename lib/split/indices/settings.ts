// How splitting indices are computed, and the one place of the defaults.
import type { IndexMethod } from '../../native/face.js';

/** How the smallest eigenvalue of a splitting matrix is computed; auto: exact or lobpcg, whichever is cheaper, layer by layer. */
export type Method = IndexMethod | 'auto';
export const METHODS = ['exact', 'rayleigh', 'lobpcg', 'auto'] as const satisfies readonly Method[];

/** How indices are computed; the fields of `splitting` in an experiment. */
export interface IndexSettings {
  readonly method: Method;
  readonly batch: number;
  /** Epochs of the descent, after which residuals are looked at. */
  readonly epochs: number;
  /**
   * Neurons whose residual |S v - lambda v| is above this share of |lambda| (or of a hundredth of the layer's largest
   * |lambda| where that is more) go on. Of a neuron that is done an eigenvalue is as near to its index as that. In lobpcg
   * the index must have stood as still in the latest pass.
   */
  readonly tolerance: number;
  /** Most epochs of the descent; null: three times `epochs`. */
  readonly mostEpochs: number | null;
  /** Most passes of lobpcg: in each a neuron has products S p of one direction, or of some where it would else be late. */
  readonly passes: number;
  readonly learningRate: number;
  readonly rmsprop: {
    readonly alpha: number;
    readonly momentum: number;
    readonly epsilon: number;
    readonly decayFactor: number;
    readonly decayEvery: number;
    readonly decayFirst?: number | undefined;
  };
  readonly reluBeta: number;
  readonly identityCurvature: number;
  /** Bytes that the exact method may take, and lobpcg for what it keeps of the images. */
  readonly memoryLimit: number;
  /**
   * `train`, as in the authors' code: batch norms behind depthwise convolutions take the minibatch's statistics, the
   * loss's derivative goes through them, and the network's running statistics drift. Chains' own are in evaluation mode.
   */
  readonly depthwiseBatchNorm: 'eval' | 'train';
}

/** Epochs, minibatch and rate of the paper (section 4), RMSprop's constants of its authors' code: the paper names none. */
export const INDEX_DEFAULTS = {
  method: 'rayleigh',
  batch: 64,
  epochs: 10,
  tolerance: 0.01,
  mostEpochs: null,
  passes: 12,
  learningRate: 1e-3,
  rmsprop: { alpha: 0.9, momentum: 0.9, epsilon: 1e-8, decayFactor: 1, decayEvery: 2 },
  reluBeta: 3,
  identityCurvature: 0,
  memoryLimit: 2 ** 30,
  depthwiseBatchNorm: 'eval',
} as const satisfies IndexSettings;

/** Most epochs in numbers: three times `epochs` where nothing is said. */
export function mostEpochsOf({ epochs, mostEpochs }: Pick<IndexSettings, 'epochs' | 'mostEpochs'>): number {
  return mostEpochs ?? 3 * epochs;
}

/** Images that `lobpcg` takes when nothing is said, and `auto`, so that the indices of all layers are of the same images. */
export const FIXED_IMAGES = 2048;

/** Images that a method takes: `images` or what is usual for it, never more than there are. */
export function imagesOf(method: Method, images: number | null, all: number): number {
  const usual = method === 'lobpcg' || method === 'auto' ? FIXED_IMAGES : all;
  return Math.min(images ?? usual, all);
}
