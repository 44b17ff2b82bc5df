// A curve through measured points: straight between neighbours, and nothing outside them.
import { SplitgrowError } from '../errors.js';

export interface Knot {
  readonly x: number;
  readonly y: number;
}

/** Knots by ascending x, no x twice. */
export type Polyline = readonly Knot[];

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** The polyline through `points`, in any order; points of one x become their mean. @throws E_ARGUMENT */
export function polyline(points: readonly Knot[]): Polyline {
  const wrong = points.find(({ x, y }) => !Number.isFinite(x) || !Number.isFinite(y));
  if (wrong !== undefined)
    throw new SplitgrowError('E_ARGUMENT', `point (${wrong.x}, ${wrong.y}): expected finite numbers`);
  const byX = new Map<number, number[]>();
  for (const { x, y } of points) byX.set(x, [...(byX.get(x) ?? []), y]);
  return [...byX]
    .map(([x, ys]) => ({ x, y: ys.reduce((sum, y) => sum + y, 0) / ys.length }))
    .sort((a, b) => a.x - b.x);
}

/** The x that all of `lines` cover, or null where there is none. */
export function commonRange(lines: readonly Polyline[]): Range | null {
  const low = Math.max(...lines.map((line) => line[0]?.x ?? Number.POSITIVE_INFINITY));
  const high = Math.min(...lines.map((line) => line.at(-1)?.x ?? Number.NEGATIVE_INFINITY));
  return lines.length > 0 && low <= high ? { low, high } : null;
}

/** Linear interpolation at `x`; null outside the knots: nothing is extrapolated. */
export function valueAt(line: Polyline, x: number): number | null {
  const after = line.findIndex((knot) => knot.x >= x);
  const right = line[after];
  if (right === undefined) return null;
  if (right.x === x) return right.y;
  const left = line[after - 1];
  if (left === undefined) return null;
  return left.y + ((right.y - left.y) * (x - left.x)) / (right.x - left.x);
}

/** `count` places at equal distances over `range`, both ends among them; one place for a range of no length. */
export function placesIn({ low, high }: Range, count: number): readonly number[] {
  if (low === high) return [low];
  return Array.from({ length: count }, (_, at) =>
    at === count - 1 ? high : low + ((high - low) * at) / (count - 1),
  );
}
