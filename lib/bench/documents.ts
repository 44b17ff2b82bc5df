// The document of bench splitting: what was asked, what was measured of every width, and what follows from it.
import type { Device } from '../native.js';

export const FORMAT = 'splitgrow-splitting-bench/1';

export interface SplittingBenchOptions {
  /** A preset, whose `width` is set, or a network directory, whose widths are multiplied; weights are fresh. Default mobilenet_cifar100. */
  readonly network?: string | undefined;
  readonly resolution?: number | undefined;
  /** Further options of a preset (blocks, classes, activation ...). */
  readonly preset?: Readonly<Record<string, unknown>> | undefined;
  /** Default: 1, 2, 4 and 8 times the network's own. */
  readonly widths?: readonly number[] | undefined;
  /** Images that one sweep covers; default 50,000. */
  readonly images?: number | undefined;
  /** Rayleigh epochs; default 10, the paper's on CIFAR. */
  readonly epochs?: number | undefined;
  /** Images a minibatch; default 64, the paper's. */
  readonly batchSize?: number | undefined;
  /** Bytes that the exact method's sums may take at a time; default 1 GiB. */
  readonly memoryLimit?: number | undefined;
  /** Seconds that timing one width may take; default 30. */
  readonly timeLimit?: number | undefined;
  /** Timed repetitions of each step, fewer where the time limit asks for it; default 10. */
  readonly repeats?: number | undefined;
  /** Parts of the chains that are timed apart, at the widest network; default 4, 0: none. */
  readonly parts?: number | undefined;
  /** Seconds of the two whole searches that check the scaled ones; default 20, 0: none. */
  readonly checkSeconds?: number | undefined;
  readonly seed?: number | undefined;
  readonly device?: Device | undefined;
  readonly threads?: number | undefined;
  /** Folder of splitting.json, .csv, .md, .html and .svg; default: nothing is written. */
  readonly out?: string | undefined;
}

/** Why there is no number, in words. */
export interface LeftOut {
  readonly leftOut: string;
}

/** Measured. */
export interface StepTime {
  readonly medianMs: number;
  readonly leastMs: number;
  readonly repeats: number;
  /** Peak of tensor memory above the network and its images. */
  readonly peakBytes: number;
}

export const STEP_NAMES = ['trainStep', 'rayleighStep', 'auxiliaryStep', 'exactStep', 'eigensolver'] as const;
export type StepName = (typeof STEP_NAMES)[number];
export type Steps = Readonly<Record<StepName, StepTime | LeftOut>>;

/** Seconds scaled from steps; memory measured. */
export interface Search {
  readonly seconds: number;
  readonly peakBytes: number;
}
export interface ExactSearch extends Search {
  /** Of `seconds`: sums of all sweeps, and the eigensolver. */
  readonly matricesSeconds: number;
  readonly eigenSeconds: number;
  /** Over the data, within the memory limit. */
  readonly sweeps: number;
}

/** A whole computation of all indices over the images, by each method. */
export interface Searches {
  /** T epochs of the Rayleigh descent, closed form. */
  readonly fast: Search | LeftOut;
  /** The same descent by the auxiliary activation and autodiff, as the paper's authors have it. */
  readonly auxiliary: Search | LeftOut;
  readonly exact: ExactSearch | LeftOut;
  /** What the method `auto` takes. */
  readonly auto: Search | LeftOut;
}

export interface AutoGuess {
  /** Method of every layer. */
  readonly layers: Readonly<Record<string, 'exact' | 'rayleigh'>>;
  readonly exactLayers: number;
  readonly rayleighLayers: number;
  /** Exact over fast: what the cost model expects, and what was found. */
  readonly expectedRatio: number;
  readonly foundRatio: number | null;
  /** Seconds of auto over those of the better of exact and fast. */
  readonly overBest: number | null;
}

export interface Sizes {
  readonly macs: number;
  readonly params: number;
  /** Layers whose neurons have indices. */
  readonly chains: number;
  readonly neurons: number;
  /** Weights a neuron: the largest, and the sum over all neurons. */
  readonly largestDimension: number;
  readonly weights: number;
  /** Bytes of all splitting matrices, n d^2 float32; a layer without activation has none. */
  readonly matrixBytes: number;
}

export interface Point extends Sizes {
  readonly width: number;
  readonly steps: Steps;
  readonly searches: Searches;
  /** Rayleigh epochs at which fast takes as long as exact. */
  readonly equalEpochs: number | null;
  readonly auto: AutoGuess;
}

/** The first so many chains of one network, every other one left alone. */
export interface Part {
  readonly chains: number;
  readonly neurons: number;
  readonly fast: Search | LeftOut;
  readonly exact: ExactSearch | LeftOut;
}

/** A whole search measured, beside what scaling its steps gives. */
export interface CheckedSearch {
  readonly method: 'fast' | 'exact';
  readonly scaledSeconds: number;
  readonly measuredSeconds: number;
}
export interface Check {
  readonly width: number;
  readonly images: number;
  readonly epochs: number;
  readonly searches: readonly CheckedSearch[];
}

/** Where exact becomes dearer than fast, or the other way round, along one axis. */
export interface Crossing {
  readonly at: number;
  readonly dearerAbove: 'exact' | 'fast';
}
export interface Crossover {
  readonly crossings: readonly Crossing[];
  /** Where both were measured; null where nowhere. */
  readonly range: readonly [number, number] | null;
  /** The cheaper one all over the range; null where they cross or nothing was compared. */
  readonly cheaper: 'exact' | 'fast' | null;
}
export interface Crossovers {
  readonly timeByWidth: Crossover;
  readonly timeByNeurons: Crossover;
  readonly memoryByWidth: Crossover;
  readonly memoryByNeurons: Crossover;
}

export interface SplittingBenchDocument {
  readonly format: typeof FORMAT;
  /** False until the last number is there. */
  readonly isComplete: boolean;
  readonly network: string;
  readonly preset: Readonly<Record<string, unknown>>;
  readonly widths: readonly number[];
  readonly images: number;
  readonly epochs: number;
  readonly batch: number;
  readonly memoryLimit: number;
  readonly timeLimit: number;
  readonly seed: number;
  readonly device: Device;
  readonly threads: number;
  readonly precision: 'float32';
  readonly machine: Readonly<Record<string, string>>;
  /** Of everything. */
  readonly seconds: number;
  readonly points: readonly Point[];
  readonly parts: { readonly width: number; readonly points: readonly Part[] } | null;
  readonly check: Check | LeftOut | null;
  readonly crossovers: Crossovers;
}

export function isLeftOut<T extends object>(value: T | LeftOut): value is LeftOut {
  return 'leftOut' in value;
}

/** The value where there is one. */
export function measured<T extends object>(value: T | LeftOut): T | null {
  return isLeftOut(value) ? null : value;
}
