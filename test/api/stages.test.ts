// `for await` over a growth run: which stages come, when, and what is left on disk where the loop is left.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compare, type GrownStage, grow, parseExperiment } from '../../lib/index.js';
import { asRead, readJson, temporaryFolder, tinyExperiment, writeTinyData } from '../run/tiny.js';

async function folderWithData(): Promise<string> {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  return folder;
}

test('each stage comes once, with its network and record on disk, and the promise gives the same summary', async () => {
  const folder = await folderWithData();
  const stages: GrownStage[] = [];
  const run = grow(tinyExperiment(folder));
  for await (const stage of run) {
    expect(existsSync(join(stage.directory, 'weights.safetensors'))).toBe(true);
    expect(await readJson(stage.directory, 'stage.json')).toMatchObject({ stage: stage.stage });
    stages.push(stage);
  }
  const summary = await run;
  expect(stages.map(({ stage, isFromEarlier }) => ({ stage, isFromEarlier }))).toEqual(
    [0, 1, 2].map((stage) => ({ stage, isFromEarlier: false })),
  );
  for (const [k, { macs, top1, loss, directory, record }] of stages.entries()) {
    expect(summary.stages[k]).toMatchObject({ macs, top1, loss, directory });
    expect(record).toMatchObject({ format: 'splitgrow-stage/1', macs, split: null, ended: null });
  }

  const again: GrownStage[] = [];
  for await (const stage of grow(tinyExperiment(folder))) again.push(stage);
  expect(again.map(({ isFromEarlier }) => isFromEarlier)).toEqual([true, true, true]);
  expect(again.map(({ record }) => record.ended)).toEqual([null, null, 'stages']);
  expect(again[0]?.split, 'what an earlier call split').toEqual(summary.stages[0]?.split);
});

test('leaving the loop stops the run as an abort does, and the same call goes on to the same weights', async () => {
  const [left, whole] = [await folderWithData(), await folderWithData()];
  for await (const { stage } of grow(tinyExperiment(left))) if (stage === 1) break;
  expect(existsSync(join(left, 'run', 'summary.json'))).toBe(false);
  expect(existsSync(join(left, 'run', 'stage-1', 'stage.json'))).toBe(true);
  const seen: (readonly [number, boolean])[] = [];
  for await (const { stage, isFromEarlier } of grow(tinyExperiment(left))) seen.push([stage, isFromEarlier]);
  expect(seen.map(([stage]) => stage)).toEqual([0, 1, 2]);
  expect(seen[0]).toEqual([0, true]);
  expect(seen[2]).toEqual([2, false]);
  await grow(tinyExperiment(whole));
  const bytes = (folder: string): Promise<Buffer> =>
    readFile(join(folder, 'run', 'stage-2', 'weights.safetensors'));
  expect((await bytes(left)).equals(await bytes(whole))).toBe(true);
});

test('a file, an object, and either with overrides are the same experiment', async () => {
  const folder = await folderWithData();
  const json = { ...tinyExperiment(folder), stop: { stages: 0 } };
  const { writeFile } = await import('node:fs/promises');
  const file = join(folder, 'experiment.json');
  await writeFile(file, JSON.stringify(json));
  const first = await grow(file);
  expect(await grow(json)).toEqual(first);
  expect(await grow({ experiment: file })).toEqual(first);
  expect(await grow({ experiment: json, set: ['threads=1'] })).toEqual(first);
});

test('an error before the first stage reaches the loop', async () => {
  const loop = async (): Promise<void> => {
    for await (const _ of grow(asRead({ name: 'x' }))) throw new Error('a stage of nothing');
  };
  await expect(loop()).rejects.toMatchObject({ code: 'E_EXPERIMENT' });
  await expect(grow('no such file.json')).rejects.toMatchObject({ code: 'E_FILE' });
});

test('compare gives its rivals one after the other, and those that were trained before', async () => {
  const folder = await folderWithData();
  const output = join(folder, 'rivals');
  const { macs } = (await grow({ ...tinyExperiment(folder), stop: { stages: 0 } })).stages[0] ?? { macs: 0 };
  const rivals = {
    ...tinyExperiment(folder, output),
    fit: { epochs: 1, batch: 16 },
    compare: [{ method: 'width-multiplier', targets: [macs, 2 * macs] }],
  };
  for (const _ of ['trained', 'found again']) {
    const found: number[] = [];
    const run = compare(asRead(rivals));
    for await (const { macs: size } of run) found.push(size);
    expect(found).toEqual((await run).compare?.map((rival) => rival.macs));
    expect(found).toHaveLength(2);
  }
  expect(parseExperiment(rivals).compare).toHaveLength(1);
});
