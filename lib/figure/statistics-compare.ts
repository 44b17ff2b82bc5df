// Two curves of a panel at equal MACs or parameters: differences in top-1, paired by seed.
import { difference, differenceGrid, type Pair } from '../statistics/paired.js';
import { type Polyline, polyline, type Range } from '../statistics/polyline.js';
import { type Spread, spread } from '../statistics/spread.js';
import type { Claim, Curve, CurveKind } from './result.js';

export type CostAxis = Claim['on'];

/** Places of the grid over the common range. */
const GRID_PLACES = 9;

/** `better` minus `than`, in points of top-1, along log10 of the cost. */
export interface Comparison {
  readonly panel: string;
  readonly better: string;
  readonly than: string;
  /** What the two curves are: a reported one did not run here. */
  readonly kinds: { readonly better: CurveKind; readonly than: CurveKind };
  readonly on: CostAxis;
  /** Seeds that both ran and that have a range in common; null: both curves are reported. */
  readonly seeds: readonly (number | null)[];
  /** Costs where the pairs' common ranges begin and end, on average over log10; null where there is none. */
  readonly range: Range | null;
  /** At the low end, at the high end, and the mean over the range (the area between the curves by its length). */
  readonly low: Spread | null;
  readonly high: Spread | null;
  readonly all: Spread | null;
  /** At equal costs over the range that every pair covers. */
  readonly grid: readonly { readonly cost: number; readonly difference: Spread }[];
}

/** Top-1 along log10 of the cost, of one seed. Points of unknown cost are left out. */
export function seedLine({ points }: Curve, seed: number | null, on: CostAxis): Polyline {
  return polyline(
    points.flatMap((point) => {
      const cost = point[on];
      return point.seed !== seed || cost === null || cost <= 0
        ? []
        : [{ x: Math.log10(cost), y: point.top1 }];
    }),
  );
}

export function seedsOf({ points }: Curve): readonly (number | null)[] {
  return [...new Set(points.map(({ seed }) => seed))];
}

/** Seeds of both; numbers without a seed (reported ones) stand against every seed of the other. */
function pairsOf(
  better: Curve,
  than: Curve,
  on: CostAxis,
): readonly (Pair & { readonly seed: number | null })[] {
  const [ours, theirs] = [seedsOf(better), seedsOf(than)];
  const isSeedless = (seeds: readonly (number | null)[]): boolean => seeds.every((seed) => seed === null);
  const shared = isSeedless(theirs)
    ? ours
    : isSeedless(ours)
      ? theirs
      : ours.filter((seed) => theirs.includes(seed));
  return shared.map((seed) => ({
    seed,
    better: seedLine(better, isSeedless(ours) ? null : seed, on),
    than: seedLine(than, isSeedless(theirs) ? null : seed, on),
  }));
}

export function compareCurves(better: Curve, than: Curve, on: CostAxis): Comparison {
  const pairs = pairsOf(better, than, on).flatMap((pair) => {
    const found = difference(pair);
    return found === null ? [] : [{ ...pair, found }];
  });
  const over = (pick: (one: (typeof pairs)[number]) => number): Spread | null => spread(pairs.map(pick));
  const [from, to] = [over(({ found }) => found.range.low), over(({ found }) => found.range.high)];
  return {
    panel: better.panel,
    better: better.label,
    than: than.label,
    kinds: { better: better.kind, than: than.kind },
    on,
    seeds: pairs.map(({ seed }) => seed),
    range: from === null || to === null ? null : { low: 10 ** from.mean, high: 10 ** to.mean },
    low: over(({ found }) => found.low),
    high: over(({ found }) => found.high),
    all: over(({ found }) => found.all),
    grid: differenceGrid(pairs, GRID_PLACES).map((place) => ({
      cost: 10 ** place.x,
      difference: place.difference,
    })),
  };
}

/** What the claims ask for, and the first grown curve of each panel against every other curve of it; none twice. */
export function comparisonsOf(curves: readonly Curve[], claims: readonly Claim[]): readonly Comparison[] {
  const found = new Map<string, Comparison>();
  const add = (better: Curve | undefined, than: Curve | undefined, on: CostAxis): void => {
    if (better === undefined || than === undefined) return;
    const key = JSON.stringify([better.panel, better.label, than.label, on]);
    if (!found.has(key)) found.set(key, compareCurves(better, than, on));
  };
  for (const { panel, better, than, on } of claims) {
    const find = (label: string): Curve | undefined =>
      curves.find((curve) => curve.panel === panel && curve.label === label);
    add(find(better), find(than), on);
  }
  for (const panel of new Set(curves.map((curve) => curve.panel))) {
    const inPanel = curves.filter((curve) => curve.panel === panel);
    const first = inPanel.find(({ kind }) => kind === 'grown');
    for (const other of inPanel) if (other !== first) add(first, other, 'macs');
  }
  return [...found.values()].sort((a, b) => panelOrder(curves, a.panel) - panelOrder(curves, b.panel));
}

function panelOrder(curves: readonly Curve[], panel: string): number {
  return curves.findIndex((curve) => curve.panel === panel);
}
