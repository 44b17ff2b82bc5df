// train, grow and compare: experiments from a file or an object, as promises, and as iterables of what is finished.
import { withRankOutput } from '../distributed/ranks.js';
import type { RunControl } from '../native/events.js';
import { isSignal, watched } from '../native/watched.js';
import { compareExperiment } from '../run/compare-run.js';
import { growExperiment } from '../run/run.js';
import type { Extensions } from '../run/spec/extensions.js';
import { parseExperiment, readExperiment, type Spec } from '../run/spec/spec.js';
import { trainExperiment } from '../run/stage/train.js';
import type { RivalRecord, Summary } from '../run/store/records.js';
import type { GrownStage } from '../run/store/summary.js';
import type { Experiment, ExperimentOptions } from './documents.js';
import { type Running, running } from './running.js';

/** How long work is watched and stopped, and costs and strategies of your own that the experiment names. */
export interface ExperimentControl extends RunControl, Extensions {}

/** A growth that has begun: a promise of its summary, and an iterable of its stages. */
export type GrowthRun = Running<GrownStage, Summary>;

/** A comparison that has begun: a promise of its summary, and an iterable of its rivals. */
export type CompareRun = Running<RivalRecord, Summary>;

function optionsOf(given: Experiment | ExperimentOptions): ExperimentOptions {
  const isOptions = typeof given === 'object' && given !== null && 'experiment' in given;
  return isOptions ? (given as ExperimentOptions) : { experiment: given };
}

async function specOf(given: Experiment | ExperimentOptions, extensions: Extensions): Promise<Spec> {
  const { experiment, set = [] } = optionsOf(given);
  return typeof experiment === 'string'
    ? readExperiment(experiment, set, extensions)
    : parseExperiment(experiment, set, extensions);
}

/** Work under its control that has begun: a control that will not do rejects, as all else does. */
function begun<Item, Result>(
  control: ExperimentControl,
  work: (control: ExperimentControl, emit: (item: Item) => void) => Promise<Result>,
): Running<Item, Result> {
  const isSound = typeof control === 'object' && control !== null && isSignal(control.signal);
  return running<Item, Result>(
    ({ emit, signal }) => watched(isSound ? { ...control, signal } : control, (own) => work(own, emit)),
    isSound ? control.signal : undefined,
  );
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
    withRankOutput('grow', await specOf(experiment, extensions), (spec) =>
      growExperiment(spec, { signal, onEvent }, { ...extensions, onStage: emit }),
    ),
  );
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
    return withRankOutput('compare', await specOf(experiment, extensions), (spec) =>
      compareExperiment(spec, { signal, onEvent }, { onRivals }),
    );
  });
}

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
    withRankOutput('train', await specOf(experiment, extensions), (spec) =>
      trainExperiment(spec, { signal, onEvent }),
    ),
  );
}
