// experiments/<id>/figure.json: the curves, reported numbers, plots, claims and scales of a figure or table.

import { z } from 'zod';
import { SplitgrowError } from '../errors.js';
import { didYouMean } from '../graph/fields.js';
import { explain } from '../run/spec/explain.js';

const name = z.string().min(1);
const count = z.int().min(1);
/** Overrides of the experiment, `path=value`, as --set takes them. */
const set = z.array(z.string().regex(/^[^=]+=/, 'expected path=value, such as fit.epochs=10')).default([]);

const CURVE = z.strictObject({
  /** Unique within its panel. */
  label: name,
  /** One panel a set of axes. */
  panel: z.string().default(''),
  /** Experiment file, relative to figure.json. */
  experiment: name,
  /** What this curve changes in it; wins over the scale's. */
  set,
  /** Where one network of the experiment is one point of the curve: the stage that it stands beside. Entries of one label then make one curve. */
  stage: z.int().min(0).optional(),
  /** Which network that is: the first (so without it), as a rival; the last, or the best that the run hands over, with the rivals of its run. */
  network: z.enum(['first', 'last', 'best']).optional(),
});

const REPORTED = z.strictObject({
  label: name,
  panel: z.string().default(''),
  /** Where the numbers were printed. */
  source: name,
  points: z
    .array(
      z.strictObject({
        macs: count,
        /** Per cent. */
        top1: z.number().min(0).max(100),
        params: count.optional(),
        top5: z.number().min(0).max(100).optional(),
        /** The row of ours that it stands beside at --scale plan. */
        beside: z.strictObject({ curve: name, stage: z.int().min(0).default(0) }).optional(),
      }),
    )
    .min(1),
});

const CLAIM = z.strictObject({
  panel: z.string().default(''),
  better: name,
  than: name,
  /** What the paper shows, in words. */
  text: name,
  on: z.enum(['macs', 'params']).default('macs'),
  where: z.enum(['low', 'high', 'all']).default('all'),
  relation: z.enum(['above', 'within']).default('above'),
});

const SCALE = z.strictObject({
  /** What this scale changes, in words; shown in the title of the report. */
  note: name,
  /** Runs of every curve, with seeds from 0. */
  seeds: count,
  set,
  /** What it changes in the curves of a label; wins over the curve's own. */
  sets: z.record(name, set).default({}),
  /** Labels or panels of the curves that this scale runs; absent: all. */
  curves: z.array(name).min(1).optional(),
  /** Runs side by side; absent: as many as there are cores for. */
  jobs: count.optional(),
});

export const SCALES = ['smoke', 'cpu', 'paper'] as const;
export type Scale = (typeof SCALES)[number];

const FIGURE = z.strictObject({
  format: z.literal('splitgrow-figure-spec/1'),
  id: name,
  title: name,
  /** Section and figure of the paper. */
  paper: name,
  /** What every curve changes in its experiment; the scale's and the curve's own win over it. */
  set,
  curves: z.array(CURVE).min(1),
  reported: z.array(REPORTED).default([]),
  plots: z.array(z.strictObject({ kind: name, title: name.optional() })).default([]),
  claims: z.array(CLAIM).default([]),
  scales: z.strictObject({ smoke: SCALE.optional(), cpu: SCALE.optional(), paper: SCALE.optional() }),
});

export type FigureSpec = z.output<typeof FIGURE>;
export type CurveSpec = FigureSpec['curves'][number];
export type ScaleSpec = z.output<typeof SCALE>;

function refuse(problem: string): never {
  throw new SplitgrowError('E_EXPERIMENT', problem);
}

interface Place {
  readonly panel: string;
  readonly label: string;
  readonly stage?: number | undefined;
}

function refuseTwice(places: readonly Place[]): void {
  const seen = new Set<string>();
  for (const { panel, label, stage = null } of places) {
    const key = JSON.stringify([panel, label, stage]);
    if (seen.has(key))
      refuse(`curves: expected labels unique within a panel, got "${label}" twice in panel "${panel}"`);
    seen.add(key);
  }
}

/** What a list of labels and panels may name. */
function refuseUnknown(names: readonly string[], known: readonly string[], place: string): void {
  for (const given of names) {
    if (!known.includes(given)) refuse(`${place}: there is no "${given}"${didYouMean(given, known)}`);
  }
}

/** Checks figure.json as a whole. @throws E_EXPERIMENT naming the field and the nearest known one */
export function parseFigure(json: unknown): FigureSpec {
  const result = FIGURE.safeParse(json);
  if (!result.success) return refuse(explain(FIGURE, json, result.error).replace(/^experiment:/, 'figure:'));
  const figure = result.data;
  const { curves, reported, scales, claims } = figure;
  refuseTwice([...curves, ...reported]);
  for (const [scale, options] of Object.entries(scales)) {
    const known = [...new Set(curves.flatMap(({ label, panel }) => [label, panel]))];
    refuseUnknown(options?.curves ?? [], known, `scales.${scale}.curves`);
    refuseUnknown(Object.keys(options?.sets ?? {}), known, `scales.${scale}.sets`);
  }
  const panels = [...new Set([...curves, ...reported].map(({ panel }) => panel))];
  claims.forEach(({ panel }, at) => {
    refuseUnknown([panel], panels, `claims.${at}.panel`);
  });
  for (const { label, network, stage } of curves) {
    if (network !== undefined && stage === undefined)
      refuse(
        `curves: expected network only with a stage, which it stands beside, got "${network}" of "${label}"`,
      );
  }
  const labels = curves.map(({ label }) => label);
  reported.forEach(({ points }, at) => {
    const named = points.flatMap(({ beside }) => (beside === undefined ? [] : [beside.curve]));
    refuseUnknown(named, labels, `reported.${at}.points`);
  });
  if (Object.keys(scales).length === 0) refuse('scales: expected at least one of smoke, cpu, paper');
  return figure;
}

/** The scale's options. @throws E_USAGE naming those that the figure has */
export function scaleOf({ id, scales }: FigureSpec, scale: Scale): ScaleSpec {
  const found = scales[scale];
  if (found !== undefined) return found;
  throw new SplitgrowError(
    'E_USAGE',
    `${id}: expected one of its scales, ${Object.keys(scales).join(', ')}, or plan; got ${scale}`,
  );
}
