// Plots of accuracy: against MACs or parameters, over the seeds of a stage, against the growth ratio.

import type { Curve } from '../../figure/result.js';
import { curveStages } from '../../figure/statistics.js';
import { type CostAxis, seedLine, seedsOf } from '../../figure/statistics-compare.js';
import { decimal, integer } from '../../statistics/format.js';
import { commonRange, valueAt } from '../../statistics/polyline.js';
import { type Spread, spread } from '../../statistics/spread.js';
import { frame } from '../page/figure.js';
import {
  bar,
  errorBars,
  heightWith,
  lines,
  logAxis,
  looks,
  marks,
  seedMarks,
  spreadText,
} from '../page/series.js';
import type { Drawing } from './data.js';
import { type FigureData, seriesOf, shownName } from './data.js';

const UNITS: Readonly<Record<CostAxis, string>> = { macs: 'MACs', params: 'parameters' };
const TOP1 = {
  field: 'top1',
  type: 'quantitative',
  scale: { zero: false, padding: 14 },
  axis: { title: 'top-1 on the test images, %', tickCount: 6 },
} as const;
const PLOT_HEIGHT = 270;

function curvesOf({ figure }: FigureData, panel: string): readonly Curve[] {
  return figure.curves.filter((curve) => curve.panel === panel);
}

function stageName(stage: number | null): string {
  return stage === null ? '' : `, stage ${stage}`;
}

/** Top-1 against a cost on a logarithmic axis: means with one standard deviation, seeds faint behind, reported points hollow. */
export function accuracyPlot(data: FigureData, panel: string, on: CostAxis): Drawing | null {
  const curves = curvesOf(data, panel);
  const values = curves.flatMap((curve) =>
    curveStages(curve).flatMap((row) => {
      const cost = row[on]?.mean;
      const series = shownName(curve);
      if (cost === undefined) return [];
      const said = `${series}${stageName(row.stage)}: ${integer(cost)} ${UNITS[on]}, top-1 ${spreadText(row.top1, ' %')}`;
      return [{ series, kind: curve.kind, cost, top1: row.top1.mean, ...bar(row.top1), said }];
    }),
  );
  if (values.length === 0) return null;
  const single = curves.flatMap((curve) =>
    seedsOf(curve).length < 2
      ? []
      : curve.points.flatMap(({ seed, stage, top1, ...point }) => {
          const cost = point[on];
          const said = `${curve.label}${stageName(stage)}, seed ${seed}: ${integer(cost ?? 0)} ${UNITS[on]}, top-1 ${decimal(top1, 2)} %`;
          return cost === null ? [] : [{ series: shownName(curve), cost, top1, said }];
        }),
  );
  const { encoding, rows } = looks(
    seriesOf(data),
    values.map(({ series }) => series),
  );
  const sources = curves.flatMap(({ kind, label, source, points }) =>
    kind === 'reported' && points.some((point) => point[on] !== null)
      ? [`${label}: ${source ?? 'source not given'}`]
      : [],
  );
  return {
    caption: [
      'Means over seeds with one sample standard deviation; faint points are single seeds.',
      ...(sources.length > 0
        ? [`Hollow points are reported numbers, not run here (${sources.join('; ')}).`]
        : []),
    ].join(' '),
    spec: frame(
      {
        data: { values },
        encoding: {
          x: logAxis(
            'cost',
            UNITS[on],
            values.map(({ cost }) => cost),
          ),
          ...encoding,
        },
        layer: [
          lines(TOP1, 'datum.kind !== "reported"'),
          seedMarks(single, TOP1),
          ...errorBars(TOP1),
          marks(TOP1, { filter: 'datum.kind !== "reported"' }),
          marks(TOP1, { filter: 'datum.kind === "reported"', isHollow: true }),
        ],
      },
      heightWith(PLOT_HEIGHT, rows),
    ),
  };
}

const OFF = {
  field: 'off',
  type: 'quantitative',
  scale: { padding: 14 },
  axis: { title: 'top-1 minus its mean, points', tickCount: 6 },
} as const;

/** Every seed of every stage about their mean, with one standard deviation. */
export function seedsPlot(data: FigureData, panel: string): Drawing | null {
  const rows = curvesOf(data, panel).flatMap((curve) =>
    curveStages(curve).flatMap((row) => (row.stage === null || row.n < 2 ? [] : [{ ...row, curve }])),
  );
  const values = rows.map(({ label, stage, top1 }) => ({
    ...{ series: label, stage, off: 0, ...bar({ ...top1, mean: 0 }) },
    said: `${label}${stageName(stage)}: top-1 ${spreadText(top1, ' %')}`,
  }));
  if (values.length === 0) return null;
  const single = rows.flatMap(({ curve, stage, top1: { mean } }) =>
    curve.points
      .filter((point) => point.stage === stage)
      .map(({ seed, top1 }) => ({
        ...{ series: curve.label, stage, off: top1 - mean },
        said: `${curve.label}${stageName(stage)}, seed ${seed}: top-1 ${decimal(top1, 2)} %`,
      })),
  );
  const look = looks(
    seriesOf(data),
    values.map(({ series }) => series),
  );
  const x = { field: 'stage', type: 'ordinal', axis: { title: 'stage', labelAngle: 0, grid: false } };
  const xOffset = { field: 'series', type: 'nominal', scale: { domain: look.names } };
  return {
    caption: 'Points are single seeds; bars are one sample standard deviation about the mean of the stage.',
    spec: frame(
      {
        data: { values },
        encoding: { x, xOffset, ...look.encoding },
        layer: [...errorBars(OFF), seedMarks(single, OFF, { size: 26, opacity: 0.85 })],
      },
      heightWith(PLOT_HEIGHT, look.rows),
    ),
  };
}

/** The growth ratio of the runs of a curve, where all have one. */
function growthRatio({ figure }: FigureData, { panel, label }: Curve): number | null {
  const ratios = figure.runs
    .filter((run) => run.panel === panel && run.label === label)
    .map(
      ({ experiment }) =>
        (experiment as { splitting?: { growthRatio?: unknown } } | null)?.splitting?.growthRatio,
    );
  const [first] = ratios;
  return typeof first === 'number' && ratios.every((ratio) => ratio === first) ? first : null;
}

/** Top-1 of each seed's curve at `cost`, interpolated. */
function spreadAt(curve: Curve, logCost: number): Spread | null {
  return spread(seedsOf(curve).flatMap((seed) => valueAt(seedLine(curve, seed, 'macs'), logCost) ?? []));
}

/** Accuracy against the growth ratio: of the last stage, and at the most MACs that every curve reaches. */
export function ratioPlot(data: FigureData, panel: string): Drawing | null {
  const curves = curvesOf(data, panel).flatMap((curve) => {
    const ratio = curve.kind === 'grown' ? growthRatio(data, curve) : null;
    return ratio === null ? [] : [{ ...curve, ratio }];
  });
  const [LAST, EQUAL] = ['last stage', 'at equal MACs'];
  const range = commonRange(
    curves.flatMap((curve) => seedsOf(curve).map((seed) => seedLine(curve, seed, 'macs'))),
  );
  const values = curves.flatMap((curve) => {
    const last = curveStages(curve).at(-1);
    const equal = range === null ? null : spreadAt(curve, range.high);
    const row = (series: string, top1: Spread, macs: number) => ({
      ...{ series, ratio: curve.ratio, top1: top1.mean, ...bar(top1) },
      said: `growth ratio ${curve.ratio}, ${series}: ${integer(macs)} MACs, top-1 ${spreadText(top1, ' %')}`,
    });
    return [
      ...(last === undefined ? [] : [row(LAST, last.top1, last.macs.mean)]),
      ...(equal === null || range === null ? [] : [row(EQUAL, equal, 10 ** range.high)]),
    ];
  });
  if (values.length === 0) return null;
  const names = [LAST, EQUAL];
  const { encoding, rows } = looks(
    names,
    values.map(({ series }) => series),
  );
  const x = {
    field: 'ratio',
    type: 'quantitative',
    scale: { zero: false, padding: 18 },
    axis: { title: 'growth ratio', format: '~g', tickCount: 6 },
  };
  return {
    caption:
      range === null
        ? 'Final accuracy of each growth ratio; the curves share no range of MACs.'
        : `Final accuracy of each growth ratio, and its curve's accuracy at ${integer(10 ** range.high)} MACs, the most that all of them reach.`,
    spec: frame(
      {
        data: { values },
        encoding: { x, ...encoding },
        layer: [lines(TOP1), ...errorBars(TOP1), marks(TOP1)],
      },
      heightWith(PLOT_HEIGHT, rows),
    ),
  };
}
