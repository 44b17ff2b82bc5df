// What a run leaves behind: types of stage.json, state.json, metrics.jsonl, summary.json and compare.json.
import type { StageSeconds } from '../events.js';
import type { Precision } from '../native.js';
import type { LoaderStats } from '../native-images.js';
import type { StepRecord } from '../split/step.js';
import type { TwinsRecord } from '../split/twins.js';
import type { RivalMethod } from './spec-compare.js';

export type { StepRecord };

/** One epoch of parametric updates. */
export interface EpochRecord {
  /** From 0, within its stage. */
  readonly epoch: number;
  /** Mean training loss (with label smoothing, if any) and top-1 in per cent, both while training. */
  readonly loss: number;
  readonly top1: number;
  /** Learning rate of the epoch's last minibatch. */
  readonly learningRate: number;
  readonly seconds: number;
  /** What layers multiplied in; absent: float32. */
  readonly precision?: Precision;
  /** On the test images after the epoch, where the experiment asks for it. */
  readonly evaluation?: EvaluationRecord;
  /** Of the off-springs made before this stage, after the epoch, where the experiment asks for it. */
  readonly twins?: TwinsRecord;
  /** Absent where images are in memory. */
  readonly loader?: LoaderRecord;
}

/** How images came from files during an epoch; of this rank. */
export interface LoaderRecord {
  readonly imagesPerSecond: number;
  /** Over the seconds of all workers together: what one worker can do. */
  readonly imagesPerWorkerSecond: number;
  /** Share of the epoch that the training thread waited for images. */
  readonly waitedShare: number;
  /** Images that could not be decoded and were left out. */
  readonly skipped: number;
}

export interface EvaluationRecord {
  /** Per cent, on the test images. */
  readonly top1: number;
  readonly top5: number;
  readonly loss: number;
  readonly images: number;
}

/** Splitting indices of one chain `layer -> [batch_norm] -> [activation]`. */
export interface ChainRecord {
  readonly id: string;
  readonly method: 'exact' | 'rayleigh';
  readonly neurons: number;
  /** Weights per neuron. */
  readonly dimension: number;
  readonly indices: readonly number[];
  /** |S v - lambda v| of each neuron. */
  readonly residuals: readonly number[];
}

/** Counts of group indices in bins of equal width; `edges` has one entry more than `counts`. */
export interface Histogram {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/** One neuron chosen for splitting, and why. */
export interface PickRecord {
  readonly group: string;
  readonly neuron: number;
  /** Splitting index: the sum over the producers tied in the group. */
  readonly index: number;
  /** Marginal cost under each budget when the choice was made, by budget name. */
  readonly costs: Readonly<Record<string, number>>;
  /** index / cost of the first budget: what energy-aware splitting orders by. */
  readonly ratio: number;
}

/** One budget of the choice: how much was allowed and used. */
export interface BudgetRecord {
  readonly cost: string;
  /** Cost of the network before, the hard limit after, and the true cost after. */
  readonly before: number;
  readonly limit: number;
  readonly after: number;
  /** (after - before) / (limit - before). */
  readonly usedShare: number;
}

/** Proof of the choice: the relaxed optimum bounds every choice from below. */
export interface CertificateRecord {
  readonly solver: string;
  readonly budgets: readonly BudgetRecord[];
  /** Sum of the chosen indices. */
  readonly objective: number;
  /** Optimum of the linear relaxation (lower is better), null where the strategy solves none. */
  readonly bound: number | null;
  readonly gap: number | null;
  /**
   * Budgets that `bound` leaves out, because splits together may cost less there than the sum of what each alone adds:
   * costs of the caller's own. Absent where it has all.
   */
  readonly boundWithout?: readonly string[];
  /** Neurons with a negative index, and in all. */
  readonly eligible: number;
  readonly neurons: number;
  /** Budgets of the relaxation where they are not the true ones: `bound` is the optimum under these if limits are soft. */
  readonly estimates?: readonly { readonly name: string; readonly allowed: number; readonly used: number }[];
  /** False where only the estimates were limited, and the true cost may be above `limit`; absent with `estimates`. */
  readonly isHard?: boolean;
}

/** The same stage by another method of computing indices, from which the run did not go on. */
export interface AlongsideRecord {
  readonly method: 'exact' | 'rayleigh' | 'auto';
  /** Of the indices alone; not among the stage's seconds. */
  readonly seconds: number;
  /** Spearman's, of the indices of all neurons of splittable groups by both methods; null where all of one are equal. */
  readonly rankCorrelation: number | null;
  /** |A and B| / |A or B| of the neurons chosen by both. */
  readonly overlap: number;
  /** Neurons chosen; tied layers count once. */
  readonly chosen: number;
}

/** Everything between two stages: indices, choice, growth. */
export interface SplitRecord {
  readonly strategy: string;
  /** Method asked for; the chains say which one each took. */
  readonly method: 'exact' | 'rayleigh' | 'auto';
  readonly chains: readonly ChainRecord[];
  readonly histogram: Histogram;
  readonly picks: readonly PickRecord[];
  readonly certificate: CertificateRecord;
  readonly step: StepRecord;
  /** Neurons split, for every tied producer: widths(k+1) = widths(k) + list length. */
  readonly neurons: Readonly<Record<string, readonly number[]>>;
  /** Neurons chosen; tied layers count once. Missing in records of version 0.1. */
  readonly chosen?: number;
  /** Other methods on the same network, where the experiment asks for them. */
  readonly alongside?: readonly AlongsideRecord[];
}

/** Why a run stopped growing. */
export type EndReason = 'stages' | 'macs' | 'cost' | 'no-fit' | 'no-negative-index' | 'train';

/** stage-k/stage.json: the whole story of one stage. */
export interface StageRecord {
  readonly format: 'splitgrow-stage/1';
  readonly stage: number;
  readonly macs: number;
  readonly params: number;
  /** As the authors' CIFAR figures count (`ENERGIES.flops2x`). Missing in records of version 0.1. */
  readonly flops2x?: number;
  /** By name: costs of the caller's own that the experiment limits. Absent where there are none. */
  readonly costs?: Readonly<Record<string, number>>;
  readonly widths: Readonly<Record<string, number>>;
  /** Of the network that growth goes on from. */
  readonly epochs: readonly EpochRecord[];
  /** Those in which a copy was finished: the copy is the stage's network. Absent where none was asked for. */
  readonly finish?: readonly EpochRecord[];
  readonly evaluation: EvaluationRecord;
  /** Null until the stage's network has been split; stays null in the last stage. */
  readonly split: SplitRecord | null;
  /** Null unless this stage is the last one. */
  readonly ended: EndReason | null;
  readonly seconds: StageSeconds;
}

/** One entry of summary.json, as the contract has it. */
export interface StageSummary {
  readonly stage: number;
  readonly directory: string;
  readonly macs: number;
  readonly params: number;
  readonly flops2x?: number;
  /** By name: costs of the caller's own that the experiment limits. Absent where there are none. */
  readonly costs?: Readonly<Record<string, number>>;
  readonly top1: number;
  readonly top5: number;
  readonly loss: number;
  readonly widths: Readonly<Record<string, number>>;
  readonly split: Readonly<Record<string, readonly number[]>>;
  readonly seconds: StageSeconds;
}

/** summary.json: what `grow` and `train` print with --json. */
export interface Summary {
  readonly name: string;
  readonly seed: number;
  readonly stages: readonly StageSummary[];
  /** Present when the experiment asks for rivals. */
  readonly compare?: readonly RivalRecord[];
}

/** A rival: a network of at most a grown network's MACs that another method made, trained by the same recipe. */
export interface RivalRecord {
  readonly method: RivalMethod;
  /** The method's name for people: "Pruning (Bn)". */
  readonly label: string;
  /** Options of the method, every default filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly directory: string;
  /** Splitting stage of the grown network that it is held against; null where it is held against none. */
  readonly stage: number | null;
  /** MACs that it was to have at most. */
  readonly target: number;
  /** The multiple of the method's widths that was used: of the seed's, of MorphNet's; null where widths are not multiplied. */
  readonly multiplier: number | null;
  /** Pixels a side of its images, where they are fewer than the data's. */
  readonly resolution: number | null;
  /** Strength of MorphNet's regulariser that the network came from. */
  readonly lambda: number | null;
  readonly macs: number;
  readonly params: number;
  readonly flops2x?: number;
  /** Epochs of its own last training. */
  readonly epochs: number;
  /** The same with those of the networks that it was made from. */
  readonly totalEpochs: number;
  readonly top1: number;
  readonly top5: number;
  readonly loss: number;
  readonly widths: Readonly<Record<string, number>>;
  /** Of its own last training. */
  readonly seconds: StageSeconds;
  /** What went before: training and choosing, shared evenly with the targets that need the same. */
  readonly searchSeconds: number;
}

/** compare.json */
export interface CompareRecord {
  readonly format: 'splitgrow-compare/1';
  /** The last grown network; null where the rivals are held against none. */
  readonly grown: {
    readonly macs: number;
    readonly params: number;
    readonly top1: number;
    readonly epochs: number;
  } | null;
  readonly rivals: readonly RivalRecord[];
}

/** Where a run stands. */
export interface StateRecord {
  readonly stage: number;
  /** Epochs of this stage that are finished. */
  readonly epoch: number;
  readonly epochs: readonly EpochRecord[];
  /** How far the work after these epochs is; absent where it has not begun. */
  readonly within?: Within;
}

/** Within an epoch, within the splitting indices, or after them: indices and directions are there, the network is not grown yet. */
export interface Within {
  readonly phase: 'fit' | 'indices' | 'grow';
  /** Minibatches of the epoch; pauses so far in the indices. */
  readonly done: number;
  /** Seconds spent on them. */
  readonly seconds: number;
  /** What the loader of the epoch's images did so far. */
  readonly loader?: LoaderStats;
}

/** What state.json says besides: whose checkpoint it is, and how to tell that it is whole. */
export interface CheckpointRecord extends StateRecord {
  readonly format: 'splitgrow-state/2';
  /** The experiment with every default, as in experiment.json. */
  readonly experiment: unknown;
  /** Every other file of the checkpoint by name. */
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
  /** Of the JSON of everything above. */
  readonly sha256: string;
}

/** One line of metrics.jsonl. */
export type MetricsLine =
  | ({ readonly type: 'epoch'; readonly stage: number } & EpochRecord)
  | ({
      readonly type: 'evaluate';
      readonly stage: number;
      readonly macs: number;
      readonly params: number;
    } & EvaluationRecord)
  | {
      readonly type: 'split';
      readonly stage: number;
      readonly certificate: CertificateRecord;
      readonly step: StepRecord;
      readonly neurons: Readonly<Record<string, readonly number[]>>;
      readonly seconds: StageSeconds;
    };
