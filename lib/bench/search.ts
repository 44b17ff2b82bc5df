// From steps to whole searches: seconds scaled to all minibatches, memory as it was measured.
import type { ExactSearch, LeftOut, Search, Searches, Steps, StepTime } from './documents.js';
import { isLeftOut } from './documents.js';

export interface Extent {
  readonly images: number;
  readonly epochs: number;
  readonly batch: number;
}

/** Minibatches of one sweep. */
export function minibatches({ images, batch }: Extent): number {
  return Math.ceil(images / batch);
}

/** T epochs of descent: epochs x minibatches x step. */
export function descentSearch(step: StepTime | LeftOut, extent: Extent): Search | LeftOut {
  if (isLeftOut(step)) return step;
  return {
    seconds: (extent.epochs * minibatches(extent) * step.medianMs) / 1000,
    peakBytes: step.peakBytes,
  };
}

/** One pass: minibatches x (sums of all sweeps), and the eigensolver once. */
export function exactSearch(
  { exactStep, eigensolver }: Pick<Steps, 'exactStep' | 'eigensolver'>,
  extent: Extent,
  sweeps: number,
): ExactSearch | LeftOut {
  if (isLeftOut(exactStep)) return exactStep;
  if (isLeftOut(eigensolver)) return eigensolver;
  const matricesSeconds = (minibatches(extent) * exactStep.medianMs) / 1000;
  const eigenSeconds = eigensolver.medianMs / 1000;
  return {
    seconds: matricesSeconds + eigenSeconds,
    ...{ matricesSeconds, eigenSeconds, sweeps },
    peakBytes: Math.max(exactStep.peakBytes, eigensolver.peakBytes),
  };
}

/** Rayleigh epochs that take as long as the exact pass. */
export function equalEpochs(
  { fast, exact }: Pick<Searches, 'fast' | 'exact'>,
  epochs: number,
): number | null {
  if (isLeftOut(fast) || isLeftOut(exact)) return null;
  return (exact.seconds / fast.seconds) * epochs;
}
