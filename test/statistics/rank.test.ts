import { expect, test } from 'vitest';
import { averageRanks, overlap, spearman } from '../../lib/statistics/rank.js';
import { assertClose, codeOf, randomOf } from '../reference.js';

/** A value's rank is 1 + how many are smaller + half of how many others are equal. */
const naiveRanks = (values: readonly number[]): number[] =>
  values.map((x) => 0.5 + values.filter((y) => y < x).length + 0.5 * values.filter((y) => y === x).length);

/** Pearson's correlation by its definition. */
function pearson(x: readonly number[], y: readonly number[]): number {
  const mean = (list: readonly number[]): number => list.reduce((s, v) => s + v, 0) / list.length;
  const [mx, my] = [mean(x), mean(y)];
  const covariance = mean(x.map((v, i) => (v - mx) * ((y[i] ?? 0) - my)));
  const deviation = (list: readonly number[], m: number): number =>
    Math.sqrt(mean(list.map((v) => (v - m) ** 2)));
  return covariance / (deviation(x, mx) * deviation(y, my));
}

test('equal values share the mean of their ranks', () => {
  expect([...averageRanks([10, 20, 20, 30])]).toEqual([1, 2.5, 2.5, 4]);
  expect([...averageRanks([3, 1, 3, 3, -2])]).toEqual([4, 2, 4, 4, 1]);
  expect([...averageRanks([])]).toEqual([]);
});

test('the rank correlation of a textbook table is the one by hand', () => {
  // 1 - 6 sum d^2 / (n (n^2 - 1)) without ties: d = 0, 1, -1, 2, -2 in turn, n = 5: 1 - 6 * 10 / 120.
  expect(spearman([1, 2, 3, 4, 5], [1, 3, 2, 6, 2.5])).toBeCloseTo(1 - (6 * (0 + 4 + 1 + 1 + 4)) / 120, 12);
  expect(spearman([1, 2, 3], [10, 100, 1000])).toBe(1);
  expect(spearman([1, 2, 3], [3, 2, 1])).toBe(-1);
  // Ranks 1 2.5 2.5 4 against 1 2 3 4: 4.5 / sqrt(4.5 * 5).
  expect(spearman([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(Math.sqrt(0.9), 12);
});

test('ranks and correlations of random lists with ties are those by definition', () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const random = randomOf(seed);
    const list = (): number[] => Array.from({ length: 3 + seed }, () => Math.floor(random() * 8) - 3);
    const [a, b] = [list(), list()];
    expect([...averageRanks(a)], `seed ${seed}`).toEqual(naiveRanks(a));
    // float64: sums of up to 52 terms.
    assertClose([spearman(a, b) ?? Number.NaN], [pearson(naiveRanks(a), naiveRanks(b))], {
      rtol: 0,
      atol: 1e-12,
      note: `seed ${seed}`,
    });
  }
});

test('a correlation without meaning is null, and lists that do not fit are refused', () => {
  expect(spearman([1, 1, 1], [1, 2, 3])).toBeNull();
  expect(spearman([1], [2])).toBeNull();
  expect(spearman([], [])).toBeNull();
  expect(codeOf(() => spearman([1, 2], [1]))).toBe('E_ARGUMENT');
  expect(codeOf(() => spearman([1, Number.NaN], [1, 2]))).toBe('E_NOT_FINITE');
});

test('the overlap is the share of the common among all', () => {
  const set = (text: string): ReadonlySet<string> => new Set(text);
  expect(overlap(set('abc'), set('bcd'))).toBe(0.5);
  expect(overlap(set('ab'), set('ab'))).toBe(1);
  expect(overlap(set('ab'), set('cd'))).toBe(0);
  expect([overlap(set(''), set('')), overlap(set(''), set('a'))]).toEqual([1, 0]);
});
