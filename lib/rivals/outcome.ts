// A rival's finished network, and its record in compare.json.

import type { CompareEntry } from '../run/spec/compare.js';
import type { RivalRecord } from '../run/store/records.js';
import type { Target } from './contest.js';
import type { Trained } from './training.js';

export interface Outcome {
  readonly target: Target;
  readonly trained: Trained;
  readonly multiplier?: number;
  readonly resolution?: number;
  readonly lambda?: number;
  /** Epochs of the networks that this one was made from; 0 where there are none. */
  readonly parentEpochs?: number;
  /** This target's part of what went before its own training. */
  readonly searchSeconds?: number;
}

/** What decides a rival besides its target. */
export function optionsOf({ method: _method, at: _at, targets: _targets, ...options }: CompareEntry) {
  return options;
}

export function rivalRecord(entry: CompareEntry, label: string, outcome: Outcome): RivalRecord {
  const { target, trained, multiplier, resolution, lambda, parentEpochs = 0, searchSeconds = 0 } = outcome;
  const { macs, params, flops2x, epochs, evaluation, widths, seconds } = trained.record;
  const { top1, top5, loss } = evaluation;
  return {
    ...{ method: entry.method, label, options: optionsOf(entry), directory: trained.directory },
    ...{ stage: target.stage, target: target.macs },
    ...{ multiplier: multiplier ?? null, resolution: resolution ?? null, lambda: lambda ?? null },
    ...{ macs, params, ...(flops2x !== undefined && { flops2x }) },
    ...{ epochs: epochs.length, totalEpochs: parentEpochs + epochs.length },
    ...{ top1, top5, loss, widths, seconds, searchSeconds },
  };
}
