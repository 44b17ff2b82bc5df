// The records of a growth run that nobody ran: made-up but plausible numbers, for tests of the report.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  CompareRecord,
  PickRecord,
  SplitRecord,
  StageRecord,
  StageSummary,
  Summary,
} from '../../lib/run/store/records.js';

export interface MadeUp {
  readonly name?: string;
  /** Made into the name of every layer. */
  readonly layer?: (name: string) => string;
  readonly stages?: number;
  readonly hasRival?: boolean;
  /** Epochs in which a copy of every stage is finished. */
  readonly finish?: number;
}

const WIDTHS = [
  [8, 8, 8, 8, 8],
  [10, 15, 14, 15, 16],
  [13, 23, 28, 30, 30],
  [18, 40, 41, 44, 49],
] as const;
const MACS = [269_312, 372_100, 556_700, 832_400] as const;
const PARAMS = [1_130, 2_200, 4_700, 9_100] as const;
const TOP1 = [45, 53.4, 59.8, 66.1] as const;
const EPOCHS = 4;
const BINS = 8;

/** Park and Miller's generator: the same numbers in every run of the tests. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function histogramOf(values: readonly number[]): { edges: number[]; counts: number[] } {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const edges = Array.from({ length: BINS + 1 }, (_, at) => low + ((high - low) * at) / BINS);
  const counts = Array.from({ length: BINS }, () => 0);
  for (const value of values) {
    const bin = Math.min(BINS - 1, Math.floor(((value - low) / (high - low)) * BINS));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { edges, counts };
}

function splitOf(stage: number, layers: readonly string[]): SplitRecord {
  const random = generator(stage + 7);
  const [before, after] = [WIDTHS[stage] ?? [], WIDTHS[stage + 1] ?? []];
  const groups: PickRecord[] = layers.flatMap((group, at) =>
    Array.from({ length: before[at] ?? 0 }, (_, neuron) => {
      const index = -Math.exp(5 * random() - 8) + (random() < 0.2 ? 0.002 : 0);
      const macs = 3000 + 500 * at;
      return { group, neuron, index, costs: { macs }, ratio: index / macs };
    }),
  );
  const picks = groups.filter(({ neuron }) => neuron < 3).sort((a, b) => a.ratio - b.ratio);
  const [cost, limit] = [MACS[stage] ?? 0, Math.floor(1.5 * (MACS[stage] ?? 0))];
  const objective = picks.reduce((sum, { index }) => sum + index, 0);
  return {
    strategy: 'energy-aware',
    method: 'rayleigh',
    chains: [],
    histogram: histogramOf(groups.map(({ index }) => index)),
    picks,
    certificate: {
      solver: 'dantzig',
      budgets: [{ cost: 'macs', before: cost, limit, after: MACS[stage + 1] ?? 0, usedShare: 0.987 }],
      objective,
      bound: objective - 0.01,
      gap: 0.01,
      eligible: groups.filter(({ index }) => index < 0).length,
      neurons: groups.length,
    },
    step: {
      epsilon: 0.5,
      kind: 'line-search',
      lossBefore: 1.412,
      lossAfter: 1.377,
      predictedDecrease: 0.041,
      measuredDecrease: 0.035,
      tried: [0.01, 0.1, 0.5, 1].map((epsilon) => ({
        epsilon,
        loss: 1.412 - 0.08 * epsilon + 0.06 * epsilon ** 2,
      })),
      images: 1024,
      functionError: 3.2e-7,
    },
    neurons: Object.fromEntries(
      layers.map((layer, at) => [
        layer,
        Array.from({ length: (after[at] ?? 0) - (before[at] ?? 0) }, (_, neuron) => neuron),
      ]),
    ),
  };
}

function stageOf(stage: number, last: number, layers: readonly string[], finish: number): StageRecord {
  const top1 = TOP1[stage] ?? 0;
  const isLast = stage === last;
  return {
    format: 'splitgrow-stage/1',
    stage,
    macs: MACS[stage] ?? 0,
    params: PARAMS[stage] ?? 0,
    widths: Object.fromEntries(layers.map((layer, at) => [layer, WIDTHS[stage]?.[at] ?? 0])),
    epochs: Array.from({ length: EPOCHS }, (_, epoch) => ({
      epoch,
      loss: 2.1 - 0.3 * stage - 0.07 * epoch,
      top1: top1 - 6 + 1.5 * epoch,
      learningRate: 0.1 * (1 - epoch / EPOCHS),
      seconds: 3,
    })),
    ...(finish > 0 && {
      finish: Array.from({ length: finish }, (_, epoch) => ({
        epoch,
        loss: 1.9 - 0.3 * stage - 0.1 * epoch,
        top1: top1 - 1 + epoch,
        learningRate: 0.1 * (1 - (epoch + 1) / finish),
        seconds: 3,
      })),
    }),
    evaluation: { top1, top5: top1 + 30, loss: 1.5 - 0.2 * stage, images: 2000 },
    split: isLast ? null : splitOf(stage, layers),
    ended: isLast ? 'stages' : null,
    seconds: {
      fit: 22 + 6 * stage,
      indices: isLast ? 0 : 8,
      select: isLast ? 0 : 0.03,
      grow: isLast ? 0 : 1.2,
      evaluate: 0.5,
    },
  };
}

/** Writes summary.json, stage-*\/stage.json, compare.json and experiment.json into `output`. */
export function writeMadeUpRun(
  output: string,
  { name = 'made up', layer = (id) => id, stages = 4, hasRival = true, finish = 0 }: MadeUp = {},
): void {
  const layers = ['stem', 'b0_pw', 'b1_pw', 'b2_pw', 'b3_pw'].map(layer);
  const records = Array.from({ length: stages }, (_, stage) => stageOf(stage, stages - 1, layers, finish));
  const write = (file: string, value: unknown): void =>
    writeFileSync(join(output, file), JSON.stringify(value));
  const summaries = records.map(
    ({ stage, macs, params, widths, evaluation, split, seconds }): StageSummary => {
      const directory = join(output, `stage-${stage}`);
      const { top1, top5, loss } = evaluation;
      return {
        stage,
        directory,
        macs,
        params,
        top1,
        top5,
        loss,
        widths,
        split: split?.neurons ?? {},
        seconds,
      };
    },
  );
  for (const record of records) {
    mkdirSync(join(output, `stage-${record.stage}`), { recursive: true });
    write(`stage-${record.stage}/stage.json`, record);
  }
  write('summary.json', { name, seed: 0, stages: summaries } satisfies Summary);
  write('experiment.json', {
    name,
    network: { preset: 'mobilenet_cifar10', blocks: 3, width: 8 },
    stop: { stages: stages - 1 },
  });
  const last = records.at(-1);
  if (!hasRival || last === undefined) return;
  const { macs, params, evaluation } = last;
  write('compare.json', {
    format: 'splitgrow-compare/1',
    grown: { macs, params, top1: evaluation.top1, epochs: EPOCHS * stages },
    rivals: [
      {
        method: 'width-multiplier',
        label: 'Width multiplier',
        options: {},
        directory: join(output, 'width-multiplier'),
        stage: stages - 1,
        target: macs,
        multiplier: 2.49,
        resolution: null,
        lambda: null,
        macs: 828_812,
        params: 8_700,
        epochs: EPOCHS * stages,
        totalEpochs: EPOCHS * stages,
        top1: 64.9,
        top5: 95,
        loss: 0.98,
        widths: Object.fromEntries(layers.map((id) => [id, 20])),
        seconds: { fit: 130, indices: 0, select: 0, grow: 0, evaluate: 0.8 },
        searchSeconds: 0,
      },
    ],
  } satisfies CompareRecord);
}
