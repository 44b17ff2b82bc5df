import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { growExperiment } from '../../../lib/run/run.js';
import { parseExperiment, type Spec } from '../../../lib/run/spec/spec.js';
import type { StageRecord } from '../../../lib/run/store/records.js';
import { readJson, temporaryFolder, tinyExperiment, writeTinyData } from '../tiny.js';

async function prepared(): Promise<(name: string, set?: readonly string[]) => Spec> {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  return (name, set = []) => parseExperiment(tinyExperiment(folder, join(folder, name)), set);
}

const SEED_ONLY = ['stop.stages=0', 'splitting.strategy=random'];

/** Weights of every stage, and the metrics without seconds, which no two runs share. */
async function outcomeOf({ output }: Spec): Promise<readonly string[]> {
  const stages = (await readdir(output)).filter((name) => /^stage-\d+$/.test(name)).sort();
  const weights = stages.map((name) => readFile(join(output, name, 'weights.safetensors'), 'hex'));
  const metrics = await readFile(join(output, 'metrics.jsonl'), 'utf8');
  return [...(await Promise.all(weights)), metrics.replace(/"seconds":(\{[^}]*\}|[^,}]*)/g, '')];
}

test('a run that takes stage 0 over ends with the same bits as one that fits it, and fits nothing at stage 0', async () => {
  const spec = await prepared();
  const [alone, first, adopting] = [spec('alone'), spec('first', SEED_ONLY), spec('adopting')];
  await growExperiment(alone);
  await growExperiment(first);
  const fitted = new Set<number>();
  await growExperiment(
    adopting,
    { onEvent: (event) => event.type === 'progress' && event.phase === 'fit' && fitted.add(event.stage) },
    { seedFrom: first.output },
  );
  expect(await outcomeOf(adopting)).toEqual(await outcomeOf(alone));
  expect([...fitted]).toEqual([1, 2]);
  const [own, theirs] = await Promise.all(
    [adopting, first].map(({ output }) => readJson<StageRecord>(output, 'stage-0', 'stage.json')),
  );
  expect(own?.epochs).toEqual(theirs?.epochs);
  expect(own?.ended).toBeNull();
});

test('a run that has begun keeps its own stage 0', async () => {
  const spec = await prepared();
  const [first, begun] = [spec('first', SEED_ONLY), spec('begun', ['stop.stages=0'])];
  await growExperiment(first);
  await growExperiment(begun);
  const before = await readFile(join(begun.output, 'metrics.jsonl'), 'utf8');
  await growExperiment(begun, {}, { seedFrom: first.output });
  expect(await readFile(join(begun.output, 'metrics.jsonl'), 'utf8')).toBe(before);
});

test.each([
  ['fit.optimizer.learningRate=0.2', 'fit.optimizer.learningRate was 0.2, now 0.1'],
  ['network.width=5', 'network.width was 5, now 4'],
  ['seed=4', 'seed was 4, now 3'],
  ['fit.epochs=[3,2]', 'fit.epochs was 3, now 2'],
])('another seed network (%s) is refused, naming the field', async (change, message) => {
  const spec = await prepared();
  const other = spec('other', [...SEED_ONLY, change]);
  await growExperiment(other);
  await expect(growExperiment(spec('run'), {}, { seedFrom: other.output })).rejects.toMatchObject({
    code: 'E_RESUME',
    message: expect.stringContaining(message),
  });
});

test('later epochs, the splitting and the rivals may differ', async () => {
  const spec = await prepared();
  const [first, run] = [spec('first', SEED_ONLY), spec('run', ['fit.epochs=[2,1]', 'stop.stages=1'])];
  await growExperiment(first);
  expect((await growExperiment(run, {}, { seedFrom: first.output })).stages).toHaveLength(2);
});

test('a folder without a run, and a run that went past stage 0, are refused', async () => {
  const spec = await prepared();
  const grown = spec('grown', ['stop.stages=1']);
  await growExperiment(grown);
  const from = (name: string): Promise<unknown> =>
    growExperiment(spec('run'), {}, { seedFrom: join(grown.output, '..', name) });
  await expect(from('nothing')).rejects.toMatchObject({ code: 'E_RESUME' });
  await expect(from('grown')).rejects.toMatchObject({
    code: 'E_RESUME',
    message: expect.stringContaining('found epoch 2 of stage 1'),
  });
});
