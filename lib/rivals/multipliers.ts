// Width and resolution multiplier (Howard et al. 2017): the seed network wider or on smaller images, trained from scratch.
import type { Graph } from '../graph/ir.js';
import { decimal } from '../statistics/format.js';
import { growthCompute } from '../train/compute.js';
import { readGraph } from '../train/network.js';
import { BASE_OPTIONS, widestBase } from './base.js';
import {
  type Contest,
  eachTarget,
  epochsFor,
  freshNetwork,
  grownNetwork,
  growthSeconds,
  type Job,
  type Target,
} from './contest.js';
import { resolutionAtMost } from './networks/resolution-multiplier.js';
import { atMostMacs } from './networks/width-multiplier.js';
import { rival } from './rival.js';

/** A multiple of the seed network's widths, from scratch. */
function wideJob(
  contest: Contest,
  target: Target,
  { graph, multiplier }: ReturnType<typeof atMostMacs>,
): Job {
  return {
    name: `width-multiplier-${target.macs}`,
    title: `${WIDTH_MULTIPLIER.label} ${decimal(multiplier, 2)}x`,
    graph,
    ...{ stage: target.stage ?? 0, epochs: epochsFor(contest, target, graph) },
    key: 'scratch',
    start: () => freshNetwork(contest, graph),
  };
}

/** The widest multiple of the seed network's widths that each target allows. */
export const WIDTH_MULTIPLIER = rival({
  label: 'Width multiplier',
  options: {},
  train: (contest) =>
    eachTarget(contest, async (target) => {
      const wide = atMostMacs(contest.start, target.macs);
      const trained = await contest.train(wideJob(contest, target, wide));
      return { target, trained, multiplier: wide.multiplier };
    }),
});

/** A network on smaller images, from scratch. */
function smallJob(
  contest: Contest,
  target: Target,
  { graph, resolution, isWhole }: { graph: Graph; resolution: number; isWhole: boolean },
): Job {
  return {
    name: `${contest.method}-${target.macs}`,
    title: `${contest.label}, ${resolution} pixels`,
    graph,
    ...{ stage: target.stage ?? 0, epochs: epochsFor(contest, target, graph) },
    key: 'scratch',
    start: () => freshNetwork(contest, graph),
    ...(!isWhole && { resolution }),
  };
}

/**
 * One network, the base, on images as small as each target asks for. Where the images keep their size and the base is the
 * widest one, this is the width multiplier's network and shares its training.
 */
export const RESOLUTION_MULTIPLIER = rival({
  label: 'Resolution multiplier',
  options: BASE_OPTIONS,
  baseMultiplier: 1,
  train: async (contest, options) => {
    const { grown, all } = contest;
    // It takes no training, so all targets have the same one.
    const wide = options.base === 'widest' ? widestBase({ ...contest, targets: all }, options) : null;
    const whole = wide?.graph ?? (await readGraph(grownNetwork(contest, null).directory));
    // The last grown architecture was found by growing; all targets share the seconds of that search.
    const searchSeconds = wide === null ? growthSeconds(contest, grown.length - 1) / all.length : 0;
    const parentCompute = wide === null ? growthCompute(grown, grown.length - 1) : 0;
    return eachTarget(contest, async (target) => {
      const smaller = resolutionAtMost(whole, target.macs);
      const isWhole = smaller.resolution === whole.input.shape[1];
      const job =
        isWhole && wide !== null
          ? wideJob(contest, target, wide)
          : smallJob(contest, target, { ...smaller, isWhole });
      return {
        target,
        trained: await contest.train(job),
        ...(wide !== null && { multiplier: wide.multiplier }),
        ...(!isWhole && { resolution: smaller.resolution }),
        ...{ searchSeconds, parentCompute },
      };
    });
  },
});
