// How far the runs of a figure have come, and how long the rest takes: work is counted in epochs of the seed network.
import type { RunEvent } from '../native/events.js';
import { epochsBehind, epochsOf, finishOf } from '../run/spec/epochs.js';
import { growthRatioOf } from '../run/spec/splitting.js';
import type { PlannedRun } from './plan.js';
import { isComputed, stagesOf } from './plan.js';
import { sum } from './search-cost.js';

/** Stages to expect of a run that only stop.macs ends. Only the time left depends on it. */
const STAGES_UNKNOWN = 4;

interface Work {
  /** Of each stage that the run fits itself. */
  readonly stages: readonly number[];
  readonly rivals: number;
}

/** An epoch of a stage counts as (its most MACs) / (MACs of the seed network) epochs. A rival counts as much as the stage that it is compared with. */
export function workOf({ spec, after }: Pick<PlannedRun, 'spec' | 'after'>): Work {
  const last = spec.stop.stages ?? STAGES_UNKNOWN;
  const growth = (stage: number): number =>
    Array.from({ length: stage }, (_, k) => 1 + growthRatioOf(spec.splitting, k)).reduce((a, b) => a * b, 1);
  const own = (stage: number): number =>
    (epochsOf(spec.fit, stage) + finishOf(spec.fit, stage, stage === last).epochs) * growth(stage);
  const stages = Array.from({ length: last + 1 }, (_, stage) =>
    stage === 0 && after !== null ? 0 : own(stage),
  );
  const rival = (stage: number): number => epochsBehind(spec.fit, stage + 1, stage === last) * growth(stage);
  // At equal compute a rival is as much work as all stages up to that one, one that was fitted elsewhere included.
  const whole = (stage: number): number => sum(Array.from({ length: stage + 1 }, (_, k) => own(k)));
  const rivals = spec.compare.map((entry) =>
    sum(stagesOf(entry, last).map(isComputed(entry) ? whole : rival)),
  );
  // What is trained again for what is handed over takes as much as growth did.
  const again = spec.deliver.which === 'grown' ? 0 : whole(last);
  return { stages, rivals: sum(rivals) + again };
}

/** How all runs of a figure stand. */
export interface FigureProgress {
  /** How many there are. */
  readonly runs: number;
  /** How many are over. */
  readonly ended: number;
  /** How many are at work. */
  readonly running: number;
  /** Share of all work that is done, what earlier sittings did left out of both. */
  readonly fraction: number;
  /** NaN before anything was fitted. */
  readonly secondsLeft: number;
  /** Images a second of the fits that go on. */
  readonly imagesPerSecond: number;
}

interface Entry {
  readonly work: Work;
  readonly total: number;
  done: number;
  rate: number;
  /** It fitted something in this sitting. */
  isNew: boolean;
  hasBegun: boolean;
  hasEnded: boolean;
}

export interface Tally {
  readonly see: (key: string, event: RunEvent) => void;
  readonly begin: (key: string) => void;
  readonly end: (key: string) => void;
  readonly progress: () => FigureProgress;
}

/** Keeps count over the events of all runs; `now` is in milliseconds. */
export function tallyOf(runs: readonly PlannedRun[], now: () => number = Date.now): Tally {
  const started = now();
  const entries = new Map(
    runs.map((run): [string, Entry] => {
      const work = workOf(run);
      const total = sum(work.stages) + work.rivals;
      return [run.key, { work, total, done: 0, rate: 0, isNew: false, hasBegun: false, hasEnded: false }];
    }),
  );
  const change = (key: string, work: (entry: Entry) => void): void => {
    const entry = entries.get(key);
    if (entry !== undefined) work(entry);
  };
  return {
    begin: (key) => change(key, (entry) => Object.assign(entry, { hasBegun: true })),
    end: (key) =>
      change(key, (entry) => Object.assign(entry, { hasEnded: true, done: entry.total, rate: 0 })),
    see: (key, event) =>
      change(key, (entry) => {
        if (event.type !== 'progress' || event.phase !== 'fit') return;
        const { stage, epoch, epochs, progress } = event;
        entry.isNew = true;
        entry.rate = progress.seconds > 0 ? progress.images / progress.seconds : 0;
        const inEpoch = progress.total > 0 ? progress.done / progress.total : 0;
        const inStage = epochs > 0 ? (epoch + inEpoch) / epochs : 1;
        const { stages } = entry.work;
        const here = (stages[stage] ?? 0) * Math.min(1, inStage);
        entry.done = Math.max(entry.done, sum(stages.slice(0, stage)) + here);
      }),
    progress: () => {
      const all = [...entries.values()];
      const counted = all.filter(({ isNew, hasEnded }) => isNew || !hasEnded);
      const [done, total] = [sum(counted.map((one) => one.done)), sum(counted.map((one) => one.total))];
      const seconds = (now() - started) / 1000;
      return {
        runs: all.length,
        ended: all.filter(({ hasEnded }) => hasEnded).length,
        running: all.filter(({ hasBegun, hasEnded }) => hasBegun && !hasEnded).length,
        fraction: total > 0 ? done / total : 1,
        secondsLeft: done > 0 ? (seconds * (total - done)) / done : Number.NaN,
        imagesPerSecond: sum(all.map(({ rate }) => rate)),
      };
    },
  };
}
