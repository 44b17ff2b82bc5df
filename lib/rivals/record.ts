// The record of a rival in compare.json and in summary.json.
import type { StageSeconds } from '../native/events.js';
import type { Contest, Outcome } from './contest.js';
import type { RivalMethod } from './table.js';

/** A rival: a network of at most a grown network's MACs that another method made, trained by the same recipe. */
export interface RivalRecord {
  /** The method of the entry of `compare` that made it. */
  readonly method: RivalMethod;
  /** The method's name for people: "Pruning (Bn)". */
  readonly label: string;
  /** Options of the method, every default filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Its network directory. */
  readonly directory: string;
  /** Splitting stage of the grown network that it is held against; null where it is held against none. */
  readonly stage: number | null;
  /** MACs that it was to have at most. */
  readonly target: number;
  /** Factor on the method's widths, of the seed network or of MorphNet's; null where widths are not multiplied. */
  readonly multiplier: number | null;
  /** Pixels a side of its images, where they are fewer than the data's. */
  readonly resolution: number | null;
  /** Strength of MorphNet's regulariser that the network came from. */
  readonly lambda: number | null;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Trained parameters. */
  readonly params: number;
  /** FLOPs as the authors' CIFAR figures count them. */
  readonly flops2x?: number;
  /** Epochs of its own last training. */
  readonly epochs: number;
  /** The same with those of the networks that it was made from. */
  readonly totalEpochs: number;
  /** Multiply-adds of its own last training. Missing in records of older versions. */
  readonly compute?: number;
  /**
   * The same with all that the network took before: trainings of bases, of every strength that was tried, and where its
   * architecture is a grown one the growth up to it. Missing where that is not known.
   */
  readonly totalCompute?: number;
  /** Top-1 accuracy in per cent, on the test images. */
  readonly top1: number;
  /** Top-5 accuracy in per cent, on the test images. */
  readonly top5: number;
  /** Mean cross-entropy on the test images. */
  readonly loss: number;
  /** Channels of every layer that makes some, by id. */
  readonly widths: Readonly<Record<string, number>>;
  /** Of its own last training. */
  readonly seconds: StageSeconds;
  /** Seconds of training and choosing before that, shared evenly among the targets that need the same. */
  readonly searchSeconds: number;
}

/** The record of one outcome. */
export function rivalRecord(
  { method, label }: Pick<Contest, 'label'> & { readonly method: RivalMethod },
  options: RivalRecord['options'],
  outcome: Outcome,
): RivalRecord {
  const { target, trained, multiplier, resolution, lambda } = outcome;
  const { parentEpochs = 0, parentCompute = 0, searchSeconds = 0 } = outcome;
  const { compute } = trained;
  const { macs, params, flops2x, epochs, evaluation, widths, seconds } = trained.record;
  const { top1, top5, loss } = evaluation;
  return {
    ...{ method, label, options, directory: trained.directory },
    ...{ stage: target.stage, target: target.macs },
    ...{ multiplier: multiplier ?? null, resolution: resolution ?? null, lambda: lambda ?? null },
    ...{ macs, params, ...(flops2x !== undefined && { flops2x }) },
    ...{ epochs: epochs.length, totalEpochs: parentEpochs + epochs.length },
    ...{ compute, ...(parentCompute !== null && { totalCompute: parentCompute + compute }) },
    ...{ top1, top5, loss, widths, seconds, searchSeconds },
  };
}
