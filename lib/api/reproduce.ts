// reproduce: a figure or table of the paper by its id: what it would run, or the runs themselves and their report.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { SplitgrowError } from '../errors.js';
import { datasetRoot, EXPERIMENTS, figureIds, readFigure } from '../figure/files.js';
import { type PlanOptions, planFigure } from '../figure/plan.js';
import type { Curve } from '../figure/result.js';
import { type PlanRow, planRows } from '../figure/rows.js';
import { type FigureControl, reproduceFigure } from '../figure/run.js';
import { type FailedRun, failureText } from '../figure/schedule.js';
import { SCALES, type Scale } from '../figure/spec.js';
import type { Device } from '../native/face.js';
import { watched } from '../native/watched.js';
import { renderFigure } from '../report/figure/write.js';
import { renderReport } from '../report/run/write.js';

/** Which figure or table of the paper. */
export interface FigureOptions {
  /** fig3, table1 ...: a folder of `experiments` with a figure.json. */
  readonly id: string;
  /** Folder of the figures; default: those that come with splitgrow. */
  readonly experiments?: string | undefined;
  /** Seeds 0 to n - 1 instead of the scale's. */
  readonly seeds?: number | undefined;
  /** Overrides of every run, `path=value`. */
  readonly set?: readonly string[] | undefined;
}

/** Which figure is made, at which scale, and where. */
export interface ReproduceOptions extends FigureOptions {
  /** Default cpu. */
  readonly scale?: Scale | undefined;
  /** Runs side by side; default: as many as there are cores for, one on a GPU. */
  readonly jobs?: number | undefined;
  /** CPU threads of each run; default: the experiment's, or one where several run side by side. */
  readonly threads?: number | undefined;
  /** Default cpu. */
  readonly device?: Device | undefined;
  /** Default runs/reproduce. */
  readonly out?: string | undefined;
  /** Folder that holds cifar10 (or cifar-10), cifar100, fashion-mnist. */
  readonly dataRoot?: string | undefined;
}

/** What `reproduce` prints. */
export interface ReproduceDocument {
  /** Id of the figure. */
  readonly id: string;
  /** Its title. */
  readonly title: string;
  /** The scale that it was made at. */
  readonly scale: Scale;
  /** What the scale leaves out, in words. */
  readonly note: string;
  /** Seeds that ran. */
  readonly seeds: readonly number[];
  /** Folder of figure.json and the report. */
  readonly directory: string;
  /** Files of its folder. */
  readonly files: readonly string[];
  /** Its curves, with their points. */
  readonly curves: readonly Curve[];
  /** Seconds of this call. */
  readonly seconds: number;
  /** Runs that failed, and those that wait for one of them. */
  readonly failed: readonly FailedRun[];
}

/** What `reproduce --scale plan` prints. */
export interface PlanDocument {
  /** Id of the figure. */
  readonly id: string;
  /** Its title. */
  readonly title: string;
  /** Where it stands in the paper. */
  readonly paper: string;
  /** Always plan. */
  readonly scale: 'plan';
  /** The scale whose settings the rows have. */
  readonly of: Scale;
  /** What the planned scale leaves out, in words. */
  readonly note: string;
  /** Seeds that would run. */
  readonly seeds: readonly number[];
  /** Networks of the figure. */
  readonly rows: readonly PlanRow[];
}

/** A figure or table that can be made. */
export interface FigureEntry {
  /** What `reproduce` calls it. */
  readonly id: string;
  /** Its title. */
  readonly title: string;
  /** Where it stands in the paper. */
  readonly paper: string;
  /** Scales that it has. */
  readonly scales: readonly string[];
}

const OUT = join('runs', 'reproduce');

/** Folder of a figure's figure.json and report. */
export function figureDirectory({
  id,
  scale = 'cpu',
  out = OUT,
}: Pick<ReproduceOptions, 'id' | 'scale' | 'out'>): string {
  return join(out, scale, id);
}

/** Every figure there is. */
export async function listFigures(experiments: string = EXPERIMENTS): Promise<readonly FigureEntry[]> {
  const ids = await figureIds(experiments);
  const figures = await Promise.all(ids.map((id) => readFigure(id, experiments)));
  return figures.map(({ spec: { id, title, paper, scales } }) => ({
    ...{ id, title, paper },
    scales: Object.keys(scales),
  }));
}

/** MACs, parameters, epochs and schedule of every network of a figure at paper scale; reads no data and trains nothing. */
export async function planReproduction({
  id,
  experiments,
  seeds,
  set,
}: FigureOptions): Promise<PlanDocument> {
  const { spec, experiments: files } = await readFigure(id, experiments);
  const of = [...SCALES].reverse().find((scale) => scale in spec.scales) ?? 'paper';
  const plan = planFigure({ spec, experiments: files }, { scale: of, seeds, set, out: OUT, cores: 1 });
  return {
    ...{ id, title: spec.title, paper: spec.paper, scale: 'plan', of, note: plan.note, seeds: plan.seeds },
    rows: await planRows(spec, plan.runs),
  };
}

/** The error that says which runs failed, or null. */
export function reproductionError({ failed }: ReproduceDocument): SplitgrowError | null {
  return failed.length === 0 ? null : failureText(failed);
}

/**
 * Runs what a figure needs and is not finished yet, and makes its report. Runs that fail are named in `failed`.
 *
 * @throws E_USAGE for an unknown id or scale, E_EXPERIMENT, E_DATA before anything runs, E_ABORTED,
 *   E_FIGURE where no run came to a point
 */
export async function reproduce(
  options: ReproduceOptions,
  control: FigureControl = {},
): Promise<ReproduceDocument> {
  return watched(control, (own) => reproduced(options, own));
}

const REPORTS = { ofRun: renderReport, ofFigure: renderFigure } as const;

async function reproduced(options: ReproduceOptions, control: FigureControl): Promise<ReproduceDocument> {
  const { id, experiments, dataRoot, scale = 'cpu', out = OUT, ...rest } = options;
  const figure = await readFigure(id, experiments);
  const planned: PlanOptions = {
    ...{ ...rest, scale, out, cores: availableParallelism() },
    rootOf: (dataset) => datasetRoot(dataRoot, dataset),
  };
  const { plan, result, files, failed } = await reproduceFigure(figure, planned, {
    ...control,
    reports: REPORTS,
  });
  return {
    ...{ id, title: result.title, scale, note: result.note, seeds: result.seeds },
    ...{ directory: plan.directory, files, curves: result.curves, seconds: result.seconds, failed },
  };
}
