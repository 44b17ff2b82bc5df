// Every random decision of a run, from (seed, purpose, stage, epoch) alone: what makes a resumed run equal an uninterrupted one.
import { SplitgrowError } from '../errors.js';
import { show } from '../graph/fields.js';

/** What a seed is for; runs that share a seed still draw different numbers for each purpose. */
export const PURPOSES = {
  weights: 1,
  fit: 2,
  indices: 3,
  select: 4,
  probe: 5,
  images: 6,
  step: 7,
  recalibrate: 8,
  rival: 9,
  finish: 10,
  perturb: 11,
  validation: 12,
  insert: 13,
} as const;
export type Purpose = keyof typeof PURPOSES;

const MASK = (1n << 64n) - 1n;

/** The finaliser of splitmix64 (Steele, Lea, Flood 2014): a bijection of 64 bits in which every input bit moves every output bit. */
function scramble(value: bigint): bigint {
  let z = (value + 0x9e3779b97f4a7c15n) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return z ^ (z >> 31n);
}

/** @throws E_ARGUMENT where it is no whole number of 0 or more that a number holds exactly */
export function refuseNoSeed(seed: unknown): void {
  if (Number.isSafeInteger(seed) && (seed as number) >= 0) return;
  throw new SplitgrowError(
    'E_ARGUMENT',
    `seed: expected a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, got ${show(seed)}`,
  );
}

/** scramble(scramble(scramble(scramble(seed) ^ purpose) ^ stage) ^ epoch), its low 53 bits: a safe integer. */
export function seedOf(purpose: Purpose, seed: number, stage = 0, epoch = 0): number {
  refuseNoSeed(seed);
  const mixed = [PURPOSES[purpose], stage, epoch].reduce(
    (state, part) => scramble(state ^ BigInt(part)),
    scramble(BigInt(seed)),
  );
  return Number(mixed & ((1n << 53n) - 1n));
}

/** The first `count` of a random order of 0 .. total - 1 (Fisher-Yates, numbers from splitmix64). */
export function sampleIndices(total: number, count: number, seed: number): Int32Array {
  const order = Int32Array.from({ length: total }, (_, i) => i);
  const taken = Math.min(count, total);
  let state = BigInt(seed);
  for (let i = 0; i < taken; i += 1) {
    state = scramble(state);
    const j = i + Number(state % BigInt(total - i));
    const other = order[j] ?? 0;
    order[j] = order[i] ?? 0;
    order[i] = other;
  }
  return order.slice(0, taken);
}

/** A stream of numbers of the standard normal distribution (Box and Muller 1958, uniforms of 53 bits from splitmix64). */
export function normals(seed: number): () => number {
  let state = BigInt(seed);
  // In (0, 1]: its logarithm is finite.
  const uniform = (): number => {
    state = scramble(state);
    return (Number(state >> 11n) + 1) / 2 ** 53;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
