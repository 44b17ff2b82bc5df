// The grown architectures with new weights, trained from scratch.
import type { Graph } from '../graph/ir.js';
import { growthCompute } from '../train/compute.js';
import { readGraph } from '../train/network.js';
import { epochsOption } from './base.js';
import {
  type Contest,
  eachTarget,
  epochsFor,
  freshNetwork,
  grownEpochs,
  grownNetwork,
  growthSeconds,
  type Outcome,
  type Target,
} from './contest.js';
import { rival } from './rival.js';

/** Seconds of growth up to a stage. Each step from j to j + 1 is shared by the targets after it. */
function sharedGrowth(contest: Contest, stage: number): number {
  return Array.from({ length: stage }, (_, j) => {
    const sharers = contest.all.filter((other) => other.stage !== null && other.stage > j).length;
    return (growthSeconds(contest, j + 1) - growthSeconds(contest, j)) / Math.max(1, sharers);
  }).reduce((sum, one) => sum + one, 0);
}

/** Each stage's architecture with new weights. Where both methods ask for the same epochs they share one training. */
function trainAgain(
  contest: Contest,
  epochs: (target: Target, graph: Graph) => number,
): Promise<readonly Outcome[]> {
  return eachTarget(contest, async (target) => {
    const { record, directory } = grownNetwork(contest, target.stage);
    const graph = await readGraph(directory);
    const trained = await contest.train({
      name: `scratch-${target.macs}`,
      title: `Stage ${record.stage} from scratch`,
      graph,
      ...{ stage: record.stage, epochs: epochs(target, graph) },
      // Other weights than those that the run started from.
      key: 'rival',
      start: () => freshNetwork(contest, graph, 'rival'),
    });
    return {
      ...{ target, trained, searchSeconds: sharedGrowth(contest, record.stage) },
      parentCompute: growthCompute(contest.grown, record.stage),
    };
  });
}

/**
 * The grown architecture, for as many multiply-adds as the grown network has behind it, or as many epochs. The search for
 * it comes on top, which `totalCompute` says.
 */
export const SCRATCH = rival({
  label: 'From scratch',
  options: {},
  needsGrown: true,
  train: (contest) => trainAgain(contest, (target, graph) => epochsFor(contest, target, graph)),
});

/** The grown architecture for the epochs of the whole run, or as many as the entry says, whatever the stage. */
export const RETRAIN = rival({
  label: 'Retrained',
  options: {
    epochs: epochsOption(
      'epochs of the full schedule; null: the total epochs of the whole run, whatever the stage',
    ),
  },
  needsGrown: true,
  train: (contest, { epochs }) => {
    const all = epochs ?? grownEpochs(contest.grown, contest.grown.length - 1);
    return trainAgain(contest, () => all);
  },
});
