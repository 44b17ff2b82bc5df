// Options and results of native calls that hold no handle: indices, timed steps, ranks, features.

/** Why work pauses: to be kept and to go on, or to end. */
export type PauseReason = 'checkpoint' | 'stop';

export type IndexMethod = 'exact' | 'rayleigh';
export interface IndicesOptions {
  /** One entry a chain of the program. */
  readonly methods: readonly IndexMethod[];
  readonly batch: number;
  readonly epochs: number;
  /** Neurons whose residual is above the tolerance go on up to this epoch; `epochs`: none does. */
  readonly mostEpochs: number;
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
  /** Bytes that the exact method's working buffers may take. */
  readonly memoryLimit: number;
  /** Use the literal auxiliary activation (autodiff) for S v instead of the closed form. */
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
  /** Rayleigh epochs that it took; 0: exact. */
  readonly epochs: number;
  /** Neurons whose residual is above the tolerance. */
  readonly above: number;
}
export interface BenchOptions {
  /** Of the training step; the others are in float32. Default: float32. */
  readonly precision?: 'float32' | 'bfloat16';
  readonly what: 'train' | 'forward' | 'rayleigh' | 'auxiliary' | 'exact' | 'eigen';
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
}

export interface GroupOptions {
  readonly rank: number;
  readonly world: number;
  /** Among the ranks of its machine. */
  readonly localRank: number;
  readonly host: string;
  readonly port: number;
  readonly isServer: boolean;
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
