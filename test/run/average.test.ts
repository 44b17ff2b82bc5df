// Moving averages in a run: what is kept of a stage, what growth goes on from, and that a stop changes no bit.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { evaluate } from '../../lib/api/evaluate.js';
import { grow } from '../../lib/api/grow.js';
import { train } from '../../lib/api/train.js';
import { readSafetensors } from '../../lib/data/safetensors.js';
import type { RunControl } from '../../lib/native/events.js';
import { parseData } from '../../lib/run/spec/spec.js';
import type { StageRecord, Summary } from '../../lib/run/store/records.js';
import { readJson, temporaryFolder, tinyExperiment, writeTinyData } from './tiny.js';

const SET = ['fit.average={"decay":0.8,"every":2}'];

interface Run {
  readonly folder: string;
  readonly output: string;
  readonly summary: Summary;
}

async function tinyRun(set: readonly string[], control: RunControl = {}): Promise<Run> {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const summary = await grow({ experiment: tinyExperiment(folder), set }, control);
  return { folder, output: join(folder, 'run'), summary };
}

const recordOf = (output: string, stage: number): Promise<StageRecord> =>
  readJson<StageRecord>(output, `stage-${stage}`, 'stage.json');
const weightsIn = (...path: readonly string[]): Promise<string> =>
  readFile(join(...path, 'weights.safetensors'), 'hex');
const facts = (record: unknown): unknown =>
  JSON.parse(
    JSON.stringify(record, (key, value: unknown) => (/^(seconds|sha256)$/.test(key) ? null : value)),
  );

test("a stage's network is the average, and growth goes on from the network itself", async () => {
  const [plain, run] = [await tinyRun([]), await tinyRun(SET)];
  const data = parseData({ file: join(run.folder, 'data.safetensors') });
  for (const stage of [0, 1, 2]) {
    const [before, record] = [await recordOf(plain.output, stage), await recordOf(run.output, stage)];
    expect(facts(record.epochs)).toEqual(facts(before.epochs));
    expect(facts(record.split)).toEqual(facts(before.split));
    const measured = await evaluate({ network: join(run.output, `stage-${stage}`), data });
    expect(measured).toMatchObject(record.evaluation);
    expect(run.summary.stages[stage]).toMatchObject({ top1: measured.top1, loss: measured.loss });
    expect(record.evaluation.loss).not.toBe(before.evaluation.loss);
  }
  const checkpoint = join(run.output, 'checkpoint-2-2');
  expect(await weightsIn(checkpoint)).toBe(await weightsIn(plain.output, 'checkpoint-2-2'));
  const average = await readSafetensors(join(checkpoint, 'average.safetensors'));
  expect(average).toEqual(await readSafetensors(join(run.output, 'stage-2', 'weights.safetensors')));
  expect(await readdir(join(plain.output, 'checkpoint-2-2'))).not.toContain('average.safetensors');
});

test('a run stopped in each stage goes on with its average, to the same bits', async () => {
  const whole = await tinyRun(SET);
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const again = { experiment: tinyExperiment(folder), set: SET };
  for (const stage of [0, 1, 2]) {
    const controller = new AbortController();
    const stopped = grow(again, {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'progress' && event.phase === 'fit' && event.stage === stage && event.epoch === 1)
          controller.abort();
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: 'E_ABORTED' });
  }
  await grow(again);
  for (const stage of [0, 1, 2]) {
    const own = join(folder, 'run', `stage-${stage}`);
    expect(await weightsIn(own)).toBe(await weightsIn(whole.output, `stage-${stage}`));
    expect(facts(await recordOf(join(folder, 'run'), stage))).toEqual(
      facts(await recordOf(whole.output, stage)),
    );
  }
});

test('what is finished is averaged while it is finished', async () => {
  const set = ['fit.schedule={"kind":"constant"}', 'fit.finish.epochs=2', 'stop.stages=0'];
  const [plain, run] = [await tinyRun(set), await tinyRun([...set, ...SET])];
  const finished = join(run.output, 'finish', 'stage-0');
  expect(await weightsIn(run.output, 'stage-0')).toBe(await weightsIn(finished));
  expect(await weightsIn(finished, 'checkpoint-0-2')).toBe(
    await weightsIn(plain.output, 'finish', 'stage-0', 'checkpoint-0-2'),
  );
  expect(await weightsIn(finished)).not.toBe(await weightsIn(plain.output, 'finish', 'stage-0'));
});

test('train keeps the average too; pieces and clipping change what is trained', async () => {
  const outcome = async (set: readonly string[]) => {
    const folder = temporaryFolder();
    await writeTinyData(folder);
    const { stop: _stop, ...experiment } = tinyExperiment(folder);
    await train({ experiment, set });
    const output = join(folder, 'run');
    return [await weightsIn(output), await weightsIn(output, 'checkpoint-0-2')];
  };
  const plain = await outcome([]);
  expect(plain[0]).toBe(plain[1]);
  const averaged = await outcome(SET);
  expect(averaged[1]).toBe(plain[0]);
  expect(averaged[0]).not.toBe(plain[0]);
  const kept = new Set([plain[0]]);
  for (const one of ['fit.microBatch=4', 'fit.gradientClip=0.01', 'fit.schedule.final=0.5'])
    kept.add((await outcome([one]))[0]);
  expect(kept.size).toBe(4);
  // 16 images at a time are the whole minibatch, and no gradient is that long.
  for (const one of ['fit.microBatch=16', 'fit.gradientClip=1000'])
    expect((await outcome([one]))[0], one).toBe(plain[0]);
});
