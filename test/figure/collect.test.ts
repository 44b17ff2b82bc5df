// Numbers worked out by hand.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { collectFigure, type Found, readRecords, resultOf } from '../../lib/figure/collect.js';
import { isAsked, type PlannedRun, type Use } from '../../lib/figure/plan.js';
import { grownCost, rivalCost, stepSeconds } from '../../lib/figure/search-cost.js';
import { optionsOf } from '../../lib/run/spec/compare.js';
import { parseExperiment, type Spec } from '../../lib/run/spec/spec.js';
import type { RivalRecord } from '../../lib/run/store/records.js';
import { graphOf } from '../native/golden.js';
import { temporaryFolder, tinyExperiment } from '../run/tiny.js';
import { figureOf } from './made-up.js';

type Stage = Found['stages'][number];

const EPOCH = { epoch: 0, loss: 1, top1: 50, learningRate: 0.1, seconds: 1 };

function stageOf(stage: number, fit: number, epochs: number, others = 1): Stage {
  return {
    ...{ format: 'splitgrow-stage/1', stage, macs: 100 * (stage + 1), params: 10 * (stage + 1) },
    ...{
      widths: { stem: stage + 2 },
      epochs: Array.from({ length: epochs }, () => EPOCH),
      split: null,
      ended: null,
    },
    evaluation: { top1: 40 + stage, top5: 80 + stage, loss: 2 - stage, images: 10 },
    seconds: { fit, indices: others, select: 2 * others, grow: 3 * others, evaluate: 4 },
  };
}

function askedBy(compare: readonly unknown[]): Spec['compare'] {
  return parseExperiment({ ...tinyExperiment('/x'), compare }).compare;
}

const [PRUNE_BN] = askedBy([{ method: 'prune-bn', at: 'stages' }]);

function rivalOf(stage: number, change: Partial<RivalRecord> = {}): RivalRecord {
  return {
    ...{
      method: 'prune-bn',
      label: 'Pruning (Bn)',
      options: PRUNE_BN === undefined ? {} : optionsOf(PRUNE_BN),
    },
    ...{ directory: `out/runs/r/compare/${stage}`, stage, target: 200 },
    ...{ multiplier: null, resolution: null, lambda: null, compute: 2_000, totalCompute: 5_000 },
    ...{ macs: 190, params: 19, epochs: 4, totalEpochs: 9, top1: 30, top5: 70, loss: 3, widths: { stem: 1 } },
    ...{ seconds: { fit: 10, indices: 0, select: 0, grow: 0, evaluate: 0.5 }, searchSeconds: 6 },
    ...change,
  };
}

const use = (label: string, change: Partial<Use> = {}): Use => ({
  label,
  panel: '',
  asked: [],
  stage: null,
  network: 'first',
  ...change,
});

function runOf(key: string, seed: number, uses: readonly Use[], after: string | null = 'seed'): PlannedRun {
  const spec = parseExperiment(tinyExperiment('/x', `out/runs/${key}`), [`seed=${seed}`]);
  return { key, label: key, spec, after, uses };
}

// fit.batch is 16: 40 images are 3 steps an epoch, so stage 0 of 2 epochs takes 6.
const STAGES = [stageOf(0, 12, 2), stageOf(1, 20, 3, 10)];
const PLAN = { scale: 'smoke', note: 'n', seeds: [0], directory: 'out/mini' } as const;
const { spec: FIGURE } = figureOf({
  reported: [{ label: 'paper', source: 'table 1', points: [{ macs: 5, top1: 6 }] }],
  claims: [
    { better: 'aware', than: 'paper', text: 't' },
    { better: 'aware', than: 'random', text: 'gone' },
  ],
});

test("a training step is the seed network's fit over its steps; without epochs there is none", () => {
  expect(stepSeconds(STAGES, 3)).toBe(2);
  expect(stepSeconds([stageOf(0, 0, 0), stageOf(1, 20, 2)], 4)).toBe(2.5);
  expect(stepSeconds([stageOf(0, 0, 0)], 3)).toBe(0);
});

test("growing costs every fit and evaluation, and every splitting but the last stage's", () => {
  expect(grownCost(7, STAGES, 2)).toEqual({ seed: 7, fit: 32, search: 6, evaluate: 8, trainingSteps: 19 });
});

test('a rival costs its fits and its share of the search', () => {
  const cost = rivalCost(7, [rivalOf(1), rivalOf(2)], 2);
  expect(cost).toEqual({ seed: 7, fit: 20, search: 12, evaluate: 1, trainingSteps: 16 });
});

test('a run becomes a curve with a point a stage, its rivals one each, beside the reported numbers', () => {
  const asked = askedBy([{ method: 'prune-bn', at: 'stages' }]);
  const run = runOf('a', 0, [use('aware', { asked })]);
  const found = [{ run, steps: 3, stages: STAGES, rivals: [rivalOf(1)] }];
  const result = resultOf(FIGURE, PLAN, found);
  expect(result.curves.map(({ label, kind, method }) => [label, kind, method])).toEqual([
    ['aware', 'grown', 'energy-aware'],
    ['Pruning (Bn)', 'rival', 'prune-bn'],
    ['paper', 'reported', null],
  ]);
  const [aware, rival, paper] = result.curves;
  expect(
    aware?.points.map(({ stage, macs, top1, epochs, directory }) => [stage, macs, top1, epochs, directory]),
  ).toEqual([
    [0, 100, 40, 2, '../runs/a/stage-0'],
    [1, 200, 41, 5, '../runs/a/stage-1'],
  ]);
  // Records of older versions do not tell.
  expect(aware?.points.map(({ compute }) => compute)).toEqual([null, null]);
  expect(rival?.points).toEqual([
    {
      ...{ seed: 0, stage: 1, macs: 190, params: 19, top1: 30, top5: 70, loss: 3, widths: { stem: 1 } },
      ...{ epochs: 9, compute: 5_000, directory: '../runs/r/compare/1' },
    },
  ]);
  expect(rival?.costs).toEqual([{ seed: 0, fit: 10, search: 6, evaluate: 0.5, trainingSteps: 8 }]);
  expect(paper).toMatchObject({ source: 'table 1', costs: [], points: [{ seed: null, macs: 5, top1: 6 }] });
  expect(result.claims.map(({ text }) => text)).toEqual(['t']);
  expect(result.runs).toMatchObject([
    { label: 'aware', seed: 0, output: '../runs/a', experiment: { name: 'tiny' } },
  ]);
});

test('seeds of a curve come together; a shared stage 0 costs each of them and counts once in all', () => {
  const seedRun = {
    run: runOf('s', 0, [], null),
    steps: 3,
    stages: [stageOf(0, 12, 2, 0)],
    rivals: [],
  };
  const grown = (key: string, seed: number) => ({
    ...{ run: runOf(key, seed, [use('aware')]), steps: 3, stages: STAGES, rivals: [] },
  });
  const { curves, seconds } = resultOf(FIGURE, PLAN, [seedRun, grown('a', 0), grown('b', 1)]);
  expect(curves[0]?.points.map(({ seed, stage }) => [seed, stage])).toEqual([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]);
  expect(curves[0]?.costs.map(({ seed, fit }) => [seed, fit])).toEqual([
    [0, 32],
    [1, 32],
  ]);
  // 12 + 4 of the seed network; of each run 6 + 4 and 20 + 60 + 4, its stage 0 not fitted again.
  expect(seconds).toBe(16 + 2 * (6 + 4 + 20 + 60 + 4));
});

test('rivals of one name in two curves of a panel stay two curves', () => {
  const asked = askedBy(['prune-bn']);
  const of = (label: string) => ({
    ...{
      run: runOf(label, 0, [use(label, { asked })]),
      steps: 3,
      stages: STAGES,
      rivals: [rivalOf(1)],
    },
  });
  const { curves } = resultOf(FIGURE, PLAN, [of('aware'), of('random')]);
  expect(curves.map(({ label }) => label)).toEqual([
    'aware',
    'Pruning (Bn)',
    'random',
    'Pruning (Bn) of random',
    'paper',
  ]);
});

test('the last networks of runs are a point each of one curve, and their rivals are too', () => {
  const of = (key: string, stage: number) => {
    const stages = [...STAGES.slice(0, stage), { ...stageOf(stage, 20, 3), ended: 'stages' as const }];
    const asked = askedBy(['prune-bn']);
    const own = asked[0] === undefined ? {} : optionsOf(asked[0]);
    const rivals = [rivalOf(stage, { options: own })];
    return {
      run: runOf(key, 0, [use('aware', { stage, network: 'last', asked })]),
      steps: 3,
      stages,
      rivals,
    };
  };
  const found = [of('a', 1), of('b', 2)];
  const { curves } = resultOf(FIGURE, PLAN, found);
  expect(
    curves.slice(0, 2).map(({ label, kind, points }) => [label, kind, points.map(({ stage }) => stage)]),
  ).toEqual([
    ['aware', 'grown', [1, 2]],
    ['Pruning (Bn)', 'rival', [1, 2]],
  ]);
  const growing = found.map((one) => ({
    ...one,
    stages: one.stages.map((stage) => ({ ...stage, ended: null })),
  }));
  expect(resultOf(FIGURE, PLAN, growing).curves[0]?.points).toEqual([]);
});

test('what a run hands over is the one point of its curve, with the compute of growth and of training again', () => {
  const best = {
    ...({ format: 'splitgrow-best/2', which: 'retrained', stage: 1, macs: 200, params: 20 } as const),
    validation: { grown: 50, retrained: 60 },
    test: { top1: 55, top5: 95, loss: 1.5 },
    ...{ compute: { grown: 700, retrained: 600 }, seconds: STAGES[0]?.seconds as Stage['seconds'] },
  };
  const run = runOf('b', 0, [use('delivered', { stage: 3, network: 'best' })]);
  const of = (found: Partial<Found>) =>
    resultOf(FIGURE, PLAN, [{ run, steps: 3, stages: STAGES, rivals: [], ...found }]).curves[0];
  expect(of({ best })).toMatchObject({
    kind: 'grown',
    points: [{ stage: 3, macs: 200, params: 20, top1: 55, compute: 1_300, directory: '../runs/b/best' }],
  });
  // Before the run hands anything over, or where that is of an earlier stage, there is no point.
  expect(of({ best: null })?.points).toEqual([]);
  expect(of({ best: { ...best, stage: 0 } })?.points).toEqual([]);
});

test('networks that are a point each make one curve, at the stages they stand beside', () => {
  const of = (key: string, stage: number) => ({
    ...{
      run: runOf(key, 0, [use('widths', { stage })]),
      steps: 3,
      stages: STAGES.slice(0, 1),
      rivals: [],
    },
  });
  const [curve] = resultOf(FIGURE, PLAN, [of('a', 2), of('b', 4)]).curves;
  expect(curve?.points.map(({ stage, macs }) => [stage, macs])).toEqual([
    [2, 100],
    [4, 100],
  ]);
  expect(curve).toMatchObject({ kind: 'rival', costs: [{ seed: 0, fit: 24, search: 0, evaluate: 8 }] });
});

test('a run that left nothing takes no part, and one that was cut off takes part with what it left', () => {
  const of = (key: string, stages: readonly Stage[]) => ({
    ...{ run: runOf(key, 0, [use(key)]), steps: 3, stages, rivals: [] },
  });
  const { curves, runs } = resultOf(FIGURE, PLAN, [of('aware', STAGES.slice(0, 1)), of('random', [])]);
  expect(curves.map(({ label, points }) => [label, points.length])).toEqual([
    ['aware', 1],
    ['paper', 1],
  ]);
  expect(runs).toHaveLength(1);
});

test('a stage that is being replaced is left alone, and takes no part until it is there', async () => {
  const output = temporaryFolder();
  const [first, second] = STAGES.map((stage) => JSON.stringify(stage));
  for (const [name, text] of [
    ['stage-0', first],
    ['.stage-1.old', second],
  ] as const) {
    mkdirSync(join(output, name));
    writeFileSync(join(output, name, 'stage.json'), text ?? '');
  }
  expect((await readRecords(output)).stages).toEqual(STAGES.slice(0, 1));
  expect(readdirSync(output).sort()).toEqual(['.stage-1.old', 'stage-0']);
});

test.each([
  // 33 images in minibatches of 16, 2 epochs: 3 steps an epoch, or 2 where a last image cannot be a minibatch or is left out.
  ['conv', undefined, 6],
  ['pool', undefined, 4],
  ['conv', 'drop', 4],
] as const)(
  'with batch norm behind %s and fit.remainder %s two epochs cost %i steps',
  async (behind, remainder, cost) => {
    const output = temporaryFolder();
    const graph = graphOf(
      [2, 6, 6],
      [
        ['conv', 'conv2d', 'input', { out: 4, kernel: 3 }],
        ...(behind === 'conv' ? [] : ([['pool', 'global_avg_pool', 'conv']] as const)),
        ['norm', 'batch_norm', behind],
        ...(behind === 'conv' ? ([['pool', 'global_avg_pool', 'norm']] as const) : []),
        ['out', 'linear', behind === 'conv' ? 'pool' : 'norm', { out: 3 }],
      ],
    );
    mkdirSync(join(output, 'stage-0'));
    writeFileSync(join(output, 'stage-0', 'network.json'), JSON.stringify(graph));
    writeFileSync(join(output, 'stage-0', 'stage.json'), JSON.stringify(STAGES[0]));
    const run = runOf('a', 0, [use('aware')]);
    const spec = { ...run.spec, output, fit: { ...run.spec.fit, batch: 16, remainder } };
    const { curves } = await collectFigure(
      FIGURE,
      { ...PLAN, runs: [{ ...run, spec }], jobs: 1, threads: null },
      () => 33,
    );
    expect(curves[0]?.costs[0]?.trainingSteps).toBeCloseTo(cost, 9);
  },
);

test('of the records in a folder that several experiments share, each takes those it asked for', () => {
  const [plain, grown, last, targets] = askedBy([
    { method: 'prune-bn', at: 'stages' },
    { method: 'prune-bn', at: 'stages', base: 'grown' },
    'prune-bn',
    { method: 'prune-bn', targets: [200] },
  ]);
  const record = rivalOf(1);
  const isOf = (entry: typeof plain, rival = record): boolean =>
    entry !== undefined && isAsked(entry, rival, 2);
  expect([isOf(plain), isOf(grown), isOf(last), isOf(targets)]).toEqual([true, false, false, false]);
  expect(isOf(last, rivalOf(2))).toBe(true);
  expect(isOf(targets, rivalOf(0, { stage: null }))).toBe(true);
  expect(isOf(plain, { ...record, method: 'prune-l1' })).toBe(false);
});
