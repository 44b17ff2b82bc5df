// What each method's search cost in all, beside the accuracy that it bought.
import { type Spread, spread } from '../statistics/spread.js';
import type { Curve, CurveKind, Point } from './result.js';

export interface CostStatistics {
  readonly panel: string;
  readonly label: string;
  readonly kind: CurveKind;
  /** The network of most MACs of each seed. */
  readonly macs: Spread;
  readonly top1: Spread;
  /** Seconds from the seed network to the last point; null where nothing ran here. */
  readonly fit: Spread | null;
  readonly search: Spread | null;
  readonly evaluate: Spread | null;
  readonly total: Spread | null;
  /** (fit + search) in training steps of the seed network. */
  readonly trainingSteps: Spread | null;
}

function largest(points: readonly Point[]): readonly Point[] {
  return [...new Set(points.map(({ seed }) => seed))].flatMap((seed) => {
    const [first, ...others] = points.filter((point) => point.seed === seed);
    if (first === undefined) return [];
    return [others.reduce((best, point) => (point.macs > best.macs ? point : best), first)];
  });
}

export function costStatistics({ panel, label, kind, points, costs }: Curve): CostStatistics | null {
  const last = largest(points);
  const macs = spread(last.map((point) => point.macs));
  const top1 = spread(last.map((point) => point.top1));
  if (macs === null || top1 === null) return null;
  return {
    panel,
    label,
    kind,
    macs,
    top1,
    fit: spread(costs.map(({ fit }) => fit)),
    search: spread(costs.map(({ search }) => search)),
    evaluate: spread(costs.map(({ evaluate }) => evaluate)),
    total: spread(costs.map(({ fit, search, evaluate }) => fit + search + evaluate)),
    trainingSteps: spread(costs.map(({ trainingSteps }) => trainingSteps)),
  };
}
