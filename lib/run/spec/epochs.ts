// Epochs of each stage, of all stages together, and the recipe stretched over others.

import { ofStage } from './effects.js';
import type { FitSpec } from './experiment.js';

export function epochsOf({ epochs }: Pick<FitSpec, 'epochs'>, stage: number): number {
  return ofStage(epochs, stage);
}

/** Stage and finishing as one training: the rate falls over the share of it that finishing has. */
function whole(fit: FitSpec, stage: number, epochs: number): FitSpec {
  const finish = fit.finish.epochs;
  const decay = (epochs * finish) / (epochsOf(fit, stage) + finish);
  return { ...fit, epochs, schedule: { kind: 'wsd', warmup: 0, decay }, finish: { epochs: 0 } };
}

/** The recipe of a stage over other epochs: one schedule, its steps at the same shares of it. Nothing is left to finish. */
export function stretched(fit: FitSpec, stage: number, epochs: number): FitSpec {
  if (fit.finish.epochs > 0) return whole(fit, stage, epochs);
  const factor = epochs / Math.max(1, epochsOf(fit, stage));
  const average = { ...fit.average, warmup: fit.average.warmup * Math.min(1, factor) };
  return { ...fit, epochs, average, schedule: stretchedSchedule(fit.schedule, epochs, factor) };
}

function stretchedSchedule(
  schedule: FitSpec['schedule'],
  epochs: number,
  factor: number,
): FitSpec['schedule'] {
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

/** Epochs that a network of `stages` stages has behind it, finishing included. */
export function epochsBehind(fit: Pick<FitSpec, 'epochs' | 'finish'>, stages: number): number {
  return totalEpochs(fit, stages) + fit.finish.epochs;
}

/** Epochs of the first `stages` stages together. */
export function totalEpochs(fit: Pick<FitSpec, 'epochs'>, stages: number): number {
  return Array.from({ length: stages }, (_, stage) => epochsOf(fit, stage)).reduce(
    (sum, epochs) => sum + epochs,
    0,
  );
}
