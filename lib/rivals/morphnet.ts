// MorphNet (Gordon et al. 2018): networks shrunk by a MACs regulariser, one a strength; the nearest is expanded to each target.
import { z } from 'zod';
import { macs } from '../graph/cost.js';
import type { Graph } from '../graph/ir.js';
import { significant } from '../statistics/format.js';
import { type Base, baseOf, computeLeft, PRETRAINED_OPTIONS, parentCompute, weightsOf } from './base.js';
import {
  type Contest,
  eachTarget,
  epochsFor,
  freshNetwork,
  largestTarget,
  type Outcome,
  type Trained,
} from './contest.js';
import { aliveGraph, expandTo, type MorphNetOptions, morphnetPenalty } from './networks/morphnet.js';
import { type OptionsOf, rival } from './rival.js';

const MORPHNET_OPTIONS = {
  ...PRETRAINED_OPTIONS,
  // Section 5.2 of the paper.
  lambdas: z
    .array(z.number().positive())
    .min(1)
    .default([1e-8, 5e-8, 1e-9, 5e-9, 1e-10])
    .describe('strengths of the regulariser, a training each'),
  threshold: z
    .number()
    .positive()
    .default(1e-2)
    .describe('a channel lives when its batch-norm scale is above'),
};

type Options = OptionsOf<typeof MORPHNET_OPTIONS>;
type Variant = MorphNetOptions['variant'];

interface Shrunk {
  readonly lambda: number;
  readonly trained: Trained;
  readonly graph: Graph;
}

/** How far the MACs of a graph are from the target, as a factor's logarithm. */
function distance(graph: Graph, target: number): number {
  return Math.abs(Math.log(macs(graph) / target));
}

/** One training a strength, and the channels alive after it. */
async function shrink(
  contest: Contest,
  { base: kind, threshold, lambdas, pretrainEpochs }: Options,
  base: Base,
  variant: Variant,
): Promise<readonly Shrunk[]> {
  const last = largestTarget(contest);
  const strengths = new Set(lambdas);
  // Half of the total for all strengths together, or the epochs of the largest target for each.
  const share = { ...last, compute: last.compute === null ? null : last.compute / 2 / strengths.size };
  const epochs = pretrainEpochs ?? epochsFor(contest, share, base.graph);
  const shrunk: Shrunk[] = [];
  for (const lambda of strengths) {
    const trained = await contest.train({
      name: `${contest.method}-lambda-${lambda}`,
      title: `${contest.label}, lambda ${significant(lambda)}`,
      graph: base.graph,
      ...{ stage: last.stage ?? 0, epochs },
      key: [kind, lambda, threshold],
      start: base.start,
      penalties: (graph, weights) => morphnetPenalty(graph, weights, { lambda, variant, threshold }),
    });
    const graph = aliveGraph(base.graph, await weightsOf(trained), { threshold, variant });
    shrunk.push({ lambda, trained, graph });
  }
  return shrunk;
}

/** The shrunk network nearest to each target, its widths multiplied to fit and trained from scratch. */
async function morphnet(contest: Contest, options: Options, variant: Variant): Promise<readonly Outcome[]> {
  const base = await baseOf(contest, options);
  const shrunk = await shrink(contest, options, base, variant);
  const tried = parentCompute(
    base,
    shrunk.map(({ trained }) => trained),
  );
  const trainings = shrunk.reduce((sum, { trained }) => sum + trained.record.seconds.fit, 0);
  return eachTarget(contest, async (target) => {
    const nearest = shrunk.reduce((best, one) =>
      distance(one.graph, target.macs) < distance(best.graph, target.macs) ? one : best,
    );
    const left = computeLeft(
      target,
      shrunk.map(({ trained }) => trained),
    );
    const { graph, multiplier } = expandTo(nearest.graph, target.macs);
    return {
      target,
      trained: await contest.train({
        name: `${contest.method}-${target.macs}`,
        title: contest.label,
        graph,
        stage: target.stage ?? 0,
        epochs: epochsFor(contest, { ...target, compute: left }, graph),
        key: 'scratch',
        start: () => freshNetwork(contest, graph),
      }),
      multiplier,
      lambda: nearest.lambda,
      parentEpochs: base.epochs + nearest.trained.record.epochs.length,
      parentCompute: tried,
      searchSeconds: base.seconds / contest.all.length + trainings / contest.targets.length,
    };
  });
}

/** As Gordon et al. published it. */
export const MORPHNET = rival({
  label: 'MorphNet',
  options: MORPHNET_OPTIONS,
  baseMultiplier: 2,
  train: (contest, options) => morphnet(contest, options, 'official'),
});

/** As the code of the splitting paper's authors has it. */
export const MORPHNET_AUTHORS = rival({
  label: "MorphNet (authors' code)",
  options: MORPHNET_OPTIONS,
  baseMultiplier: 2,
  train: (contest, options) => morphnet(contest, options, 'authors'),
});
