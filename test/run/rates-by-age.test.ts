// fit.rateByAge in whole runs: one step of every entry, the norms that records keep, and that a resumed run trains alike.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { grow } from '../../lib/api/grow.js';
import { readSafetensors } from '../../lib/data/safetensors.js';
import type { StageRecord } from '../../lib/run/store/records.js';
import { numbersOf, tensorOf } from '../native/golden.js';
import { assertClose } from '../reference.js';
import { readJson, temporaryFolder, tinyExperiment, writeTinyData } from './tiny.js';

async function tinyRun(set: readonly string[]): Promise<string> {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  await grow({ experiment: tinyExperiment(folder), set });
  return join(folder, 'run');
}

const recordOf = (output: string, stage: number): Promise<StageRecord> =>
  readJson<StageRecord>(output, `stage-${stage}`, 'stage.json');
const weightsOf = (output: string, stage: number) =>
  readSafetensors(join(output, `stage-${stage}`, 'weights.safetensors'));
const bytesOf = (output: string, stage: number): Promise<Buffer> =>
  readFile(join(output, `stage-${stage}`, 'weights.safetensors'));

/** One minibatch an epoch of plain SGD, so that an entry moves by its rate times its gradient. */
const PLAIN = [
  ...['fit.batch=96', 'fit.optimizer.momentum=0', 'fit.optimizer.weightDecay=0', 'stop.stages=1'],
  ...['splitting.epsilon=0.2', 'fit.schedule.kind=constant', 'splitting.shrink=0.9'],
];

test('every entry moves by its factor times what it would: norm at birth over norm at the beginning', async () => {
  const [beginning, grown, alike, aged] = await Promise.all([
    tinyRun([...PLAIN, 'fit.epochs=0', 'stop.stages=0']),
    tinyRun([...PLAIN, 'fit.epochs=[1,0]', 'fit.rateByAge=true']),
    tinyRun([...PLAIN, 'fit.epochs=1']),
    tinyRun([...PLAIN, 'fit.epochs=1', 'fit.rateByAge=true']),
  ]);
  expect(await bytesOf(aged, 0)).toEqual(await bytesOf(alike, 0));
  const first = await weightsOf(beginning, 0);
  const [before, plain, after] = await Promise.all([grown, alike, aged].map((run) => weightsOf(run, 1)));
  if (before === undefined || plain === undefined || after === undefined) throw new Error('no stage 1');
  const births = (await recordOf(aged, 0)).split?.step.births;
  let young = 0;
  for (const name of before.keys()) {
    if (name.includes('running')) continue;
    const { shape } = tensorOf(before, name);
    const [rows = 0, columns = 1] = tensorOf(first, name).shape;
    const values = numbersOf(before, name);
    const inner = shape.slice(2).reduce((size, n) => size * n, 1);
    const width = (shape[1] ?? 1) * inner;
    const isNew = (i: number): boolean =>
      shape.length > 1 &&
      (Math.floor(i / width) >= rows || Math.floor(i / inner) % (shape[1] ?? 1) >= columns);
    const norm = Math.hypot(...values.filter((_, i) => isNew(i)));
    const factor = norm > 0 ? norm / Math.hypot(...numbersOf(first, name)) : 1;
    if (norm > 0) {
      expect(births?.born[name], name).toBeCloseTo(norm, 12);
      expect(births?.beginning?.[name], name).toBeCloseTo(Math.hypot(...numbersOf(first, name)), 12);
      young += 1;
    }
    const moved = (to: typeof plain) => numbersOf(to, name).map((x, i) => x - (values[i] ?? 0));
    const want = moved(plain).map((x, i) => (isNew(i) ? factor : 1) * x);
    const largest = Math.max(...values.map(Math.abs));
    // Weights are float32: differences of two of them are off by 6e-8 of the larger, each.
    assertClose(moved(after), want, { rtol: 1e-6, atol: 4e-7 * largest, note: name });
  }
  expect(young).toBeGreaterThan(3);
});

const WHOLE = [
  ...['fit.rateByAge=true', 'fit.schedule.kind=constant', 'fit.finish.epochs=1', 'fit.average.decay=0.9'],
  ...['splitting.optimizerState=keep', 'splitting.noise=0.05', 'stop.stages=2'],
];

test('a run stopped in stage 2 or while a copy is finished goes on to the same bits', async () => {
  const whole = await tinyRun(WHOLE);
  const { split } = await recordOf(whole, 1);
  expect(split?.step.births?.beginning).toBeUndefined();
  expect(Object.keys(split?.step.births?.born ?? {}).length).toBeGreaterThan(0);
  // Of stage 2: its second epoch of two, and the one epoch of its finished copy.
  for (const [epoch, epochs] of [
    [1, 2],
    [0, 1],
  ]) {
    const folder = temporaryFolder();
    await writeTinyData(folder);
    const again = { experiment: tinyExperiment(folder), set: WHOLE };
    const controller = new AbortController();
    const stopped = grow(again, {
      signal: controller.signal,
      onEvent: (event) => {
        const isFit = event.type === 'progress' && event.phase === 'fit' && event.stage === 2;
        if (isFit && event.epoch === epoch && event.epochs === epochs) controller.abort();
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: 'E_ABORTED' });
    await grow(again);
    for (const stage of [0, 1, 2])
      expect(await bytesOf(join(folder, 'run'), stage), `stage ${stage}`).toEqual(
        await bytesOf(whole, stage),
      );
  }
});

test('finished copies train by age too', async () => {
  const set = ['fit.schedule.kind=constant', 'fit.finish.epochs=2', 'fit.epochs=[1,0]', 'stop.stages=1'];
  const [plain, aged] = await Promise.all([tinyRun(set), tinyRun([...set, 'fit.rateByAge=true'])]);
  expect(await bytesOf(aged, 0)).toEqual(await bytesOf(plain, 0));
  // The grown networks are the same, so only the finishing differs.
  expect((await bytesOf(aged, 1)).equals(await bytesOf(plain, 1))).toBe(false);
});

test('rivals are trained without, to the same bits in the same folder', async () => {
  const set = ['stop.stages=1', 'fit.epochs=1', 'compare=["scratch"]'];
  const [plain, aged] = await Promise.all([tinyRun(set), tinyRun([...set, 'fit.rateByAge=true'])]);
  const rivals = async (output: string) =>
    (await readJson<{ rivals: { directory: string }[] }>(output, 'compare.json')).rivals.map(
      ({ directory }) => directory.slice(output.length),
    );
  const [one, other] = [await rivals(plain), await rivals(aged)];
  expect(other).toEqual(one);
  for (const folder of one) {
    const [a, b] = await Promise.all(
      [plain, aged].map((run) => readFile(join(run, folder, 'weights.safetensors'))),
    );
    expect(b).toEqual(a);
  }
});

test('a record without its norms is refused by name, with what to do', async () => {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const request = { experiment: tinyExperiment(folder), set: ['fit.rateByAge=true', 'stop.stages=1'] };
  const controller = new AbortController();
  const stopped = grow(request, {
    signal: controller.signal,
    onEvent: (event) => {
      if (event.type === 'progress' && event.stage === 1 && event.phase === 'fit') controller.abort();
    },
  });
  await expect(stopped).rejects.toMatchObject({ code: 'E_ABORTED' });
  const file = join(folder, 'run', 'stage-0', 'stage.json');
  const record = JSON.parse(await readFile(file, 'utf8')) as StageRecord;
  const { births: _, ...step } = record.split?.step ?? { births: undefined };
  await rm(file);
  await writeFile(file, JSON.stringify({ ...record, split: { ...record.split, step } }, null, 2));
  await expect(grow(request)).rejects.toMatchObject({ code: 'E_RESUME', message: /rateByAge/ });
});
