// Every field of an experiment is read somewhere, and one that another setting leaves without effect is told in a note.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { train } from '../../../lib/api/train.js';
import { buildPreset } from '../../../lib/models/zoo.js';
import { FORMER_PLACES } from '../../../lib/run/spec/former-places.js';
import { experimentSchema } from '../../../lib/run/spec/schema/experiment.js';
import { parseExperiment } from '../../../lib/run/spec/spec.js';
import { UNUSED } from '../../../lib/run/spec/unused.js';
import { unusedSettings } from '../../../lib/run/spec/unused-notes.js';
import { ROOT } from '../../data/places.js';
import { graphOf } from '../../native/golden.js';
import { temporaryFolder, tinyExperiment, writeTinyData } from '../tiny.js';
import { leavesOf } from './schema/leaves.js';

/** Where each field of an experiment is read: the file, by the field's own name unless another word stands behind it. */
const READ: Readonly<Record<string, readonly string[]>> = {
  'lib/run/spec/recipes.ts': ['recipe'],
  'lib/run/spec/spec.ts': ['$schema', 'network.preset', 'network.graph', 'output', 'name'],
  'lib/run/stage/start.ts': [
    ...['network.directory', 'network.channels', 'network.classes', 'network.resolution', 'device', 'seed'],
  ],
  'lib/models/zoo.ts': [
    ...['activation', 'blocks', 'dropout', 'round', 'shortcut', 'stem', 'width'].map(
      (name) => `network.${name}`,
    ),
  ],
  'lib/data/dataset.ts': ['name', 'whole', 'trainImages', 'testImages', 'mean', 'std'].map(
    (name) => `data.${name}`,
  ),
  'lib/data/file.ts': ['data.file'],
  'lib/data/match-classes.ts': ['data.classesBy'],
  'lib/data/cifar.ts': ['data.root', 'data.labels'],
  'lib/data/images/load.ts': ['store', 'followLinks', 'testPart', 'testShare', 'workers'].map(
    (name) => `data.${name}`,
  ),
  'lib/data/images/part.ts': [
    ...[
      'resolution',
      'shortSide',
      'prefetch',
      'maxPixels',
      'maxScans',
      'scaledDecoding',
      'skipUnreadable',
    ].map((name) => `data.${name}`),
  ],
  'lib/run/stage/fit-stage.ts': [
    ...['data.augment', 'data.cropPadding', 'data.leastArea', 'data.shuffle'],
    ...['batch', 'gradientClip', 'labelSmoothing', 'microBatch', 'precision', 'syncBatchNorm'].map(
      (name) => `fit.${name}`,
    ),
    'fit.optimizer.learningRate',
  ],
  'lib/native/face.ts': [
    ...['decay', 'momentum', 'nesterov', 'weightDecay'].map((name) => `fit.optimizer.${name}`),
    ...['alpha', 'momentum', 'decayFactor', 'decayEvery'].map((name) => `splitting.rmsprop.${name}`),
  ],
  'lib/run/spec/fit.ts': ['fit.optimizer.kind'],
  'lib/train/minibatches.ts': ['fit.remainder'],
  'lib/train/average.ts': ['decay', 'every', 'warmup'].map((name) => `fit.average.${name}`),
  'lib/train/schedule.ts': ['at', 'decay', 'factor', 'final', 'kind', 'warmup'].map(
    (name) => `fit.schedule.${name}`,
  ),
  'lib/run/spec/epochs.ts': [...['fit.epochs', 'fit.finish.epochs', 'fit.finish.decay', 'fit.finish.stages']],
  'lib/run/stage/rates-by-age.ts': ['fit.rateByAge'],
  'lib/run/store/snapshot-writer.ts': ['checkpoint.minutes'],
  'lib/run/store/checkpoint.ts': ['checkpoint.keep'],
  'lib/run/stage/stage-indices.ts': ['checkpoint.indicesBytes', 'splitting.depthwiseBatchNorm'],
  'lib/run/stage/evaluate-stage.ts': ['fit.evaluationBatch'],
  'lib/run/stage/early.ts': ['checkpoint.evaluateEvery'],
  'lib/run/deliver.ts': ['which', 'compute', 'learningRate', 'stages'].map((name) => `deliver.${name}`),
  'lib/run/stage/train.ts': ['threads'],
  'lib/run/stage/session.ts': [
    'data.validation',
    ...['splitting.images', 'splitting.lineSearch.images', 'splitting.recalibrateImages'],
  ],
  'lib/run/stage/grow-stage.ts': [
    ...[
      'epsilon',
      'epsilonScale',
      'outgoingDelta',
      'noise',
      'rescale',
      'shrink',
      'perturb',
      'optimizerState',
      'directionHalving',
    ].map((name) => `splitting.${name}`),
    ...['splitting.lineSearch.grid', 'splitting.lineSearch.statistics'],
  ],
  'lib/run/stage/offspring-records.ts': ['splitting.twins', 'splitting.gradients'],
  'lib/run/stage/split-stage.ts': ['splitting.method', 'splitting.strategy'],
  'lib/split/choose/insertion.ts': ['splitting.insertion.kind', 'splitting.insertion.share'],
  'lib/run/stage/other-methods.ts': ['splitting.alongside'],
  'lib/split/indices/indices.ts': [
    ...[
      'batch',
      'epochs',
      'passes',
      'tolerance',
      'learningRate',
      'reluBeta',
      'identityCurvature',
      'memoryLimit',
    ].map((name) => `splitting.${name}`),
    ...['epsilon', 'decayFirst'].map((name) => `splitting.rmsprop.${name}`),
  ],
  'lib/split/indices/settings.ts': ['splitting.mostEpochs'],
  'lib/split/choose/estimate.ts': [
    'splitting.costEstimate.estimate',
    'splitting.costEstimate.transform',
    'splitting.budgets',
  ],
  'lib/split/choose/strategy.ts': [
    'splitting.hardLimit',
    'splitting.rounding.kind',
    'splitting.rounding.threshold',
  ],
  'lib/run/spec/extensions.ts': ['splitting.cost', 'stop.costs'],
  'lib/run/spec/splitting.ts': ['splitting.growthRatio'],
  'lib/run/run.ts': ['splitting.layerCap', 'stop.stages', 'stop.macs'],
  'lib/run/compare.ts': [
    'compare.at',
    'compare.compute',
    'compare.equal',
    'compare.learningRate',
    'compare.targets',
  ],
  'lib/rivals/base.ts': ['compare.base', 'compare.baseMultiplier'],
  'lib/run/spec/compare.ts': ['compare.method'],
  'lib/rivals/prune.ts': ['compare.epochs', 'compare.pretrainEpochs', 'compare.strength'],
  'lib/rivals/morphnet.ts': ['compare.lambdas', 'compare.threshold'],
};

test('every field of the JSON Schema has its place in the table, and no other but former names', () => {
  const isFormer = (path: string) =>
    Object.keys(FORMER_PLACES).some((old) => `${path}.`.startsWith(`${old}.`));
  const fields = leavesOf(experimentSchema()).filter((path) => !isFormer(path));
  expect(Object.values(READ).flat().sort()).toEqual(fields);
});

test('each file of the table reads the fields that it is said to', () => {
  for (const [file, fields] of Object.entries(READ)) {
    const path = join(ROOT, file);
    expect(existsSync(path), file).toBe(true);
    const text = readFileSync(path, 'utf8');
    for (const name of fields.map((one) => one.split('.').at(-1) ?? ''))
      expect(new RegExp(`(?<![\\w$])${name.replace('$', '\\$')}\\b`).test(text), `${file}: ${name}`).toBe(
        true,
      );
  }
});

const LEAST = {
  name: 'x',
  network: { preset: 'mobilenet_cifar10' },
  data: { file: 'x.safetensors' },
  stop: { stages: 2 },
};
const PLAIN = graphOf(
  [3, 8, 8],
  [
    ['conv', 'conv2d', 'input', { out: 4, kernel: 3 }],
    ['act', 'activation', 'conv', { kind: 'tanh' }],
    ['pool', 'global_avg_pool', 'act'],
    ['out', 'linear', 'pool', { out: 3 }],
  ],
);
const PRESET = buildPreset('mobilenet_cifar10', { blocks: 1, width: 4, activation: 'relu' });

interface Case {
  readonly json?: Record<string, unknown>;
  readonly command?: 'grow' | 'train' | 'compare';
  readonly graph?: typeof PLAIN;
  readonly told: string;
}

function toldOf({ json = {}, command = 'grow', graph = PRESET }: Omit<Case, 'told'>): readonly string[] {
  const spec = parseExperiment({ ...LEAST, ...json });
  return unusedSettings({ spec, command, graph, trainImages: 100 });
}

const images = (more: Record<string, unknown>) => ({
  data: { name: 'image-folder', resolution: 32, ...more },
});
const splitting = (more: Record<string, unknown>) => ({ splitting: more });
const fitting = (more: Record<string, unknown>) => ({ fit: more });

const CASES: readonly Case[] = [
  {
    json: { deliver: { compute: 9, stages: true } },
    told: 'not used: deliver.compute 9, deliver.stages true; deliver grown trains nothing again',
  },
  {
    command: 'compare',
    json: { compare: ['scratch'], deliver: 'best' },
    told: 'not used: deliver; compare trains rivals alone',
  },
  {
    command: 'train',
    json: splitting({ epsilon: 0.1 }),
    told: 'not used: splitting, stop; train does not grow',
  },
  {
    command: 'compare',
    json: { compare: [{ method: 'morphnet', targets: [10] }], ...splitting({ epsilon: 0.1 }) },
    told: 'not used: splitting, stop; compare does not grow, and every rival has its targets',
  },
  {
    json: fitting({ epochs: [1, 2, 3, 4] }),
    told: 'not used: fit.epochs [1,2,3,4]; stop.stages 2 leaves its last entries no stage',
  },
  {
    json: fitting({
      schedule: [{ kind: 'constant' }, { kind: 'cosine' }, { kind: 'cosine' }, { kind: 'cosine' }],
    }),
    told: 'not used: fit.schedule [{"kind":"constant"},{"kind":"cosine","warmup":0,"final":0},{"kind":"cosine","warmup":0,"final":0},{"kind":"cosine","warmup":0,"final":0}]; stop.stages 2 leaves its last entries no stage',
  },
  {
    json: fitting({ schedule: { kind: 'constant' }, finish: { epochs: [1, 2, 3, 4] } }),
    told: 'not used: fit.finish.epochs [1,2,3,4]; stop.stages 2 leaves its last entries no stage',
  },
  {
    command: 'train',
    json: { ...fitting({ schedule: [{ kind: 'constant' }, { kind: 'cosine' }] }), stop: {} },
    told: 'not used: fit.schedule [{"kind":"constant"},{"kind":"cosine","warmup":0,"final":0}]; train has one stage, and takes the first entry',
  },
  {
    json: fitting({ finish: { decay: 3, stages: 'last' } }),
    told: 'not used: fit.finish.decay 3, fit.finish.stages "last"; fit.finish.epochs is 0: nothing is finished',
  },
  {
    command: 'train',
    json: { ...fitting({ schedule: { kind: 'constant' }, finish: { epochs: 1, stages: 'last' } }), stop: {} },
    told: 'not used: fit.finish.stages "last"; train has one stage',
  },
  {
    command: 'train',
    json: { ...fitting({ epochs: [1, 2] }), stop: {} },
    told: 'not used: fit.epochs [1,2]; train has one stage, and takes the first entry',
  },
  {
    command: 'train',
    json: fitting({ rateByAge: true }),
    told: 'not used: fit.rateByAge true; train does not grow',
  },
  {
    json: splitting({ growthRatio: [1, 1, 2] }),
    told: 'not used: splitting.growthRatio [1,1,2]; stop.stages 2 leaves its last entries no stage',
  },
  {
    json: splitting({ method: 'exact', epochs: 3, rmsprop: { alpha: 0.8 } }),
    told: 'not used: splitting.epochs 3, splitting.rmsprop.alpha 0.8; splitting.method exact has no descent',
  },
  {
    json: splitting({ method: 'lobpcg', epochs: 3, passes: 4, tolerance: 0.1 }),
    told: 'not used: splitting.epochs 3; splitting.method lobpcg has no descent',
  },
  {
    json: splitting({ passes: 4 }),
    told: 'not used: splitting.passes 4; splitting.method rayleigh has no passes of lobpcg',
  },
  {
    json: splitting({ method: 'exact', tolerance: 0.1 }),
    told: 'not used: splitting.tolerance 0.1; splitting.method exact looks at no residuals',
  },
  {
    json: splitting({ memoryLimit: 5 }),
    told: 'not used: splitting.memoryLimit 5; splitting.method rayleigh sums no matrices',
  },
  {
    json: splitting({ rmsprop: { decayEvery: 5 } }),
    told: 'not used: splitting.rmsprop.decayEvery 5; splitting.rmsprop.decayFactor is 1',
  },
  {
    json: splitting({ lineSearch: { grid: [1] } }),
    told: 'not used: splitting.lineSearch.grid [1]; splitting.epsilon is 0.01',
  },
  {
    json: splitting({ insertion: { share: 0.2 } }),
    told: 'not used: splitting.insertion.share 0.2; splitting.insertion.kind is none',
  },
  {
    json: splitting({ rounding: { threshold: 0.5 } }),
    told: 'not used: splitting.rounding.threshold 0.5; splitting.rounding.kind is exchange',
  },
  {
    json: splitting({ strategy: 'random', budgets: 'two-groups' }),
    told: 'not used: splitting.budgets "two-groups"; splitting.strategy random does not look at the relaxation; only the recorded bound does',
  },
  {
    json: splitting({ strategy: 'cost-only', costEstimate: { transform: 'log' } }),
    told: 'not used: splitting.costEstimate.transform "log"; splitting.strategy cost-only does not look at the relaxation; only the recorded bound does',
  },
  {
    json: { ...splitting({ optimizerState: 'keep' }), ...fitting({ optimizer: { momentum: 0 } }) },
    told: 'not used: splitting.optimizerState "keep"; fit.optimizer.momentum is 0: there is none to keep',
  },
  {
    json: splitting({ images: 101 }),
    told: 'not used: splitting.images 101; the data has 100 training images, which are all taken',
  },
  {
    json: splitting({ lineSearch: { images: 101 } }),
    told: 'not used: splitting.lineSearch.images 101; the data has 100 training images, which are all taken',
  },
  {
    json: splitting({ recalibrateImages: 101 }),
    told: 'not used: splitting.recalibrateImages 101; the data has 100 training images, which are all taken',
  },
  {
    json: splitting({ recalibrateImages: 9 }),
    graph: PLAIN,
    told: 'not used: splitting.recalibrateImages 9; the network has no batch norm',
  },
  {
    json: splitting({ rescale: 1 }),
    graph: PLAIN,
    told: 'not used: splitting.rescale 1; the network has no batch norm',
  },
  {
    json: splitting({ shrink: 0.7, perturb: 0.01 }),
    graph: PLAIN,
    told: 'not used: splitting.shrink 0.7, splitting.perturb 0.01; the network has no batch norm',
  },
  {
    json: splitting({ depthwiseBatchNorm: 'train' }),
    graph: PLAIN,
    told: 'not used: splitting.depthwiseBatchNorm "train"; the network has no batch norm behind a depthwise convolution',
  },
  {
    json: splitting({ reluBeta: 9 }),
    graph: PLAIN,
    told: 'not used: splitting.reluBeta 9; no activation of the network is relu or relu6',
  },
  {
    json: fitting({ average: { every: 3 } }),
    told: 'not used: fit.average.every 3; fit.average.decay is 0: no average is kept',
  },
  {
    json: fitting({ optimizer: { weightDecay: 0, decay: 'weights' } }),
    told: 'not used: fit.optimizer.decay "weights"; fit.optimizer.weightDecay is 0',
  },
  {
    json: fitting({ epochs: 5, schedule: { kind: 'steps', at: [7], factor: 0.2 } }),
    told: 'not used: fit.schedule.at [7], fit.schedule.factor 0.2; no entry of fit.schedule.at is below fit.epochs, 5',
  },
  {
    json: { data: { file: 'x', augment: ['flip'], cropPadding: 2 } },
    told: 'not used: data.cropPadding 2; data.augment has no crop',
  },
  {
    json: images({ root: 'r', augment: [], leastArea: 0.2 }),
    told: 'not used: data.leastArea 0.2; data.augment has no resized-crop',
  },
  {
    json: images({ store: 's', testShare: 0.2 }),
    told: 'not used: data.testShare 0.2; data.store has its parts and its files already',
  },
];

test.each(CASES)('$told', ({ told, ...given }) => {
  expect(toldOf(given)).toContain(told);
});

test('each row of the table has a case', () => {
  const said = CASES.map(({ told }) => told).join('\n');
  const missing = UNUSED.filter(({ fields }) => !fields.some((one) => said.includes(one)));
  expect(missing).toEqual([]);
});

test('what has its default, and what is used, is not told', () => {
  expect(toldOf({})).toEqual([]);
  expect(toldOf({ json: splitting({ method: 'exact', epochs: 10, memoryLimit: 5 }) })).toEqual([]);
  expect(toldOf({ json: splitting({ method: 'lobpcg', epochs: 10, memoryLimit: 5 }) })).toEqual([]);
  expect(toldOf({ json: splitting({ method: 'exact', alongside: ['rayleigh'], epochs: 3 }) })).toEqual([]);
  expect(toldOf({ json: splitting({ reluBeta: 9, rescale: 1, depthwiseBatchNorm: 'train' }) })).toEqual([]);
});

test('a run tells it as it begins', async () => {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const notes: string[] = [];
  await train(
    { experiment: tinyExperiment(folder) },
    { onEvent: (event) => event.type === 'note' && notes.push(event.text) },
  );
  expect(notes).toContain('not used: splitting, stop; train does not grow');
});
