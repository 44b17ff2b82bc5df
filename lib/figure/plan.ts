// From a figure, a scale and a number of seeds to the runs it takes: each experiment resolved, equal work named once.
import { join } from 'node:path';
import { SplitgrowError } from '../errors.js';
import type { RivalRecord } from '../rivals/record.js';
import { type CompareEntry, optionsOf } from '../run/spec/compare.js';
import { seedExperiment } from '../run/spec/differences.js';
import { parseExperiment, type Spec } from '../run/spec/spec.js';
import type { Figure } from './files.js';
import { runKey, seedKey } from './identity.js';
import { type CurveSpec, type Scale, type ScaleSpec, scaleOf } from './spec.js';

/** One curve's claim on a run: the rivals that it asked for become curves of its panel. */
export interface Use {
  readonly label: string;
  readonly panel: string;
  readonly asked: Spec['compare'];
  /** The stage that one network stands beside, as the curve's one point; null where every stage is a point. */
  readonly stage: number | null;
  /** Which network that is. */
  readonly network: NonNullable<CurveSpec['network']>;
}

export interface PlannedRun {
  /** Name of its folder; unique. */
  readonly key: string;
  /** For people. */
  readonly label: string;
  readonly spec: Spec;
  /** The run that fits its seed network, or null for such a run itself. */
  readonly after: string | null;
  /** Empty where it only fits a seed network. */
  readonly uses: readonly Use[];
}

/** Seeds, and runs side by side. */
const MOST_COUNT = 1024;

export interface FigurePlan {
  readonly scale: Scale;
  readonly note: string;
  readonly seeds: readonly number[];
  /** Folder of figure.json and the report. */
  readonly directory: string;
  /** In order: a run comes after the one that it waits for. */
  readonly runs: readonly PlannedRun[];
  /** Runs side by side, and CPU threads of each (null: as many as LibTorch chooses). */
  readonly jobs: number;
  readonly threads: number | null;
}

export interface PlanOptions {
  readonly scale: Scale;
  /** Folder that holds the runs and figures of every scale. */
  readonly out: string;
  /** Processors to share out. */
  readonly cores: number;
  readonly seeds?: number | undefined;
  readonly set?: readonly string[] | undefined;
  readonly jobs?: number | undefined;
  readonly threads?: number | undefined;
  readonly device?: 'cpu' | 'cuda' | undefined;
  /** Folder of a named dataset, where it is not the experiment's own. */
  readonly rootOf?: ((dataset: string) => string | undefined) | undefined;
}

/** "k = 3, vanilla" */
function titleOf({ label, panel }: Pick<CurveSpec, 'label' | 'panel'>): string {
  return panel === '' ? label : `${panel}, ${label}`;
}

function chosen(figure: Figure, { curves }: ScaleSpec): readonly CurveSpec[] {
  const all = figure.spec.curves;
  return curves === undefined
    ? all
    : all.filter(({ label, panel }) => curves.includes(label) || curves.includes(panel));
}

/** The experiment of a curve: file, then the changes of the figure, of the scale, of the curve, of the scale in this curve, and of the command line. */
function specOf(figure: Figure, curve: CurveSpec, scale: ScaleSpec, options: PlanOptions): Spec {
  const { set = [], device, rootOf } = options;
  const ofScale = scale.sets[curve.label] ?? [];
  const overrides = [...figure.spec.set, ...scale.set, ...curve.set, ...ofScale, ...set];
  let spec: Spec;
  try {
    spec = parseExperiment(figure.experiments.get(curve.experiment), overrides);
  } catch (error) {
    if (!(error instanceof SplitgrowError)) throw error;
    throw new SplitgrowError(
      error.code,
      `${figure.spec.id}, curve "${titleOf(curve)}" (${curve.experiment}): ${error.message}`,
      { cause: error },
    );
  }
  const hasStore = 'store' in spec.data && spec.data.store !== undefined;
  const root = 'name' in spec.data && !hasStore ? rootOf?.(spec.data.name) : undefined;
  return {
    ...spec,
    ...(device === undefined ? {} : { device }),
    ...(root === undefined ? {} : { data: { ...spec.data, root } }),
  };
}

/** Both lists, equal entries once. */
function union(a: Spec['compare'], b: Spec['compare']): Spec['compare'] {
  const known = new Set(a.map((entry) => JSON.stringify(entry)));
  return [...a, ...b.filter((entry) => !known.has(JSON.stringify(entry)))] as Spec['compare'];
}

/** Stages that an entry's rivals are held against, of a run whose last stage is `last`; none where MACs are given instead. */
export function stagesOf({ at, targets }: CompareEntry, last: number): readonly number[] {
  if (targets !== undefined) return [];
  return at === 'stages' ? Array.from({ length: last }, (_, stage) => stage + 1) : [last];
}

/** True where the epochs of an entry's rivals follow from a total of multiply-adds. */
export function isComputed({ equal, method, targets, compute }: CompareEntry): boolean {
  return equal === 'compute' && method !== 'retrain' && (targets === undefined || compute !== undefined);
}

/** True where the record is one of the entry's: an output folder may hold those of several experiments. */
export function isAsked(entry: CompareEntry, rival: RivalRecord, last: number): boolean {
  const { stage, target } = rival;
  const isThere =
    stage === null ? entry.targets?.includes(target) === true : stagesOf(entry, last).includes(stage);
  const isAlike = Object.entries(optionsOf(entry)).every(
    ([name, value]) => JSON.stringify(rival.options[name]) === JSON.stringify(value),
  );
  return rival.method === entry.method && isThere && isAlike;
}

/** What the scale changes, and what the command line changes in that. */
function noteOf({ note }: ScaleSpec, { set = [] }: PlanOptions): string {
  return set.length === 0 ? note : `${note}; changed by hand: ${set.join(', ')}`;
}

/** The run that fits the seed network of `spec` and does nothing else. */
function seedRun(spec: Spec, folder: string): PlannedRun {
  const key = seedKey(spec);
  const plain = parseExperiment({ ...seedExperiment(spec), name: key, output: join(folder, key) });
  return {
    key,
    label: `seed network of ${spec.name}, seed ${spec.seed}`,
    spec: { ...plain, threads: spec.threads, stop: { stages: 0 } },
    after: null,
    uses: [],
  };
}

/** How many runs side by side, and the threads of each. With one run alone LibTorch may choose. */
export function shareOut(
  specs: readonly Spec[],
  { jobs, threads, cores }: Pick<PlanOptions, 'jobs' | 'threads' | 'cores'>,
): { readonly jobs: number; readonly threads: number | null } {
  const asked = specs.flatMap((spec) => spec.threads ?? []);
  const each = threads ?? (asked.length > 0 ? Math.max(...asked) : null);
  const isOnDevice = specs.some(({ device }) => device !== 'cpu');
  const most = jobs ?? (isOnDevice ? 1 : Math.max(1, Math.floor(cores / (each ?? 1))));
  return { jobs: most, threads: each ?? (most > 1 ? 1 : null) };
}

interface Planned {
  readonly curve: CurveSpec;
  readonly spec: Spec;
}

/** The runs of one seed, added to those of the seeds before. */
function addRuns(runs: Map<string, PlannedRun>, curves: readonly Planned[], folder: string): void {
  for (const { curve, spec } of curves) {
    const key = runKey(spec);
    const { label, panel, stage = null, network = 'first' } = curve;
    const use: Use = { label, panel, asked: spec.compare, stage, network };
    const known = runs.get(key);
    if (known !== undefined) {
      const compare = union(known.spec.compare, spec.compare);
      const deliver = known.spec.deliver.which === 'grown' ? spec.deliver : known.spec.deliver;
      runs.set(key, { ...known, spec: { ...known.spec, compare, deliver }, uses: [...known.uses, use] });
      continue;
    }
    const first = seedRun(spec, folder);
    if (!runs.has(first.key)) runs.set(first.key, first);
    runs.set(key, {
      key,
      label: `${titleOf(curve)}, seed ${spec.seed}`,
      spec: { ...spec, name: key, output: join(folder, key) },
      after: first.key,
      uses: [use],
    });
  }
}

/**
 * The runs of a figure at a scale. Curves that come to equal experiments share one run, and runs that begin with the same
 * network, data, recipe and seed share one run of stage 0, across figures too: folders are named by content. Seeds count
 * from 0 and go outermost, so that every curve has its first point early.
 *
 * @throws E_ARGUMENT for seeds or jobs that are no count; E_EXPERIMENT naming the curve and the field, E_USAGE for a scale that the figure lacks
 */
export function planFigure(figure: Figure, options: PlanOptions): FigurePlan {
  const scale = scaleOf(figure.spec, options.scale);
  for (const name of ['seeds', 'jobs'] as const) {
    const count = options[name];
    if (count === undefined || (Number.isInteger(count) && count >= 1 && count <= MOST_COUNT)) continue;
    throw new SplitgrowError(
      'E_ARGUMENT',
      `${name}: expected a whole number from 1 to ${MOST_COUNT}, got ${count}`,
    );
  }
  const seeds = Array.from({ length: options.seeds ?? scale.seeds }, (_, seed) => seed);
  const curves = chosen(figure, scale).map((curve) => ({
    curve,
    spec: specOf(figure, curve, scale, options),
  }));
  const folder = join(options.out, options.scale, 'runs');
  const { jobs, threads } = shareOut(
    curves.map(({ spec }) => spec),
    { ...options, jobs: options.jobs ?? scale.jobs },
  );
  const runs = new Map<string, PlannedRun>();
  for (const seed of seeds) {
    const seeded = curves.map(({ curve, spec }) => ({ curve, spec: { ...spec, seed, threads } }));
    addRuns(runs, seeded, folder);
  }
  return {
    scale: options.scale,
    note: noteOf(scale, options),
    seeds,
    directory: join(options.out, options.scale, figure.spec.id),
    runs: [...runs.values()],
    jobs,
    threads,
  };
}
