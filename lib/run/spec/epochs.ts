// Epochs of each stage, of all stages together, and the recipe stretched over others.

import { ofStage } from './effects.js';
import type { FitSpec } from './experiment.js';

/** How the rate changes within one training. */
type Schedule = Extract<FitSpec['schedule'], { readonly kind: string }>;

export function epochsOf({ epochs }: Pick<FitSpec, 'epochs'>, stage: number): number {
  return ofStage(epochs, stage);
}

/** The schedule of a stage. */
export function scheduleOf({ schedule }: Pick<FitSpec, 'schedule'>, stage: number): Schedule {
  return ofStage<Schedule>(schedule, stage);
}

/** What `fit.finish` says where nothing is to be finished. */
export const NO_FINISH: FitSpec['finish'] = { epochs: 0, decay: null, stages: 'every' };

/** How a stage's network is finished: epochs, and the last of them, over which the rate falls to 0. */
export interface FinishOf {
  readonly epochs: number;
  readonly decay: number;
}

/** How a stage's network is finished where it is; `isLast`: the run ends with it. */
export function finishOf({ finish }: Pick<FitSpec, 'finish'>, stage: number, isLast: boolean): FinishOf {
  const isFinished = isLast || finish.stages === 'every';
  const epochs = isFinished ? ofStage(finish.epochs, stage) : 0;
  return { epochs, decay: finish.decay ?? epochs };
}

/** Stage and finishing as one training: the rate falls over the share of it in which it falls there. */
function whole(fit: FitSpec, stage: number, epochs: number, finish: FinishOf): FitSpec {
  const decay = (epochs * finish.decay) / (epochsOf(fit, stage) + finish.epochs);
  return { ...fit, epochs, schedule: { kind: 'wsd', warmup: 0, decay }, finish: NO_FINISH };
}

/**
 * The recipe of a stage over other epochs: one schedule, its steps at the same shares of it. Nothing is left to finish. Where
 * the last stage alone is finished, it is the recipe of a stage as if it were the last: every rival is trained to its end.
 */
export function stretched(fit: FitSpec, stage: number, epochs: number): FitSpec {
  const finish = finishOf(fit, stage, true);
  if (finish.epochs > 0) return whole(fit, stage, epochs, finish);
  const factor = epochs / Math.max(1, epochsOf(fit, stage));
  const average = { ...fit.average, warmup: fit.average.warmup * Math.min(1, factor) };
  const schedule = stretchedSchedule(scheduleOf(fit, stage), epochs, factor);
  return { ...fit, epochs, average, schedule, finish: NO_FINISH };
}

function stretchedSchedule(schedule: Schedule, epochs: number, factor: number): Schedule {
  const steps = (at: readonly number[]): number[] => at.map((epoch) => epoch * factor);
  if (schedule.kind === 'steps') return { ...schedule, at: steps(schedule.at) };
  if (schedule.kind === 'cosine') {
    // A longer schedule warms up no longer.
    return { ...schedule, warmup: schedule.warmup * Math.min(1, factor) };
  }
  if (schedule.kind === 'wsd') {
    const warmup = schedule.warmup * Math.min(1, factor);
    // Rounding must not make the two longer than the epochs that they fill.
    const decay = Math.min(schedule.decay * factor, epochs - warmup);
    return { ...schedule, warmup, decay };
  }
  return schedule;
}

/** Epochs that a network of `stages` stages has behind it, finishing included; `isLast`: the run ends with it. */
export function epochsBehind(fit: Pick<FitSpec, 'epochs' | 'finish'>, stages: number, isLast = true): number {
  return totalEpochs(fit, stages) + finishOf(fit, stages - 1, isLast).epochs;
}

/** Epochs of the first `stages` stages together. */
export function totalEpochs(fit: Pick<FitSpec, 'epochs'>, stages: number): number {
  return Array.from({ length: stages }, (_, stage) => epochsOf(fit, stage)).reduce(
    (sum, epochs) => sum + epochs,
    0,
  );
}
