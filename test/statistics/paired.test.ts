// Paired differences and the area between curves: hand numbers, numpy, and brute force over random curves.
import { describe, expect, test } from 'vitest';
import { difference, differenceGrid, type Pair } from '../../lib/statistics/paired.js';
import { polyline } from '../../lib/statistics/polyline.js';
import { assertClose, randomOf } from '../reference.js';

const line = (...knots: readonly (readonly [number, number])[]) =>
  polyline(knots.map(([x, y]) => ({ x, y })));

test('two straight lines that cross in the middle have no area between them', () => {
  const found = difference({ better: line([0, 0], [2, 4]), than: line([0, 2], [2, 2]) });
  expect(found).toEqual({ range: { low: 0, high: 2 }, low: -2, high: 2, all: 0 });
});

test('only the common range counts', () => {
  // On [1, 2]: y = x against 0, so 1 at the low end, 2 at the high end, 1.5 on average.
  const found = difference({ better: line([0, 0], [2, 2]), than: line([1, 0], [7, 0]) });
  expect(found).toEqual({ range: { low: 1, high: 2 }, low: 1, high: 2, all: 1.5 });
});

test('a single point is held against the other curve at its own cost', () => {
  const found = difference({ better: line([0, 0], [4, 8]), than: line([1, 1.5]) });
  expect(found).toEqual({ range: { low: 1, high: 1 }, low: 0.5, high: 0.5, all: 0.5 });
});

test('curves without a common range have no difference', () => {
  expect(difference({ better: line([0, 0], [1, 1]), than: line([2, 0], [3, 1]) })).toBeNull();
  expect(difference({ better: line(), than: line([2, 0]) })).toBeNull();
});

test('accuracy over log10 MACs: differences and area are those of numpy.interp and numpy.trapezoid', () => {
  const logs = (knots: readonly (readonly [number, number])[]) =>
    line(...knots.map(([macs, top1]) => [Math.log10(macs), top1] as const));
  const found = difference({
    better: logs([
      [269_312, 45],
      [372_100, 53.4],
      [556_700, 59.8],
      [832_400, 66.1],
    ]),
    than: logs([
      [250_000, 44],
      [500_000, 57],
      [900_000, 64],
    ]),
  });
  // Differences of numbers of size 60, in float64.
  assertClose(
    [found?.all ?? 0, found?.low ?? 0, found?.high ?? 0],
    [1.5542211708621967, -0.3955554595856654, 3.0298810508483314],
    { rtol: 0, atol: 1e-11 },
  );
});

test('the area is that of a fine midpoint sum, for random curves', () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const random = randomOf(seed);
    const curve = () => line(...Array.from({ length: 5 }, () => [10 * random(), 10 * random()] as const));
    const [better, than] = [curve(), curve()];
    const found = difference({ better, than });
    if (found === null) continue;
    const { low, high } = found.range;
    const at = (knots: typeof better, x: number): number => {
      const right = knots.findIndex((knot) => knot.x >= x);
      const [a, b] = [knots[right - 1], knots[right]];
      if (a === undefined || b === undefined) throw new Error(`seed ${seed}: ${x} is outside`);
      return a.y + ((b.y - a.y) / (b.x - a.x)) * (x - a.x);
    };
    const steps = 20_000;
    let sum = 0;
    for (let step = 0; step < steps; step += 1) {
      const x = low + ((high - low) * (step + 0.5)) / steps;
      sum += at(better, x) - at(than, x);
    }
    // The midpoint rule errs only in cells with a knot: slope change (some 100) times cell, over 20,000 cells.
    assertClose([found.all], [sum / steps], { rtol: 0, atol: 1e-4, note: `seed ${seed}` });
  }
});

describe('the grid', () => {
  const pairs: readonly Pair[] = [
    { better: line([0, 1], [4, 5]), than: line([0, 0], [4, 0]) },
    { better: line([1, 4], [5, 4]), than: line([0, 0], [3, 0]) },
  ];

  test('holds mean and deviation over the pairs where every one of them is', () => {
    // Common to all: [1, 3]. First pair x + 1, second 4.
    expect(differenceGrid(pairs, 3)).toEqual([
      { x: 1, difference: { n: 2, mean: 3, sd: Math.SQRT2 } },
      { x: 2, difference: { n: 2, mean: 3.5, sd: Math.SQRT1_2 } },
      { x: 3, difference: { n: 2, mean: 4, sd: 0 } },
    ]);
  });

  test('is empty where the pairs have no range in common', () => {
    expect(differenceGrid([...pairs, { better: line([8, 1]), than: line([8, 1]) }], 3)).toEqual([]);
    expect(differenceGrid([], 3)).toEqual([]);
  });
});
