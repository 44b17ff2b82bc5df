// The larger network that pruning and MorphNet make smaller: trained once, shared by all targets.

import { join } from 'node:path';
import { readSafetensors } from '../data/safetensors.js';
import type { Graph } from '../graph/ir.js';
import type { TensorMap } from '../native/core.js';
import { FILES, loadNetwork, type Network, readGraph } from '../train/network.js';
import { type Contest, grownEpochs, grownNetwork, growthSeconds, largestTarget } from './contest.js';
import { atMostMacs } from './networks/width-multiplier.js';
import { freshNetwork, type Trained } from './training.js';

export interface BaseOptions {
  readonly method: string;
  readonly base: 'widest' | 'grown';
  /** Of the widest. */
  readonly baseMultiplier?: number | undefined;
}

/** A network before its training as a base. */
export interface Base {
  readonly graph: Graph;
  readonly isGrown: boolean;
  readonly start: () => Network | Promise<Network>;
  /** Epochs that its weights have behind them, and the seconds that these and the search for it took. */
  readonly epochs: number;
  readonly seconds: number;
}

/** The widest multiple of the seed network of so many times the largest target, or the last grown network. */
export async function baseOf(
  contest: Contest,
  { method, base, baseMultiplier = 1 }: BaseOptions,
): Promise<Base> {
  if (base === 'widest') {
    const { graph } = atMostMacs(contest.start, baseMultiplier * largestTarget(contest).macs);
    return { graph, isGrown: false, start: () => freshNetwork(contest, graph), epochs: 0, seconds: 0 };
  }
  const { record, directory } = grownNetwork(contest, method, null);
  return {
    graph: await readGraph(directory),
    isGrown: true,
    start: () => loadNetwork(directory, { device: contest.spec.device }),
    epochs: grownEpochs(contest, record.stage),
    seconds: growthSeconds(contest, record.stage) + record.seconds.fit,
  };
}

/** Weights of a finished training. */
export function weightsOf({ directory }: Trained): Promise<TensorMap> {
  return readSafetensors(join(directory, FILES.weights));
}
