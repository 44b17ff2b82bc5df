// What a run leaves behind: types of stage.json, state.json, metrics.jsonl, summary.json and compare.json.
import type { StageSeconds } from '../events.js';
import type { StepRecord } from '../split/step.js';
import type { TwinsRecord } from '../split/twins.js';

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
  /** Of the off-springs made before this stage, after the epoch, where the experiment asks for it. */
  readonly twins?: TwinsRecord;
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
  /** Neurons with a negative index, and in all. */
  readonly eligible: number;
  readonly neurons: number;
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
}

/** Why a run stopped growing. */
export type EndReason = 'stages' | 'macs' | 'no-fit' | 'no-negative-index' | 'train';

/** stage-k/stage.json: the whole story of one stage. */
export interface StageRecord {
  readonly format: 'splitgrow-stage/1';
  readonly stage: number;
  readonly macs: number;
  readonly params: number;
  readonly widths: Readonly<Record<string, number>>;
  readonly epochs: readonly EpochRecord[];
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

/** A rival trained from scratch with the grown network's recipe and total epochs. */
export interface RivalRecord {
  readonly method: 'width-multiplier';
  readonly directory: string;
  /** The multiple of the seed's widths that was used. */
  readonly multiplier: number;
  readonly macs: number;
  readonly params: number;
  readonly epochs: number;
  readonly top1: number;
  readonly top5: number;
  readonly loss: number;
  readonly widths: Readonly<Record<string, number>>;
  readonly seconds: StageSeconds;
}

/** compare.json */
export interface CompareRecord {
  readonly format: 'splitgrow-compare/1';
  /** The grown network that the rivals are held against. */
  readonly grown: {
    readonly macs: number;
    readonly params: number;
    readonly top1: number;
    readonly epochs: number;
  };
  readonly rivals: readonly RivalRecord[];
}

/** state.json of a checkpoint: where a killed run continues. */
export interface StateRecord {
  readonly format: 'splitgrow-state/1';
  readonly stage: number;
  /** Epochs of this stage that are finished. */
  readonly epoch: number;
  readonly epochs: readonly EpochRecord[];
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
