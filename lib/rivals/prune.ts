// Pruning (L1) (Li et al. 2017) and Pruning (Bn) (Liu et al. 2017): one base network, pruned and fine-tuned for each target.
import { z } from 'zod';
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import type { Surgery } from '../graph/program.js';
import { type Keep, prune } from '../graph/prune.js';
import type { TensorMap } from '../native/face.js';
import { loadCore } from '../native/load.js';
import { createNetwork, loadNetwork, type Network, networkOf } from '../train/network.js';
import {
  type Base,
  baseOf,
  computeLeft,
  epochsOption,
  PRETRAINED_OPTIONS,
  parentCompute,
  weightsOf,
} from './base.js';
import {
  type Contest,
  eachTarget,
  epochsFor,
  type Job,
  largestTarget,
  type Outcome,
  type Trained,
} from './contest.js';
import { bnImportance, type Importance, l1Importance } from './networks/importance.js';
import { slimmingPenalty, withGammas } from './networks/morphnet.js';
import { keepGlobal, keepUniform } from './networks/to-macs.js';
import { type OptionsOf, rival } from './rival.js';

const PRUNED_OPTIONS = {
  ...PRETRAINED_OPTIONS,
  epochs: epochsOption('epochs of fine-tuning; null: what is left, or those of the target'),
};

/** Scales that network slimming starts from, unless the base is a trained network. */
const GAMMA = 0.5;

/** What the two methods do differently. */
interface Rule {
  readonly importance: (graph: Graph, weights: TensorMap) => Importance;
  readonly keep: (graph: Graph, importance: Importance, target: number) => Keep;
  /** True where a base that is grown needs no training. */
  readonly takesGrown: boolean;
  readonly gamma?: number;
  /** Strength of the sparsity penalty while the base is trained; null: none. */
  readonly strength: number | null;
}

/** The base network with all its scales at `gamma`. */
async function withScales(start: Base['start'], gamma: number, { device }: Contest): Promise<Network> {
  using fresh = await start();
  const { graph, handle } = fresh;
  const weights = withGammas(graph, new Map(loadCore().readNetwork(handle, 'weights')), gamma);
  return createNetwork(graph, { seed: 0, device, weights });
}

/** The trained base with only the channels that stay. */
async function pruned(
  { device }: Contest,
  base: Trained,
  { graph, surgery }: { readonly graph: Graph; readonly surgery: Surgery },
): Promise<Network> {
  using whole = await loadNetwork(base.directory, { device });
  const handle = await loadCore().rewrite(whole.handle, lower(graph), surgery, null, 0, 'reset');
  return networkOf(graph, handle);
}

type PruneOptions = OptionsOf<typeof PRUNED_OPTIONS>;

async function trainBase(
  contest: Contest,
  options: PruneOptions,
  { gamma, strength, takesGrown }: Rule,
  base: Base,
): Promise<Trained> {
  const penalties: Job['penalties'] =
    strength === null ? undefined : (graph) => slimmingPenalty(graph, { strength });
  const target = largestTarget(contest);
  // Half of the total, or the epochs of the largest target.
  const half = { ...target, compute: target.compute === null ? null : target.compute / 2 };
  const epochs = takesGrown && base.isGrown ? 0 : epochsFor(contest, half, base.graph);
  return contest.train({
    name: `${contest.method}-base`,
    title: `${contest.label}, base`,
    graph: base.graph,
    ...{ stage: target.stage ?? 0, epochs: options.pretrainEpochs ?? epochs },
    key: [options.base, strength],
    start: gamma === undefined ? base.start : () => withScales(base.start, gamma, contest),
    ...(penalties && { penalties }),
  });
}

async function pruneTo(contest: Contest, options: PruneOptions, rule: Rule): Promise<readonly Outcome[]> {
  const base = await baseOf(contest, options);
  const trained = await trainBase(contest, options, rule, base);
  const importance = rule.importance(base.graph, await weightsOf(trained));
  const { epochs, seconds } = trained.record;
  return eachTarget(contest, async (target) => {
    const left = computeLeft(target, [trained]);
    const smaller = prune(base.graph, rule.keep(base.graph, importance, target.macs));
    return {
      target,
      trained: await contest.train({
        name: `${contest.method}-${target.macs}`,
        title: contest.label,
        graph: smaller.graph,
        stage: target.stage ?? 0,
        epochs: options.epochs ?? epochsFor(contest, { ...target, compute: left }, smaller.graph),
        key: trained.id,
        start: () => pruned(contest, trained, smaller),
      }),
      parentEpochs: base.epochs + epochs.length,
      parentCompute: parentCompute(base, [trained]),
      searchSeconds: base.seconds / contest.all.length + seconds.fit / contest.targets.length,
    };
  });
}

/** Takes the channels of least weight out of every layer, the same share of each. A grown base is pruned as it is. */
export const PRUNE_L1 = rival({
  label: 'Pruning (L1)',
  options: PRUNED_OPTIONS,
  baseMultiplier: 2,
  train: (contest, options) =>
    pruneTo(contest, options, {
      importance: l1Importance,
      keep: keepUniform,
      takesGrown: true,
      strength: null,
    }),
});

/** Takes out the channels of least batch-norm scale of all layers together, after training with a sparsity penalty. */
export const PRUNE_BN = rival({
  label: 'Pruning (Bn)',
  options: {
    ...PRUNED_OPTIONS,
    strength: z
      .number()
      .min(0)
      .default(1e-4)
      .describe('strength of the sparsity penalty on batch-norm scales (Liu et al. 2017)'),
  },
  baseMultiplier: 2,
  train: (contest, options) =>
    pruneTo(contest, options, {
      importance: bnImportance,
      keep: keepGlobal,
      takesGrown: false,
      ...(options.base === 'widest' && { gamma: GAMMA }),
      strength: options.strength,
    }),
});
