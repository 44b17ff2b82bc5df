// points.csv and curves.csv: one row a trained network, one row a stage of a curve.

import type { FigureResult } from '../../figure/result.js';
import type { StageStatistics } from '../../figure/statistics.js';
import { row } from '../../graph/fields.js';
import type { Spread } from '../../statistics/spread.js';
import { csv } from '../run/csv.js';

const MEASURES = ['macs', 'params', 'top1', 'top5', 'loss', 'epochs'] as const;

export function pointsCsv({ curves }: FigureResult): string {
  const layers = [
    ...new Set(curves.flatMap(({ points }) => points.flatMap(({ widths }) => Object.keys(widths)))),
  ];
  const head = [
    ...['panel', 'curve', 'kind', 'method', 'source', 'seed', 'stage'],
    ...MEASURES,
    'directory',
    ...layers.map((layer) => `width_${layer}`),
  ];
  const rows = curves.flatMap(({ panel, label, kind, method, source, points }) =>
    points.map((point) => [
      ...[panel, label, kind, method ?? '', source ?? '', point.seed ?? '', point.stage ?? ''],
      ...MEASURES.map((measure) => point[measure] ?? ''),
      point.directory ?? '',
      ...layers.map((layer) => row(point.widths, layer) ?? ''),
    ]),
  );
  return csv([head, ...rows]);
}

function cells(found: Spread | null): readonly (string | number)[] {
  return [found?.mean ?? '', found?.sd ?? ''];
}

export function curvesCsv(stages: readonly StageStatistics[]): string {
  const head = [
    ...['panel', 'curve', 'kind', 'method', 'stage', 'seeds'],
    ...MEASURES.flatMap((measure) => [`${measure}_mean`, `${measure}_sd`]),
  ];
  const rows = stages.map((row) => [
    ...[row.panel, row.label, row.kind, row.method ?? '', row.stage ?? '', row.n],
    ...MEASURES.flatMap((measure) => cells(row[measure])),
  ]);
  return csv([head, ...rows]);
}
