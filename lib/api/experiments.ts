// train, grow and compare: experiments from a file or an object.
import { withRankOutput } from '../distributed/ranks.js';
import type { RunControl } from '../events.js';
import { compareExperiment } from '../experiment/compare-run.js';
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

/** The rivals of an experiment alone, for its grown run or for targets in MACs; continues where it was stopped. */
export async function compare(options: ExperimentOptions, control: RunControl = {}): Promise<Summary> {
  return withRankOutput(await specOf(options), (spec) => compareExperiment(spec, control));
}

/** Parametric updates only; the trained network is the output folder itself. */
export async function train(options: ExperimentOptions, control: RunControl = {}): Promise<Summary> {
  return withRankOutput(await specOf(options), (spec) => trainExperiment(spec, control));
}
