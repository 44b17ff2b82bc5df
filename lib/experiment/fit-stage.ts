// Parametric updates of one stage, an epoch at a time, with a checkpoint and a line of metrics after each.
import { decimal } from '../format.js';
import type { Network } from '../network.js';
import { weightsOf } from '../split/own-weights.js';
import { type TwinPair, twinPairs, twinsOf } from '../split/twins.js';
import { averageIn } from '../train/average.js';
import { note } from '../train/control.js';
import { evaluateNetwork, fitEpoch } from '../train/fit.js';
import { learningRates } from '../train/schedule.js';
import { seedOf } from '../train/seeds.js';
import { writeCheckpoint } from './checkpoint.js';
import { epochsOf } from './epochs.js';
import { loaderRecord, loaderWords } from './loader-record.js';
import { appendMetrics } from './metrics.js';
import type { EpochRecord, EvaluationRecord, StateRecord } from './records.js';
import type { Session } from './session.js';
import type { Spec } from './spec.js';
import { readStageRecord, stageDirectory } from './summary.js';

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

/** What one epoch needs besides its rates and its seed. */
function fixedOptions(spec: Spec) {
  const { fit, data } = spec;
  const { kind: _sgd, learningRate: _base, ...optimizer } = fit.optimizer;
  return {
    ...optimizer,
    batch: fit.batch,
    microBatch: fit.microBatch ?? 0,
    labelSmoothing: fit.labelSmoothing,
    gradientClip: fit.gradientClip ?? 0,
    syncBatchNorm: fit.syncBatchNorm,
    shuffle: data.shuffle,
    ...augmentation(spec),
  };
}

/** The state of a stage that has not begun. */
export function freshState(stage: number): StateRecord {
  return { format: 'splitgrow-state/1', stage, epoch: 0, epochs: [] };
}

/** The off-springs that the split before this stage made; none unless the experiment asks for them. */
async function twinsBefore({ spec }: Session, stage: number): Promise<readonly TwinPair[]> {
  if (!spec.splitting.twins || stage === 0) return [];
  const record = await readStageRecord(stageDirectory(spec.output, stage - 1));
  return record === null || record.split === null ? [] : twinPairs(record.split.neurons, record.widths);
}

/** Fits from the epoch that `state` stands at to the last. @returns every epoch of the stage */
export async function fitStage(
  session: Session,
  network: Network,
  state: StateRecord,
): Promise<readonly EpochRecord[]> {
  const { spec, control } = session;
  const { stage } = state;
  const epochs = epochsOf(spec.fit, stage);
  if (state.epoch >= epochs) return state.epochs;
  const rates = learningRates(spec.fit.schedule, {
    learningRate: spec.fit.optimizer.learningRate,
    epochs,
    stepsPerEpoch: Math.ceil(session.trainImages / spec.fit.batch),
  });
  const fixed = fixedOptions(spec);
  const pairs = await twinsBefore(session, stage);
  const done = [...state.epochs];
  for (let epoch = state.epoch; epoch < epochs; epoch += 1) {
    const learning = rates(epoch);
    const penalties = session.penalties?.(network, epoch) ?? [];
    const seed = seedOf('fit', spec.seed, stage, epoch);
    const average = averageIn(spec.fit.average, epoch, learning.length);
    const options = { ...fixed, average, learningRates: learning, penalties, seed };
    const fitted = await fitEpoch(network, session.train, options, {
      control,
      where: { stage, epoch, epochs },
    });
    const { loss, top1, seconds } = fitted;
    const twins = pairs.length > 0 ? twinsOf(pairs, weightsOf(network)) : null;
    const record: EpochRecord = {
      ...{ epoch, loss, top1, learningRate: learning.at(-1) ?? 0, seconds },
      ...(twins === null ? {} : { twins }),
      ...loaderRecord(fitted),
    };
    done.push(record);
    await appendMetrics(spec.output, { type: 'epoch', stage, ...record });
    await writeCheckpoint(spec.output, network, { ...state, epoch: epoch + 1, epochs: done });
    note(
      control,
      stage,
      'fit',
      `epoch ${epoch + 1} of ${epochs}: loss ${decimal(loss, 4)}, top-1 ${decimal(top1, 2)} %${loaderWords(record)}`,
    );
  }
  return done;
}

/** Test accuracy of a fitted stage, and the seconds it took. */
export async function evaluateStage(
  session: Session,
  network: Network,
  stage: number,
): Promise<EvaluationRecord & { readonly seconds: number }> {
  const { spec, control } = session;
  const { top1, top5, loss, images, seconds } = await evaluateNetwork(network, session.test, {
    batch: spec.fit.evaluationBatch,
    control,
    where: { stage, epoch: 0, epochs: 1 },
  });
  note(
    control,
    stage,
    'evaluate',
    `top-1 ${decimal(top1, 2)} %, top-5 ${decimal(top5, 2)} %, loss ${decimal(loss, 4)}`,
  );
  return { top1, top5, loss, images, seconds };
}
