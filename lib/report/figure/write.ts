// Writes a figure's report: report.html, self-contained, with points and curves as CSV, statistics as JSON, plots as SVG.
import { join } from 'node:path';
import { type ReadRun, readFigure, readRuns } from '../../figure/read.js';
import type { Curve } from '../../figure/result.js';
import { figureStatistics } from '../../figure/statistics.js';
import { writeFileAtomic } from '../../machine/files/atomic.js';
import type { Figure } from '../page/figure.js';
import { writeJson, writePlots } from '../page/files.js';
import { indicesFigure, type StageWidths, widthsPicture } from '../run/figures-splitting.js';
import { draw } from '../run/write.js';
import { curvesCsv, pointsCsv } from './csv.js';
import { type FigurePageParts, figurePage, nameOf } from './page.js';
import { plotsOf } from './plots.js';
import type { FigureData } from './series.js';

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
