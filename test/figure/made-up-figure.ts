// A figure that nobody ran: three curves by two seeds by four stages, reported points, and the folders of its runs.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Curve, FigureResult, FigureRun, Point } from '../../lib/figure/result.js';
import { PLOTS } from '../../lib/report/figure/plots.js';
import type { StageRecord } from '../../lib/run/store/records.js';
import { writeMadeUpRun } from '../run/made-up-run.js';

export interface MadeUpFigure {
  readonly title?: string;
  /** Made into every label. */
  readonly label?: (name: string) => string;
  readonly panels?: readonly string[];
  readonly seeds?: readonly number[];
  readonly plots?: readonly string[];
  readonly change?: Partial<FigureResult>;
}

const METHODS = [
  { label: 'energy-aware', method: 'energy-aware', kind: 'grown', lift: 0, ratio: 0.5 },
  { label: 'vanilla', method: 'vanilla', kind: 'grown', lift: -1.4, ratio: 0.25 },
  { label: 'Pruning (Bn)', method: 'prune-bn', kind: 'rival', lift: -2.1, ratio: null },
] as const;
const MACS = [269_312, 372_100, 556_700, 832_400] as const;
const TOP1 = [45, 53.4, 59.8, 66.1] as const;
const EPOCHS = 4;
const LAYERS = ['stem', 'b0_pw', 'b1_pw', 'b2_pw', 'b3_pw'] as const;

/** Top-1 of a seed lies this much above that of seed 0. */
const SEED_LIFT = [0, 0.62, -0.38, 0.2, -0.7] as const;

function point(lift: number, seed: number, stage: number): Point {
  const scatter = SEED_LIFT[seed % SEED_LIFT.length] ?? 0;
  const top1 = (TOP1[stage] ?? 0) + (stage === 0 ? 0 : lift) + scatter * (1 + 0.2 * stage);
  return {
    ...{ seed, stage, macs: (MACS[stage] ?? 0) + 811 * seed * stage, params: 1_130 * 2 ** stage },
    ...{ top1, top5: top1 + 30, loss: 1.5 - 0.2 * stage, epochs: EPOCHS * (stage + 1) },
    widths: Object.fromEntries(LAYERS.map((layer, at) => [layer, 8 + stage * (3 + at)])),
    directory: `runs/stage-${stage}`,
  };
}

function reported(label: string, panel: string): Curve {
  const top1 = [52.5, 64.8];
  return {
    ...{
      label: `${label}`,
      panel,
      kind: 'reported',
      method: null,
      costs: [],
      source: 'Table 2 of the paper',
    },
    points: top1.map((value, at) => ({
      ...{ seed: null, stage: null, macs: 400_000 * (at + 1), params: null, top1: value },
      ...{ top5: null, loss: null, epochs: null, widths: {}, directory: null },
    })),
  };
}

interface Enriched {
  readonly ratio: number | null;
  /** Of everything that takes time. */
  readonly pace: number;
  readonly seed: number;
}

/** What other methods say beside the one that split, how far the twins have parted, and numbers of the run's own. */
function enrich(output: string, { ratio, pace, seed }: Enriched): void {
  for (let stage = 0; stage < MACS.length; stage += 1) {
    const file = join(output, `stage-${stage}`, 'stage.json');
    const record = JSON.parse(readFileSync(file, 'utf8')) as StageRecord;
    const alongside = ['rayleigh', 'auto'].map((method, at) => ({
      ...{ method, seconds: 4 + stage, chosen: 12 },
      rankCorrelation: 0.97 - 0.05 * stage - 0.02 * at - 0.01 * seed,
      overlap: 0.9 - 0.1 * stage - 0.05 * at + 0.03 * seed,
    }));
    const epochs = record.epochs.map((epoch) => ({
      ...epoch,
      twins: {
        ...{ pairs: 15, minDistance: 0.01 },
        meanDistance: 0.02 + pace * 0.11 * (epoch.epoch + 1) ** 0.7 * (1 + 0.2 * stage),
      },
    }));
    const seconds = {
      ...record.seconds,
      indices: record.split === null ? 0 : pace * (4 + 3 * stage) + 0.4 * seed,
    };
    const split =
      record.split === null
        ? null
        : {
            ...record.split,
            alongside,
            picks: record.split.picks.slice(0, 6 + 3 * stage + seed),
            step: {
              ...record.split.step,
              predictedDecrease: 0.041 * pace * 1.3 ** stage,
            },
          };
    const own = { ...record, epochs: stage === 0 ? record.epochs : epochs, split, seconds };
    writeFileSync(file, JSON.stringify(own));
  }
  const experiment = join(output, 'experiment.json');
  const spec = JSON.parse(readFileSync(experiment, 'utf8')) as Record<string, unknown>;
  writeFileSync(experiment, JSON.stringify({ ...spec, splitting: { growthRatio: ratio } }));
}

/** Writes figure.json and the runs that it names into `directory`. @returns what figure.json holds */
export function writeMadeUpFigure(
  directory: string,
  {
    title = 'A made-up figure',
    label = (name) => name,
    panels = ['k = 3'],
    seeds = [0, 1],
    plots = Object.keys(PLOTS),
    change = {},
  }: MadeUpFigure = {},
): FigureResult {
  const runs: FigureRun[] = [];
  const curves = panels.flatMap((panel, place): readonly Curve[] => [
    ...METHODS.map(({ lift, kind, method, ratio, ...named }): Curve => {
      const name = label(named.label);
      if (kind === 'grown') {
        for (const seed of seeds) {
          const output = join('runs', `${place}-${method}-${seed}`);
          mkdirSync(join(directory, output), { recursive: true });
          writeMadeUpRun(join(directory, output), { name, hasRival: false });
          enrich(join(directory, output), { ratio, pace: 1 + lift / 3, seed });
          const experiment = { name, seed, splitting: { growthRatio: ratio } };
          runs.push({ label: name, panel, seed, experiment, output });
        }
      }
      return {
        ...{ label: name, panel, kind, method, source: null },
        points: seeds.flatMap((seed) => MACS.map((_, stage) => point(lift, seed, stage))),
        costs: seeds.map((seed) => ({
          ...{ seed, fit: 130 + 7 * seed, search: kind === 'grown' ? 28 + seed : 0, evaluate: 2.5 },
          trainingSteps: 5_266 + 100 * seed,
        })),
      };
    }),
    reported(label('AMC'), panel),
  ]);
  const panel = panels[0] ?? '';
  const figure: FigureResult = {
    ...{ format: 'splitgrow-figure/1', id: 'fig3', title, paper: 'section 5.1, figure 3', scale: 'smoke' },
    note: '2,000 images, 4 epochs a stage, 3 splitting stages; the paper has 50,000 and 160.',
    ...{ seeds, curves, runs, plots: plots.map((kind) => ({ kind })) },
    claims: [
      {
        ...{
          panel,
          better: label('energy-aware'),
          than: label('vanilla'),
          on: 'macs',
          where: 'all',
          relation: 'above',
        },
        text: 'Energy-aware splitting is above vanilla splitting at equal MACs.',
      },
      {
        ...{
          panel,
          better: label('vanilla'),
          than: label('energy-aware'),
          on: 'macs',
          where: 'high',
          relation: 'within',
        },
        text: 'Vanilla splitting catches up at the high end.',
      },
    ],
    versions: { splitgrow: '0.1.0', LibTorch: '2.11.0', Node: 'v20.20.2' },
    machine: { processor: 'made up', cores: 2, memory: '8.0 GiB' },
    seconds: 4_321,
    ...change,
  };
  writeFileSync(join(directory, 'figure.json'), JSON.stringify(figure));
  return figure;
}
