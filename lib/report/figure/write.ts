// Writes a figure's report: report.html, self-contained, with points and curves as CSV, statistics as JSON, plots as SVG.
import { join } from 'node:path';
import type { Curve, FigureResult } from '../../figure/result.js';
import { type ReadRun, readFigure, readRuns } from '../../figure/result.js';
import { figureStatistics, type StageStatistics } from '../../figure/statistics.js';
import { row } from '../../graph/fields.js';
import { writeFileAtomic } from '../../machine/files/atomic.js';
import type { Spread } from '../../statistics/spread.js';
import type { Figure } from '../page/figure.js';
import { draw } from '../page/figure.js';
import { csv, writeJson, writePlots } from '../page/files.js';
import { type StageWidths, widthsPicture } from '../run/figures-growth.js';
import { indicesFigure } from '../run/figures-splitting.js';
import type { FigureData } from './data.js';
import { type FigurePageParts, figurePage, nameOf } from './page.js';
import { plotsOf } from './plots.js';

const MEASURES = ['macs', 'params', 'top1', 'top5', 'loss', 'epochs', 'compute'] as const;

function pointsCsv({ curves }: FigureResult): string {
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

function curvesCsv(stages: readonly StageStatistics[]): string {
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

/** Networks of a curve's first seed, one a stage. */
function stageWidths({ points }: Curve): readonly StageWidths[] {
  const seed = points[0]?.seed;
  return points.flatMap(({ stage, widths, ...point }) =>
    stage === null || point.seed !== seed || Object.keys(widths).length === 0 ? [] : [{ stage, widths }],
  );
}

function widthsPictures(curves: readonly Curve[]): readonly Figure[] {
  return curves.flatMap((curve, at) => {
    const stages = stageWidths(curve);
    const seed = curve.points[0]?.seed ?? 0;
    return stages.length === 0
      ? []
      : [widthsPicture(stages, { id: `widths-${at + 1}`, title: nameOf({ ...curve, seed }) })];
  });
}

/** Histograms of the first run of every curve. */
function firstRuns(runs: readonly ReadRun[]): readonly ReadRun[] {
  return runs.filter(
    (run, at) => at === runs.findIndex(({ panel, label }) => panel === run.panel && label === run.label),
  );
}

async function indicesOf(runs: readonly ReadRun[]): Promise<FigurePageParts['indices']> {
  const found: { name: string; figures: Awaited<ReturnType<typeof draw>> }[] = [];
  for (const [at, run] of firstRuns(runs).entries()) {
    const figures = (run.record?.stages ?? []).flatMap((stage) => indicesFigure(stage) ?? []);
    if (figures.length === 0) continue;
    const named = figures.map((figure) => ({ ...figure, id: `run-${at + 1}-${figure.id}` }));
    found.push({ name: nameOf(run), figures: await draw(named) });
  }
  return found;
}

async function partsOf(directory: string): Promise<FigurePageParts> {
  const figure = await readFigure(directory);
  const data: FigureData = {
    figure,
    statistics: figureStatistics(figure),
    runs: await readRuns(directory, figure.runs),
  };
  const { figures, notDrawn } = plotsOf(data);
  return {
    data,
    plots: await draw(figures),
    notDrawn,
    widths: await draw(widthsPictures(figure.curves)),
    indices: await indicesOf(data.runs),
    made: new Date().toISOString(),
  };
}

/**
 * Makes the report of the figure in `directory` from figure.json and the runs that it names: report.html,
 * points.csv, curves.csv, summary.json and plots/<plot>.svg. @returns their paths, report.html first
 * @throws E_FILE where figure.json is not there or does not fit
 */
export async function renderFigure(directory: string): Promise<readonly string[]> {
  const parts = await partsOf(directory);
  const { figure, statistics } = parts.data;
  const { id, title, paper, scale, note, seeds, versions, machine, seconds } = figure;
  const files = { page: 'report.html', points: 'points.csv', curves: 'curves.csv' };
  const at = (name: string): string => join(directory, name);
  await writeFileAtomic(at(files.points), pointsCsv(figure));
  await writeFileAtomic(at(files.curves), curvesCsv(statistics.stages));
  const summary = await writeJson(at('summary.json'), {
    format: 'splitgrow-figure-summary/1',
    ...{ id, title, paper, scale, note, seeds },
    ...statistics,
    ...{ versions, machine, seconds, made: parts.made },
  });
  const plots = await writePlots(directory, [
    ...parts.plots,
    ...parts.widths,
    ...parts.indices.flatMap(({ figures }) => figures),
  ]);
  await writeFileAtomic(at(files.page), figurePage(parts));
  return [...Object.values(files).map(at), summary, ...plots];
}

/** The same page as HTML; writes nothing. For a figure whose runs still go on. */
export async function figureReport(directory: string): Promise<string> {
  return figurePage(await partsOf(directory));
}
