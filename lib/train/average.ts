// The moving average over a stage: which minibatches of an epoch it takes as they are.
import type { AverageOptions } from '../native/face.js';

export interface AverageRule {
  /** 0: no average. */
  readonly decay: number;
  /** Minibatches from one taking to the next, counted from the first of each epoch. */
  readonly every: number;
  /** Epochs of the stage in which the average is the network itself. */
  readonly warmup: number;
}

/**
 * The rule for one epoch of a stage. As in torchvision's training script, all that is taken within the warm-up is the network,
 * and so is the first taken after it: from there on the average counts.
 *
 * @param steps Minibatches an epoch.
 */
export function averageIn(
  { decay, every, warmup }: AverageRule,
  epoch: number,
  steps: number,
): AverageOptions {
  // Where the warm-up ends, counted from this epoch's first minibatch, and the first taking from there on.
  const end = Math.round(warmup * steps) - epoch * steps;
  const lastBefore = Math.floor((steps - 1) / every) * every - steps;
  const first = end >= 0 ? Math.ceil(end / every) * every : lastBefore < end ? 0 : -1;
  return { decay, every, copies: Math.min(steps, first + 1) };
}
