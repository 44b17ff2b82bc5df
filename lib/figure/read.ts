// figure.json and the runs that it names, read back for the report.
import { isAbsolute, join, normalize } from 'node:path';
import { isSplitgrowError, SplitgrowError } from '../errors.js';
import { type RunRecord, readFormat } from '../run/store/read.js';
import { readGrowingRun } from '../run/store/read-growing.js';
import type { FigureResult, FigureRun, Point } from './result.js';

export const FIGURE_FILE = 'figure.json';

/** A run of the figure with its records, or with why they cannot be read. */
export interface ReadRun extends FigureRun {
  readonly record: RunRecord | null;
  readonly missing: string | null;
}

const LISTS = ['seeds', 'curves', 'runs', 'plots', 'claims'] as const;

function wrong(file: string, what: string): SplitgrowError {
  return new SplitgrowError('E_FILE', `${file}: expected ${what}; run the figure again`);
}

function isMeasured({ macs, params, top1 }: Point): boolean {
  return Number.isFinite(macs) && macs > 0 && Number.isFinite(top1) && (params === null || params > 0);
}

/** Checks what the statistics and the claims rest on. @throws E_FILE */
function refuseUnfit(file: string, figure: FigureResult): void {
  const absent = LISTS.find((name) => !Array.isArray(figure[name]));
  if (absent !== undefined) throw wrong(file, `a list "${absent}"`);
  const names = figure.curves.map(({ panel, label }) => JSON.stringify([panel, label]));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw wrong(file, `one curve of each panel and label, found ${twice} twice`);
  for (const { panel, label, points, costs } of figure.curves) {
    if (!Array.isArray(points) || !Array.isArray(costs))
      throw wrong(file, `points and costs of curve "${label}" in panel "${panel}"`);
    const point = points.findIndex((one) => !isMeasured(one));
    if (point >= 0)
      throw wrong(file, `MACs above 0 and top-1 of point ${point} of curve "${label}" in panel "${panel}"`);
  }
  for (const { panel, better, than } of figure.claims) {
    for (const label of [better, than]) {
      if (!names.includes(JSON.stringify([panel, label])))
        throw wrong(file, `a curve "${label}" in panel "${panel}", which a claim names`);
    }
  }
}

/** @throws E_FILE where there is no figure.json, or one that does not fit */
export async function readFigure(directory: string): Promise<FigureResult> {
  const file = join(directory, FIGURE_FILE);
  const figure = await readFormat<FigureResult>(file, 'splitgrow-figure/1');
  if (figure === null) {
    throw new SplitgrowError(
      'E_FILE',
      `${file}: expected a figure's result; run \`splitgrow reproduce\` first`,
    );
  }
  refuseUnfit(file, figure);
  return figure;
}

/** A path of figure.json, from the figure's folder. */
export function placeOf(directory: string, path: string): string {
  return isAbsolute(path) ? normalize(path) : join(directory, path);
}

/** The records of every run; one that cannot be read is told of and does not end the report. */
export async function readRuns(directory: string, runs: readonly FigureRun[]): Promise<readonly ReadRun[]> {
  return Promise.all(
    runs.map(async (run): Promise<ReadRun> => {
      try {
        return { ...run, record: await readGrowingRun(placeOf(directory, run.output)), missing: null };
      } catch (error) {
        if (!isSplitgrowError(error) || error.code !== 'E_FILE') throw error;
        return { ...run, record: null, missing: error.message };
      }
    }),
  );
}
