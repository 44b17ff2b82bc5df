// compare.json: the rivals of an output folder, those of every experiment that shares its run.
import { join } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { writeFileAtomic } from '../../machine/files/atomic.js';
import { parseStrictJson } from '../../machine/files/json.js';
import { readText } from '../../machine/files/text-file.js';
import type { RivalRecord } from '../../rivals/record.js';
import type { CompareRecord } from './records.js';

const FILE = 'compare.json';

/** True for records of early versions, without targets or with an option that a grown base does not have. They are made anew. */
function isWhole({ method, target, options }: Partial<RivalRecord>): boolean {
  const isAsNow = options?.base !== 'grown' || options.baseMultiplier === undefined;
  return typeof method === 'string' && typeof target === 'number' && isAsNow;
}

/** Rivals of versions without these options had equal epochs and the rate of the run. */
function asNow(rival: RivalRecord): RivalRecord {
  return { ...rival, options: { equal: 'epochs', learningRate: null, ...rival.options } };
}

/** The rivals kept in an output folder. */
export async function readCompare(output: string): Promise<readonly RivalRecord[]> {
  const file = join(output, FILE);
  const text = await readText(file);
  if (text === null) return [];
  try {
    return (parseStrictJson(text) as CompareRecord).rivals.filter(isWhole).map(asNow);
  } catch (cause) {
    throw new SplitgrowError(
      'E_RESUME',
      `${file}: expected the record of rivals; remove it and run again, which trains nothing anew`,
      { cause },
    );
  }
}

/** Rivals of one method, stage, target and options are the same rival. */
function keyOf({ method, stage, target, options }: RivalRecord): string {
  return JSON.stringify([method, stage, target, options]);
}

/** The kept rivals, those made again in their place, and the new ones after them. */
export function mergeRivals(
  kept: readonly RivalRecord[],
  made: readonly RivalRecord[],
): readonly RivalRecord[] {
  return [...new Map([...kept, ...made].map((rival) => [keyOf(rival), rival] as const)).values()];
}

export async function writeCompare(output: string, record: CompareRecord): Promise<void> {
  await writeFileAtomic(join(output, FILE), `${JSON.stringify(record, null, 2)}\n`);
}
