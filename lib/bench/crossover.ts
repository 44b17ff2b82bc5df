// Where one cost passes another along an axis: straight lines between measured points, both axes logarithmic.
import { SplitgrowError } from '../errors.js';
import { type Crossing, type Crossover, type Crossovers, measured, type Point } from './documents.js';

/** Costs of both methods at one place; null where it was not measured. */
export interface Costs {
  readonly x: number;
  readonly fast: number | null;
  readonly exact: number | null;
}

interface Logs {
  readonly place: number;
  /** log(place) */
  readonly x: number;
  /** log(exact / fast): positive where exact is dearer. */
  readonly ratio: number;
}

function logsOf({ x, fast, exact }: Costs): readonly Logs[] {
  if (fast === null || exact === null) return [];
  if (!(x > 0 && fast > 0 && exact > 0 && Number.isFinite(x * fast * exact)))
    throw new SplitgrowError(
      'E_ARGUMENT',
      `crossover: expected finite numbers above 0, got ${exact} and ${fast} at ${x}`,
    );
  return [{ place: x, x: Math.log(x), ratio: Math.log(exact / fast) }];
}

const dearer = (ratio: number): 'exact' | 'fast' => (ratio > 0 ? 'exact' : 'fast');

/** Both costs are straight lines in logarithms, and so is the logarithm of their ratio: they cross where it is 0. Nothing is extrapolated. */
export function crossover(costs: readonly Costs[]): Crossover {
  const logs = costs.flatMap(logsOf).sort((a, b) => a.x - b.x);
  const [first, last] = [logs[0], logs.at(-1)];
  if (first === undefined || last === undefined) return { crossings: [], range: null, cheaper: null };
  const crossings: Crossing[] = [];
  // A point at which both cost the same belongs to neither side.
  const sided = logs.filter(({ ratio }) => ratio !== 0);
  for (const [i, right] of sided.entries()) {
    const left = sided[i - 1];
    if (left === undefined || left.ratio > 0 === right.ratio > 0) continue;
    const even = logs.filter(({ x, ratio }) => ratio === 0 && x > left.x && x < right.x);
    const place =
      even.length > 0
        ? even.reduce((sum, { x }) => sum + x, 0) / even.length
        : left.x + ((right.x - left.x) * left.ratio) / (left.ratio - right.ratio);
    crossings.push({ at: Math.exp(place), dearerAbove: dearer(right.ratio) });
  }
  const side = sided[0];
  return {
    crossings,
    range: [first.place, last.place],
    cheaper:
      crossings.length > 0 || side === undefined ? null : dearer(side.ratio) === 'exact' ? 'fast' : 'exact',
  };
}

/** Crossovers over the points that there are. */
export function crossoversOf(points: readonly Point[]): Crossovers {
  const along = (axis: 'width' | 'neurons', cost: 'seconds' | 'peakBytes') =>
    crossover(
      points.map(
        ({ searches, ...point }): Costs => ({
          x: point[axis],
          fast: measured(searches.fast)?.[cost] ?? null,
          exact: measured(searches.exact)?.[cost] ?? null,
        }),
      ),
    );
  return {
    timeByWidth: along('width', 'seconds'),
    timeByNeurons: along('neurons', 'seconds'),
    memoryByWidth: along('width', 'peakBytes'),
    memoryByNeurons: along('neurons', 'peakBytes'),
  };
}
