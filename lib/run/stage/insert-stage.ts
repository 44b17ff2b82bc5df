// New neurons of a stage, put in after its splits: their statistics on the probe images, and the proof that the function is kept.
import { note } from '../../native/control.js';
import { evenBatch } from '../../split/indices/indices.js';
import { gradMaxFanIns } from '../../split/step/gradmax.js';
import { type Inserted, insertNeurons } from '../../split/step/insert.js';
import { type Probe, refuseOther } from '../../split/step/offspring.js';
import { forwardCompute, passesCompute } from '../../train/compute.js';
import { recalibrate } from '../../train/fit.js';
import { leastImages, soundRemainder } from '../../train/minibatches.js';
import type { Network } from '../../train/network.js';
import { seedOf } from '../../train/seeds.js';
import type { Session } from './session.js';

/** A network with new neurons, a new one. */
export interface InsertedNetwork {
  readonly network: Network;
  /** max|a - b| / max|a| of the logits. */
  readonly functionError: number;
  /** Multiply-adds of its logits, before and after, of the running statistics, and of gradients. */
  readonly compute: number;
}

/** @throws E_FUNCTION_CHANGED, E_ABORTED */
export async function insertedIn(
  session: Session,
  network: Network,
  stage: number,
  inserted: Inserted,
): Promise<InsertedNetwork> {
  // Statistics and gradients become weights, so they are of training images.
  const { data, images } = session.probe(stage);
  const probe: Probe = { data, images, batch: evenBatch(images, session.spec.fit.batch) };
  try {
    return await insertedOn(session, network, stage, { inserted, probe });
  } finally {
    data.dispose();
  }
}

async function insertedOn(
  { spec, control }: Session,
  network: Network,
  stage: number,
  { inserted, probe }: { readonly inserted: Inserted; readonly probe: Probe },
): Promise<InsertedNetwork> {
  const { data, images, batch } = probe;
  let estimated = 0;
  const seed = seedOf('insert', spec.seed, stage);
  const { kind } = spec.splitting.insertion;
  const { labelSmoothing, microBatch, syncBatchNorm } = spec.fit;
  const found =
    kind === 'gradmax'
      ? await gradMaxFanIns(network, inserted, {
          ...{ data, images, batch, labelSmoothing, syncBatchNorm, seed, device: spec.device },
          microBatch: microBatch ?? 0,
        })
      : null;
  const made = await insertNeurons(network, inserted, {
    seed,
    fanIn: found?.vectors ?? null,
    estimate: async (wide) => {
      const options = {
        batch,
        remainder: soundRemainder(images, batch, wide.graph),
        leastImages: leastImages(wide.graph),
        syncBatchNorm: spec.fit.syncBatchNorm,
        ...{ shuffle: false, flip: false, crop: 0, seed },
      };
      await recalibrate(wide, data, options, { control, where: { stage, epoch: 0, epochs: 1 } });
      estimated = images;
    },
  });
  try {
    const functionError = await refuseOther(network, made, probe, 'with new neurons');
    const count = [...inserted.values()].reduce((sum, one) => sum + one, 0);
    note(control, stage, 'grow', `${count} new neurons beside them: ${kind}`);
    return {
      network: made,
      functionError,
      compute:
        (found?.graphs ?? []).reduce((sum, graph) => sum + passesCompute(graph, images), 0) +
        forwardCompute(network.graph, images) +
        forwardCompute(made.graph, images + estimated),
    };
  } catch (error) {
    made[Symbol.dispose]();
    throw error;
  }
}
