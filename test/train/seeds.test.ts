import { expect, test } from 'vitest';
import { normals, PURPOSES, type Purpose, sampleIndices, seedOf } from '../../lib/train/seeds.js';

/** splitmix64 as published (Steele, Lea, Flood 2014): outputs for seed 1234567. */
const PUBLISHED = [6457827717110365317n, 3203168211198807973n, 9817491932198370423n];
const GOLDEN = 0x9e3779b97f4a7c15n;
const MASK = (1n << 64n) - 1n;

function splitmix(state: bigint): bigint {
  let z = state;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return z ^ (z >> 31n);
}

test('a seed is the documented mix of seed, purpose, stage and epoch', () => {
  const next = (value: bigint): bigint => splitmix((value + GOLDEN) & MASK);
  expect([0, 1, 2].map((i) => next((1234567n + BigInt(i) * GOLDEN) & MASK))).toEqual(PUBLISHED);
  const mixed = next(next(next(next(7n) ^ BigInt(PURPOSES.fit)) ^ 2n) ^ 5n);
  expect(seedOf('fit', 7, 2, 5)).toBe(Number(mixed & ((1n << 53n) - 1n)));
});

test('seeds of different purposes, stages and epochs are safe integers and all different', () => {
  const purposes = Object.keys(PURPOSES) as Purpose[];
  const seeds = purposes.flatMap((purpose) =>
    [0, 1, 2].flatMap((seed) =>
      [0, 1, 2].flatMap((stage) => [0, 1, 2].map((epoch) => seedOf(purpose, seed, stage, epoch))),
    ),
  );
  expect(seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0)).toBe(true);
  expect(new Set(seeds).size).toBe(seeds.length);
});

test('a sample holds distinct numbers, and over many seeds every number equally often', () => {
  const counts = new Array<number>(10).fill(0);
  for (let seed = 0; seed < 2000; seed += 1) {
    const sample = sampleIndices(10, 3, seed);
    expect(new Set(sample).size).toBe(3);
    for (const i of sample) counts[i] = (counts[i] ?? 0) + 1;
  }
  // 600 expected each, with a standard deviation of sqrt(2000 * 0.3 * 0.7) = 20.5.
  for (const count of counts) expect(Math.abs(count - 600)).toBeLessThan(5 * 20.5);
});

test('asking for more than there is gives all of them', () => {
  expect([...sampleIndices(5, 9, 1)].sort()).toEqual([0, 1, 2, 3, 4]);
});

test('normal numbers have the moments of the standard normal distribution, and follow from their seed', () => {
  const count = 20_000;
  const [draw, same, other] = [normals(5), normals(5), normals(6)];
  const values = Array.from({ length: count }, draw);
  expect(values.slice(0, 5)).toEqual(Array.from({ length: 5 }, same));
  expect(values.slice(0, 5)).not.toEqual(Array.from({ length: 5 }, other));
  const moment = (power: number): number => values.reduce((sum, x) => sum + x ** power, 0) / count;
  // Deviations of these means are sqrt(1, 2, 15, 96) / sqrt(count): 0.007, 0.01, 0.027, 0.07; four times each.
  const bounds = [0.028, 0.04, 0.11, 0.28];
  [0, 1, 0, 3].forEach((want, i) => {
    expect(Math.abs(moment(i + 1) - want), `moment ${i + 1}`).toBeLessThan(bounds[i] ?? 0);
  });
});
