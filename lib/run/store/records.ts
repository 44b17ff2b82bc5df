// What a run leaves behind: types of stage.json, state.json, metrics.jsonl, summary.json and compare.json.

import type { StageSeconds } from '../../native/events.js';
import type { LoaderStats, Precision } from '../../native/face.js';
import type { RivalRecord } from '../../rivals/record.js';
import type { CertificateRecord } from '../../split/choose/certificate.js';
import type { GradientsRecord } from '../../split/step/gradients.js';
import type { StepRecord } from '../../split/step/step.js';
import type { TwinsRecord } from '../../split/step/twins.js';
import type { ComputeRecord } from '../../train/compute.js';
import type { SplitRecord } from './split-record.js';

export type { BudgetRecord } from '../../split/choose/certificate.js';
export type { Candidate, PickRecord } from '../../split/choose/knapsack.js';
export type { ChainRecord } from '../../split/indices/indices.js';
export type { Histogram, OtherMethodRecord } from './split-record.js';
export type { CertificateRecord, ComputeRecord, RivalRecord, SplitRecord, StepRecord };

/** One epoch of parametric updates. */
export interface EpochRecord {
  /** From 0, within its stage. */
  readonly epoch: number;
  /** Mean training loss (with label smoothing, if any) and top-1 in per cent, both while training. */
  readonly loss: number;
  /** On the training images as they were augmented, in per cent. */
  readonly top1: number;
  /** Learning rate of the epoch's last minibatch. */
  readonly learningRate: number;
  /** Seconds of the epoch. */
  readonly seconds: number;
  /** What layers multiplied in; absent: float32. */
  readonly precision?: Precision;
  /** On the validation images after the epoch, where the experiment asks for it. */
  readonly evaluation?: EvaluationRecord;
  /** Of the offspring made before this stage, after the epoch, where the experiment asks for it. */
  readonly twins?: TwinsRecord;
  /** Gradients of the channels made before this stage and of old ones, after the epoch, where the experiment asks for them. */
  readonly gradients?: GradientsRecord;
  /** Absent where images are in memory. */
  readonly loader?: LoaderRecord;
}

/** How images came from files during an epoch; of this rank. */
export interface LoaderRecord {
  /** Images a second of the epoch. */
  readonly imagesPerSecond: number;
  /** Over the seconds of all workers together: what one worker can do. */
  readonly imagesPerWorkerSecond: number;
  /** Share of the epoch that the training thread waited for images. */
  readonly waitedShare: number;
  /** Images that could not be decoded and were left out, of all ranks. */
  readonly skipped: number;
}

/** A network on the test images, or on those for validation. */
export interface EvaluationRecord {
  /** Per cent. */
  readonly top1: number;
  /** Likewise. */
  readonly top5: number;
  /** Mean cross-entropy. */
  readonly loss: number;
  /** Images evaluated. */
  readonly images: number;
}

/** Why a run ended, as stage.json has it. */
export type EndReason = 'stages' | 'macs' | 'cost' | 'no-fit' | 'no-negative-index' | 'train';

/** The reasons in words: "it ended because the last splitting stage is done". */
export const END_REASONS: Readonly<Record<EndReason, string>> = {
  stages: 'the last splitting stage is done',
  macs: 'no neuron fits below stop.macs',
  cost: 'no neuron fits below stop.costs',
  'no-fit': 'no neuron fits within the growth ratio',
  'no-negative-index': 'no neuron has a negative splitting index: splitting cannot lower the loss',
  train: 'the network is trained',
};

/** stage-k/stage.json: the whole story of one stage. */
export interface StageRecord {
  /** Format and version of the document. */
  readonly format: 'splitgrow-stage/1';
  /** Splitting stage, 0 for the seed network. */
  readonly stage: number;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Trained parameters. */
  readonly params: number;
  /** As the authors' CIFAR figures count (`COSTS.flops2x`). Missing in records of version 0.1. */
  readonly flops2x?: number;
  /** By name: costs of the caller's own that the experiment limits. Absent where there are none. */
  readonly costs?: Readonly<Record<string, number>>;
  /** Channels of every layer that makes some, by id. */
  readonly widths: Readonly<Record<string, number>>;
  /** The epochs of the network that growth goes on from. */
  readonly epochs: readonly EpochRecord[];
  /** The epochs that finished a copy, which is then the stage's network. Absent where the experiment does not ask for it. */
  readonly finish?: readonly EpochRecord[];
  /** The stage's network on the test images. Nothing chooses by it. */
  readonly evaluation: EvaluationRecord;
  /** The same on the validation images, which choices are made by. Absent where the experiment sets none apart. */
  readonly validation?: EvaluationRecord;
  /** Null until the stage's network has been split; stays null in the last stage. */
  readonly split: SplitRecord | null;
  /** Null unless this stage is the last one. */
  readonly ended: EndReason | null;
  /** Seconds of each phase. */
  readonly seconds: StageSeconds;
  /** Multiply-adds of each phase. Missing in records of older versions. */
  readonly compute?: ComputeRecord;
}

/** best.json: which network was handed over, and why. */
export interface BestRecord {
  /** Format and version of the document. */
  readonly format: 'splitgrow-best/2';
  /** The grown network, or its architecture trained from scratch. */
  readonly which: 'grown' | 'retrained';
  /** Splitting stage that it is of. */
  readonly stage: number;
  /** Top-1 accuracy of both in per cent, on the validation images; null where it was not measured. */
  readonly validation: {
    /** Of the grown network. */
    readonly grown: number | null;
    /** Of its architecture trained from scratch. */
    readonly retrained: number | null;
  };
  /** Of the network that was handed over, on the test images. */
  readonly test: {
    /** Per cent. */
    readonly top1: number;
    /** Per cent. */
    readonly top5: number;
    /** Mean cross-entropy. */
    readonly loss: number;
  };
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Trained parameters. */
  readonly params: number;
  /** Multiply-adds of all training and search of the run up to the stage, and of training it again; null where it was not. */
  readonly compute: {
    /** Of the run up to the stage, finishing included. */
    readonly grown: number;
    /** Of training it again. */
    readonly retrained: number | null;
  };
  /** Seconds of each phase of the network that was handed over. */
  readonly seconds: StageSeconds;
}

/** One entry of summary.json, as the contract has it. */
export interface StageSummary {
  /** Splitting stage, 0 for the seed network. */
  readonly stage: number;
  /** Network directory of the stage. */
  readonly directory: string;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Trained parameters. */
  readonly params: number;
  /** FLOPs as the authors' CIFAR figures count them. */
  readonly flops2x?: number;
  /** By name: costs of the caller's own that the experiment limits. Absent where there are none. */
  readonly costs?: Readonly<Record<string, number>>;
  /** Top-1 accuracy in per cent, on the test images. */
  readonly top1: number;
  /** Top-5 accuracy in per cent, on the test images. */
  readonly top5: number;
  /** Mean cross-entropy on the test images. */
  readonly loss: number;
  /** Channels of every layer that makes some, by id. */
  readonly widths: Readonly<Record<string, number>>;
  /** Multiply-adds of the run up to this network, finishing included. Absent where records of older versions lack theirs. */
  readonly compute?: number;
  /** Neurons split after it, for every tied producer; empty where it was not split. */
  readonly split: Readonly<Record<string, readonly number[]>>;
  /** Seconds of each phase. */
  readonly seconds: StageSeconds;
}

/** summary.json: what `grow` and `train` print with --json. */
export interface Summary {
  /** Name of the experiment. */
  readonly name: string;
  /** Seed of the experiment. */
  readonly seed: number;
  /** Every stage, the seed network first. */
  readonly stages: readonly StageSummary[];
  /** Multiply-adds of all training and search passes. Absent where stages of older versions lack theirs, or nothing was grown. */
  readonly compute?: {
    /** Of the run up to its last network, finishing included. */
    readonly grown: number;
    /** Of the last architecture's training from scratch; null where there is none. */
    readonly retrained: number | null;
  };
  /** What output/best holds; present unless the run hands over its stages as they are. */
  readonly best?: BestRecord;
  /** The same of every stage, where the experiment asks for it. */
  readonly delivered?: readonly BestRecord[];
  /** Present when the experiment asks for rivals. */
  readonly compare?: readonly RivalRecord[];
}

/** compare.json */
export interface CompareRecord {
  /** Format and version of the document. */
  readonly format: 'splitgrow-compare/1';
  /** The last grown network; null where the rivals are held against none. */
  readonly grown: {
    /** Multiply-accumulates for one image. */
    readonly macs: number;
    /** Trained parameters. */
    readonly params: number;
    /** Top-1 accuracy in per cent, on the test images. */
    readonly top1: number;
    /** Epochs behind it. */
    readonly epochs: number;
  } | null;
  /** All rivals of the output folder. */
  readonly rivals: readonly RivalRecord[];
}

/** How far a run is. */
export interface StateRecord {
  readonly stage: number;
  /** Epochs of this stage that are finished. */
  readonly epoch: number;
  readonly epochs: readonly EpochRecord[];
  /** How far the work after these epochs is; absent where it has not begun. */
  readonly within?: Within;
}

/** Within an epoch, within the splitting indices, or after them and before growth. */
export interface Within {
  readonly phase: 'fit' | 'indices' | 'grow';
  /** Minibatches of the epoch; pauses so far in the indices. */
  readonly done: number;
  /** Seconds spent on them. */
  readonly seconds: number;
  /** What the loader of the epoch's images did so far. */
  readonly loader?: LoaderStats;
}

/** The other fields of state.json: which run the checkpoint belongs to, and the digests that show that it is whole. */
export interface CheckpointRecord extends StateRecord {
  readonly format: 'splitgrow-state/2';
  /** The experiment with every default, as in experiment.json. */
  readonly experiment: unknown;
  /** Every other file of the checkpoint by name. */
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
  /** SHA-256 of the JSON of everything above. */
  readonly sha256: string;
}

/** One line of metrics.jsonl. */
export type MetricsLine =
  | ({
      /** Which kind of event or line it is. */
      readonly type: 'epoch';
      /** Splitting stage, 0 for the seed network. */
      readonly stage: number;
    } & EpochRecord)
  | ({
      /** Which kind of event or line it is. */
      readonly type: 'evaluate';
      /** Splitting stage, 0 for the seed network. */
      readonly stage: number;
      /** Multiply-accumulates for one image. */
      readonly macs: number;
      /** Trained parameters. */
      readonly params: number;
    } & EvaluationRecord)
  | {
      /** Which kind of event or line it is. */
      readonly type: 'split';
      /** Splitting stage, 0 for the seed network. */
      readonly stage: number;
      /** Certificate of the choice. */
      readonly certificate: CertificateRecord;
      /** How far the offspring were moved. */
      readonly step: StepRecord;
      /** Neurons split, for every tied producer. */
      readonly neurons: Readonly<Record<string, readonly number[]>>;
      /** Seconds of each phase. */
      readonly seconds: StageSeconds;
    };
