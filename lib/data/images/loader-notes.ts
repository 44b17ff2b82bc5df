// Notes on bad files that the loader of a dataset met. Each is told once, not in every pass.

import { note } from '../../native/control.js';
import type { Phase, RunControl } from '../../native/events.js';
import type { DatasetHandle, LoaderStats } from '../../native/face.js';
import { integer, oneLine } from '../../statistics/format.js';

const told = { skipped: new WeakSet<DatasetHandle>(), warned: new WeakSet<DatasetHandle>() };

/** The note's words: how many, and the first with its reason. */
export function countedWords(text: string, count: number, first: string | undefined): string {
  return oneLine(`${text}: ${integer(count)}${first === undefined ? '' : `; the first: ${first}`}`);
}

export const WARNED = 'images read although the decoder warns of them';

/** Notes the images that were left out, and those that the decoder warns of, the first time that a dataset has some. */
export function noteLoader(
  control: RunControl,
  { stage, phase }: { readonly stage: number; readonly phase: Phase },
  data: DatasetHandle,
  { skipped, loader }: { readonly skipped: number; readonly loader?: LoaderStats | undefined },
): void {
  const say = (kind: keyof typeof told, count: number, first: string | undefined, text: string): void => {
    if (count === 0 || told[kind].has(data)) return;
    told[kind].add(data);
    note(control, stage, phase, countedWords(text, count, first));
  };
  say('skipped', skipped, loader?.firstSkipped, 'images that cannot be read, left out of every mean');
  say('warned', loader?.warned ?? 0, loader?.firstWarned, WARNED);
}
