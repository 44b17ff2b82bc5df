// Options of the commands and the JSON documents that they print.

import type { Plan } from '../graph/grow.js';
import type { Device, Precision } from '../native/core.js';
import type { DataSpec } from '../run/spec/spec.js';

export type { Plan };

/** Which network `cost` counts. */
export interface CostOptions {
  /** A network directory or the name of a preset. */
  readonly network: string;
  /** Width multiplier and resolution of a preset. */
  readonly width?: number | undefined;
  /** Pixels a side of its images. */
  readonly resolution?: number | undefined;
  /** Further options of a preset (blocks, activation ...). */
  readonly preset?: Readonly<Record<string, unknown>> | undefined;
}
/** What `cost` prints. */
export interface CostDocument {
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Trained parameters. */
  readonly params: number;
  /** 2 a MAC, batch norm, activations and biases: what the authors' CIFAR figures count. */
  readonly flops2x: number;
  /** Every node, in order. */
  readonly nodes: readonly {
    /** Id of the node. */
    readonly id: string;
    /** Its op. */
    readonly op: string;
    /** Multiply-accumulates for one image. */
    readonly macs: number;
    /** Trained parameters. */
    readonly params: number;
  }[];
  /** Every splittable channel group. */
  readonly groups: readonly {
    /** Id of its first producer. */
    readonly id: string;
    /** Its channels. */
    readonly neurons: number;
    /** MACs that one channel more adds to the network. */
    readonly marginalMacs: number;
    /** Layers that make its channels. */
    readonly producers: readonly string[];
  }[];
}

/** How the smallest eigenvalue of a splitting matrix is computed; auto: whichever is cheaper, layer by layer. */
export type Method = 'exact' | 'rayleigh' | 'auto';

/** What `indices` computes, and over which images. */
export interface IndicesCommandOptions {
  /** A network directory. */
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
  /** Most epochs of the descent, for neurons above the tolerance; default three times `epochs`. */
  readonly mostEpochs?: number | undefined;
  /** Residual |S v - lambda v| at which a neuron is done, as a share of |lambda|; default 0.01. */
  readonly tolerance?: number | undefined;
  /** Default 1e-3. */
  readonly learningRate?: number | undefined;
  /** Momentum of the descent; default 0.9. */
  readonly momentum?: number | undefined;
  /** RMSprop's smoothing constant; default 0.9. */
  readonly alpha?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  /** Default cpu. */
  readonly device?: Device | undefined;
  /** Threads of LibTorch; default: as many as it chooses. */
  readonly threads?: number | undefined;
  /** Where to write the splitting directions: `<id>` -> [neurons, d]. */
  readonly directions?: string | undefined;
}
/** What `indices` prints. */
export interface IndicesDocument {
  /** Method asked for. */
  readonly method: Method;
  /** Seconds that it took. */
  readonly seconds: number;
  /** Residuals above this share of |lambda| (or of a hundredth of the layer's largest) count as above. */
  readonly tolerance: number;
  /** Every chain layer -> [batch norm] -> [activation] whose neurons may be split. */
  readonly layers: readonly {
    /** Id of the layer. */
    readonly id: string;
    /** Its neurons. */
    readonly neurons: number;
    /** Weights a neuron. */
    readonly dimension: number;
    /** Smallest eigenvalue of the splitting matrix of each neuron. */
    readonly indices: readonly number[];
    /** |S v - lambda v| of each neuron. */
    readonly residuals: readonly number[];
    /** Method that it took. */
    readonly method: 'exact' | 'rayleigh';
    /** Epochs of the descent that it took; 0: exact. */
    readonly epochs: number;
    /** Neurons whose residual is above the tolerance. */
    readonly above: number;
  }[];
}

/** Which neurons `split` splits, and how far. */
export interface SplitOptions {
  /** A network directory. */
  readonly network: string;
  /** Plan file, `{"splits": {"<layer id>": [neuron, ...]}}`, or that object. */
  readonly plan: string | Plan;
  /** Safetensors file of splitting directions, `<layer id>` -> [neurons, d]. */
  readonly directions: string;
  /** Step of the off-springs: theta + epsilon v and theta - epsilon v. */
  readonly epsilon: number;
  /** Directory of the new network. */
  readonly out: string;
  /** Default cpu. */
  readonly device?: Device | undefined;
  /** Threads of LibTorch; default: as many as it chooses. */
  readonly threads?: number | undefined;
}
/** What `split` prints. */
export interface SplitDocument {
  /** MACs of the network given. */
  readonly macsBefore: number;
  /** MACs of the new one. */
  readonly macsAfter: number;
  /** Neurons split, for every tied producer. */
  readonly split: Readonly<Record<string, readonly number[]>>;
}

/** Which network `forward` runs, on which images. */
export interface ForwardOptions {
  /** A network directory. */
  readonly network: string;
  /** Safetensors file with `images` float32 [N, C, H, W], normalised already, and `labels` int64 [N]. */
  readonly batch: string;
  /** Safetensors file to write `logits` to. */
  readonly out?: string | undefined;
  /** Default eval; train takes batch norm's statistics from the batch (and leaves the network as it is). */
  readonly mode?: 'eval' | 'train' | undefined;
  /** Default cpu. */
  readonly device?: Device | undefined;
  /** Threads of LibTorch; default: as many as it chooses. */
  readonly threads?: number | undefined;
}
/** What `forward` prints. */
export interface ForwardDocument {
  /** [N, classes]. */
  readonly logits: readonly (readonly number[])[];
}

/** An experiment file, or the experiment itself: an object with the fields of docs/reference.md. It is checked as a whole. */
export type Experiment = string | Readonly<Record<string, unknown>>;

/** An experiment with overrides. */
export interface ExperimentOptions {
  /** The experiment that is overridden. */
  readonly experiment: Experiment;
  /** Overrides, `path=value`, as of `--set`. */
  readonly set?: readonly string[] | undefined;
}

/** Which network `evaluate` runs, on which test images. */
export interface EvaluateOptions {
  /** A network directory. */
  readonly network: string;
  /** The `data` part of an experiment. */
  readonly data: DataSpec;
  /** The images: `test` or `val` (of image files the folder of that part), `train`, or `all`, training and test images; default the test images that training has. */
  readonly part?: EvaluatedPart | undefined;
  /** Images a minibatch; default 256. */
  readonly batch?: number | undefined;
  /** Resizes the images to the network's resolution, as for the resolution multiplier; default false. Images in files are always cropped to it. */
  readonly resize?: boolean | undefined;
  /** Of images in files: their shorter side before the centre crop; default the network's own, else 256 / 224 of its resolution. */
  readonly shortSide?: number | undefined;
  /** Default cpu. */
  readonly device?: Device | undefined;
  /** Threads of LibTorch; default: as many as it chooses. */
  readonly threads?: number | undefined;
}
/** Images that `eval` can measure on. */
export type EvaluatedPart = 'train' | 'val' | 'test' | 'all';

/** What `eval` prints. */
export interface EvaluateDocument {
  /** Per cent. */
  readonly top1: number;
  /** Top-5 accuracy in per cent. */
  readonly top5: number;
  /** Mean cross-entropy. */
  readonly loss: number;
  /** Images that were looked at, those that could be read. */
  readonly images: number;
  /** Images left out because they could not be read; absent where all could. */
  readonly skipped?: number;
  /** Which images these are; `test` unless another part was asked for. */
  readonly part: EvaluatedPart;
  /** What is to be known of them: how the folder was read, how classes were matched; a line each. */
  readonly notes: readonly string[];
}

/** What `bench` times. */
export interface BenchOptions {
  /** A network directory or the name of a preset. */
  readonly network: string;
  /** Images of the minibatch that is timed. */
  readonly batchSize: number;
  /** Width multiplier of a preset. */
  readonly width?: number | undefined;
  /** Pixels a side of a preset. */
  readonly resolution?: number | undefined;
  /** Further options of a preset. */
  readonly preset?: Readonly<Record<string, unknown>> | undefined;
  /** Threads of LibTorch; default: as many as it chooses. */
  readonly threads?: number | undefined;
  /** Default cpu. */
  readonly device?: Device | undefined;
  /** Timed repetitions of each step; default 10. */
  readonly repeats?: number | undefined;
  /** Of the training step; splitting steps and evaluation are float32 in any case. Default: float32. */
  readonly precision?: Precision | 'auto' | undefined;
}
/** One timed step. */
export interface Timing {
  /** Median, in milliseconds. */
  readonly medianMs: number;
}
/** What `bench` prints. */
export interface BenchDocument {
  /** Forward, backward and update. */
  readonly trainStep: Timing;
  /** A step of the Rayleigh descent, closed form. */
  readonly rayleighStep: Timing;
  /** The same by an auxiliary activation and autodiff. */
  readonly auxiliaryStep: Timing;
  /** A minibatch of the exact splitting matrices. */
  readonly exactStep: Timing;
  /** A forward pass in evaluation mode. */
  readonly forward: Timing;
  /** Peak of tensor memory during a training step, above what was held before it. */
  readonly peakBytes: number;
  /** Likewise, during a Rayleigh step. */
  readonly peakBytesRayleigh: number;
  /** Threads that computed. */
  readonly threads: number;
  /** Where it ran. */
  readonly device: Device;
  /** Of the training step; the other steps are in float32. */
  readonly precision: Precision;
}
