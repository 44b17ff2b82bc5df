// What a figure would run, without data or training: each network's MACs and parameters, its epochs, beside the paper's numbers.

import { SplitgrowError } from '../errors.js';
import { macs, params } from '../graph/cost.js';
import type { Graph } from '../graph/ir.js';
import { buildPreset } from '../models/zoo.js';
import { atMostMacs } from '../rivals/networks/width-multiplier.js';
import type { CompareEntry } from '../run/spec/compare.js';
import { epochsBehind, epochsOf, scheduleOf } from '../run/spec/epochs.js';
import type { Spec } from '../run/spec/spec.js';
import { growthRatioOf } from '../run/spec/splitting.js';
import { readGraph } from '../train/network.js';
import type { PlannedRun } from './plan.js';
import { isComputed, stagesOf } from './plan.js';
import type { FigureSpec } from './spec.js';

/** What the paper says of the network. */
export interface PaperNumbers {
  /** Where it stands there. */
  readonly source: string;
  /** What it is called there. */
  readonly label: string;
  /** Multiply-accumulates. */
  readonly macs: number;
  /** Top-1 accuracy in per cent. */
  readonly top1: number;
  /** Top-5 accuracy in per cent. */
  readonly top5: number | null;
}

/** One network of a figure that would be made. */
export interface PlanRow {
  /** Part of the figure. */
  readonly panel: string;
  /** Curve that it belongs to. */
  readonly label: string;
  /** seed: the network that a run starts from. stage, rival: known by their limit on MACs alone, until they are grown. */
  readonly kind: 'seed' | 'stage' | 'rival' | 'reported';
  /** Splitting stage, 0 for the seed network. */
  readonly stage: number | null;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** `macs` is what the network may have at most. */
  readonly isLimit: boolean;
  /** Trained parameters. */
  readonly params: number | null;
  /** Epochs of training behind it, those of its parents counted. */
  readonly epochs: number | null;
  /** Its recipe, in words. */
  readonly schedule: string | null;
  /** Beside it; null where the paper has none. */
  readonly paper: PaperNumbers | null;
}

/** Channels, side and classes of the named datasets. */
const SHAPES: Readonly<Record<string, readonly [number, number, number]>> = {
  'fashion-mnist': [1, 28, 10],
  cifar10: [3, 32, 10],
  cifar100: [3, 32, 100],
  imagenet: [3, 224, 1000],
};
const COARSE = 20;

/** The network that a run starts from, its shape from the dataset's name. @throws E_EXPERIMENT where that does not tell */
export async function seedGraph({ network, data }: Spec): Promise<Graph> {
  if ('directory' in network) return readGraph(network.directory);
  if ('graph' in network) return network.graph;
  const { preset, ...options } = network;
  const known = 'name' in data ? SHAPES[data.name] : undefined;
  if (known === undefined) {
    const missing = ['channels', 'resolution', 'classes'].filter((option) => !(option in options));
    if (missing.length > 0) {
      throw new SplitgrowError(
        'E_EXPERIMENT',
        `network: expected ${missing.join(', ')}, which --scale plan cannot tell without reading the data; give them in the experiment`,
      );
    }
    return buildPreset(preset, options);
  }
  const [channels, side, classes] = known;
  const resolution = 'resolution' in data ? data.resolution : side;
  const isCoarse = 'labels' in data && data.labels === 'coarse';
  return buildPreset(preset, { channels, resolution, classes: isCoarse ? COARSE : classes, ...options });
}

/** "batch 256, rate 0.1, x 0.1 at 80 and 120 of 160" */
export function scheduleText({ fit }: Spec): string {
  const { schedule, optimizer, batch, epochs } = fit;
  const each = [epochs].flat();
  const stages = Array.isArray(schedule) ? Math.max(schedule.length, each.length) : 0;
  const ofStages = Array.from({ length: stages }, (_, stage) =>
    courseText(scheduleOf(fit, stage), String(epochsOf(fit, stage))),
  );
  const courses = Array.isArray(schedule) ? ofStages.join(' / ') : courseText(schedule, each.join('/'));
  return `batch ${batch}, rate ${optimizer.learningRate}, ${courses} epochs a stage${finishText(fit)}`;
}

/** ", each stage finished in 6 epochs to 0" */
function finishText({ finish }: Spec['fit']): string {
  const epochs = [finish.epochs].flat();
  if (epochs.every((one) => one === 0)) return '';
  const which = finish.stages === 'every' ? 'each stage' : 'the last stage';
  const falling = finish.decay === null ? ' to 0' : `, to 0 in the last ${finish.decay}`;
  return `, ${which} finished in ${epochs.join('/')} epochs${falling}`;
}

type Schedule = Extract<Spec['fit']['schedule'], { readonly kind: string }>;

function courseText(schedule: Schedule, each: string): string {
  const course = {
    constant: () => `constant for ${each}`,
    steps: ({ at, factor }: { at: readonly number[]; factor: number }) =>
      `x ${factor} at ${at.join(' and ')} of ${each}`,
    cosine: ({ warmup }: { warmup: number }) =>
      `cosine over ${each}${warmup > 0 ? `, warm-up ${warmup}` : ''}`,
    wsd: ({ warmup, decay }: { warmup: number; decay: number }) =>
      `constant, then to 0 in the last ${decay} of ${each}${warmup > 0 ? `, warm-up ${warmup}` : ''}`,
  }[schedule.kind] as (given: Schedule) => string;
  return course(schedule);
}

/** MACs that stage k may have at most: those of the stage before grown by its ratio and floored, and never above stop.macs. */
export function stageLimits({ splitting, stop }: Spec, seedMacs: number): readonly number[] {
  const cap = stop.macs ?? Number.POSITIVE_INFINITY;
  const limits = [seedMacs];
  while (limits.length <= (stop.stages ?? Number.POSITIVE_INFINITY)) {
    const before = limits.at(-1) ?? 0;
    const next = Math.min(Math.floor((1 + growthRatioOf(splitting, limits.length - 1)) * before), cap);
    if (next <= before) break;
    limits.push(next);
  }
  return limits;
}

interface Target {
  readonly method: string;
  readonly stage: number | null;
  /** Of the last stage, or of no stage: as finished as a run can be. */
  readonly isLast: boolean;
  readonly macs: number;
  /** True where its epochs follow from a total of multiply-adds. */
  readonly isComputed: boolean;
}

function targetsOf(entry: CompareEntry, limits: readonly number[]): readonly Target[] {
  const { method, targets = [] } = entry;
  const stages = stagesOf(entry, limits.length - 1);
  const shared = { method, isComputed: isComputed(entry) };
  return [
    ...targets.map((macs) => ({ ...shared, stage: null, isLast: true, macs })),
    ...stages.map((stage) => ({
      ...{ ...shared, stage, isLast: stage === limits.length - 1 },
      macs: limits[stage] ?? 0,
    })),
  ];
}

function rivalRow(
  spec: Spec,
  graph: Graph,
  { method, stage, isLast, macs: target, isComputed: isTotal }: Target,
  panel: string,
): PlanRow {
  const isKnown = method === 'width-multiplier' && target >= macs(graph);
  const network = isKnown ? atMostMacs(graph, target).graph : null;
  return {
    ...{ panel, label: method, kind: 'rival', stage, schedule: scheduleText(spec), paper: null },
    macs: network === null ? target : macs(network),
    isLimit: network === null,
    params: network === null ? null : params(network),
    epochs: isTotal ? null : epochsBehind(spec.fit, (stage ?? 0) + 1, isLast),
  };
}

async function rowsOfRun({ spec, uses }: PlannedRun): Promise<readonly PlanRow[]> {
  const graph = await seedGraph(spec);
  const limits = stageLimits(spec, macs(graph));
  const schedule = scheduleText(spec);
  const all = limits.map((limit, stage) => ({ limit, stage }));
  return uses.flatMap(({ label, panel, asked, stage: beside, network }) => [
    ...(beside === null ? all : network === 'first' ? all.slice(0, 1) : all.slice(-1)).map(
      ({ limit, stage }): PlanRow => ({
        ...{ panel, label, kind: stage === 0 ? 'seed' : 'stage', stage: beside ?? stage, macs: limit },
        isLimit: stage > 0,
        params: stage === 0 ? params(graph) : null,
        epochs: epochsBehind(spec.fit, stage + 1, stage === limits.length - 1),
        ...{ schedule, paper: null },
      }),
    ),
    ...asked.flatMap((one) => targetsOf(one, limits)).map((target) => rivalRow(spec, graph, target, panel)),
  ]);
}

/** Every network of the figure's first seed, the paper's numbers beside the row that they name or in rows of their own. */
export async function planRows(spec: FigureSpec, runs: readonly PlannedRun[]): Promise<readonly PlanRow[]> {
  const first = runs.filter(({ uses, spec: { seed } }) => uses.length > 0 && seed === 0);
  const rows = (await Promise.all(first.map(rowsOfRun))).flat();
  const used = new Set<PaperNumbers>();
  const reported = spec.reported.flatMap(({ label, panel, source, points }) =>
    points.map(({ macs: cost, top1, top5 = null, beside }) => ({
      ...{ panel, beside },
      paper: { source, label, macs: cost, top1, top5 } satisfies PaperNumbers,
    })),
  );
  const ours = rows.map((row): PlanRow => {
    const match = reported.find(
      ({ panel, beside }) =>
        panel === row.panel &&
        row.kind !== 'rival' &&
        beside?.curve === row.label &&
        beside.stage === row.stage,
    );
    if (match === undefined) return row;
    used.add(match.paper);
    return { ...row, paper: match.paper };
  });
  const others = reported
    .filter(({ paper }) => !used.has(paper))
    .map(
      ({ panel, paper }): PlanRow => ({
        ...{ panel, label: paper.label, kind: 'reported', stage: null, macs: paper.macs, isLimit: false },
        ...{ params: null, epochs: null, schedule: null, paper },
      }),
    );
  return [...ours, ...others];
}
