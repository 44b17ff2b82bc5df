// The larger network that some rivals make smaller: the options that choose it, and how it is found.
import { join } from 'node:path';
import { z } from 'zod';
import { readSafetensors } from '../data/safetensors.js';
import type { Graph } from '../graph/ir.js';
import type { TensorMap } from '../native/face.js';
import { runCompute } from '../train/compute.js';
import { FILES, loadNetwork, type Network, readGraph } from '../train/network.js';
import {
  type Contest,
  freshNetwork,
  grownEpochs,
  grownNetwork,
  growthSeconds,
  largestTarget,
  type Target,
  type Trained,
} from './contest.js';
import { atMostMacs } from './networks/width-multiplier.js';

/** An option of so many epochs; null: what `means` says. */
export const epochsOption = (means: string) => z.int().min(0).nullable().default(null).describe(means);

/** Options of a rival that starts from a larger network. */
export const BASE_OPTIONS = {
  base: z
    .enum(['widest', 'grown'])
    .default('widest')
    .describe(
      'what is made smaller: `widest` (the seed network, wider) or `grown` (the last network of the run)',
    ),
  // The table fills it in.
  baseMultiplier: z
    .number()
    .min(1)
    .optional()
    .describe(
      'of `widest`: its MACs over the largest target; left out: 1 for `resolution-multiplier`, else 2',
    ),
};

/** Options of a rival that also trains that network. */
export const PRETRAINED_OPTIONS = {
  ...BASE_OPTIONS,
  pretrainEpochs: epochsOption(
    'epochs of the base; null: half of the compute (all `lambdas` together), or those of the largest target; none for `prune-l1` of a grown network',
  ),
};

/** The checked options of either. */
export interface BaseOptions {
  readonly base: 'widest' | 'grown';
  /** Of the widest. */
  readonly baseMultiplier?: number | undefined;
}

/** The widest multiple of the seed network with so many times the MACs of the largest target. */
export function widestBase(contest: Contest, { baseMultiplier = 1 }: BaseOptions) {
  return atMostMacs(contest.start, baseMultiplier * largestTarget(contest).macs);
}

/** A network before its training as a base. */
export interface Base {
  readonly graph: Graph;
  readonly isGrown: boolean;
  readonly start: () => Network | Promise<Network>;
  /** Epochs that its weights have behind them, and the seconds and multiply-adds that these and the search for it took. */
  readonly epochs: number;
  readonly seconds: number;
  /** Null where records of older versions do not tell. */
  readonly compute: number | null;
}

/** The widest base, or the last grown network. */
export async function baseOf(contest: Contest, options: BaseOptions): Promise<Base> {
  if (options.base === 'widest') {
    const { graph } = widestBase(contest, options);
    const start = () => freshNetwork(contest, graph);
    return { graph, isGrown: false, start, epochs: 0, seconds: 0, compute: 0 };
  }
  const { record, directory } = grownNetwork(contest, null);
  return {
    graph: await readGraph(directory),
    isGrown: true,
    start: () => loadNetwork(directory, { device: contest.device }),
    epochs: grownEpochs(contest.grown, record.stage),
    seconds: growthSeconds(contest, record.stage) + record.seconds.fit,
    compute: runCompute(contest.grown, record.stage),
  };
}

/**
 * Multiply-adds that are left for the last training once `trainings` are done; null where epochs are equal. The growth of
 * a grown base comes on top, as that of a grown architecture does.
 */
export function computeLeft({ compute }: Target, trainings: readonly Trained[]): number | null {
  return compute === null ? null : trainings.reduce((left, one) => left - one.compute, compute);
}

/** Multiply-adds of a base and the trainings after it. */
export function parentCompute({ compute }: Base, trainings: readonly Trained[]): number | null {
  return compute === null ? null : trainings.reduce((sum, one) => sum + one.compute, compute);
}

/** Weights of a finished training. */
export function weightsOf({ directory }: Trained): Promise<TensorMap> {
  return readSafetensors(join(directory, FILES.weights));
}
