// What a run hands over: the better of two on validation images, within a compute budget, once, and again after a stop.
import { mkdtempSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { evaluate } from '../../lib/api/evaluate.js';
import { grow } from '../../lib/api/grow.js';
import type { RunControl } from '../../lib/native/events.js';
import { epochsLeft } from '../../lib/run/deliver.js';
import { parseData } from '../../lib/run/spec/spec.js';
import type { BestRecord, StageRecord, Summary } from '../../lib/run/store/records.js';
import { readJson, tinyExperiment, writeTinyData } from './tiny.js';

const IMAGES = 96 - 19;

interface Run {
  readonly folder: string;
  readonly output: string;
  readonly summary: Summary;
}

/** The tiny run with 19 of its 96 training images for validation. */
async function grown(
  folder: string,
  set: readonly string[],
  control: RunControl = {},
  output = join(folder, 'run'),
): Promise<Run> {
  const experiment = { ...tinyExperiment(folder, output) };
  const summary = await grow({ experiment, set: ['data.validation=0.2', ...set] }, control);
  return { folder, output, summary };
}

const bytesIn = (folder: string) => readFile(join(folder, 'weights.safetensors'));

let best: Run;
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'splitgrow-'));
  await writeTinyData(folder);
  best = await grown(folder, ['deliver=best']);
  return () => rm(folder, { recursive: true, force: true });
}, 600_000);

test('output/best is a network directory whose best.json says which network it is, and what it reaches', async () => {
  const directory = join(best.output, 'best');
  const record = await readJson<BestRecord>(directory, 'best.json');
  expect(best.summary.best).toEqual(record);
  const last = best.summary.stages.at(-1);
  expect(record).toMatchObject({ stage: 2, macs: last?.macs, params: last?.params });
  const { grown: a, retrained: b } = record.validation;
  expect(record.which).toBe((b ?? 0) > (a ?? 0) ? 'retrained' : record.which);
  expect((b ?? 0) < (a ?? 0) ? 'grown' : record.which).toBe(record.which);
  const data = parseData({ file: join(best.folder, 'data.safetensors') });
  const { top1, top5, loss } = await evaluate({ network: directory, data });
  expect(record.test).toEqual({ top1, top5, loss });
});

test('training again takes as many multiply-adds as growth took, in whole epochs counted by hand', async () => {
  const { compute, macs } = await readJson<BestRecord>(best.output, 'best', 'best.json');
  const epoch = 3 * macs * IMAGES;
  expect((compute.retrained ?? 0) / epoch).toBe(Math.floor(compute.grown / epoch));
});

test('a network in validation is not trained on: the record says how many images each part had', async () => {
  const { validation, evaluation } = await readJson<StageRecord>(best.output, 'stage-2', 'stage.json');
  expect(validation?.images).toBe(96 - IMAGES);
  expect(evaluation.images).toBe(40);
});

test('a second run trains nothing, leaves the file of another in best/, and says the same', async () => {
  const mine = join(best.output, 'best', 'notes.txt');
  await writeFile(mine, 'mine');
  const before = await bytesIn(join(best.output, 'best'));
  const types: string[] = [];
  const again = await grown(best.folder, ['deliver=best'], { onEvent: ({ type }) => types.push(type) });
  expect(again.summary).toEqual(best.summary);
  expect(types).not.toContain('progress');
  expect(await readFile(mine, 'utf8')).toBe('mine');
  expect((await bytesIn(join(best.output, 'best'))).equals(before)).toBe(true);
});

test('a run that is stopped while it trains again goes on to the same bytes', async () => {
  const output = join(best.folder, 'stopped');
  const controller = new AbortController();
  let isAgain = false;
  const onEvent: RunControl['onEvent'] = (event) => {
    if (event.type === 'note' && event.text.includes('is trained from scratch')) isAgain = true;
    if (isAgain && event.type === 'note' && event.text.startsWith('epoch 2 ')) controller.abort();
  };
  const control = { signal: controller.signal, onEvent };
  const stopped = grown(best.folder, ['deliver=retrain'], control, output);
  await expect(stopped).rejects.toMatchObject({ code: 'E_ABORTED' });
  const { summary } = await grown(best.folder, ['deliver=retrain'], {}, output);
  expect(summary.best?.which).toBe('retrained');
  expect(summary.best?.compute).toEqual(best.summary.best?.compute);
  const scratch = await grown(best.folder, ['deliver=retrain'], {}, join(best.folder, 'through'));
  expect((await bytesIn(join(output, 'best'))).equals(await bytesIn(join(scratch.output, 'best')))).toBe(
    true,
  );
});

test('a grown run that is finished hands over its best afterwards, and every stage where that is asked for', async () => {
  const output = join(best.folder, 'later');
  const plain = await grown(best.folder, [], {}, output);
  expect(plain.summary.best).toBeUndefined();
  const { summary } = await grown(best.folder, ['deliver=best', 'deliver.stages=true'], {}, output);
  expect(summary.stages).toEqual(plain.summary.stages);
  expect({ ...summary.best, seconds: 0 }).toEqual({ ...best.summary.best, seconds: 0 });
  expect(summary.delivered?.map(({ stage }) => stage)).toEqual([0, 1, 2]);
  for (const { stage, which } of summary.delivered ?? []) {
    const kept = await readJson<BestRecord>(output, 'delivered', `stage-${stage}`, 'best.json');
    expect(kept).toMatchObject({ stage, which });
  }
});

test('where a stage turns out to be the last, its validation is that of the finished network, by which it is delivered', async () => {
  const output = join(best.folder, 'late');
  const set = [
    ...['deliver=best', 'fit.schedule={"kind":"constant"}', 'fit.finish={"epochs":3,"stages":"last"}'],
    ...['stop={"macs":6000}'],
  ];
  const { summary } = await grown(best.folder, set, {}, output);
  const last = String(summary.stages.length - 1);
  const [stage, finished] = [
    await readJson<StageRecord>(output, `stage-${last}`, 'stage.json'),
    await readJson<StageRecord>(output, 'finish', `stage-${last}`, 'stage.json'),
  ];
  expect(stage.ended).not.toBe('stages');
  expect(stage.finish).toHaveLength(3);
  expect([stage.validation, stage.evaluation]).toEqual([finished.validation, finished.evaluation]);
  expect(summary.best?.validation.grown).toBe(finished.validation?.top1);
});

test('stages of an older version, which have no compute, are delivered as others are', async () => {
  const output = join(best.folder, 'older');
  const plain = await grown(best.folder, [], {}, output);
  for (const { directory } of plain.summary.stages) {
    const file = join(directory, 'stage.json');
    const { compute: _, sha256: __, ...record } = await readJson<Record<string, unknown>>(file);
    await writeFile(file, JSON.stringify(record));
  }
  const { summary } = await grown(best.folder, ['deliver=best'], {}, output);
  expect(summary.best?.compute).toEqual(best.summary.best?.compute);
});

test('a budget that growth has used up leaves the grown network, and says so', async () => {
  const notes: string[] = [];
  const onEvent: RunControl['onEvent'] = (event) => void (event.type === 'note' && notes.push(event.text));
  const set = ['deliver=best', 'deliver.compute=1000'];
  const { output, summary } = await grown(best.folder, set, { onEvent }, join(best.folder, 'poor'));
  expect(summary.best).toMatchObject({ which: 'grown', validation: { retrained: null } });
  expect(summary.best?.compute.retrained).toBeNull();
  expect(notes.join('\n')).toMatch(/WARNING: deliver\.compute leaves nothing for training stage 2 again/);
  expect((await bytesIn(join(output, 'best'))).equals(await bytesIn(join(output, 'stage-2')))).toBe(true);
});

test.each([
  // What is left of the budget, or as much as growth took, in whole epochs.
  [null, 100, 30, 3],
  [150, 100, 30, 1],
  [129, 100, 30, 0],
  [50, 100, 30, 0],
])(
  'of a budget of %s, growth having taken %d, %d an epoch leaves %d epochs',
  (compute, taken, epoch, left) => {
    expect(epochsLeft({ compute }, taken, epoch)).toBe(left);
  },
);
