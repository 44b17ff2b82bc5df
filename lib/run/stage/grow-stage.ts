// Growth of one stage by the experiment's step: offspring, then running statistics and records of the offspring as the experiment asks.
import type { Plan } from '../../graph/grow.js';
import type { Graph } from '../../graph/ir.js';
import { widths } from '../../graph/print.js';
import { evenBatch, type Indices } from '../../split/indices/indices.js';
import { type Inserted, newChannels } from '../../split/step/insert.js';
import { type Probe, replaced, splitChecked } from '../../split/step/offspring.js';
import type { StepRecord } from '../../split/step/step.js';
import { evaluateNetwork, recalibrate } from '../../train/fit.js';
import { leastImages, soundRemainder } from '../../train/minibatches.js';
import type { Network } from '../../train/network.js';
import { seedOf } from '../../train/seeds.js';
import { augmentation } from './fit-stage.js';
import { type InsertedNetwork, insertedIn } from './insert-stage.js';
import { watchSplit } from './offspring-records.js';
import { birthRecord } from './rates-by-age.js';
import type { Session } from './session.js';

/** What is grown: the neurons chosen to be split, with their indices and directions, and new neurons beside them. */
export interface Chosen {
  readonly plan: Plan;
  readonly inserted: Inserted;
  readonly indices: Indices;
}

interface Grown {
  readonly network: Network;
  /** The graph that was split, without new neurons. */
  readonly split: Graph;
  readonly inserted: Omit<InsertedNetwork, 'network'> | null;
  readonly step: StepRecord;
}

/** The probe of a stage: on batch statistics in minibatches like those of training, else as large as evaluations'. */
function probeOf({ spec, stepProbe }: Session, stage: number): Probe {
  const { statistics } = spec.splitting.lineSearch;
  const { data, images } = stepProbe(stage);
  const most = statistics === 'batch' ? spec.fit.batch : spec.fit.evaluationBatch;
  return { data, images, statistics, batch: statistics === 'batch' ? evenBatch(images, most) : most };
}

/** The grown network, a new one, and the record of its step. @throws E_FUNCTION_CHANGED, E_NOT_FINITE, E_ABORTED */
export async function growNetwork(
  session: Session,
  network: Network,
  stage: number,
  { plan, inserted, indices }: Chosen,
): Promise<Grown> {
  const { spec, control } = session;
  const { splitting } = spec;
  const { epsilon, epsilonScale, outgoingDelta, noise, perturb, rescale, shrink } = splitting;
  const probe = probeOf(session, stage);
  try {
    const grown = await splitChecked(network, plan, indices.directions, probe, {
      ...{ epsilon, epsilonScale, outgoingDelta },
      grid: splitting.lineSearch.grid,
      indices: new Map(indices.chains.map((chain) => [chain.id, chain.indices])),
      momentum: splitting.optimizerState,
      directionHalving: splitting.directionHalving,
      rescale: rescale === 0 && shrink === 1 ? null : { power: rescale, shrink, device: spec.device },
      noise: noise === 0 ? null : { size: noise, seed: seedOf('step', spec.seed, stage) },
      perturb: perturb === 0 ? null : { size: perturb, seed: seedOf('perturb', spec.seed, stage) },
      control,
    });
    const split = grown.network.graph;
    const added =
      inserted.size === 0
        ? null
        : await replaced(grown.network, (one) => insertedIn(session, one, stage, inserted));
    const made = added?.network ?? grown.network;
    try {
      const lossRecalibrated = await recalibrated(session, made, stage, probe);
      using watch = watchSplit(session, stage, {
        splits: plan.splits,
        inserted: newChannels(network.graph, inserted),
        widths: widths(network.graph),
      });
      const step = {
        ...{ ...grown.step, lossRecalibrated },
        ...(await watch.of(made)),
        ...birthRecord(session, stage, network.graph, made),
      };
      return { network: made, split, step, inserted: added };
    } catch (error) {
      made[Symbol.dispose]();
      throw error;
    }
  } finally {
    probe.data.dispose();
  }
}

/** Estimates the running statistics anew, if the experiment asks for it. @returns the loss on the probe with them */
async function recalibrated(
  session: Session,
  network: Network,
  stage: number,
  probe: Probe,
): Promise<number | null> {
  const { spec, control } = session;
  if (spec.splitting.recalibrateImages === 0) return null;
  const where = { stage, epoch: 0, epochs: 1 };
  const { data, images } = session.recalibration(stage);
  try {
    const batch = evenBatch(images, spec.fit.batch);
    const options = {
      batch,
      remainder: soundRemainder(images, batch, network.graph),
      leastImages: leastImages(network.graph),
      syncBatchNorm: spec.fit.syncBatchNorm,
      shuffle: spec.data.shuffle,
      ...augmentation(spec),
      seed: seedOf('recalibrate', spec.seed, stage),
    };
    await recalibrate(network, data, options, { control, where });
  } finally {
    data.dispose();
  }
  const evaluation = { batch: spec.fit.evaluationBatch, control, where };
  return (await evaluateNetwork(network, probe.data, evaluation)).loss;
}
