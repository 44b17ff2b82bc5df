// From the records that the runs left to figure.json: curves, their points, and what each method cost.
import { basename, relative } from 'node:path';
import type { Spec } from '../run/spec/spec.js';
import { bestDirectory, readBest } from '../run/store/best.js';
import { readCompare } from '../run/store/compare-file.js';
import { describeMachine } from '../run/store/machine.js';
import { readGrowingStages } from '../run/store/read-growing.js';
import type { BestRecord, RivalRecord, StageRecord } from '../run/store/records.js';
import { stageDirectory } from '../run/store/summary.js';
import { runCompute } from '../train/compute.js';
import { minibatches } from '../train/minibatches.js';
import { readGraph } from '../train/network.js';
import type { FigurePlan, PlannedRun, Use } from './plan.js';
import { isAsked } from './plan.js';
import type { Curve, FigureResult, FigureRun, Point, SearchCost } from './result.js';
import { allOf, grownCost, rivalCost, stepSeconds, sum, withCost } from './search-cost.js';
import type { FigureSpec } from './spec.js';

/** What one run left. */
interface RunRecords {
  /** Those that are finished, from stage 0 on. */
  readonly stages: readonly StageRecord[];
  readonly rivals: readonly RivalRecord[];
  /** What the run hands over; null or absent where it hands over its stages as they are. */
  readonly best?: BestRecord | null;
}

/** The records of an output folder; none where the run has not come to any. */
export async function readRecords(output: string): Promise<RunRecords> {
  return {
    stages: await readGrowingStages(output),
    rivals: await readCompare(output),
    best: await readBest(bestDirectory(output)),
  };
}

/** A finished or interrupted run with what it left. */
export interface Found extends RunRecords {
  readonly run: PlannedRun;
  /** Minibatches of an epoch of training. */
  readonly steps: number;
}

function grownPoints({ run, stages }: Found, directory: string): readonly Point[] {
  const worked = stages.map((record) => ({ record }));
  return stages.map(({ stage, macs, params, widths, finish, evaluation: { top1, top5, loss } }, at) => ({
    ...{ seed: run.spec.seed, stage, macs, params, top1, top5, loss, widths },
    epochs: sum(stages.slice(0, at + 1).map(({ epochs }) => epochs.length)) + (finish?.length ?? 0),
    compute: runCompute(worked, at),
    directory: relative(directory, stageDirectory(run.spec.output, stage)),
  }));
}

/** The network that the run hands over, with all the compute and the epochs that it took to have both to choose from. */
function bestPoint({ run, stages, best = null }: Found, directory: string): Point | null {
  const last = stages.at(-1);
  if (best === null || last === undefined || best.stage !== last.stage) return null;
  const { macs, params, test, compute } = best;
  return {
    ...{ seed: run.spec.seed, stage: best.stage, macs, params, ...test, widths: last.widths },
    epochs: null,
    compute: compute.grown + (compute.retrained ?? 0),
    directory: relative(directory, bestDirectory(run.spec.output)),
  };
}

function rivalPoint({ run }: Found, rival: RivalRecord, directory: string): Point {
  const { macs, params, widths, top1, top5, loss, stage } = rival;
  return {
    ...{ seed: run.spec.seed, stage, macs, params, top1, top5, loss, widths },
    epochs: rival.totalEpochs,
    compute: rival.totalCompute ?? null,
    directory: relative(directory, rival.directory),
  };
}

/** One run's share in a curve. */
interface Piece extends Pick<Curve, 'label' | 'panel' | 'kind' | 'method'> {
  /** The curve whose run made it; rivals of two curves of a panel stay two curves. */
  readonly owner: string;
  readonly points: readonly Point[];
  readonly cost: SearchCost;
}

function piecesOf(found: Found, use: Use, directory: string): readonly Piece[] {
  const { run, stages, rivals, steps } = found;
  const { seed, splitting } = run.spec;
  const { label: owner, panel } = use;
  const step = stepSeconds(stages, steps);
  const points = grownPoints(found, directory);
  const grown: Piece = {
    ...{ label: owner, panel, owner, kind: 'grown', method: splitting.strategy },
    ...{ points, cost: grownCost(seed, stages, step) },
  };
  const last = stages.length - 1;
  const asked = rivals.filter((rival) => use.asked.some((entry) => isAsked(entry, rival, last)));
  const labels = [...new Set(asked.map((rival) => rival.label))];
  const compared = labels.map((label): Piece => {
    const own = asked.filter((rival) => rival.label === label);
    return {
      ...{ label, panel, owner, kind: 'rival', method: own[0]?.method ?? null },
      points: own.map((rival) => rivalPoint(found, rival, directory)),
      cost: rivalCost(seed, own, step),
    };
  });
  if (use.stage !== null && use.network === 'best') {
    const handed = bestPoint(found, directory);
    const point = handed === null ? [] : [{ ...handed, stage: use.stage }];
    return [{ ...grown, method: 'deliver', points: point }, ...compared];
  }
  if (use.stage !== null && use.network === 'last') {
    // A run that has not come to its end has no such network yet.
    const isEnded = stages.at(-1)?.ended !== null;
    const point = isEnded ? points.slice(-1) : [];
    return [{ ...grown, points: point.map((one) => ({ ...one, stage: use.stage })) }, ...compared];
  }
  if (use.stage !== null) {
    const [point, first] = [points.slice(0, 1), stages.slice(0, 1)];
    const alone = {
      points: point.map((one) => ({ ...one, stage: use.stage })),
      cost: grownCost(seed, first, step),
    };
    return [{ ...grown, kind: 'rival', method: null, ...alone }];
  }
  return [grown, ...compared];
}

/** Pieces of one panel, label and owner are one curve; a rival whose label is taken becomes "label of owner". */
function joined(pieces: readonly Piece[]): readonly Curve[] {
  const owners = new Map<string, string>();
  const isGrown = ({ kind }: Piece): number => (kind === 'grown' ? 0 : 1);
  const ownerOf = ({ kind, owner }: Piece): string => `${kind} ${owner}`;
  for (const piece of [...pieces].sort((a, b) => isGrown(a) - isGrown(b))) {
    const key = JSON.stringify([piece.panel, piece.label]);
    if (!owners.has(key)) owners.set(key, ownerOf(piece));
  }
  const curves = new Map<string, Curve>();
  for (const piece of pieces) {
    const { panel, kind, method, owner } = piece;
    const isFirst = owners.get(JSON.stringify([panel, piece.label])) === ownerOf(piece);
    const label = isFirst ? piece.label : `${piece.label} of ${owner}`;
    const key = JSON.stringify([panel, label]);
    const known = curves.get(key);
    curves.set(key, {
      ...{ label, panel, kind, method, source: null },
      points: [...(known?.points ?? []), ...piece.points],
      costs: withCost(known?.costs ?? [], piece.cost),
    });
  }
  return [...curves.values()];
}

function reportedCurves({ reported }: FigureSpec): readonly Curve[] {
  return reported.map(({ label, panel, source, points }) => ({
    ...{ label, panel, source, kind: 'reported', method: null, costs: [] },
    points: points.map(({ macs, top1, top5 = null, params = null }) => ({
      ...{ seed: null, stage: null, macs, params, top1, top5 },
      ...{ loss: null, epochs: null, compute: null, widths: {}, directory: null },
    })),
  }));
}

/** Seconds of everything that ran; a seed network's fit that several runs took over counts once. */
function secondsOf(found: readonly Found[]): number {
  return sum(
    found.map(({ run, stages, rivals }) => {
      const [first] = stages;
      const shared = run.after === null ? 0 : (first?.seconds.fit ?? 0);
      const searches = sum(rivals.map(({ searchSeconds }) => searchSeconds));
      return sum([...stages, ...rivals].map(({ seconds }) => allOf(seconds))) + searches - shared;
    }),
  );
}

/** The experiment without paths of this machine: it runs anywhere, with the dataset in its default folder. */
function portable({ data, output, ...spec }: Spec): Readonly<Record<string, unknown>> {
  const { root: _root, ...images } = 'root' in data ? data : { ...data, root: undefined };
  return { ...spec, data: images, output: `runs/${basename(output)}` };
}

/** Curves and runs from the records of the runs. Runs without records are left out, and so are claims about their curves. */
export function resultOf(
  spec: FigureSpec,
  plan: Pick<FigurePlan, 'scale' | 'note' | 'seeds' | 'directory'>,
  found: readonly Found[],
): Omit<FigureResult, 'versions' | 'machine'> {
  const { directory, scale, note, seeds } = plan;
  const there = found.filter(({ stages }) => stages.length > 0);
  const pieces = there.flatMap((one) => one.run.uses.flatMap((use) => piecesOf(one, use, directory)));
  const curves = [...joined(pieces), ...reportedCurves(spec)];
  const runs = there.flatMap(({ run }) =>
    run.uses.map(
      ({ label, panel }): FigureRun => ({
        ...{ label, panel, seed: run.spec.seed, experiment: portable(run.spec) },
        output: relative(directory, run.spec.output),
      }),
    ),
  );
  return {
    ...{ format: 'splitgrow-figure/1', id: spec.id, title: spec.title, paper: spec.paper },
    ...{ scale, note, seeds },
    ...{ curves, runs, plots: spec.plots, seconds: secondsOf(found) },
    claims: spec.claims.filter(({ panel, better, than }) =>
      [better, than].every((label) => curves.some((one) => one.panel === panel && one.label === label)),
    ),
  };
}

/** Rows of the machine's description that are versions. */
const VERSIONS: ReadonlySet<string> = new Set(['splitgrow', 'LibTorch', 'Node']);

/** Minibatches of an epoch of a run that has a finished stage. Growth adds no op, so stage 0 tells what is done with a last, smaller minibatch. */
async function stepsOf({ spec }: PlannedRun, trainImages: number): Promise<number> {
  const graph = await readGraph(stageDirectory(spec.output, 0));
  return minibatches(trainImages, spec.fit, graph).steps;
}

/** Reads what every planned run has left so far. `trainImages` says how many training images a run has. */
export async function collectFigure(
  spec: FigureSpec,
  plan: FigurePlan,
  trainImages: (run: PlannedRun) => number,
): Promise<FigureResult> {
  const found = await Promise.all(
    plan.runs.map(async (run) => {
      const records = await readRecords(run.spec.output);
      const steps = records.stages.length === 0 ? 0 : await stepsOf(run, trainImages(run));
      return { run, steps, ...records };
    }),
  );
  const rows = describeMachine();
  return {
    ...resultOf(spec, plan, found),
    versions: Object.fromEntries(rows.filter(([name]) => VERSIONS.has(name))),
    machine: Object.fromEntries(rows.filter(([name]) => !VERSIONS.has(name))),
  };
}
