// Writes a run's report: output/report.html, self-contained, and output/stages.csv.
import { join } from 'node:path';
import { writeFileAtomic } from '../atomic.js';
import { stagesCsv } from './report/csv.js';
import type { Figure } from './report/figure.js';
import { accuracyFigure } from './report/figures-accuracy.js';
import { indicesFigure, widthsFigure } from './report/figures-splitting.js';
import { stepFigure } from './report/figures-steps.js';
import { epochFigure, secondsFigure } from './report/figures-time.js';
import { describeMachine } from './report/machine.js';
import { type Drawn, page } from './report/page.js';
import { readRun } from './report/read.js';
import { drawSvg } from './report/svg.js';

async function draw(figures: readonly (Figure | null)[]): Promise<readonly Drawn[]> {
  const drawn: Drawn[] = [];
  for (const figure of figures) {
    if (figure === null) continue;
    drawn.push({ ...figure, svg: await drawSvg(figure.spec, { id: figure.id, label: figure.title }) });
  }
  return drawn;
}

/** Makes the report of the run in `outputDirectory` from its records. @returns the path of report.html */
export async function renderReport(outputDirectory: string): Promise<string> {
  const run = await readRun(outputDirectory);
  const figures = [
    accuracyFigure(run),
    widthsFigure(run),
    epochFigure(run, 'loss'),
    epochFigure(run, 'top1'),
    secondsFigure(run),
    stepFigure(run),
  ];
  const indexFigures = run.stages.map(indicesFigure);
  const file = join(outputDirectory, 'report.html');
  await writeFileAtomic(join(outputDirectory, 'stages.csv'), stagesCsv(run));
  await writeFileAtomic(
    file,
    page({
      run,
      figures: await draw(figures),
      indexFigures: await draw(indexFigures),
      machine: describeMachine(),
      made: new Date().toISOString(),
    }),
  );
  return file;
}
