// figure.json: the types of what a figure's runs found, and reading it back with the records of the runs.
import { isAbsolute, join, normalize } from 'node:path';
import { isSplitgrowError, SplitgrowError } from '../errors.js';
import { type RecordedRun, readFormat } from '../run/store/read.js';
import { readGrowingRun } from '../run/store/read-growing.js';

/** Where a point comes from: a stage of a growth run, a rival of its stages, or a number printed elsewhere. */
export type CurveKind = 'grown' | 'rival' | 'reported';

/** One trained network. */
export interface Point {
  /** Null for reported points. */
  readonly seed: number | null;
  /** Splitting stage; for a rival the stage whose MACs it is held against. Null for reported points. */
  readonly stage: number | null;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Trained parameters. */
  readonly params: number | null;
  /** Per cent, on the test images. */
  readonly top1: number;
  /** Likewise; null where it is not known. */
  readonly top5: number | null;
  /** Mean cross-entropy on the test images; null where it is not known. */
  readonly loss: number | null;
  /** Epochs of training that this network has behind it, those of its parents counted. */
  readonly epochs: number | null;
  /** Multiply-adds of everything that this network took; null where that is not known, absent in files of older versions. */
  readonly compute?: number | null;
  /** Channels of every layer that makes some, by id. */
  readonly widths: Readonly<Record<string, number>>;
  /** Network directory, relative to the figure's folder. */
  readonly directory: string | null;
}

/** What one method's run of one seed cost: everything from the seed network to its last point. */
export interface SearchCost {
  /** Seed of the run. */
  readonly seed: number;
  /** Seconds of parametric updates, of splitting (indices, choice, growth) or searching, and of evaluation. */
  readonly fit: number;
  /** Seconds of what went before the training that counts. */
  readonly search: number;
  /** Seconds of evaluations. */
  readonly evaluate: number;
  /** (fit + search) / seconds of one training step of the seed network in the same run. */
  readonly trainingSteps: number;
}

/** One method's points over all seeds. */
export interface Curve {
  /** Unique within its panel: "energy-aware", "Pruning (Bn)". */
  readonly label: string;
  /** Part of the figure that it belongs to ("k = 3"); one panel a set of axes. */
  readonly panel: string;
  /** Grown, rival or reported. */
  readonly kind: CurveKind;
  /** Row of the rivals' table, the splitting strategy, or null for reported points. */
  readonly method: string | null;
  /** Networks of the curve, in order. */
  readonly points: readonly Point[];
  /** Seconds of each run. */
  readonly costs: readonly SearchCost[];
  /** Where reported numbers were printed; null for what ran here. */
  readonly source: string | null;
}

/** One experiment that ran: its file with every default filled in, and the folder of its records (stage.json of each stage). */
export interface FigureRun {
  readonly label: string;
  readonly panel: string;
  readonly seed: number;
  /** The whole experiment as it ran, without the dataset's folder. */
  readonly experiment: unknown;
  /** Output folder, relative to the figure's folder. */
  readonly output: string;
}

/** A plot that the figure asks for; a row of the table of plots draws it. */
export interface PlotRequest {
  readonly kind: string;
  readonly title?: string | undefined;
}

/** "The paper shows that `better` lies above `than`": compared at equal MACs, paired by seed. */
export interface Claim {
  readonly panel: string;
  readonly better: string;
  readonly than: string;
  /** What the paper shows, in words. */
  readonly text: string;
  /** Along which axis the curves are compared. */
  readonly on: 'macs' | 'params';
  /** Compare the low end, the high end or the whole range that both cover. */
  readonly where: 'low' | 'high' | 'all';
  /** `within`: better is no more than two standard errors below than. */
  readonly relation: 'above' | 'within';
}

/** figure.json */
export interface FigureResult {
  readonly format: 'splitgrow-figure/1';
  readonly id: string;
  readonly title: string;
  /** Section and figure of the paper. */
  readonly paper: string;
  readonly scale: string;
  /** What this scale changes, in words: data, images, epochs, stages. */
  readonly note: string;
  readonly seeds: readonly number[];
  readonly curves: readonly Curve[];
  readonly runs: readonly FigureRun[];
  readonly plots: readonly PlotRequest[];
  readonly claims: readonly Claim[];
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: Readonly<Record<string, string | number>>;
  /** Seconds that the runs took, summed over runs that went side by side too, those of earlier sittings included. */
  readonly seconds: number;
}

const FIGURE_FILE = 'figure.json';

/** A run of the figure with its records, or with why they cannot be read. */
export interface ReadRun extends FigureRun {
  readonly record: RecordedRun | null;
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
