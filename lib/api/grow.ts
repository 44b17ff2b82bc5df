// grow: Algorithm 1 by an experiment, with its report.
import type { RunControl } from '../native/events.js';
import { renderReport } from '../report/run/write.js';
import { type GrowOptions, growExperiment as growRun } from '../run/run.js';
import type { Spec } from '../run/spec/experiment.js';
import type { Summary } from '../run/store/records.js';
import type { GrownStage } from '../run/store/summary.js';
import {
  begun,
  type Experiment,
  type ExperimentControl,
  type ExperimentOptions,
  inRanks,
  specOf,
} from './experiment.js';
import type { Running } from './running.js';

/** A growth that has begun: a promise of its summary, and an iterable of its stages. */
export type GrowthRun = Running<GrownStage, Summary>;

/**
 * Grows a network by a checked experiment, from where an earlier call was stopped. Writes the output folder, its report last.
 *
 * @returns What summary.json says.
 * @throws What `grow` throws
 */
export async function growExperiment(
  spec: Spec,
  control: RunControl = {},
  options: GrowOptions = {},
): Promise<Summary> {
  return growRun(spec, control, { ...options, writeReport: renderReport });
}

/**
 * Algorithm 1 by an experiment (arXiv 1910.03103); goes on where an earlier call was stopped. It begins at once.
 *
 * ```js
 * for await (const { stage, macs, top1, directory } of grow('experiment.json')) console.log(stage, macs, top1, directory);
 * const summary = await grow('experiment.json');
 * ```
 *
 * As an iterable it gives each stage as soon as its network and its record are on disk, before it is split; first those that
 * earlier calls left. It ends once the rivals of `compare` are trained, too.
 *
 * @param experiment A file, an experiment, or either with overrides.
 * @returns A promise of the summary that is an iterable of the stages as well. See {@link Running} for how it stops.
 * @throws E_FILE, E_EXPERIMENT, E_GRAPH_*, E_DATA, E_RESUME before anything is trained; later E_ABORTED, E_NOT_FINITE,
 *   E_FUNCTION_CHANGED, E_CALLBACK, E_WRITE: what is on disk is whole then, and the same call goes on from it
 */
export function grow(experiment: Experiment | ExperimentOptions, control: ExperimentControl = {}): GrowthRun {
  return begun<GrownStage, Summary>(control, async ({ signal, onEvent, ...extensions }, emit) =>
    inRanks('grow', await specOf(experiment, { signal, onEvent }, extensions), (spec) =>
      growExperiment(spec, { signal, onEvent }, { ...extensions, onStage: emit }),
    ),
  );
}
