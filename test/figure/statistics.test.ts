// Statistics of a figure: hand numbers on small curves, claims with their verdict, costs beside accuracy.
import { describe, expect, test } from 'vitest';
import type { Claim, Curve, CurveKind, FigureResult, Point } from '../../lib/figure/result.js';
import { curveStages, figureStatistics } from '../../lib/figure/statistics.js';
import { compareCurves } from '../../lib/figure/statistics-compare.js';
import { assertClose } from '../reference.js';

type Row = readonly [seed: number | null, stage: number | null, macs: number, top1: number, params?: number];

function pointOf([seed, stage, macs, top1, params]: Row): Point {
  return {
    ...{ seed, stage, macs, top1, params: params ?? null },
    ...{ top5: null, loss: null, epochs: null, widths: {}, directory: null },
  };
}

function curve(label: string, rows: readonly Row[], kind: CurveKind = 'grown'): Curve {
  return { label, panel: 'p', kind, method: label, points: rows.map(pointOf), costs: [], source: null };
}

function figure(curves: readonly Curve[], claims: readonly Claim[] = []): FigureResult {
  return {
    ...{ format: 'splitgrow-figure/1', id: 'x', title: 'x', paper: '', scale: '', note: '', seeds: [0, 1] },
    ...{ curves, claims, runs: [], plots: [], versions: {}, machine: {}, seconds: 0 },
  };
}

// Seeds 0 and 1; at 10, 100 and 1000 MACs, so that log10 is 1, 2, 3.
const UPPER = curve('upper', [
  [0, 0, 10, 40],
  [0, 1, 100, 50],
  [0, 2, 1000, 60],
  [1, 0, 10, 44],
  [1, 1, 100, 54],
  [1, 2, 1000, 64],
]);
const LOWER = curve('lower', [
  [0, 0, 10, 40],
  [0, 1, 1000, 56],
  [1, 0, 10, 43],
  [1, 1, 1000, 58],
]);

describe('a curve by stage', () => {
  test('has mean and deviation over its seeds', () => {
    const [, second] = curveStages(UPPER);
    expect(second).toMatchObject({ stage: 1, n: 2, macs: { mean: 100, sd: 0 }, top1: { mean: 52 } });
    assertClose([second?.top1.sd ?? 0], [Math.sqrt(8)], { rtol: 1e-12, atol: 0 });
    expect(second?.params).toBeNull();
  });

  test('has a row for each reported point, by MACs', () => {
    const rows = curveStages(
      curve(
        'AMC',
        [
          [null, null, 500, 70],
          [null, null, 300, 65],
        ],
        'reported',
      ),
    );
    expect(rows.map(({ stage, macs, top1 }) => [stage, macs.mean, top1])).toEqual([
      [null, 300, { n: 1, mean: 65, sd: null }],
      [null, 500, { n: 1, mean: 70, sd: null }],
    ]);
  });
});

describe('two curves at equal MACs', () => {
  test('are paired by seed, along log10 of the MACs', () => {
    const found = compareCurves(UPPER, LOWER, 'macs');
    // Seed 0: 0 at 10, 50 - 48 = 2 at 100, 4 at 1000, mean 2. Seed 1: 1, 3.5, 6, mean 3.5.
    expect(found.seeds).toEqual([0, 1]);
    assertClose(
      [found.low?.mean ?? 0, found.high?.mean ?? 0, found.all?.mean ?? 0, found.all?.sd ?? 0],
      [0.5, 5, 2.75, Math.sqrt(1.125)],
      // log10 and its inverse.
      { rtol: 1e-12, atol: 1e-12 },
    );
    assertClose([found.range?.low ?? 0, found.range?.high ?? 0], [10, 1000], { rtol: 1e-12, atol: 0 });
    const middle = found.grid[4];
    assertClose([middle?.cost ?? 0, middle?.difference.mean ?? 0], [100, 2.75], { rtol: 1e-12, atol: 0 });
  });

  test('leave out seeds that only one has, and those without a common range', () => {
    const far = curve('far', [
      [0, 0, 5000, 70],
      [1, 0, 100, 50],
      [2, 0, 100, 50],
    ]);
    const found = compareCurves(UPPER, far, 'macs');
    expect(found.seeds).toEqual([1]);
    expect(found.all).toEqual({ n: 1, mean: 4, sd: null });
    expect(compareCurves(UPPER, curve('none', [[7, 0, 100, 50]]), 'macs')).toMatchObject({
      ...{ seeds: [], range: null, low: null, high: null, all: null, grid: [] },
    });
  });

  test('a reported curve stands against every seed', () => {
    const reported = curve('AMC', [[null, null, 100, 51]], 'reported');
    expect(compareCurves(UPPER, reported, 'macs')).toMatchObject({ seeds: [0, 1], all: { n: 2, mean: 1 } });
    expect(compareCurves(reported, reported, 'macs')).toMatchObject({
      seeds: [null],
      all: { n: 1, mean: 0 },
    });
  });

  test('can be compared at equal parameters; points without are left out', () => {
    const small = curve('small', [
      [0, 0, 10, 40, 100],
      [0, 1, 20, 50, 10_000],
      [0, 2, 30, 99],
    ]);
    const large = curve('large', [[0, 0, 10, 44, 1000]]);
    expect(compareCurves(small, large, 'params').all).toEqual({ n: 1, mean: 1, sd: null });
  });
});

test('the first grown curve of a panel is held against every other, and claims add their own; none twice', () => {
  const rival = curve('rival', [[0, 1, 100, 49]], 'rival');
  const claim = (better: string, than: string): Claim => ({
    ...{ panel: 'p', better, than, text: '', on: 'macs', where: 'all', relation: 'above' },
  });
  const { comparisons } = figureStatistics(
    figure([rival, UPPER, LOWER], [claim('upper', 'lower'), claim('rival', 'lower')]),
  );
  expect(comparisons.map(({ better, than }) => [better, than])).toEqual([
    ['upper', 'lower'],
    ['rival', 'lower'],
    ['upper', 'rival'],
  ]);
});

test('claims get their verdict where they look', () => {
  const claim = (
    better: string,
    than: string,
    where: Claim['where'],
    relation: Claim['relation'],
  ): Claim => ({
    ...{ panel: 'p', better, than, text: '', on: 'macs', where, relation },
  });
  const { claims } = figureStatistics(
    figure(
      [UPPER, LOWER],
      [
        claim('upper', 'lower', 'all', 'above'),
        claim('lower', 'upper', 'high', 'above'),
        claim('lower', 'upper', 'low', 'above'),
        claim('lower', 'upper', 'low', 'within'),
        claim('lower', 'upper', 'high', 'within'),
      ],
    ),
  );
  // High end: 4 and 6 apart (mean 5, sd 1.41); low end: 0 and 1 (mean 0.5, sd 0.71).
  expect(claims.map(({ verdict }) => verdict)).toEqual([
    'agrees',
    'disagrees',
    'undecided',
    'agrees',
    'disagrees',
  ]);
});

test('search costs stand beside the accuracy of the largest network of each seed', () => {
  const costs = [
    { seed: 0, fit: 100, search: 20, evaluate: 2, trainingSteps: 4000 },
    { seed: 1, fit: 110, search: 30, evaluate: 2, trainingSteps: 5000 },
  ];
  const [found, reported] = figureStatistics(
    figure([{ ...UPPER, costs }, curve('AMC', [[null, null, 100, 51]], 'reported')]),
  ).costs;
  expect(found).toMatchObject({
    macs: { mean: 1000 },
    top1: { n: 2, mean: 62 },
    total: { n: 2, mean: 132 },
    trainingSteps: { mean: 4500 },
  });
  assertClose([found?.total?.sd ?? 0], [Math.sqrt(200)], { rtol: 1e-12, atol: 0 });
  expect(reported).toMatchObject({ top1: { mean: 51, sd: null }, total: null, trainingSteps: null });
});
