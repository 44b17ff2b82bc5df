// Mean and standard deviation: against numbers that numpy 2 gave (mean, std with ddof=1).
import { expect, test } from 'vitest';
import { spread, spreadOfKnown } from '../../lib/statistics/spread.js';
import { assertClose, codeOf } from '../reference.js';

/** Float64 sums of a few terms, in another order than numpy's. */
const ROUNDING = { rtol: 1e-12, atol: 0 };

test("mean and sample standard deviation are numpy's", () => {
  const found = spread([64.9, 66.1, 65.2, 67.4, 63.8]);
  expect(found?.n).toBe(5);
  assertClose([found?.mean ?? 0, found?.sd ?? 0], [65.48, 1.3516656391282587], ROUNDING);
});

test('a large common offset costs the deviation nothing', () => {
  const found = spread([4, 7, 13, 16].map((value) => 1e9 + value));
  assertClose([found?.sd ?? 0], [5.477225575051661], ROUNDING);
});

test('one value has no deviation, no values have no mean', () => {
  expect(spread([3])).toEqual({ n: 1, mean: 3, sd: null });
  expect(spread([])).toBeNull();
});

test('a value that is not finite is an E_ARGUMENT, one that is unknown leaves no mean', () => {
  expect(codeOf(() => spread([1, Number.NaN]))).toBe('E_ARGUMENT');
  expect(spreadOfKnown([1, null])).toBeNull();
  expect(spreadOfKnown([1, 3])).toEqual({ n: 2, mean: 2, sd: Math.SQRT2 });
});
