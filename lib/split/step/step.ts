// The step along the splitting directions: its record, and the decrease of the loss that the second order predicts.
import type { NodeId } from '../../graph/ir.js';
import type { Surgery } from '../../graph/program.js';
import type { Statistics } from '../../native/face.js';
import type { BirthNorms } from './ages.js';
import type { GradientsRecord } from './gradients.js';
import type { TwinsRecord } from './twins.js';

/** The step along the splitting directions: what was predicted and what came. */
export interface StepRecord {
  /** The epsilon taken. */
  readonly epsilon: number;
  /** Given, or searched for. */
  readonly kind: 'fixed' | 'line-search';
  /** `relative`: in lengths |theta| of each neuron's own weights. Absent in records of 0.1: absolute. */
  readonly epsilonScale?: EpsilonScale;
  /** Statistics of batch norm that the two losses were measured on. Absent in records of 0.1: running. */
  readonly statistics?: Statistics;
  /** Loss on the probe images before splitting. */
  readonly lossBefore: number;
  /** After it, on the same images. */
  readonly lossAfter: number;
  /** Loss on the running statistics once these were estimated anew; null where they were not. */
  readonly lossRecalibrated?: number | null;
  /** Distances of the new twins before the first update, where the experiment asks for twins. */
  readonly twins?: TwinsRecord;
  /** Gradients of newborn and old channels before the first update, where the experiment asks for them. */
  readonly gradients?: GradientsRecord;
  /** Norms of the weights that it made, where the experiment asks for rates by age. */
  readonly births?: BirthNorms;
  /** What the second-order expansion predicts; positive: the loss falls. */
  readonly predictedDecrease: number;
  /** lossBefore - lossAfter. */
  readonly measuredDecrease: number;
  /** Every epsilon tried, with the loss that it gives. */
  readonly tried: readonly {
    /** An epsilon of the grid. */
    readonly epsilon: number;
    /** The loss with it. */
    readonly loss: number;
  }[];
  /** Training images that the losses were measured on. */
  readonly images: number;
  /** max|a - b| / max|a| of the logits a before and b after splitting with epsilon 0. */
  readonly functionError: number;
}

/** Unit of epsilon: 1, or the length of each neuron's own weights. */
export type EpsilonScale = 'absolute' | 'relative';

/** What a step is made of: the growth, and how long one epsilon is at every neuron (null: 1). */
export interface Step {
  readonly surgery: Surgery;
  readonly epsilon: number;
  readonly lengths: ReadonlyMap<NodeId, ArrayLike<number>> | null;
}

/**
 * The decrease of the loss that the second-order expansion predicts: minus the sum over all offspring of
 * share (shift epsilon |theta|^r)^2 lambda / 2, where r is 1 for a relative epsilon and else 0. A neuron split once gives
 * -lambda epsilon^2 / 2, times 1 - 4 delta^2 where consumers' weights are shared out as 1/2 +- delta. To second order this
 * is exact where consumers read the offspring directly. Where a depthwise convolution and its activation come between,
 * the curvature of that activation counts too. The paper's index leaves it out, so the measured decrease differs.
 * Noise is not counted.
 */
export function predictedDecrease(
  { surgery, epsilon, lengths }: Step,
  indices: ReadonlyMap<NodeId, ArrayLike<number>>,
): number {
  let sum = 0;
  for (const { direction, rows, shift, rowShares } of surgery) {
    if (direction === null || rows === null || shift === null || rowShares === null) continue;
    rows.forEach((source, at) => {
      const moved = shift[at] ?? 0;
      if (moved === 0) return;
      const along = moved * epsilon * (lengths?.get(direction)?.[source] ?? 1);
      sum += (rowShares[at] ?? 0) * along ** 2 * (indices.get(direction)?.[source] ?? Number.NaN);
    });
  }
  return sum === 0 ? 0 : -sum / 2;
}
