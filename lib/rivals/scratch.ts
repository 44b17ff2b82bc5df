// Rivals that are trained from scratch: multiples of widths or resolution, and the grown architectures themselves.

import { sizesAt } from '../data/images/settings.js';
import { resizedDataset } from '../data/resize.js';
import type { Graph } from '../graph/ir.js';
import type { EntryOf } from '../run/spec/compare.js';
import { stretched } from '../run/spec/epochs.js';
import type { Spec } from '../run/spec/spec.js';
import { decimal } from '../statistics/format.js';
import { readGraph } from '../train/network.js';
import {
  type Contest,
  grownEpochs,
  grownNetwork,
  growthSeconds,
  largestTarget,
  type Target,
} from './contest.js';
import { resolutionAtMost } from './networks/resolution-multiplier.js';
import { atMostMacs } from './networks/width-multiplier.js';
import type { Outcome } from './outcome.js';
import { freshNetwork, type Job, trainOnce } from './training.js';

async function each(
  { targets }: Contest,
  make: (target: Target) => Promise<Outcome>,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const target of targets) outcomes.push(await make(target));
  return outcomes;
}

/** A multiple of the seed network's widths, from scratch. */
function multiplied(
  contest: Contest,
  target: Target,
  { graph, multiplier }: ReturnType<typeof atMostMacs>,
): Job {
  return {
    name: `width-multiplier-${target.macs}`,
    title: `Width multiplier ${decimal(multiplier, 2)}x`,
    graph,
    fit: stretched(contest.spec.fit, target.stage ?? 0, target.epochs),
    key: 'scratch',
    start: () => freshNetwork(contest, graph),
  };
}

/** The widest multiple of the seed network's widths (Howard et al. 2017). */
export function widthMultiplier(contest: Contest): Promise<readonly Outcome[]> {
  return each(contest, async (target) => {
    const wide = atMostMacs(contest.start, target.macs);
    const trained = await trainOnce(contest, multiplied(contest, target, wide));
    return { target, trained, multiplier: wide.multiplier };
  });
}

/** The same augmentation in proportion: shifts keep their share of the image. */
function dataAtSize(data: Spec['data'], resolution: number, full: number): Spec['data'] {
  if (!('cropPadding' in data)) return { ...data, ...sizesAt(data, resolution) };
  return { ...data, cropPadding: Math.round((data.cropPadding * resolution) / full) };
}

/** A base network on smaller images, from scratch. */
function onSmaller(
  contest: Contest,
  target: Target,
  { base, graph, resolution }: { readonly base: Graph; readonly graph: Graph; readonly resolution: number },
): Job {
  const { spec, data, grown, control } = contest;
  const full = base.input.shape[1];
  const images = {
    resized: () => resizedDataset(data, resolution, { control, stage: grown.length }),
    data: dataAtSize(spec.data, resolution, full),
  };
  return {
    name: `resolution-multiplier-${target.macs}`,
    title: `Resolution multiplier, ${resolution} pixels`,
    graph,
    fit: stretched(spec.fit, target.stage ?? 0, target.epochs),
    key: 'scratch',
    start: () => freshNetwork(contest, graph),
    ...(resolution < full && { images }),
  };
}

/**
 * One network, the wider base, on images as small as each target asks for (Howard et al. 2017). Where they stay whole it
 * is the width multiplier's network and shares its training.
 */
export async function resolutionMultiplier(
  contest: Contest,
  { method, base, baseMultiplier = 1 }: EntryOf<'resolution-multiplier'>,
): Promise<readonly Outcome[]> {
  const { start, grown, targets } = contest;
  const wide = base === 'widest' ? atMostMacs(start, baseMultiplier * largestTarget(contest).macs) : null;
  const whole = wide?.graph ?? (await readGraph(grownNetwork(contest, method, null).directory));
  // The last grown architecture was found by growing; the search is shared by all that use it.
  const searchSeconds = wide === null ? growthSeconds(contest, grown.length - 1) / targets.length : 0;
  return each(contest, async (target) => {
    const smaller = resolutionAtMost(whole, target.macs);
    const isWhole = smaller.resolution === whole.input.shape[1];
    const job =
      isWhole && wide !== null
        ? multiplied(contest, target, wide)
        : onSmaller(contest, target, { base: whole, ...smaller });
    return {
      target,
      trained: await trainOnce(contest, job),
      ...(wide !== null && { multiplier: wide.multiplier }),
      ...(!isWhole && { resolution: smaller.resolution }),
      searchSeconds,
    };
  });
}

/** Growth from stage j to j + 1, shared by the targets that lie after it. */
function sharedGrowth(contest: Contest, stage: number): number {
  return Array.from({ length: stage }, (_, j) => {
    const sharers = contest.targets.filter((other) => other.stage !== null && other.stage > j).length;
    return (growthSeconds(contest, j + 1) - growthSeconds(contest, j)) / Math.max(1, sharers);
  }).reduce((sum, one) => sum + one, 0);
}

/** A stage's architecture with weights of its own. Where both methods ask for the same epochs they share one training. */
function again(
  contest: Contest,
  { method, epochs }: { readonly method: string; readonly epochs: (target: Target) => number },
): Promise<readonly Outcome[]> {
  return each(contest, async (target) => {
    const { record, directory } = grownNetwork(contest, method, target.stage);
    const graph = await readGraph(directory);
    const trained = await trainOnce(contest, {
      name: `scratch-${target.macs}`,
      title: `Stage ${record.stage} from scratch`,
      graph,
      fit: stretched(contest.spec.fit, record.stage, epochs(target)),
      // Other weights than the run started from, by the seed's purpose.
      key: 'rival',
      start: () => freshNetwork(contest, graph, 'rival'),
    });
    return { target, trained, searchSeconds: sharedGrowth(contest, record.stage) };
  });
}

/** The grown architecture, for as many epochs as the grown network has behind it. */
export function scratch(contest: Contest): Promise<readonly Outcome[]> {
  return again(contest, { method: 'scratch', epochs: ({ epochs }) => epochs });
}

/** The grown architecture for the epochs of the whole run, or as many as the entry says, whatever the stage. */
export function retrain(contest: Contest, { epochs }: EntryOf<'retrain'>): Promise<readonly Outcome[]> {
  const all = epochs ?? grownEpochs(contest, contest.grown.length - 1);
  return again(contest, { method: 'retrain', epochs: () => all });
}
