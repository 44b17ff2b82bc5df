// How splitting indices are computed, and the one place of the defaults.
import type { IndexMethod } from '../../native/face.js';

/** How indices are computed; the fields of `splitting` in an experiment. */
export interface IndexSettings {
  readonly method: IndexMethod | 'auto';
  readonly batch: number;
  /** Epochs of the descent, after which residuals are looked at. */
  readonly epochs: number;
  /**
   * Neurons whose residual |S v - lambda v| is above this share of |lambda| (or of a hundredth of the layer's largest
   * |lambda| where that is more) go on.
   */
  readonly tolerance: number;
  /** Most epochs of the descent; null: three times `epochs`. */
  readonly mostEpochs: number | null;
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
