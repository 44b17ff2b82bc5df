// Statistics of a figure over its seeds: curves by stage, claims with a verdict, seconds of the searches.
import { type Spread, spread, spreadOfKnown } from '../statistics/spread.js';
import { type Verdict, verdictOf } from '../statistics/verdict.js';
import type { Claim, Curve, CurveKind, FigureResult, Point } from './result.js';
import { type Comparison, compareCurves, comparisonsOf } from './statistics-compare.js';

/** One curve at one stage, over its seeds. */
export interface StageStatistics {
  readonly panel: string;
  readonly label: string;
  readonly kind: CurveKind;
  readonly method: string | null;
  /** Null where the curve's points have no stage; they then stand in order of MACs. */
  readonly stage: number | null;
  readonly n: number;
  readonly macs: Spread;
  readonly params: Spread | null;
  readonly top1: Spread;
  readonly top5: Spread | null;
  readonly loss: Spread | null;
  readonly epochs: Spread | null;
  /** Multiply-adds of everything that the network took. */
  readonly compute: Spread | null;
}

export interface ClaimStatistics {
  readonly claim: Claim;
  readonly verdict: Verdict;
  /** `better` minus `than` in points of top-1, where the claim looks; null where they have no range in common. */
  readonly difference: Spread | null;
}

/** What a method's search cost in all, beside the accuracy that it bought. */
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

export interface FigureStatistics {
  readonly stages: readonly StageStatistics[];
  readonly comparisons: readonly Comparison[];
  readonly claims: readonly ClaimStatistics[];
  readonly costs: readonly CostStatistics[];
}

/** Points of one stage; those without a stage each on their own, by ascending MACs. */
function byStage({ points }: Curve): readonly (readonly Point[])[] {
  const stages = [...new Set(points.flatMap(({ stage }) => stage ?? []))].sort((a, b) => a - b);
  const staged = stages.map((stage) => points.filter((point) => point.stage === stage));
  const others = points.filter(({ stage }) => stage === null).sort((a, b) => a.macs - b.macs);
  return [...staged, ...others.map((point) => [point])];
}

export function curveStages(curve: Curve): readonly StageStatistics[] {
  const { panel, label, kind, method } = curve;
  return byStage(curve).flatMap((points) => {
    const macs = spread(points.map((point) => point.macs));
    const top1 = spread(points.map((point) => point.top1));
    const first = points[0];
    if (macs === null || top1 === null || first === undefined) return [];
    const known = (field: 'params' | 'top5' | 'loss' | 'epochs' | 'compute'): Spread | null =>
      spreadOfKnown(points.map((point) => point[field] ?? null));
    return [
      {
        panel,
        label,
        kind,
        method,
        stage: first.stage,
        n: points.length,
        macs,
        params: known('params'),
        top1,
        top5: known('top5'),
        loss: known('loss'),
        epochs: known('epochs'),
        compute: known('compute'),
      },
    ];
  });
}

function claimStatistics(claim: Claim, curves: readonly Curve[]): ClaimStatistics {
  const find = (label: string): Curve | undefined =>
    curves.find((curve) => curve.panel === claim.panel && curve.label === label);
  const [better, than] = [find(claim.better), find(claim.than)];
  const found = better && than ? compareCurves(better, than, claim.on)[claim.where] : null;
  return { claim, difference: found, verdict: verdictOf(found, claim.relation) };
}

function largest(points: readonly Point[]): readonly Point[] {
  return [...new Set(points.map(({ seed }) => seed))].flatMap((seed) => {
    const [first, ...others] = points.filter((point) => point.seed === seed);
    if (first === undefined) return [];
    return [others.reduce((best, point) => (point.macs > best.macs ? point : best), first)];
  });
}

function costStatistics({ panel, label, kind, points, costs }: Curve): CostStatistics | null {
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

/** Everything that the report's tables and files say of the figure. */
export function figureStatistics({ curves, claims }: FigureResult): FigureStatistics {
  return {
    stages: curves.flatMap(curveStages),
    comparisons: comparisonsOf(curves, claims),
    claims: claims.map((claim) => claimStatistics(claim, curves)),
    costs: curves.flatMap((curve) => costStatistics(curve) ?? []),
  };
}
