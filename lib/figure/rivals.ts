// Which records of rivals an experiment's entries ask for.

import type { RivalRecord } from '../rivals/record.js';
import { type CompareEntry, optionsOf } from '../run/spec/compare.js';

/** Stages that an entry's rivals are held against, of a run whose last stage is `last`; none where MACs are given instead. */
export function stagesOf({ at, targets }: CompareEntry, last: number): readonly number[] {
  if (targets !== undefined) return [];
  return at === 'stages' ? Array.from({ length: last }, (_, stage) => stage + 1) : [last];
}

/** True where the record is one of the entry's: an output folder may hold those of several experiments. */
export function isAsked(entry: CompareEntry, rival: RivalRecord, last: number): boolean {
  const { stage, target } = rival;
  const isThere =
    stage === null ? entry.targets?.includes(target) === true : stagesOf(entry, last).includes(stage);
  const isAlike = Object.entries(optionsOf(entry)).every(
    ([name, value]) => JSON.stringify(rival.options[name]) === JSON.stringify(value),
  );
  return rival.method === entry.method && isThere && isAlike;
}
