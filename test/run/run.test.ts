import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { grow } from '../../lib/api/grow.js';
import { macs } from '../../lib/graph/cost.js';
import { widths } from '../../lib/graph/print.js';
import type { MetricsLine, StageRecord, StateRecord, Summary } from '../../lib/run/store/records.js';
import { FUNCTION_TOLERANCE } from '../../lib/split/step/offspring.js';
import { readGraph } from '../../lib/train/network.js';
import { readJson, temporaryFolder, tinyExperiment, writeTinyData } from './tiny.js';

async function tinyRun(
  set: readonly string[] = [],
): Promise<{ readonly folder: string; readonly output: string; readonly summary: Summary }> {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const experiment = tinyExperiment(folder);
  return { folder, output: String(experiment.output), summary: await grow({ experiment, set }) };
}

const bytesOf = (output: string, stage: number): Promise<Buffer> =>
  readFile(join(output, `stage-${stage}`, 'weights.safetensors'));

test('a run of two splitting stages leaves three networks, and its summary says how each came from the last', async () => {
  const { output, summary } = await tinyRun(['compare=[{"method":"width-multiplier","equal":"epochs"}]']);
  expect(summary.stages.map(({ stage }) => stage)).toEqual([0, 1, 2]);
  const kept = await readJson<Summary>(output, 'summary.json');
  expect(kept).toEqual(summary);
  for (const [k, stage] of summary.stages.entries()) {
    const graph = await readGraph(join(output, `stage-${k}`));
    expect(stage.directory).toBe(join(output, `stage-${k}`));
    expect(stage.macs).toBe(macs(graph));
    expect(stage.widths).toEqual(widths(graph));
    const next = summary.stages[k + 1];
    if (next === undefined) {
      expect(stage.split).toEqual({});
      continue;
    }
    const grown = Object.fromEntries(
      Object.entries(stage.widths).map(([id, n]) => [id, n + (stage.split[id]?.length ?? 0)]),
    );
    expect(next.widths).toEqual(grown);
    expect(next.macs).toBeLessThanOrEqual(1.5 * stage.macs);
    const record = await readJson<StageRecord>(output, `stage-${k}`, 'stage.json');
    expect(record.split?.step.functionError).toBeLessThan(FUNCTION_TOLERANCE);
    expect(record.split?.neurons).toEqual(stage.split);
    const [budget] = record.split?.certificate.budgets ?? [];
    expect(budget).toMatchObject({ cost: 'macs', before: stage.macs, after: next.macs });
    expect(record.split?.picks.every(({ index }) => index < 0)).toBe(true);
  }
  const rival = summary.compare?.[0];
  expect(rival?.macs).toBeLessThanOrEqual(summary.stages[2]?.macs ?? 0);
  expect(rival?.epochs).toBe(6);
  expect(await readdir(output)).toEqual(
    expect.arrayContaining(['report.html', 'compare.json', 'metrics.jsonl', 'experiment.json']),
  );
  const lines = (await readFile(join(output, 'metrics.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as MetricsLine);
  const story = ['epoch', 'epoch', 'evaluate', 'split'];
  expect(lines.map(({ type }) => type)).toEqual([...story, ...story, ...story.slice(0, 3)]);
});

test('two runs of one experiment end with the same weights, and another seed with others', async () => {
  const [one, same, other] = [await tinyRun(), await tinyRun(), await tinyRun(['seed=4'])];
  expect((await bytesOf(one.output, 2)).equals(await bytesOf(same.output, 2))).toBe(true);
  expect((await bytesOf(one.output, 2)).equals(await bytesOf(other.output, 2))).toBe(false);
});

test('a finished run that is run again does nothing and says the same', async () => {
  const { folder, output, summary } = await tinyRun();
  const before = await readFile(join(output, 'metrics.jsonl'));
  const events: string[] = [];
  const again = await grow(
    { experiment: tinyExperiment(folder) },
    { onEvent: ({ type }) => events.push(type) },
  );
  expect(again).toEqual(summary);
  expect(events).not.toContain('progress');
  expect((await readFile(join(output, 'metrics.jsonl'))).equals(before)).toBe(true);
});

test('a finished run goes on when it is given more stages, as if it had had them from the start', async () => {
  const [short, long] = [await tinyRun(['stop.stages=1']), await tinyRun()];
  await grow({ experiment: tinyExperiment(short.folder) });
  for (const stage of [0, 1, 2]) {
    expect(
      (await bytesOf(short.output, stage)).equals(await bytesOf(long.output, stage)),
      `stage ${stage}`,
    ).toBe(true);
  }
});

test('every stage is fitted for its own epochs, and the rival for all of them together', async () => {
  const { output, summary } = await tinyRun([
    'fit.epochs=[1,0,3]',
    'compare=[{"method":"width-multiplier","equal":"epochs"}]',
  ]);
  const records = await Promise.all(
    [0, 1, 2].map((stage) => readJson<StageRecord>(output, `stage-${stage}`, 'stage.json')),
  );
  expect(records.map(({ epochs }) => epochs.length)).toEqual([1, 0, 3]);
  expect(summary.compare?.[0]?.epochs).toBe(4);
});

test('every stage grows within its own ratio, which its certificate states', async () => {
  const ratios = [0.2, 0.9];
  const { output, summary } = await tinyRun([
    `splitting.growthRatio=${JSON.stringify(ratios)}`,
    'stop.stages=3',
    'fit.epochs=1',
  ]);
  const macs = summary.stages.map((stage) => stage.macs);
  for (const [stage, ratio] of [...ratios, 0.9].entries()) {
    const [before = 0, after = 0] = macs.slice(stage);
    expect(after).toBeLessThanOrEqual((1 + ratio) * before);
    // Fewer MACs than the cheapest neuron costs are left.
    expect(after).toBeGreaterThan((0.95 + ratio) * before);
    const record = await readJson<StageRecord>(output, `stage-${stage}`, 'stage.json');
    const limit = Math.floor((1 + ratio) * before);
    expect(record.split?.certificate.budgets).toMatchObject([{ cost: 'macs', before, limit, after }]);
  }
});

test('stop.macs is never exceeded, and the run ends when nothing fits below it', async () => {
  const { output, summary } = await tinyRun(['stop={"macs":6000}', 'fit.epochs=1']);
  expect(Math.max(...summary.stages.map((stage) => stage.macs))).toBeLessThanOrEqual(6000);
  const last = await readJson<StageRecord>(output, `stage-${summary.stages.length - 1}`, 'stage.json');
  expect(last.ended).toBe('macs');
});

test('a budget on parameters limits MACs too', async () => {
  const { output, summary } = await tinyRun([
    'splitting.cost=params',
    'fit.epochs=1',
    'splitting.growthRatio=0.3',
  ]);
  const [first, second] = summary.stages;
  expect(second?.params).toBeLessThanOrEqual(1.3 * (first?.params ?? 0));
  expect(second?.macs).toBeLessThanOrEqual(1.3 * (first?.macs ?? 0));
  const record = await readJson<StageRecord>(output, 'stage-0', 'stage.json');
  expect(record.split?.certificate.budgets.map(({ cost }) => cost)).toEqual(['macs', 'params']);
});

test('metrics after the last checkpoint are dropped and a torn line is tolerated', async () => {
  const { folder, output } = await tinyRun(['stop.stages=1']);
  const file = join(output, 'metrics.jsonl');
  const whole = await readFile(file, 'utf8');
  await writeFile(file, `${whole}{"type":"epoch","stage":1,"epoch":7,"loss":1}\n{"type":"epo`);
  await rm(join(output, 'stage-1'), { recursive: true });
  await grow({ experiment: tinyExperiment(folder), set: ['stop.stages=1'] });
  const shape = (text: string): string[] =>
    text
      .trim()
      .split('\n')
      .map((line) => line.replace(/"seconds":.*/, ''));
  expect(shape(await readFile(file, 'utf8'))).toEqual(shape(whole));
});

test('another experiment in the same output folder is refused, naming the field', async () => {
  const { folder, output } = await tinyRun(['stop.stages=0', 'fit.epochs=1']);
  const run = (set: readonly string[]): Promise<Summary> =>
    grow({ experiment: tinyExperiment(folder), set: ['stop.stages=0', 'fit.epochs=1', ...set] });
  await expect(run(['fit.optimizer.learningRate=0.2'])).rejects.toMatchObject({
    code: 'E_RESUME',
    message: expect.stringContaining('fit.optimizer.learningRate was 0.1, now 0.2'),
  });
  await expect(run(['seed=9'])).rejects.toMatchObject({
    code: 'E_RESUME',
    message: expect.stringContaining('seed was 3, now 9'),
  });
  const state = await readJson<StateRecord>(output, 'checkpoint-0-1', 'state.json');
  expect(state.epoch).toBe(1);
});

test('an aborted run rejects with E_ABORTED, and continues to the same weights', async () => {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const controller = new AbortController();
  const stopped = grow(
    { experiment: tinyExperiment(folder) },
    {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.stage === 1 && event.type === 'progress' && event.phase === 'fit') controller.abort();
      },
    },
  );
  await expect(stopped).rejects.toMatchObject({ code: 'E_ABORTED' });
  await grow({ experiment: tinyExperiment(folder) });
  const { output } = await tinyRun();
  expect((await bytesOf(join(folder, 'run'), 2)).equals(await bytesOf(output, 2))).toBe(true);
});

test('growth without an end, and a seed network above stop.macs, are refused before anything is written', async () => {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const experiment = tinyExperiment(folder);
  for (const stop of ['{}', '{"macs":10}']) {
    await expect(grow({ experiment, set: [`stop=${stop}`] })).rejects.toMatchObject({ code: 'E_EXPERIMENT' });
  }
  expect(await readdir(folder)).toEqual(['data.safetensors']);
});
