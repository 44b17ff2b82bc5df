// A run's report: output/report.html, self-contained, with its tables as CSV, its numbers as JSON and its plots as SVG.
import { join } from 'node:path';
import { writeFileAtomic } from '../../machine/files/atomic.js';
import { describeMachine } from '../../run/store/machine.js';
import { type RecordedRun, readRun } from '../../run/store/read.js';
import { readGrowingRun } from '../../run/store/read-growing.js';
import { draw } from '../page/figure.js';
import { writeJson, writePlots } from '../page/files.js';
import { epochsCsv, stagesCsv } from './csv.js';
import { accuracyFigure, gradientsFigure, widthsFigure } from './figures-growth.js';
import { indicesFigure, stepFigure } from './figures-splitting.js';
import { epochFigure, secondsFigure } from './figures-time.js';
import { type PageParts, page } from './page.js';

async function partsOf(run: RecordedRun): Promise<PageParts> {
  const hasStages = run.stages.length > 0;
  return {
    run,
    figures: await draw([
      ...(hasStages ? [accuracyFigure(run), widthsFigure(run)] : []),
      ...(hasStages || (run.underWay?.epochs.length ?? 0) > 0
        ? [epochFigure(run, 'loss'), epochFigure(run, 'top1')]
        : []),
      ...(hasStages ? [secondsFigure(run), stepFigure(run)] : []),
      gradientsFigure(run),
    ]),
    indexFigures: await draw(run.stages.map(indicesFigure)),
    machine: describeMachine(),
    made: new Date().toISOString(),
  };
}

/**
 * Makes the report of the run in `outputDirectory` from its records: report.html, stages.csv, epochs.csv,
 * report.json, plots/<figure>.svg. @returns the path of report.html
 */
export async function renderReport(outputDirectory: string): Promise<string> {
  const run = await readRun(outputDirectory);
  const parts = await partsOf(run);
  const { summary, stages, compare, experiment } = run;
  const file = join(outputDirectory, 'report.html');
  await writeFileAtomic(join(outputDirectory, 'stages.csv'), stagesCsv(run));
  await writeFileAtomic(join(outputDirectory, 'epochs.csv'), epochsCsv(run));
  await writeJson(join(outputDirectory, 'report.json'), {
    format: 'splitgrow-report/1',
    ...{ summary, stages, compare, experiment },
    ...{ machine: Object.fromEntries(parts.machine), made: parts.made },
  });
  await writePlots(outputDirectory, [...parts.figures, ...parts.indexFigures]);
  await writeFileAtomic(file, page(parts));
  return file;
}

/** The report of a run that still grows, as HTML; writes nothing. @throws E_FILE where no run has begun there */
export async function growingReport(outputDirectory: string): Promise<string> {
  return page(await partsOf(await readGrowingRun(outputDirectory)));
}
