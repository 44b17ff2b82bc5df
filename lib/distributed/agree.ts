// What ranks tell one another outside training. With one process each call gives back what it was given.
import { createHash } from 'node:crypto';
import { SplitgrowError } from '../errors.js';
import { loadCore } from '../native.js';
import { readRanks } from './launchers.js';

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

/**
 * Makes sure that every rank holds the value that rank 0 holds.
 * @throws E_DISTRIBUTED on every rank, naming those that differ
 */
export async function refuseDisagreement(what: string, value: unknown): Promise<void> {
  const { rank, world } = readRanks() ?? { rank: 0, world: 1 };
  if (world === 1) return;
  const own = createHash('sha256').update(JSON.stringify(value)).digest('hex');
  const differs = (await valueOfFirst(own)) !== own;
  const found = await loadCore().sumOverRanks(
    Float64Array.from({ length: world }, (_, at) => (at === rank && differs ? 1 : 0)),
  );
  const others = [...found.keys()].filter((at) => found[at] !== 0);
  if (others.length === 0) return;
  throw new SplitgrowError(
    'E_DISTRIBUTED',
    `${what}: expected the same on all ${world} ranks, got another than that of rank 0 on rank ${others.join(', ')}; ` +
      'start every rank with the same version of splitgrow, the same experiment and the same data',
  );
}
