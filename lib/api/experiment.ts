// What grow, compare and train take: an experiment as a file or an object, overrides, and a control.
import { withRankOutput } from '../distributed/ranks.js';
import { note } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import { isSignal, watched } from '../native/watched.js';
import { rankPart } from '../run/spec/differences.js';
import type { Spec } from '../run/spec/experiment.js';
import type { ExperimentInput } from '../run/spec/experiment-input.js';
import type { Extensions } from '../run/spec/extensions.js';
import { formerPlaceNotes } from '../run/spec/former-places.js';
import { applyOverrides } from '../run/spec/overrides.js';
import { parseExperiment, readExperimentJson } from '../run/spec/spec.js';
import { type Running, running } from './running.js';

/** An experiment file, or the experiment itself: an object with the fields of docs/reference.md. It is checked as a whole. */
export type Experiment = string | ExperimentInput;

/**
 * An experiment with its types: an editor completes its fields and says what each means, and a misspelt one does not compile.
 * Nothing is checked or filled in before it runs.
 *
 * ```ts
 * const experiment = defineExperiment({
 *   name: 'cifar10-k3',
 *   network: { preset: 'mobilenet_cifar10', blocks: 3, width: 8 },
 *   data: { name: 'cifar10' },
 *   stop: { stages: 8 },
 * });
 * await grow(experiment);
 * ```
 */
export function defineExperiment(experiment: ExperimentInput): ExperimentInput {
  return experiment;
}

/** An experiment with overrides. */
export interface ExperimentOptions {
  /** The experiment that is overridden. */
  readonly experiment: Experiment;
  /** Overrides, `path=value`, as of `--set`. */
  readonly set?: readonly string[] | undefined;
}

/** How long work is watched and stopped, and costs and strategies of your own that the experiment names. */
export interface ExperimentControl extends RunControl, Extensions {}

function optionsOf(given: Experiment | ExperimentOptions): ExperimentOptions {
  const isOptions = typeof given === 'object' && given !== null && 'experiment' in given;
  return isOptions ? (given as ExperimentOptions) : { experiment: given };
}

/** The checked experiment, overrides applied. A note tells each field that has a former name. */
export async function specOf(
  given: Experiment | ExperimentOptions,
  control: RunControl,
  extensions: Extensions,
): Promise<Spec> {
  const { experiment, set = [] } = optionsOf(given);
  const json = typeof experiment === 'string' ? await readExperimentJson(experiment) : experiment;
  const spec = parseExperiment(json, set, extensions);
  for (const text of formerPlaceNotes(applyOverrides(json, set))) note(control, 0, 'load', text);
  return spec;
}

/** Runs a checked experiment as one of the ranks, or alone. @throws E_RANKS where ranks were given different work */
export function inRanks<T>(command: string, spec: Spec, run: (spec: Spec) => Promise<T>): Promise<T> {
  return withRankOutput({ command, spec, compared: rankPart(spec) }, run);
}

/** Work under its control that has begun: a control that will not do rejects, as all else does. */
export function begun<Item, Result>(
  control: ExperimentControl,
  work: (control: ExperimentControl, emit: (item: Item) => void) => Promise<Result>,
): Running<Item, Result> {
  const isSound = typeof control === 'object' && control !== null && isSignal(control.signal);
  return running<Item, Result>(
    ({ emit, signal }) => watched(isSound ? { ...control, signal } : control, (own) => work(own, emit)),
    isSound ? control.signal : undefined,
  );
}
