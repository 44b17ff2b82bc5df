// MorphNet (Gordon et al. 2018): networks shrunk by a MACs regulariser, one a strength; the nearest is expanded to each target.

import { macs } from '../graph/cost.js';
import type { Graph } from '../graph/ir.js';
import type { EntryOf } from '../run/spec/compare.js';
import { stretched } from '../run/spec/epochs.js';
import { significant } from '../statistics/format.js';
import { baseOf, weightsOf } from './base.js';
import { type Contest, largestTarget } from './contest.js';
import { aliveGraph, expandTo, morphnetPenalty } from './networks/morphnet.js';
import type { Outcome } from './outcome.js';
import { freshNetwork, type Trained, trainOnce } from './training.js';

type MorphNetEntry = EntryOf<'morphnet'> | EntryOf<'morphnet-authors'>;

const VARIANTS = {
  morphnet: { variant: 'official', title: 'MorphNet' },
  'morphnet-authors': { variant: 'authors', title: "MorphNet (authors' code)" },
} as const;

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
  entry: MorphNetEntry,
  base: Awaited<ReturnType<typeof baseOf>>,
): Promise<readonly Shrunk[]> {
  const { method, threshold, lambdas, pretrainEpochs } = entry;
  const { variant, title } = VARIANTS[method];
  const last = largestTarget(contest);
  const shrunk: Shrunk[] = [];
  for (const lambda of new Set(lambdas)) {
    const trained = await trainOnce(contest, {
      name: `${method}-lambda-${lambda}`,
      title: `${title}, lambda ${significant(lambda)}`,
      graph: base.graph,
      fit: stretched(contest.spec.fit, last.stage ?? 0, pretrainEpochs ?? last.epochs),
      key: [entry.base, lambda, threshold],
      start: base.start,
      penalties: (graph, weights) => morphnetPenalty(graph, weights, { lambda, variant, threshold }),
    });
    const graph = aliveGraph(base.graph, await weightsOf(trained), { threshold, variant });
    shrunk.push({ lambda, trained, graph });
  }
  return shrunk;
}

/** The shrunk network nearest to each target, its widths multiplied to fit and trained from scratch. */
export async function morphnet(contest: Contest, entry: MorphNetEntry): Promise<readonly Outcome[]> {
  const base = await baseOf(contest, entry);
  const shrunk = await shrink(contest, entry, base);
  const trainings = shrunk.reduce((sum, { trained }) => sum + trained.record.seconds.fit, base.seconds);
  const outcomes: Outcome[] = [];
  for (const target of contest.targets) {
    const nearest = shrunk.reduce((best, one) =>
      distance(one.graph, target.macs) < distance(best.graph, target.macs) ? one : best,
    );
    const { graph, multiplier } = expandTo(nearest.graph, target.macs);
    outcomes.push({
      target,
      trained: await trainOnce(contest, {
        name: `${entry.method}-${target.macs}`,
        title: VARIANTS[entry.method].title,
        graph,
        fit: stretched(contest.spec.fit, target.stage ?? 0, target.epochs),
        key: 'scratch',
        start: () => freshNetwork(contest, graph),
      }),
      multiplier,
      lambda: nearest.lambda,
      parentEpochs: base.epochs + nearest.trained.record.epochs.length,
      searchSeconds: trainings / contest.targets.length,
    });
  }
  return outcomes;
}
