// What ranks tell one another outside training. With one process each call gives back what it was given.
import { SplitgrowError } from '../errors.js';
import { readRanks } from '../machine/launchers.js';
import { loadCore } from '../native/load.js';

/** True on every rank where any of them says true. Every rank must call it at the same place. */
export async function agreedAny(flag: boolean): Promise<boolean> {
  const [votes = 0] = await loadCore().sumOverRanks(Float64Array.of(flag ? 1 : 0));
  return votes > 0;
}

/** Rank 0's bytes on every rank. */
export async function sentByFirst(bytes: Uint8Array | null): Promise<Uint8Array> {
  return loadCore().broadcastOverRanks(bytes);
}

/** Rank 0's value on every rank, as JSON. */
export async function valueOfFirst<T>(value: T): Promise<T> {
  const bytes = await sentByFirst(Buffer.from(JSON.stringify(value)));
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as T;
}

/** Bytes of a text that every rank tells; longer ones are cut. */
const TOLD = 400;
/** Differences that are named. */
const NAMED = 3;

/** A short text of every rank on every rank, in order; empty where a rank has nothing to say. */
async function textsOfAll(own: string, { rank, world }: { rank: number; world: number }): Promise<string[]> {
  const numbers = new Float64Array(world * TOLD);
  numbers.set(Buffer.from(own).subarray(0, TOLD), rank * TOLD);
  const sums = await loadCore().sumOverRanks(numbers);
  return Array.from({ length: world }, (_, at) => {
    const text = Buffer.from(sums.subarray(at * TOLD, (at + 1) * TOLD)).toString('utf8');
    return text.replace(/\0+$/, '');
  });
}

/** The first member, by its path, in which two values of JSON differ; null where they are equal. */
export function differenceOf(
  first: unknown,
  own: unknown,
  path = '',
): { readonly path: string; readonly first: unknown; readonly own: unknown } | null {
  if (Object.is(first, own)) return null;
  const isNested = [first, own].every((value) => typeof value === 'object' && value !== null);
  if (!isNested || Array.isArray(first) !== Array.isArray(own)) return { path, first, own };
  const [left, right] = [first, own] as readonly Readonly<Record<string, unknown>>[];
  for (const name of new Set([...Object.keys(left ?? {}), ...Object.keys(right ?? {})])) {
    const inner = path === '' ? name : `${path}.${name}`;
    const found = differenceOf(left?.[name], right?.[name], inner);
    if (found !== null) return found;
  }
  return null;
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/**
 * Makes sure that every rank holds the value that rank 0 holds.
 * @throws `code` on every rank, naming the first member that differs, both values, and the ranks
 */
export async function refuseDisagreement(
  what: string,
  value: unknown,
  code: 'E_RANKS' | 'E_DISTRIBUTED' = 'E_RANKS',
): Promise<void> {
  const ranks = readRanks();
  if (ranks === null) return;
  const found = differenceOf(await valueOfFirst(value), JSON.parse(JSON.stringify(value)));
  const own =
    found === null
      ? ''
      : `${found.path} ${shown(found.first)} on rank 0 and ${shown(found.own)} on rank ${ranks.rank}`;
  const told = (await textsOfAll(own.trim(), ranks)).filter((text) => text !== '');
  if (told.length === 0) return;
  const more = told.length > NAMED ? `, and likewise on ${told.length - NAMED} more ranks` : '';
  throw new SplitgrowError(
    code,
    `${what}: expected the same on all ${ranks.world} ranks, got ${told.slice(0, NAMED).join(', ')}${more}; ` +
      'start every rank with the same version of splitgrow, the same experiment and the same data',
  );
}
