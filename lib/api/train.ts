// train: parametric updates only, by an experiment.
import { watched } from '../native/watched.js';
import { trainExperiment } from '../run/stage/train.js';
import type { Summary } from '../run/store/records.js';
import {
  type Experiment,
  type ExperimentControl,
  type ExperimentOptions,
  inRanks,
  specOf,
} from './experiment.js';

/**
 * Parametric updates only: the trained network is the output folder itself. Goes on where an earlier call was stopped.
 *
 * @param experiment A file, an experiment, or either with overrides.
 * @throws What `grow` throws
 */
export async function train(
  experiment: Experiment | ExperimentOptions,
  control: ExperimentControl = {},
): Promise<Summary> {
  return watched(control, async ({ signal, onEvent, ...extensions }) =>
    inRanks('train', await specOf(experiment, { signal, onEvent }, extensions), (spec) =>
      trainExperiment(spec, { signal, onEvent }),
    ),
  );
}
