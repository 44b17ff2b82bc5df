// Parametric updates of one stage, an epoch at a time, with a checkpoint and a line of metrics after each.
import { isSplitgrowError } from '../../errors.js';
import type { Graph } from '../../graph/ir.js';
import { note } from '../../native/control.js';
import { decimal } from '../../statistics/format.js';
import { averageIn } from '../../train/average.js';
import { minibatches } from '../../train/minibatches.js';
import type { Network } from '../../train/network.js';
import { precisionOn } from '../../train/precision.js';
import { learningRates } from '../../train/schedule.js';
import { seedOf } from '../../train/seeds.js';
import { epochsOf, scheduleOf } from '../spec/epochs.js';
import type { Spec } from '../spec/spec.js';
import { appendMetrics, restoreMetrics } from '../store/metrics.js';
import type { EpochRecord, StateRecord } from '../store/records.js';
import { type Extras, snapshotOf } from '../store/snapshot.js';
import { type SnapshotWriter, snapshotWriterOf } from '../store/snapshot-writer.js';
import { evaluatedLatest, lacksEvaluation } from './early.js';
import { fitKept, loaderRecord, loaderWords } from './fit-epoch.js';
import { watchStage } from './offspring-records.js';
import { ratesByAge } from './rates-by-age.js';
import type { Session } from './session.js';

/** Least and most width over height of resized crops (Szegedy et al. 2015). */
const CROP_RATIOS = { leastRatio: 3 / 4, mostRatio: 4 / 3 } as const;

/** How training images are varied. */
export function augmentation({ data }: Spec) {
  const flip = data.augment.some((kind) => kind === 'flip');
  if ('cropPadding' in data) {
    return { flip, crop: data.augment.includes('crop') ? data.cropPadding : 0 };
  }
  const resizedCrop = { leastArea: data.leastArea, ...CROP_RATIOS };
  return {
    ...{ flip, crop: 0 },
    ...(data.augment.includes('resized-crop') ? { resizedCrop } : {}),
    ...(data.augment.includes('shift') ? { shift: true } : {}),
  };
}

/** The options of an epoch, without its rates and its seed. */
function fixedOptions({ spec, trainImages }: Session, graph: Graph) {
  const { fit, data } = spec;
  const { remainder, leastImages } = minibatches(trainImages, fit, graph);
  const { kind: _sgd, learningRate: _base, ...optimizer } = fit.optimizer;
  return {
    ...optimizer,
    batch: fit.batch,
    ...{ remainder, leastImages },
    microBatch: fit.microBatch ?? 0,
    precision: precisionOn(spec.device, fit.precision),
    labelSmoothing: fit.labelSmoothing,
    gradientClip: fit.gradientClip ?? 0,
    syncBatchNorm: fit.syncBatchNorm,
    shuffle: data.shuffle,
    ...augmentation(spec),
  };
}

/** The state of a stage that has not begun. */
export function freshState(stage: number): StateRecord {
  return { stage, epoch: 0, epochs: [] };
}

/** Writes the metrics of the latest epoch, and of earlier ones that are missing. A failure is told but ends nothing, because checkpoints have every epoch. */
async function metricsWritten(
  { spec, control }: Session,
  state: StateRecord,
  areWhole: boolean,
): Promise<boolean> {
  const { stage, epochs } = state;
  const latest = epochs.at(-1);
  try {
    if (!areWhole || latest === undefined) await restoreMetrics(spec.output, state);
    else await appendMetrics(spec.output, { type: 'epoch', stage, ...latest });
    return true;
  } catch (error) {
    if (isSplitgrowError(error) && error.code === 'E_OUTPUT') throw error;
    const reason = error instanceof Error ? error.message : String(error);
    note(control, stage, 'checkpoint', `WARNING: an epoch is not in metrics.jsonl yet: ${reason}`);
    return false;
  }
}

/** The position in a stage, with what a moment within an epoch needs. */
interface Begun {
  readonly state: StateRecord;
  readonly extras: Extras;
}

/** Fits from where `state` stands to the last epoch. @returns every epoch of the stage */
export async function fitStage(
  session: Session,
  network: Network,
  begun: Begun,
): Promise<readonly EpochRecord[]> {
  const { stage, epoch, epochs } = begun.state;
  if (epoch >= epochsOf(session.spec.fit, stage) && !lacksEvaluation(session, begun.state)) return epochs;
  const snapshots = snapshotWriterOf(session.spec, session.control, stage);
  try {
    const done = await fitEpochs(session, network, begun, snapshots);
    await snapshots.settle();
    return done;
  } finally {
    await snapshots.drain();
  }
}

async function fitEpochs(
  session: Session,
  network: Network,
  { state, extras }: Begun,
  snapshots: SnapshotWriter,
): Promise<readonly EpochRecord[]> {
  const { spec, control } = session;
  const { stage } = state;
  const epochs = epochsOf(spec.fit, stage);
  const rates = learningRates(scheduleOf(spec.fit, stage), {
    learningRate: spec.fit.optimizer.learningRate,
    epochs,
    stepsPerEpoch: minibatches(session.trainImages, spec.fit, network.graph).steps,
  });
  const rateFactors = session.rateFactors ?? (await ratesByAge(session, network.graph, stage));
  const fixed = { ...fixedOptions(session, network.graph), rateFactors };
  const { precision } = fixed;
  if (spec.fit.precision === 'auto') note(control, stage, 'fit', `trains in ${precision}`);
  using watch = await watchStage(session, stage);
  const isLacking = lacksEvaluation(session, state);
  let reached = isLacking ? await evaluatedLatest(session, network, state) : state;
  let areMetricsWhole = !isLacking;
  while (reached.epoch < epochs) {
    const { epoch } = reached;
    const learning = rates(epoch);
    const average = averageIn(spec.fit.average, epoch, learning.length);
    const seed = seedOf('fit', spec.seed, stage, epoch);
    const options = { ...fixed, average, learningRates: learning, seed };
    const penalties = () => session.penalties?.(network, epoch) ?? [];
    const fitted = await fitKept(
      session,
      network,
      { state: reached, extras, epochs, options, penalties },
      snapshots,
    );
    const { loss, top1, seconds } = fitted;
    const record: EpochRecord = {
      ...{ epoch, loss, top1, learningRate: learning.at(-1) ?? 0, seconds },
      ...(precision === 'float32' ? {} : { precision }),
      ...(await watch.of(network)),
      ...loaderRecord(fitted),
    };
    reached = { stage, epoch: epoch + 1, epochs: [...reached.epochs, record] };
    if (lacksEvaluation(session, reached)) {
      // The checkpoint comes first: an evaluation takes time, and may be stopped.
      await snapshots.offer(snapshotOf(network, reached));
      reached = await evaluatedLatest(session, network, reached);
    }
    areMetricsWhole = await metricsWritten(session, reached, areMetricsWhole);
    await snapshots.offer(snapshotOf(network, reached));
    note(
      control,
      stage,
      'fit',
      `epoch ${epoch + 1} of ${epochs}: loss ${decimal(loss, 4)}, top-1 ${decimal(top1, 2)} %${loaderWords(record)}`,
    );
  }
  if (!areMetricsWhole) await restoreMetrics(spec.output, reached);
  return reached.epochs;
}
