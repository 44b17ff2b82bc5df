// What the experiment asks to be told of the offspring that a split made: after growth, and after every epoch of the next stage.
import { row } from '../../graph/fields.js';
import type { NodeId } from '../../graph/ir.js';
import { evenBatch } from '../../split/indices/indices.js';
import { type GradientsRecord, newbornGradients } from '../../split/step/gradients.js';
import { weightsOf } from '../../split/step/neuron-weights.js';
import { type TwinsRecord, twinPairs, twinsOf } from '../../split/step/twins.js';
import type { Network } from '../../train/network.js';
import { seedOf } from '../../train/seeds.js';
import { readStageRecord, stageDirectory } from '../store/summary.js';
import type { Session } from './session.js';

/** A split: neurons by layer, new ones beside them, and the widths before it. */
interface Split {
  readonly splits: Readonly<Record<NodeId, readonly number[]>>;
  readonly inserted?: Readonly<Record<NodeId, number>> | undefined;
  readonly widths: Readonly<Record<NodeId, number>>;
}

/** Parts of the records of a step and of an epoch. */
interface OffspringRecords {
  readonly twins?: TwinsRecord;
  readonly gradients?: GradientsRecord;
}

/** The offspring of one split under watch; disposes of its images. */
export interface Watch extends Disposable {
  /** What the experiment asks for, of the network as it stands. */
  readonly of: (network: Network) => Promise<OffspringRecords>;
}

/** A list for every layer that is as long as it has newborn channels: copies, and new ones behind them. */
function newbornsOf({ splits, inserted = {} }: Split): Split['splits'] {
  const layers = [...new Set([...Object.keys(splits), ...Object.keys(inserted)])];
  return Object.fromEntries(
    layers.map((layer) => [
      layer,
      [...(row(splits, layer) ?? []), ...new Array<number>(row(inserted, layer) ?? 0).fill(0)],
    ]),
  );
}

/** The offspring of the split of `stage`. Gradients are taken on the images on which its step was measured. */
export function watchSplit({ spec, probe }: Session, stage: number, split: Split): Watch {
  const { splits, widths } = split;
  const { splitting, fit } = spec;
  const pairs = splitting.twins ? twinPairs(splits, widths) : [];
  const images = splitting.gradients ? probe(stage) : null;
  const { labelSmoothing, syncBatchNorm } = fit;
  return {
    of: async (network) => {
      const twins = pairs.length > 0 ? twinsOf(pairs, weightsOf(network)) : null;
      const gradients =
        images === null
          ? null
          : await newbornGradients(network, newbornsOf(split), {
              ...images,
              batch: evenBatch(images.images, fit.batch),
              ...{ labelSmoothing, microBatch: fit.microBatch ?? 0, syncBatchNorm },
              seed: seedOf('probe', spec.seed, stage),
            });
      return { ...(twins === null ? {} : { twins }), ...(gradients === null ? {} : { gradients }) };
    },
    [Symbol.dispose]: () => images?.data.dispose(),
  };
}

/** The offspring that the split before `stage` made. */
export async function watchStage(session: Session, stage: number): Promise<Watch> {
  const { twins, gradients } = session.spec.splitting;
  const before =
    stage === 0 || !(twins || gradients)
      ? null
      : await readStageRecord(stageDirectory(session.spec.output, stage - 1));
  if (before === null || before.split === null)
    return { of: async () => ({}), [Symbol.dispose]: () => undefined };
  const { neurons: splits, inserted } = before.split;
  return watchSplit(session, stage - 1, { splits, inserted: inserted?.neurons, widths: before.widths });
}
