// The document of bench splitting: what was asked, what was measured of every width, and what follows from it.
import type { Device } from '../native/face.js';

export const FORMAT = 'splitgrow-splitting-bench/2';

/** Why there is no number, in words. */
export interface LeftOut {
  /** The reason. */
  readonly leftOut: string;
}

/** Measured. */
export interface StepTime {
  /** Median, in milliseconds. */
  readonly medianMs: number;
  /** The shortest. */
  readonly leastMs: number;
  /** Timed repetitions. */
  readonly repeats: number;
  /** Peak of tensor memory above the network and its images. */
  readonly peakBytes: number;
}

export const STEP_NAMES = ['trainStep', 'rayleighStep', 'auxiliaryStep', 'exactStep', 'eigensolver'] as const;
/** Name of a timed step. */
export type StepName = (typeof STEP_NAMES)[number];
/** Every step, timed or left out. */
export type Steps = Readonly<Record<StepName, StepTime | LeftOut>>;

/** Seconds scaled from steps; memory measured. */
export interface Search {
  /** Of the whole search. */
  readonly seconds: number;
  /** Most tensor memory above the network and its images. */
  readonly peakBytes: number;
}
export interface ExactSearch extends Search {
  /** Of `seconds`: sums of all sweeps, and the eigensolver. */
  readonly matricesSeconds: number;
  /** Of the eigensolver. */
  readonly eigenSeconds: number;
  /** Over the data, within the memory limit. */
  readonly sweeps: number;
}

/** A whole computation of all indices over the images by the two methods of the paper's Figure 5 (b). */
export interface Searches {
  /** T epochs of the Rayleigh descent, closed form. */
  readonly fast: Search | LeftOut;
  /** The same descent by the auxiliary activation and autodiff, as the paper's authors have it. */
  readonly auxiliary: Search | LeftOut;
  /** Matrices summed and solved. */
  readonly exact: ExactSearch | LeftOut;
}

/** A whole computation of all indices as a stage of a run makes it, measured: not scaled from steps. */
export interface WholeSearch {
  /** Median. */
  readonly seconds: number;
  /** Timed repetitions. */
  readonly repeats: number;
  /** Epochs of the descent, passes of lobpcg, or sweeps of exact, of the layer that took most. */
  readonly passes: number;
  /** Neurons whose residual is above the tolerance. */
  readonly above: number;
  /** Sum of differences from exact over the sum of exact indices, in the layer where that is largest; null: exact was left out. */
  readonly distance: number | null;
  /** Difference over the exact index, or over a hundredth of the layer's largest where that is more, of the worst neuron. */
  readonly worst: number | null;
}

/** By every method, over the same images. */
export interface WholeSearches {
  /** One pass, the sums of which are solved. */
  readonly exact: WholeSearch | LeftOut;
  /** The paper's descent, closed form; neurons above the tolerance go on up to three times the epochs. */
  readonly rayleigh: WholeSearch | LeftOut;
  /** Passes of `lobpcg`. */
  readonly lobpcg: WholeSearch | LeftOut;
  /** What `auto` chooses, layer by layer. */
  readonly auto: WholeSearch | LeftOut;
}

/** What `auto` chose, and how good that was. */
export interface AutoGuess {
  /** Method of every layer. */
  readonly layers: Readonly<Record<string, 'exact' | 'lobpcg'>>;
  /** Layers that it computes exactly. */
  readonly exactLayers: number;
  /** Layers that it has lobpcg for. */
  readonly lobpcgLayers: number;
  /** Exact over lobpcg, each for all layers: what the cost model expects, and what was found. */
  readonly expectedRatio: number;
  /** Seconds of exact over those of lobpcg; null where one was left out. */
  readonly foundRatio: number | null;
  /** Seconds of auto over those of the better of exact and lobpcg. */
  readonly overBest: number | null;
}

/** How large a network is. */
export interface Sizes {
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Trained parameters. */
  readonly params: number;
  /** Layers whose neurons have indices. */
  readonly chains: number;
  /** Neurons that have an index. */
  readonly neurons: number;
  /** Weights a neuron: the largest, and the sum over all neurons. */
  readonly largestDimension: number;
  /** Weights of all of them. */
  readonly weights: number;
  /** Bytes of all splitting matrices, n d^2 float32; a layer without activation has none. */
  readonly matrixBytes: number;
}

/** One width. */
export interface Point extends Sizes {
  /** Of the preset, or times the network's own. */
  readonly width: number;
  /** Timed steps. */
  readonly steps: Steps;
  /** Searches scaled from them. */
  readonly searches: Searches;
  /** Rayleigh epochs at which fast takes as long as exact. */
  readonly equalEpochs: number | null;
  /** Whole searches over `wholeImages`; null: none were asked for. */
  readonly wholes: WholeSearches | null;
  /** The choice of `auto`. */
  readonly auto: AutoGuess;
}

/** The first so many chains of one network, every other one left alone. */
export interface Part {
  /** How many. */
  readonly chains: number;
  /** Of these chains. */
  readonly neurons: number;
  /** Fast search over them. */
  readonly fast: Search | LeftOut;
  /** Exact search over them. */
  readonly exact: ExactSearch | LeftOut;
}

/** A whole search measured, beside what scaling its steps gives. */
export interface CheckedSearch {
  /** Which of the two. */
  readonly method: 'fast' | 'exact';
  /** What the scaled steps say. */
  readonly scaledSeconds: number;
  /** What the whole search took. */
  readonly measuredSeconds: number;
}
/** Whole searches that the scaled ones are compared with. */
export interface Check {
  /** Width that it was done at. */
  readonly width: number;
  /** Images of a sweep. */
  readonly images: number;
  /** Rayleigh epochs. */
  readonly epochs: number;
  /** One each of fast and exact. */
  readonly searches: readonly CheckedSearch[];
}

/** Where exact becomes dearer than fast, or the other way round, along one axis. */
export interface Crossing {
  /** Where on the axis. */
  readonly at: number;
  /** Which is dearer beyond it. */
  readonly dearerAbove: 'exact' | 'fast';
}
/** All crossings along one axis. */
export interface Crossover {
  /** In order. */
  readonly crossings: readonly Crossing[];
  /** Where both were measured; null where nowhere. */
  readonly range: readonly [number, number] | null;
  /** The cheaper one all over the range; null where they cross or nothing was compared. */
  readonly cheaper: 'exact' | 'fast' | null;
}
/** Where exact and fast cost the same. */
export interface Crossovers {
  /** Seconds, along widths. */
  readonly timeByWidth: Crossover;
  /** Seconds, along neurons. */
  readonly timeByNeurons: Crossover;
  /** Bytes, along widths. */
  readonly memoryByWidth: Crossover;
  /** Bytes, along neurons. */
  readonly memoryByNeurons: Crossover;
}

/** What `bench splitting` prints. */
export interface SplittingBenchDocument {
  /** Format and version of the document. */
  readonly format: typeof FORMAT;
  /** False until the last number is there. */
  readonly isComplete: boolean;
  /** What was timed. */
  readonly network: string;
  /** Its options. */
  readonly preset: Readonly<Record<string, unknown>>;
  /** Widths asked for. */
  readonly widths: readonly number[];
  /** Images of a sweep. */
  readonly images: number;
  /** Rayleigh epochs. */
  readonly epochs: number;
  /** Images of the whole searches that are measured; 0: none. */
  readonly wholeImages: number;
  /** Images a minibatch. */
  readonly batch: number;
  /** Bytes that the exact method's sums may take at a time. */
  readonly memoryLimit: number;
  /** Seconds that timing one width may take. */
  readonly timeLimit: number;
  /** Of every random choice. */
  readonly seed: number;
  /** Where it ran. */
  readonly device: Device;
  /** Threads that computed. */
  readonly threads: number;
  /** What layers multiplied in. */
  readonly precision: 'float32';
  /** Processor, memory and versions, in words. */
  readonly machine: Readonly<Record<string, string>>;
  /** What else the machine did: processes that were running or waiting, on average over a minute, before the first step and now. */
  readonly load: {
    /** Before anything was timed. */
    readonly before: number;
    /** After everything. */
    readonly after: number;
  };
  /** Of everything. */
  readonly seconds: number;
  /** One a width, in order. */
  readonly points: readonly Point[];
  /** Parts of the chains of the widest network; null: none. */
  readonly parts: {
    /** The widest width. */
    readonly width: number;
    /** More and more of its chains. */
    readonly points: readonly Part[];
  } | null;
  /** Whole searches; null: none. */
  readonly check: Check | LeftOut | null;
  /** Where one becomes dearer than the other. */
  readonly crossovers: Crossovers;
}

export function isLeftOut<T extends object>(value: T | LeftOut): value is LeftOut {
  return 'leftOut' in value;
}

/** The value where there is one. */
export function measured<T extends object>(value: T | LeftOut): T | null {
  return isLeftOut(value) ? null : value;
}
