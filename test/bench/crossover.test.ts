import { expect, test } from 'vitest';
import { type Costs, crossover } from '../../lib/bench/crossover.js';
import { assertClose, codeOf, randomOf } from '../reference.js';

/** Power laws between neighbours, by the definition: y = y0 (x / x0)^p. */
function powerLaw(xs: readonly number[], ys: readonly number[], x: number): number {
  const found = xs.findIndex((one) => one >= x);
  // Rounding may carry the last step past the end.
  const after = found < 0 ? xs.length - 1 : Math.max(1, found);
  const [x0 = 1, x1 = 1, y0 = 1, y1 = 1] = [xs[after - 1], xs[after], ys[after - 1], ys[after]];
  return y0 * (x / x0) ** (Math.log(y1 / y0) / Math.log(x1 / x0));
}

const STEPS = 20_000;

/** Where exact and fast change places, by walking over the range in small steps. */
function byWalking(xs: readonly number[], fast: readonly number[], exact: readonly number[]) {
  const [low = 1, high = 1] = [xs[0], xs.at(-1)];
  const found: { at: number; dearerAbove: 'exact' | 'fast' }[] = [];
  let before: boolean | null = null;
  for (let i = 0; i <= STEPS; i += 1) {
    const x = low * (high / low) ** (i / STEPS);
    const isExact = powerLaw(xs, exact, x) > powerLaw(xs, fast, x);
    if (before !== null && isExact !== before) found.push({ at: x, dearerAbove: isExact ? 'exact' : 'fast' });
    before = isExact;
  }
  return found;
}

test('crossings are those that a walk along the power laws between the points finds', () => {
  for (let seed = 0; seed < 30; seed += 1) {
    const random = randomOf(seed);
    const xs = Array.from({ length: 6 }, (_, i) => 2 ** i * (1 + random()));
    const [fast, exact] = [
      xs.map((x) => x * (0.5 + random())),
      xs.map((x) => (x ** 2 / 8) * (0.5 + random())),
    ];
    const costs = xs.map((x, i): Costs => ({ x, fast: fast[i] ?? 1, exact: exact[i] ?? 1 }));
    const want = byWalking(xs, fast, exact);
    const { crossings, range, cheaper } = crossover([...costs].reverse());
    expect(crossings.map(({ dearerAbove }) => dearerAbove)).toEqual(
      want.map(({ dearerAbove }) => dearerAbove),
    );
    // One step of the walk.
    const rtol = ((xs.at(-1) ?? 1) / (xs[0] ?? 1)) ** (1 / STEPS) - 1;
    assertClose(
      crossings.map(({ at }) => at),
      want.map(({ at }) => at),
      { rtol, atol: 0, note: `seed ${seed}` },
    );
    expect(range).toEqual([xs[0], xs.at(-1)]);
    expect(cheaper === null).toBe(want.length > 0);
  }
});

test('a crossing of known power laws is where they are equal', () => {
  // x^2 and 6 x meet at 6, whatever the points.
  const costs = [1, 2, 5, 20].map((x) => ({ x, fast: 6 * x, exact: x ** 2 }));
  const { crossings } = crossover(costs);
  expect(crossings).toHaveLength(1);
  expect(crossings[0]?.dearerAbove).toBe('exact');
  // Rounding of logarithms.
  assertClose([crossings[0]?.at ?? 0], [6], { rtol: 1e-12, atol: 0 });
});

test('without a crossing the cheaper one is named, and nothing is extrapolated', () => {
  const at = (x: number, fast: number | null, exact: number | null): Costs => ({ x, fast, exact });
  expect(crossover([at(1, 9, 1), at(2, 9, 8)])).toEqual({ crossings: [], range: [1, 2], cheaper: 'exact' });
  expect(crossover([at(1, 1, 9), at(2, 8, 9)])).toEqual({ crossings: [], range: [1, 2], cheaper: 'fast' });
  expect(crossover([at(1, 9, 1), at(2, 9, 8), at(4, 9, null)])).toMatchObject({
    crossings: [],
    range: [1, 2],
  });
  expect(crossover([at(1, null, 1)])).toEqual({ crossings: [], range: null, cheaper: null });
  expect(crossover([])).toEqual({ crossings: [], range: null, cheaper: null });
});

test('points of equal cost are a crossing only where the sides differ', () => {
  const at = (x: number, exact: number): Costs => ({ x, fast: 4, exact });
  expect(crossover([at(1, 2), at(2, 4), at(4, 8)]).crossings.map((one) => one.dearerAbove)).toEqual([
    'exact',
  ]);
  expect(crossover([at(1, 2), at(2, 4), at(4, 2)])).toMatchObject({ crossings: [], cheaper: 'exact' });
  expect(crossover([at(1, 4), at(2, 4)])).toEqual({ crossings: [], range: [1, 2], cheaper: null });
});

test('costs that have no logarithm are refused', () => {
  for (const wrong of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(codeOf(() => crossover([{ x: 1, fast: 1, exact: wrong }]))).toBe('E_ARGUMENT');
});
