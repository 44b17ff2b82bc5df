// The table of rivals: what each is called, and how its networks are made and trained.
import type { CompareEntry, EntryOf, RivalMethod } from '../run/spec/compare.js';
import type { Contest } from './contest.js';
import { morphnet } from './morphnet.js';
import type { Outcome } from './outcome.js';
import { pruneBn, pruneL1 } from './prune.js';
import { resolutionMultiplier, retrain, scratch, widthMultiplier } from './scratch.js';

interface Row<Entry> {
  readonly label: string;
  /** One finished network a target, by the options of the entry (spec-compare.ts). */
  readonly train: (contest: Contest, entry: Entry) => Promise<readonly Outcome[]>;
}

/** One row a method. */
export const RIVALS: { readonly [M in RivalMethod]: Row<EntryOf<M>> } = {
  'width-multiplier': { label: 'Width multiplier', train: widthMultiplier },
  'resolution-multiplier': { label: 'Resolution multiplier', train: resolutionMultiplier },
  'prune-l1': { label: 'Pruning (L1)', train: pruneL1 },
  'prune-bn': { label: 'Pruning (Bn)', train: pruneBn },
  morphnet: { label: 'MorphNet', train: morphnet },
  'morphnet-authors': { label: "MorphNet (authors' code)", train: morphnet },
  scratch: { label: 'From scratch', train: scratch },
  retrain: { label: 'Retrained', train: retrain },
};

/** The row of an entry's method. */
export function rowOf({ method }: CompareEntry): Row<CompareEntry> {
  return RIVALS[method] as Row<CompareEntry>;
}
