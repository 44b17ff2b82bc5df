// Parametric updates and evaluation: epochs of the native core under a RunControl.

import { noteLoader } from '../data/images/loader-notes.js';
import { SplitgrowError } from '../errors.js';
import { NOWHERE, type Pauses, type Place, underControl, underPauses } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import type {
  DatasetHandle,
  EvaluateResult,
  RecalibrateOptions,
  Statistics,
  TrainOptions,
  TrainResult,
} from '../native/face.js';
import { loadCore } from '../native/load.js';
import type { Network } from './network.js';

type Where = Omit<Place, 'phase'>;

/** One epoch of SGD, or what is left of one; with `pauses` it may end early, as its result says. @throws E_NOT_FINITE when the loss is not */
export async function fitEpoch(
  network: Network,
  data: DatasetHandle,
  options: TrainOptions,
  {
    control = {},
    where = NOWHERE,
    pauses = null,
  }: { readonly control?: RunControl; readonly where?: Where; readonly pauses?: Pauses | null } = {},
): Promise<TrainResult> {
  const place = { ...where, phase: 'fit' } as const;
  const train = loadCore().train;
  const result =
    pauses === null
      ? await underControl(control, place, (progress, abort) =>
          train(network.handle, data, options, progress, abort),
        )
      : await underPauses(control, place, pauses, (progress, abort, pause) =>
          train(network.handle, data, { ...options, pause }, progress, abort),
        );
  if (!Number.isFinite(result.loss)) {
    throw new SplitgrowError(
      'E_NOT_FINITE',
      `fit, stage ${where.stage}, epoch ${where.epoch}: the loss is ${result.loss}; lower fit.optimizer.learningRate or warm up`,
    );
  }
  return result;
}

/**
 * Estimates the running statistics of every batch norm anew, in place: the mean over the minibatches of one sweep over
 * `data`, augmented as in training. Weights stay; after a failure the statistics do too.
 */
export async function recalibrate(
  network: Network,
  data: DatasetHandle,
  options: RecalibrateOptions,
  { control = {}, where = NOWHERE }: { readonly control?: RunControl; readonly where?: Where } = {},
): Promise<void> {
  await underControl(control, { ...where, phase: 'grow' }, (progress, abort) =>
    loadCore().recalibrate(network.handle, data, options, progress, abort),
  );
}

/**
 * Top-1, top-5 and loss in evaluation mode, or, with `statistics: 'batch'`, on the batch statistics of each minibatch.
 * @throws E_NOT_FINITE when the loss is not
 */
export async function evaluateNetwork(
  network: Network,
  data: DatasetHandle,
  {
    batch,
    statistics = 'running',
    control = {},
    where = NOWHERE,
  }: {
    readonly batch: number;
    readonly statistics?: Statistics;
    readonly control?: RunControl;
    readonly where?: Where;
  },
): Promise<EvaluateResult> {
  const result = await underControl(control, { ...where, phase: 'evaluate' }, (progress, abort) =>
    loadCore().evaluate(network.handle, data, { batch, statistics }, progress, abort),
  );
  if (!Number.isFinite(result.loss)) {
    throw new SplitgrowError(
      'E_NOT_FINITE',
      `evaluate, stage ${where.stage}: the loss is ${result.loss}; the network has diverged, or its images hold values that overflow`,
    );
  }
  noteLoader(control, { stage: where.stage, phase: 'evaluate' }, data, result);
  return result;
}
