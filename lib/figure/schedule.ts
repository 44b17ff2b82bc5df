// Several jobs side by side within a number of slots: what waits for another comes after it, and a failure stays with its own.
import { SplitgrowError } from '../errors.js';

export interface Job {
  readonly key: string;
  /** The job that must have succeeded before. */
  readonly after: string | null;
  readonly run: () => Promise<void>;
}

/** How a run ended. */
export type Outcome =
  | {
      /** Done, failed, or not begun because of another. */
      readonly kind: 'done';
    }
  | {
      /** Done, failed, or not begun because of another. */
      readonly kind: 'failed';
      /** Why. */
      readonly error: unknown;
    }
  /** Not begun, because the job it waits for failed or was not begun. */
  | {
      /** Done, failed, or not begun because of another. */
      readonly kind: 'skipped';
      /** Key of the run that it waited for. */
      readonly because: string;
    };

export interface ScheduleOptions {
  /** Jobs that run at the same time, at most. */
  readonly slots: number;
  /** Once it fires no job is begun; those that run are waited for (they see the same signal). */
  readonly signal?: AbortSignal | undefined;
  readonly onEnd?: ((key: string, outcome: Outcome) => void) | undefined;
}

/** @throws E_INTERNAL where a job waits for one that does not come before it */
function refuseDisorder(jobs: readonly Job[]): void {
  const before = new Set<string>();
  for (const { key, after } of jobs) {
    if (after !== null && !before.has(after))
      throw new SplitgrowError('E_INTERNAL', `job ${key}: expected ${after} before it`);
    before.add(key);
  }
}

/**
 * Runs the jobs in their order as far as slots are free and what they wait for is done; resolves when all have ended.
 *
 * @returns how each ended, by key.
 * @throws E_ABORTED once the signal has fired and every running job has ended; likewise what `onEnd` threw
 */
export async function runJobs(
  jobs: readonly Job[],
  { slots, signal, onEnd }: ScheduleOptions,
): Promise<ReadonlyMap<string, Outcome>> {
  refuseDisorder(jobs);
  const outcomes = new Map<string, Outcome>();
  const running = new Map<string, Promise<void>>();
  const waiting = [...jobs];
  const end = (key: string, outcome: Outcome): void => {
    outcomes.set(key, outcome);
    onEnd?.(key, outcome);
  };
  // After an error of a listener no job begins, and the error is thrown once the running jobs have ended.
  const thrown: unknown[] = [];
  const told = (key: string, outcome: Outcome): void => {
    try {
      end(key, outcome);
    } catch (error) {
      thrown.push(error);
    }
  };
  const begin = ({ key, run }: Job): void => {
    const ended = run()
      .then(
        () => told(key, { kind: 'done' }),
        (error: unknown) => told(key, { kind: 'failed', error }),
      )
      .finally(() => running.delete(key));
    running.set(key, ended);
  };
  /** The next job that can begin, taken from the queue; those that never can are ended on the way. */
  const next = (): Job | undefined => {
    for (let at = 0; at < waiting.length; at += 1) {
      const job = waiting[at] as Job;
      const first = job.after === null ? undefined : outcomes.get(job.after);
      if (job.after !== null && first === undefined) continue;
      waiting.splice(at, 1);
      if (job.after === null || first?.kind === 'done') return job;
      told(job.key, { kind: 'skipped', because: job.after });
      at -= 1;
    }
    return undefined;
  };
  for (;;) {
    while (running.size < slots && signal?.aborted !== true && thrown.length === 0) {
      const job = next();
      if (job === undefined) break;
      begin(job);
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  if (thrown.length > 0) throw thrown[0];
  if (signal?.aborted === true) throw new SplitgrowError('E_ABORTED', 'the work was aborted');
  return outcomes;
}

/** A run that failed. */
export interface FailedRun {
  /** Its label. */
  readonly run: string;
  /** Code of its error. */
  readonly code: string;
  /** What its error says. */
  readonly message: string;
}

/** Runs that failed, and those that wait for one that did. */
export function failuresOf(
  runs: readonly { readonly key: string; readonly label: string }[],
  outcomes: ReadonlyMap<string, Outcome>,
): readonly FailedRun[] {
  const failed = new Map<string, FailedRun>();
  for (const { key, label: run } of runs) {
    const outcome = outcomes.get(key);
    if (outcome?.kind === 'failed') {
      const { error } = outcome;
      const code = error instanceof SplitgrowError ? error.code : 'E_INTERNAL';
      failed.set(key, { run, code, message: error instanceof Error ? error.message : String(error) });
    } else if (outcome?.kind === 'skipped') {
      const cause = failed.get(outcome.because);
      const message = `not begun, because "${cause?.run}" failed`;
      failed.set(key, { run, code: cause?.code ?? 'E_INTERNAL', message });
    }
  }
  return [...failed.values()];
}

const MOST_NAMED = 5;

/** One line that names the runs that failed. */
export function failureText(failed: readonly FailedRun[]): SplitgrowError {
  const named = failed.slice(0, MOST_NAMED).map(({ run, code, message }) => `"${run}" (${code}: ${message})`);
  const more = failed.length > MOST_NAMED ? ` and ${failed.length - MOST_NAMED} more` : '';
  return new SplitgrowError(
    'E_FIGURE',
    `expected every run to end well, ${failed.length} failed: ${named.join(', ')}${more}; ` +
      'what the others did is kept: mend the cause and run the same command again',
  );
}
