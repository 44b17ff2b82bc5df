// train and grow: experiments from a file or an object.
import { withRankOutput } from '../distributed/ranks.js';
import type { RunControl } from '../events.js';
import type { Summary } from '../experiment/records.js';
import { growExperiment } from '../experiment/run.js';
import { parseExperiment, readExperiment, type Spec } from '../experiment/spec.js';
import { trainExperiment } from '../experiment/train.js';
import type { ExperimentOptions } from './documents.js';

async function specOf({ experiment, set = [] }: ExperimentOptions): Promise<Spec> {
  return typeof experiment === 'string' ? readExperiment(experiment, set) : parseExperiment(experiment, set);
}

/** Algorithm 1 by an experiment; continues where an earlier run of it was stopped. */
export async function grow(options: ExperimentOptions, control: RunControl = {}): Promise<Summary> {
  return withRankOutput(await specOf(options), (spec) => growExperiment(spec, control));
}

/** Parametric updates only; the trained network is the output folder itself. */
export async function train(options: ExperimentOptions, control: RunControl = {}): Promise<Summary> {
  return withRankOutput(await specOf(options), (spec) => trainExperiment(spec, control));
}
