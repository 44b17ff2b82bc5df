// Pruning (L1) (Li et al. 2017) and Pruning (Bn) (Liu et al. 2017): one base network, pruned and fine-tuned for each target.

import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import type { Surgery } from '../graph/program.js';
import { type Keep, prune } from '../graph/prune.js';
import { loadCore, type TensorMap } from '../native/core.js';
import type { EntryOf } from '../run/spec/compare.js';
import { stretched } from '../run/spec/epochs.js';
import { createNetwork, loadNetwork, type Network, networkOf } from '../train/network.js';
import { type Base, baseOf, weightsOf } from './base.js';
import { type Contest, largestTarget } from './contest.js';
import { bnImportance, type Importance, l1Importance } from './networks/importance.js';
import { slimmingPenalty, withGammas } from './networks/morphnet.js';
import { keepGlobal, keepUniform } from './networks/to-macs.js';
import type { Outcome } from './outcome.js';
import { type Job, type Trained, trainOnce } from './training.js';

/** Scales that network slimming starts from, those of a trained network aside. */
const GAMMA = 0.5;

interface Rule {
  readonly title: string;
  readonly importance: (graph: Graph, weights: TensorMap) => Importance;
  readonly keep: (graph: Graph, importance: Importance, target: number) => Keep;
  /** Epochs of the base's training where the entry leaves it open. */
  readonly pretrainEpochs: (base: Base) => number;
  readonly gamma?: number;
  readonly penalties?: NonNullable<Job['penalties']>;
}

/** The base network with all its scales at `gamma`. */
async function withScales(start: Base['start'], gamma: number, contest: Contest): Promise<Network> {
  using fresh = await start();
  const { graph, handle } = fresh;
  const weights = withGammas(graph, new Map(loadCore().readNetwork(handle, 'weights')), gamma);
  return createNetwork(graph, { seed: 0, device: contest.spec.device, weights });
}

/** The trained base with only the channels that stay. */
async function pruned(
  contest: Contest,
  base: Trained,
  { graph, surgery }: { readonly graph: Graph; readonly surgery: Surgery },
): Promise<Network> {
  using whole = await loadNetwork(base.directory, { device: contest.spec.device });
  const handle = await loadCore().rewrite(whole.handle, lower(graph), surgery, null, 0, 'reset');
  return networkOf(graph, handle);
}

type PruneEntry = EntryOf<'prune-l1'> | EntryOf<'prune-bn'>;

async function trainBase(contest: Contest, entry: PruneEntry, rule: Rule, base: Base): Promise<Trained> {
  const { gamma, penalties } = rule;
  const last = largestTarget(contest);
  return trainOnce(contest, {
    name: `${entry.method}-base`,
    title: `${rule.title}, base`,
    graph: base.graph,
    fit: stretched(contest.spec.fit, last.stage ?? 0, entry.pretrainEpochs ?? rule.pretrainEpochs(base)),
    key: [entry.base, 'strength' in entry ? entry.strength : null],
    start: gamma === undefined ? base.start : () => withScales(base.start, gamma, contest),
    ...(penalties && { penalties }),
  });
}

async function pruneTo(contest: Contest, entry: PruneEntry, rule: Rule): Promise<readonly Outcome[]> {
  const base = await baseOf(contest, entry);
  const trained = await trainBase(contest, entry, rule, base);
  const importance = rule.importance(base.graph, await weightsOf(trained));
  const { epochs, seconds } = trained.record;
  const outcomes: Outcome[] = [];
  for (const target of contest.targets) {
    const smaller = prune(base.graph, rule.keep(base.graph, importance, target.macs));
    outcomes.push({
      target,
      trained: await trainOnce(contest, {
        name: `${entry.method}-${target.macs}`,
        title: rule.title,
        graph: smaller.graph,
        fit: stretched(contest.spec.fit, target.stage ?? 0, entry.epochs ?? target.epochs),
        key: trained.id,
        start: () => pruned(contest, trained, smaller),
      }),
      parentEpochs: base.epochs + epochs.length,
      searchSeconds: (base.seconds + seconds.fit) / contest.targets.length,
    });
  }
  return outcomes;
}

/** The channels of least weight of every layer, the same share of each; a grown base is pruned as it is. */
export function pruneL1(contest: Contest, entry: EntryOf<'prune-l1'>): Promise<readonly Outcome[]> {
  return pruneTo(contest, entry, {
    title: 'Pruning (L1)',
    importance: l1Importance,
    keep: keepUniform,
    pretrainEpochs: ({ isGrown }) => (isGrown ? 0 : largestTarget(contest).epochs),
  });
}

/** The channels of least batch-norm scale of all layers together, after training with a sparsity penalty. */
export function pruneBn(contest: Contest, entry: EntryOf<'prune-bn'>): Promise<readonly Outcome[]> {
  return pruneTo(contest, entry, {
    title: 'Pruning (Bn)',
    importance: bnImportance,
    keep: keepGlobal,
    pretrainEpochs: () => largestTarget(contest).epochs,
    ...(entry.base === 'widest' && { gamma: GAMMA }),
    penalties: (graph) => slimmingPenalty(graph, entry),
  });
}
