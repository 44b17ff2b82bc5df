// Epochs of each stage: one number for all, or a list whose last number holds for every later stage.
import type { FitSpec } from './spec.js';

export function epochsOf({ epochs }: Pick<FitSpec, 'epochs'>, stage: number): number {
  return typeof epochs === 'number' ? epochs : (epochs[Math.min(stage, epochs.length - 1)] ?? 0);
}

/** Epochs of the first `stages` stages together. */
export function totalEpochs(fit: Pick<FitSpec, 'epochs'>, stages: number): number {
  return Array.from({ length: stages }, (_, stage) => epochsOf(fit, stage)).reduce(
    (sum, epochs) => sum + epochs,
    0,
  );
}
