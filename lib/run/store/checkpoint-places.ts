// The checkpoints of an output folder: one directory each, named by how far the run was.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StateRecord, Within } from './records.js';

/** The phases of a stage after its finished epochs. */
const PHASES: readonly Within['phase'][] = ['fit', 'indices', 'grow'];
const NAME = new RegExp(`^checkpoint-(\\d+)-(\\d+)(?:-(${PHASES.join('|')})-(\\d+))?$`);

export interface Place {
  readonly directory: string;
  /** Stage, epochs, phase, and how much of the phase is done. The first that differs decides which checkpoint is further. */
  readonly order: readonly number[];
}

/** checkpoint-<stage>-<epochs>, or checkpoint-<stage>-<epochs>-<phase>-<done> */
export function checkpointName({ stage, epoch, within }: StateRecord): string {
  return `checkpoint-${stage}-${epoch}${within === undefined ? '' : `-${within.phase}-${within.done}`}`;
}

function placeOf(output: string, name: string): Place | null {
  const found = NAME.exec(name);
  if (found === null) return null;
  const [, stage, epoch, phase, done] = found;
  return {
    directory: join(output, name),
    order: [
      Number(stage),
      Number(epoch),
      (PHASES as readonly (string | undefined)[]).indexOf(phase),
      Number(done ?? 0),
    ],
  };
}

function compare(a: Place, b: Place): number {
  const at = a.order.findIndex((value, i) => value !== b.order[i]);
  return at < 0 ? 0 : (b.order[at] ?? 0) - (a.order[at] ?? 0);
}

/** Checkpoints of an output folder, the furthest first. */
export async function placesIn(output: string): Promise<readonly Place[]> {
  const names = await readdir(output);
  return names.flatMap((name) => placeOf(output, name) ?? []).sort(compare);
}

/** The furthest checkpoint's place, or null where there is none. */
export async function furthestPlace(output: string): Promise<Place | null> {
  return (await placesIn(output))[0] ?? null;
}
