// Options of the commands and the JSON documents that they print.

import type { DataSpec } from '../experiment/spec.js';
import type { Device, Precision } from '../native.js';

export interface CostOptions {
  /** A network directory or the name of a preset. */
  readonly network: string;
  /** Width multiplier and resolution of a preset. */
  readonly width?: number | undefined;
  readonly resolution?: number | undefined;
  /** Further options of a preset (blocks, activation ...). */
  readonly preset?: Readonly<Record<string, unknown>> | undefined;
}
export interface CostDocument {
  readonly macs: number;
  readonly params: number;
  /** 2 a MAC, batch norm, activations and biases: what the authors' CIFAR figures count. */
  readonly flops2x: number;
  readonly nodes: readonly {
    readonly id: string;
    readonly op: string;
    readonly macs: number;
    readonly params: number;
  }[];
  readonly groups: readonly {
    readonly id: string;
    readonly neurons: number;
    readonly marginalMacs: number;
    readonly producers: readonly string[];
  }[];
}

export type Method = 'exact' | 'rayleigh' | 'auto';

export interface IndicesCommandOptions {
  readonly network: string;
  /** Safetensors file with `images` float32 [N, C, H, W] and `labels` int64 [N]. */
  readonly batch: string;
  /** Default auto. */
  readonly method?: Method | undefined;
  /** Default 3. */
  readonly reluBeta?: number | undefined;
  /** Default 0. */
  readonly identityCurvature?: number | undefined;
  /** Epochs of the Rayleigh descent over the batch file; default max(10, ceil(2000 / minibatches)), minibatches being equal and of at most 128 images. */
  readonly epochs?: number | undefined;
  /** Default 1e-3. */
  readonly learningRate?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  readonly device?: Device | undefined;
  readonly threads?: number | undefined;
  /** Where to write the splitting directions: `<id>` -> [neurons, d]. */
  readonly directions?: string | undefined;
}
export interface IndicesDocument {
  readonly method: Method;
  readonly seconds: number;
  readonly layers: readonly {
    readonly id: string;
    readonly neurons: number;
    readonly dimension: number;
    readonly indices: readonly number[];
    /** |S v - lambda v| of each neuron. */
    readonly residuals: readonly number[];
    readonly method: 'exact' | 'rayleigh';
  }[];
}

export interface SplitOptions {
  readonly network: string;
  /** Plan file, `{"splits": {"<layer id>": [neuron, ...]}}`, or that object. */
  readonly plan: string | Plan;
  /** Safetensors file of splitting directions, `<layer id>` -> [neurons, d]. */
  readonly directions: string;
  readonly epsilon: number;
  /** Directory of the new network. */
  readonly out: string;
  readonly device?: Device | undefined;
  readonly threads?: number | undefined;
}
export interface Plan {
  readonly splits: Readonly<Record<string, readonly number[]>>;
}
export interface SplitDocument {
  readonly macsBefore: number;
  readonly macsAfter: number;
  readonly split: Readonly<Record<string, readonly number[]>>;
}

export interface ForwardOptions {
  readonly network: string;
  readonly batch: string;
  /** Safetensors file to write `logits` to. */
  readonly out?: string | undefined;
  /** Default eval; train takes batch norm's statistics from the batch (and leaves the network as it is). */
  readonly mode?: 'eval' | 'train' | undefined;
  readonly device?: Device | undefined;
  readonly threads?: number | undefined;
}
export interface ForwardDocument {
  readonly logits: readonly (readonly number[])[];
}

/** An experiment file, or the experiment itself: an object with the fields of the guide's table. It is checked as a whole. */
export type Experiment = string | Readonly<Record<string, unknown>>;

/** An experiment with overrides. */
export interface ExperimentOptions {
  readonly experiment: Experiment;
  /** Overrides, `path=value`, as of `--set`. */
  readonly set?: readonly string[] | undefined;
}

export interface EvaluateOptions {
  readonly network: string;
  /** The `data` part of an experiment. */
  readonly data: DataSpec;
  /** Images a minibatch; default 256. */
  readonly batch?: number | undefined;
  /** Resizes the images to the network's resolution, as for the resolution multiplier; default false. Images in files are always cropped to it. */
  readonly resize?: boolean | undefined;
  /** Of images in files: their shorter side before the centre crop; default the network's own, else 256 / 224 of its resolution. */
  readonly shortSide?: number | undefined;
  readonly device?: Device | undefined;
  readonly threads?: number | undefined;
}
export interface EvaluateDocument {
  /** Per cent. */
  readonly top1: number;
  readonly top5: number;
  readonly loss: number;
  readonly images: number;
}

export interface BenchOptions {
  readonly network: string;
  readonly batchSize: number;
  readonly width?: number | undefined;
  readonly resolution?: number | undefined;
  readonly preset?: Readonly<Record<string, unknown>> | undefined;
  readonly threads?: number | undefined;
  readonly device?: Device | undefined;
  /** Timed repetitions of each step; default 10. */
  readonly repeats?: number | undefined;
  /** Of the training step; splitting steps and evaluation are float32 in any case. Default: float32. */
  readonly precision?: Precision | 'auto' | undefined;
}
export interface Timing {
  readonly medianMs: number;
}
export interface BenchDocument {
  readonly trainStep: Timing;
  readonly rayleighStep: Timing;
  readonly auxiliaryStep: Timing;
  readonly exactStep: Timing;
  readonly forward: Timing;
  /** Peak of tensor memory during a training step, above what was held before it. */
  readonly peakBytes: number;
  readonly peakBytesRayleigh: number;
  readonly threads: number;
  readonly device: Device;
  /** Of the training step; the other steps are in float32. */
  readonly precision: Precision;
}
