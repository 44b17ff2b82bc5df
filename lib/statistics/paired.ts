// Two curves compared where both were measured, paired by seed.
import { commonRange, type Polyline, placesIn, type Range, valueAt } from './polyline.js';
import { type Spread, spread } from './spread.js';

/** One seed's two curves. */
export interface Pair {
  readonly better: Polyline;
  readonly than: Polyline;
}

/** `better` minus `than` of one pair. */
export interface Difference {
  /** The x that both cover. */
  readonly range: Range;
  /** At the lower and the upper end of the range. */
  readonly low: number;
  readonly high: number;
  /** Mean over the range: the area between the curves by its length; the difference itself where the length is 0. */
  readonly all: number;
}

function gap({ better, than }: Pair, x: number): number | null {
  const [upper, lower] = [valueAt(better, x), valueAt(than, x)];
  return upper === null || lower === null ? null : upper - lower;
}

/** The area between two polylines by the length of their common range: exact, trapezoids between all knots of both. */
function meanGap(pair: Pair, { low, high }: Range): number | null {
  const inside = [...pair.better, ...pair.than].map(({ x }) => x).filter((x) => x > low && x < high);
  const places = [low, ...[...new Set(inside)].sort((a, b) => a - b), high];
  let area = 0;
  let [before, left] = [gap(pair, low), low];
  if (low === high) return before;
  for (const x of places.slice(1)) {
    const after = gap(pair, x);
    if (before === null || after === null) return null;
    area += ((before + after) / 2) * (x - left);
    [before, left] = [after, x];
  }
  return area / (high - low);
}

/** How far `better` lies above `than`, or null where they have no x in common. */
export function difference(pair: Pair): Difference | null {
  const range = commonRange([pair.better, pair.than]);
  if (range === null) return null;
  const [low, high, all] = [gap(pair, range.low), gap(pair, range.high), meanGap(pair, range)];
  return low === null || high === null || all === null ? null : { range, low, high, all };
}

export interface GridPlace {
  readonly x: number;
  readonly difference: Spread;
}

/** Differences at `count` places of the range that every pair covers; none where there is no such range. */
export function differenceGrid(pairs: readonly Pair[], count: number): readonly GridPlace[] {
  const range = commonRange(pairs.flatMap(({ better, than }) => [better, than]));
  if (range === null) return [];
  return placesIn(range, count).flatMap((x) => {
    const found = spread(pairs.flatMap((pair) => gap(pair, x) ?? []));
    return found === null ? [] : [{ x, difference: found }];
  });
}
