// Evaluation between epochs: what is told, which network is kept, and that a stop in the midst changes neither.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { evaluate } from '../../../lib/api/evaluate.js';
import { grow } from '../../../lib/api/grow.js';
import { loadDataset } from '../../../lib/data/dataset.js';
import { writeSafetensors } from '../../../lib/data/safetensors.js';
import { parseData } from '../../../lib/run/spec/spec.js';
import type { EvaluationRecord, StageRecord } from '../../../lib/run/store/records.js';
import { withValidation } from '../../../lib/train/validation.js';
import { readJson, temporaryFolder, tinyExperiment, writeTinyData } from '../tiny.js';

async function prepared(set: readonly string[] = []) {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const options = { experiment: tinyExperiment(folder), set: ['stop.stages=1', 'fit.epochs=6', ...set] };
  return { folder, output: join(folder, 'run'), options };
}
/** With the same images to train on, whether or not there is an early look. */
const SPLIT = ['data.validation=0.2'];
const EVERY = [...SPLIT, 'checkpoint.evaluateEvery=2'];
interface Early {
  readonly epoch: number;
  readonly evaluation: EvaluationRecord;
}

/** The validation images of the tiny run, as the test images of a file. */
async function validationOf(folder: string) {
  const whole = await loadDataset({ file: join(folder, 'data.safetensors') });
  const { validation } = withValidation(whole, 0.2, 3);
  if (validation === undefined || !('images' in validation)) throw new Error('expected images in memory');
  const file = join(folder, 'validation.safetensors');
  const { images, labels } = validation;
  const names = ['train', 'test'].flatMap((part) => [
    [`${part}_images`, images] as const,
    [`${part}_labels`, labels] as const,
  ]);
  await writeSafetensors(file, new Map(names));
  return parseData({ file });
}

test.each([
  ['the network itself', []],
  ['its moving average', ['fit.average={"decay":0.9}']],
])('the best of the evaluated epochs is kept, and says what it reaches: %s', async (_what, more) => {
  const { folder, output, options } = await prepared([...EVERY, ...more]);
  await grow(options);
  for (const stage of [0, 1]) {
    const { epochs, validation: last } = await readJson<StageRecord>(output, `stage-${stage}`, 'stage.json');
    expect(epochs.map(({ evaluation }) => evaluation !== undefined)).toEqual([0, 1, 0, 1, 0, 1].map(Boolean));
    expect(epochs.at(-1)?.evaluation).toEqual(last);
    const reached = epochs.map(({ evaluation }) => evaluation?.top1 ?? -1);
    const directory = join(output, 'early', `stage-${stage}`);
    const best = await readJson<Early>(directory, 'early.json');
    expect(best.epoch).toBe(reached.indexOf(Math.max(...reached)));
    const { top1, loss } = await evaluate({ network: directory, data: await validationOf(folder) });
    expect({ top1, loss }).toEqual({ top1: best.evaluation.top1, loss: best.evaluation.loss });
  }
  expect(await readFile(join(output, 'epochs.csv'), 'utf8')).toMatch(/^0,1,.*,fit,[\d.]+$/m);
});

test('evaluating changes no bit; a run stopped in an evaluation has kept the epoch and makes up for it', async () => {
  const [plain, stopped] = [await prepared(SPLIT), await prepared(EVERY)];
  await grow(plain.options);
  const controller = new AbortController();
  const first = grow(stopped.options, {
    signal: controller.signal,
    onEvent: ({ type, phase }) => type === 'progress' && phase === 'evaluate' && controller.abort(),
  });
  await first.catch((error: unknown) => expect(error).toMatchObject({ code: 'E_ABORTED' }));
  await grow(stopped.options);
  for (const stage of ['stage-0', 'stage-1']) {
    const bytes = ({ output }: typeof plain) => readFile(join(output, stage, 'weights.safetensors'));
    expect((await bytes(stopped)).equals(await bytes(plain)), stage).toBe(true);
  }
  const lines = (await readFile(join(stopped.output, 'metrics.jsonl'), 'utf8')).trim().split('\n');
  const evaluated = lines.filter(
    (line) => line.startsWith('{"type":"epoch"') && line.includes('"evaluation"'),
  );
  expect(evaluated).toHaveLength(6);
});
