// A field that may differ from stage to stage: one number for all, or a list whose last number holds for every later stage.
import type { SplittingSpec } from './experiment.js';

/** The number of stage `stage`, counted from 0. */
export function ofStage(value: number | readonly number[], stage: number): number {
  return typeof value === 'number' ? value : (value[Math.min(stage, value.length - 1)] ?? 0);
}

/** By what share the budgets may grow from stage `stage` to the next. */
export function growthRatioOf({ growthRatio }: Pick<SplittingSpec, 'growthRatio'>, stage: number): number {
  return ofStage(growthRatio, stage);
}
