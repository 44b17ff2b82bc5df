// Interpolation along log10 of the MACs: against numbers that numpy.interp gave.
import { describe, expect, test } from 'vitest';
import { commonRange, placesIn, polyline, valueAt } from '../../lib/statistics/polyline.js';
import { assertClose, codeOf } from '../reference.js';

const MACS = [269_312, 372_100, 556_700, 832_400];
const TOP1 = [45, 53.4, 59.8, 66.1];
const LINE = polyline(MACS.map((macs, at) => ({ x: Math.log10(macs), y: TOP1[at] ?? 0 })));

test("values between knots and at them are numpy.interp's", () => {
  const got = [269_312, 300_000, 372_100, 450_000, 700_000, 832_400].map(
    (macs) => valueAt(LINE, Math.log10(macs)) ?? Number.NaN,
  );
  const want = [45, 47.80384258991329, 53.4, 56.419738886302724, 63.387092370173725, 66.1];
  // One multiplication and one division apart from numpy's order of them.
  assertClose(got, want, { rtol: 1e-12, atol: 0 });
});

test('nothing is extrapolated', () => {
  expect(valueAt(LINE, Math.log10(269_311))).toBeNull();
  expect(valueAt(LINE, Math.log10(832_401))).toBeNull();
  expect(valueAt([], 1)).toBeNull();
});

test('points come in any order, and those of one x become their mean', () => {
  expect(
    polyline([
      { x: 2, y: 5 },
      { x: 1, y: 1 },
      { x: 2, y: 8 },
    ]),
  ).toEqual([
    { x: 1, y: 1 },
    { x: 2, y: 6.5 },
  ]);
  expect(codeOf(() => polyline([{ x: Math.log10(0), y: 1 }]))).toBe('E_ARGUMENT');
});

describe('the common range', () => {
  const line = (...xs: readonly number[]) => polyline(xs.map((x) => ({ x, y: 0 })));

  test('is where all lines are, a single point where they only touch', () => {
    expect(commonRange([line(1, 5), line(0, 4), line(2, 9)])).toEqual({ low: 2, high: 4 });
    expect(commonRange([line(1, 3), line(3, 4)])).toEqual({ low: 3, high: 3 });
  });

  test('is null for lines apart, for an empty one and for none', () => {
    expect(commonRange([line(1, 2), line(3, 4)])).toBeNull();
    expect(commonRange([line(1, 2), line()])).toBeNull();
    expect(commonRange([])).toBeNull();
  });

  test('is divided evenly, its ends exact', () => {
    expect(placesIn({ low: 0, high: 1 }, 5)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(placesIn({ low: 0.1, high: 0.7 }, 4).at(-1)).toBe(0.7);
    expect(placesIn({ low: 3, high: 3 }, 5)).toEqual([3]);
  });
});
