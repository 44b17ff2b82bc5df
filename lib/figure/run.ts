// Reproducing a figure: its runs side by side, what they left collected, and the report made from it.
import { join } from 'node:path';
import { loadDataset } from '../data/dataset.js';
import { countOf } from '../data/part.js';
import { writeFileAtomic } from '../machine/files/atomic.js';
import { paced } from '../machine/paced.js';
import { refuseAborted } from '../native/control.js';
import { firstOfPhase, type RunEvent } from '../native/events.js';
import { loadCore } from '../native/load.js';
import { growExperiment, type Reporting } from '../run/run.js';
import { validationCount } from '../train/validation.js';
import { collectFigure } from './collect.js';
import type { Figure } from './files.js';
import { type FigurePlan, type PlannedRun, type PlanOptions, planFigure } from './plan.js';
import type { FigureResult } from './result.js';
import { type FailedRun, failuresOf, failureText, type Outcome, runJobs } from './schedule.js';
import { type FigureProgress, tallyOf } from './work.js';

/** An event of one run, how a run ended, figure.json written anew, or how all runs stand. */
export type FigureEvent =
  | {
      /** Which kind of event or line it is. */
      readonly type: 'run';
      /** Label of the run. */
      readonly run: string;
      /** What it tells. */
      readonly event: RunEvent;
    }
  | {
      /** Which kind of event or line it is. */
      readonly type: 'ended';
      /** Label of the run. */
      readonly run: string;
      /** How it ended. */
      readonly outcome: Outcome;
    }
  | {
      /** Which kind of event or line it is. */
      readonly type: 'written';
    }
  | ({
      /** Which kind of event or line it is. */
      readonly type: 'progress';
    } & FigureProgress);

/** How a figure is watched and stopped. */
export interface FigureControl {
  /** Aborting stops every run at its next minibatch; the same call again goes on. */
  readonly signal?: AbortSignal | undefined;
  /** Told of all its runs. */
  readonly onEvent?: ((event: FigureEvent) => void) | undefined;
}

/** What makes the reports of a figure and of its runs. */
interface FigureReports {
  /** Of one run, in its output folder. */
  readonly ofRun: (output: string) => Promise<unknown>;
  /** Of the figure, from its figure.json. @returns the files written */
  readonly ofFigure: (directory: string) => Promise<readonly string[]>;
}

interface Reproduced {
  readonly plan: FigurePlan;
  readonly result: FigureResult;
  /** What was written into the figure's folder. */
  readonly files: readonly string[];
  readonly failed: readonly FailedRun[];
}

/** Reads every dataset once before anything is trained. @returns the training images of each run */
async function countImages(runs: readonly PlannedRun[]): Promise<(run: PlannedRun) => number> {
  const counts = new Map<string, number>();
  for (const { spec } of runs) {
    const key = JSON.stringify(spec.data);
    if (counts.has(key)) continue;
    const images = countOf((await loadDataset(spec.data)).train);
    counts.set(key, images - validationCount(spec.data.validation ?? 0, images));
  }
  return ({ spec }) => counts.get(JSON.stringify(spec.data)) ?? 0;
}

/** The control of all runs. An error that the listener throws ends every run, as an abort does; `refuse` then throws it. */
function shared({ signal, onEvent }: FigureControl): FigureControl & { readonly refuse: () => void } {
  const stopping = new AbortController();
  const thrown: unknown[] = [];
  return {
    signal: signal === undefined ? stopping.signal : AbortSignal.any([signal, stopping.signal]),
    onEvent: (event) => {
      try {
        onEvent?.(event);
      } catch (error) {
        thrown.push(error);
        stopping.abort();
        throw error;
      }
    },
    refuse: () => {
      if (thrown.length > 0) throw thrown[0];
    },
  };
}

async function growAll(
  plan: FigurePlan,
  { signal, onEvent, writeReport }: FigureControl & Reporting,
  { see, update }: Pick<Growing, 'see' | 'update'>,
): Promise<readonly FailedRun[]> {
  const tally = tallyOf(plan.runs);
  const outputs = new Map(plan.runs.map(({ key, spec }) => [key, spec.output]));
  const labels = new Map(plan.runs.map(({ key, label }) => [key, label]));
  const tell = (): void => onEvent?.({ type: 'progress', ...tally.progress() });
  const jobs = plan.runs.map(({ key, after, spec, label }) => ({
    key,
    after,
    run: async () => {
      tally.begin(key);
      const listen = (event: RunEvent): void => {
        tally.see(key, event);
        see(key, event);
        onEvent?.({ type: 'run', run: label, event });
        tell();
      };
      const seedFrom = after === null ? undefined : outputs.get(after);
      await growExperiment(spec, { signal, onEvent: listen }, { seedFrom, writeReport });
    },
  }));
  const outcomes = await runJobs(jobs, {
    slots: plan.jobs,
    signal,
    onEnd: (key, outcome) => {
      tally.end(key);
      update();
      if (signal?.aborted === true) return;
      onEvent?.({ type: 'ended', run: labels.get(key) ?? key, outcome });
      tell();
    },
  });
  return failuresOf(plan.runs, outcomes);
}

/** Collecting takes no more than a twentieth of the time. */
const PAUSE = 19;

export interface Growing {
  /** A run's events: with a new phase the records of the one before are there. */
  readonly see: (key: string, event: RunEvent) => void;
  readonly update: () => void;
  readonly stop: () => Promise<void>;
}

/** Calls `write` now and then. Where it fails the runs go on: the last write, after them, says what is wrong. */
export function growing(write: () => Promise<unknown>): Growing {
  const { request, stop } = paced(async () => {
    await write().catch(() => undefined);
  }, PAUSE);
  const phases = new Map<string, (event: RunEvent) => boolean>();
  return {
    see: (key, event) => {
      const isFirst = phases.get(key) ?? firstOfPhase();
      phases.set(key, isFirst);
      if (isFirst(event)) request();
    },
    update: request,
    stop,
  };
}

/**
 * Makes a figure: grows every planned run that is not finished, several side by side, and writes figure.json from what is
 * there, now and then and at the end, when the report follows. A run that fails is named in `failed`; the others go on.
 *
 * @throws E_DATA where a dataset is missing, before anything runs; E_ABORTED once aborted; E_FIGURE where no run came to a point
 */
export async function reproduceFigure(
  figure: Figure,
  options: PlanOptions,
  { reports, ...given }: FigureControl & { readonly reports: FigureReports },
): Promise<Reproduced> {
  const { refuse, ...control } = shared(given);
  const plan = planFigure(figure, options);
  refuseAborted({ signal: control.signal });
  loadCore();
  const trainImages = await countImages(plan.runs);
  const write = async (): Promise<FigureResult> => {
    const result = await collectFigure(figure.spec, plan, trainImages);
    if (result.runs.length > 0) {
      await writeFileAtomic(join(plan.directory, 'figure.json'), `${JSON.stringify(result, null, 2)}\n`);
      control.onEvent?.({ type: 'written' });
    }
    return result;
  };
  const live = growing(write);
  live.update();
  const failed = await growAll(plan, { ...control, writeReport: reports.ofRun }, live)
    .finally(live.stop)
    .finally(refuse);
  const result = await write();
  if (result.runs.length === 0) throw failureText(failed);
  return { plan, result, files: await reports.ofFigure(plan.directory), failed };
}
