// compare: the rivals of an experiment alone, and the report of its grown run made anew.
import type { RunControl } from '../native/events.js';
import { renderReport } from '../report/run/write.js';
import { type CompareOptions, compareExperiment as compareRun } from '../run/compare-run.js';
import type { Spec } from '../run/spec/experiment.js';
import type { RivalRecord, Summary } from '../run/store/records.js';
import {
  begun,
  type Experiment,
  type ExperimentControl,
  type ExperimentOptions,
  inRanks,
  specOf,
} from './experiment.js';
import type { Running } from './running.js';

/** A comparison that has begun: a promise of its summary, and an iterable of its rivals. */
export type CompareRun = Running<RivalRecord, Summary>;

/**
 * Trains the rivals of a checked experiment, from where an earlier call was stopped; grows nothing.
 *
 * @returns What summary.json says.
 * @throws What `compare` throws
 */
export async function compareExperiment(
  spec: Spec,
  control: RunControl = {},
  options: CompareOptions = {},
): Promise<Summary> {
  return compareRun(spec, control, { ...options, writeReport: renderReport });
}

/**
 * The rivals of an experiment alone, for its grown run or for targets in MACs; goes on where an earlier call was stopped.
 * As an iterable it gives the rivals of each entry of `compare` as soon as compare.json has them.
 *
 * @param experiment A file, an experiment, or either with overrides.
 * @throws What `grow` throws, and E_EXPERIMENT where the grown run that an entry needs is not there or not finished
 */
export function compare(
  experiment: Experiment | ExperimentOptions,
  control: ExperimentControl = {},
): CompareRun {
  return begun<RivalRecord, Summary>(control, async ({ signal, onEvent, ...extensions }, emit) => {
    const onRivals = (rivals: readonly RivalRecord[]): void => {
      for (const rival of rivals) emit(rival);
    };
    return inRanks('compare', await specOf(experiment, { signal, onEvent }, extensions), (spec) =>
      compareExperiment(spec, { signal, onEvent }, { onRivals }),
    );
  });
}
