// The step's fields in whole runs: what the records say, and that a resumed run says and does the same.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { grow } from '../../lib/api/grow.js';
import { readSafetensors } from '../../lib/data/safetensors.js';
import { parseExperiment } from '../../lib/run/spec/spec.js';
import type { MetricsLine, StageRecord, StepRecord } from '../../lib/run/store/records.js';
import { FUNCTION_TOLERANCE } from '../../lib/split/step/offspring.js';
import { numbersOf } from '../native/golden.js';
import { messageOf } from '../reference.js';
import { readJson, temporaryFolder, tinyExperiment, writeTinyData } from './tiny.js';

const ALL = [
  'splitting.outgoingDelta=0.25',
  'splitting.epsilonScale=relative',
  'splitting.lineSearch.statistics=batch',
  'splitting.recalibrateImages=40',
  'splitting.noise=0.05',
  'splitting.shrink=0.7',
  'splitting.perturb=0.01',
  'splitting.twins=true',
  'splitting.gradients=true',
  'splitting.optimizerState=keep',
];

async function tinyRun(
  set: readonly string[],
): Promise<{ readonly folder: string; readonly output: string }> {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  await grow({ experiment: tinyExperiment(folder), set });
  return { folder, output: join(folder, 'run') };
}

const recordOf = (output: string, stage: number): Promise<StageRecord> =>
  readJson<StageRecord>(output, `stage-${stage}`, 'stage.json');
const weightsOf = (output: string, stage: number) =>
  readSafetensors(join(output, `stage-${stage}`, 'weights.safetensors'));
async function stepOf(output: string): Promise<StepRecord> {
  const { split } = await recordOf(output, 0);
  if (split === null) throw new Error('stage 0 was not split');
  return split.step;
}

/** Mean and least distance of the twins in the weights of a stage, row by row from the plan of the stage before. */
async function byBruteForce(
  output: string,
  stage: number,
): Promise<{ mean: number; min: number; pairs: number }> {
  const before = await recordOf(output, stage - 1);
  const weights = await weightsOf(output, stage);
  const distances: number[] = [];
  for (const [layer, neurons] of Object.entries(before.split?.neurons ?? {})) {
    const flat = numbersOf(weights, `${layer}.weight`);
    const size = flat.length / ((before.widths[layer] ?? 0) + neurons.length);
    const row = (n: number): number[] => [...flat.slice(n * size, (n + 1) * size)];
    neurons.forEach((neuron, at) => {
      const [a, b] = [row(neuron), row((before.widths[layer] ?? 0) + at)];
      const apart = Math.hypot(...a.map((x, i) => x - (b[i] ?? Number.NaN)));
      distances.push(apart / Math.max(Math.hypot(...a), Math.hypot(...b)));
    });
  }
  const sum = distances.reduce((total, one) => total + one, 0);
  return { mean: sum / distances.length, min: Math.min(...distances), pairs: distances.length };
}

test('a run with every field of the step set keeps the function, and records losses and twins of every epoch', async () => {
  const { output } = await tinyRun(ALL);
  const [seed, ...grown] = await Promise.all([0, 1, 2].map((stage) => recordOf(output, stage)));
  expect(seed?.epochs.some(({ twins }) => twins !== undefined)).toBe(false);
  for (const { stage, epochs } of grown) {
    const { mean, min, pairs } = await byBruteForce(output, stage);
    // The stage's network is that of its last epoch; sums in double.
    const last = epochs.at(-1)?.twins;
    expect(last?.pairs).toBe(pairs);
    expect(last?.meanDistance).toBeCloseTo(mean, 10);
    expect(last?.minDistance).toBeCloseTo(min, 10);
    expect(epochs.every(({ twins }) => twins?.pairs === pairs)).toBe(true);
    const before = (await recordOf(output, stage - 1)).split;
    for (const record of [before?.step.gradients, ...epochs.map(({ gradients }) => gradients)]) {
      expect(record?.layers.map(({ layer, newborns }) => [layer, newborns])).toEqual(
        Object.entries(before?.neurons ?? {}).map(([layer, { length }]) => [layer, length]),
      );
      expect(record).toMatchObject({ images: 64, minibatches: 4 });
      for (const norms of record?.layers.flatMap(({ weights, consumers }) => [weights, consumers]) ?? [])
        expect(Math.min(norms.newborn, norms.old)).toBeGreaterThan(0);
    }
  }
  for (const { split } of [seed, grown[0]].flatMap((one) => one ?? [])) {
    expect(split?.step).toMatchObject({ epsilonScale: 'relative', statistics: 'batch' });
    expect(split?.step.functionError).toBeLessThan(FUNCTION_TOLERANCE);
    expect(split?.step.lossRecalibrated).toBeGreaterThan(0);
    expect(split?.step.predictedDecrease).toBeGreaterThan(0);
    expect(split?.step.twins?.pairs).toBe(Object.values(split?.neurons ?? {}).flat().length);
    // Offspring at (1 - 2 delta) and (1 + 2 delta) epsilon |theta|: 2 epsilon apart, over at most 1 + 1.5 epsilon.
    const epsilon = split?.step.epsilon ?? 0;
    expect(split?.step.twins?.meanDistance).toBeGreaterThan(epsilon);
  }
  const lines = (await readFile(join(output, 'metrics.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as MetricsLine);
  const told = lines.filter((line) => line.type === 'epoch' && line.twins !== undefined);
  expect(told).toHaveLength(grown.flatMap(({ epochs }) => epochs).length);
  const report = await readFile(join(output, 'report.html'), 'utf8');
  expect(report).toContain('id="figure-gradients"');
  expect(report).toContain('newborn / old gradient');
});

test('twins are 2 epsilon apart right after a relative step, over the longer of the two', async () => {
  const epsilon = 0.2;
  const { output } = await tinyRun([
    ...['splitting.epsilonScale=relative', `splitting.epsilon=${epsilon}`, 'splitting.twins=true'],
    ...['stop.stages=1', 'fit.epochs=[1,0]'],
  ]);
  const { twins } = await stepOf(output);
  // |theta +- epsilon |theta| v| is at most 1 + epsilon and, of the two, at least sqrt(1 + epsilon^2), in |theta|.
  // Where a layer's inputs are split too, both rows are regathered alike, which changes lengths a little.
  expect(twins?.minDistance).toBeGreaterThan((0.8 * 2 * epsilon) / (1 + epsilon));
  expect(twins?.meanDistance).toBeLessThan((1.2 * 2 * epsilon) / Math.sqrt(1 + epsilon ** 2));
});

test('a run stopped in a grown stage goes on to the same weights, steps, twins and gradients', async () => {
  const whole = await tinyRun(ALL);
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const again = { experiment: tinyExperiment(folder), set: ALL };
  const controller = new AbortController();
  const stopped = grow(again, {
    signal: controller.signal,
    onEvent: (event) => {
      const isLate = event.type === 'progress' && event.stage === 1 && event.epoch === 1;
      if (isLate && event.phase === 'fit') controller.abort();
    },
  });
  await expect(stopped).rejects.toMatchObject({ code: 'E_ABORTED' });
  await grow(again);
  for (const stage of [0, 1, 2]) {
    const [one, other] = await Promise.all(
      [whole.output, join(folder, 'run')].map(async (output) => ({
        bytes: await readFile(join(output, `stage-${stage}`, 'weights.safetensors')),
        record: await recordOf(output, stage),
      })),
    );
    expect(other?.bytes.equals(one?.bytes ?? Buffer.of()), `stage ${stage}`).toBe(true);
    expect(other?.record.split?.step).toEqual(one?.record.split?.step);
    expect(other?.record.epochs.map(({ twins, gradients }) => [twins, gradients])).toEqual(
      one?.record.epochs.map(({ twins, gradients }) => [twins, gradients]),
    );
  }
});

test('recalibration changes running statistics and nothing else, before the next stage begins', async () => {
  const set = ['stop.stages=1', 'fit.epochs=[1,0]', 'splitting.epsilon=0.1'];
  const [plain, anew] = [await tinyRun(set), await tinyRun([...set, 'splitting.recalibrateImages=96'])];
  const [before, after] = [await weightsOf(plain.output, 1), await weightsOf(anew.output, 1)];
  for (const [name, { data }] of before) {
    const isSame = Buffer.from(data).equals(Buffer.from(after.get(name)?.data ?? []));
    expect(isSame, name).toBe(!name.includes('running'));
  }
  expect((await stepOf(plain.output)).lossRecalibrated).toBeNull();
  const { lossRecalibrated, ...rest } = await stepOf(anew.output);
  expect(lossRecalibrated).toBeGreaterThan(0);
  expect(rest).toEqual({ ...(await stepOf(plain.output)), lossRecalibrated: undefined });
});

test('fields left at their defaults change nothing, and each of them changes the network', async () => {
  const set = ['stop.stages=1', 'fit.epochs=[1,0]', 'splitting.epsilon=0.1'];
  const bytesOf = async (more: readonly string[]): Promise<Buffer> =>
    readFile(join((await tinyRun([...set, ...more])).output, 'stage-1', 'weights.safetensors'));
  const plain = await bytesOf([]);
  const defaults = [
    'outgoingDelta=0',
    'epsilonScale=absolute',
    'noise=0',
    'shrink=1',
    'perturb=0',
    'recalibrateImages=0',
    'twins=false',
  ];
  expect((await bytesOf(defaults.map((one) => `splitting.${one}`))).equals(plain)).toBe(true);
  expect((await bytesOf(['splitting.gradients=true'])).equals(plain), 'only told').toBe(true);
  for (const one of [
    ...['outgoingDelta=0.1', 'epsilonScale=relative', 'noise=0.1', 'shrink=0.8', 'perturb=0.01'],
    'recalibrateImages=50',
  ])
    expect((await bytesOf([`splitting.${one}`])).equals(plain), one).toBe(false);
});

test.each([
  ['outgoingDelta', 0.5],
  ['outgoingDelta', -0.5],
  ['noise', -0.1],
  ['shrink', 0],
  ['shrink', 1.1],
  ['perturb', -0.1],
  ['recalibrateImages', -1],
  ['recalibrateImages', 1.5],
  ['epsilonScale', 'large'],
  ['lineSearch', { statistics: 'moving' }],
  ['twins', 1],
  ['gradients', 'all'],
])('splitting.%s = %j is refused by name', (field, value) => {
  const experiment = { ...tinyExperiment('x'), splitting: { [field]: value } };
  expect(messageOf(() => parseExperiment(experiment))).toMatch(new RegExp(`splitting\\.${field}.*expected`));
});
