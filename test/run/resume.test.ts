import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StageRecord, Summary } from '../../lib/run/store/records.js';
import { type Ended, start } from '../cli/command-line.js';
import { randomOf } from '../reference.js';
import { readJson, temporaryFolder, tinyExperiment, writeTinyData } from './tiny.js';

async function prepared(): Promise<{
  readonly folder: string;
  readonly file: string;
  readonly output: string;
}> {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const file = join(folder, 'experiment.json');
  const output = join(folder, 'run');
  // As often as it can: kills come within epochs and within splitting, too.
  const checkpoint = { minutes: 0.0005 };
  const experiment = { ...tinyExperiment(folder, output), fit: { epochs: 4, batch: 16 }, checkpoint };
  await writeFile(file, JSON.stringify(experiment));
  return { folder, file, output };
}

/** Starts the run and kills it some milliseconds after so many lines on standard error, unless it is done before. */
async function killedAfter(file: string, lines: number, milliseconds: number): Promise<Ended> {
  const { child, ended } = start(['grow', file]);
  let seen = 0;
  let timer: NodeJS.Timeout | undefined;
  const watch = (): void => {
    if (seen >= lines) timer ??= setTimeout(() => child.kill('SIGKILL'), milliseconds);
  };
  watch();
  child.stderr?.on('data', (text: string) => {
    seen += text.split('\n').length - 1;
    watch();
  });
  const result = await ended;
  clearTimeout(timer);
  return result;
}

interface Outcome {
  readonly weights: readonly Buffer[];
  readonly summary: Summary;
  readonly compute: readonly StageRecord['compute'][];
}

async function outcomeOf(output: string): Promise<Outcome> {
  const summary = await readJson<Summary>(output, 'summary.json');
  const weights = await Promise.all(
    summary.stages.map(({ stage }) => readFile(join(output, `stage-${stage}`, 'weights.safetensors'))),
  );
  const records = await Promise.all(
    summary.stages.map(({ stage }) => readJson<StageRecord>(output, `stage-${stage}`, 'stage.json')),
  );
  return { weights, summary, compute: records.map(({ compute }) => compute) };
}

/** A summary without the seconds, which no two runs share, and without the folder. */
const facts = ({ stages }: Summary): unknown => stages.map(({ seconds: _s, directory: _d, ...rest }) => rest);

test('a run killed at random moments, again and again, ends with the same bits as one that was not', {
  timeout: 1_200_000,
}, async () => {
  const whole = await prepared();
  const { code, stderr } = await start(['grow', whole.file]).ended;
  expect(code, stderr).toBe(0);
  const expected = await outcomeOf(whole.output);

  const broken = await prepared();
  const random = randomOf(7);
  // Once while it loads; then after some lines (a line tells of a finished epoch or step), in the midst of what comes next.
  const moments = [[0, 150], ...Array.from({ length: 6 }, () => [Math.ceil(3 * random()), 40 * random()])];
  for (const [lines = 0, milliseconds = 0] of moments) {
    const { signal, stderr: text } = await killedAfter(broken.file, lines, milliseconds);
    expect(signal, text).toBe('SIGKILL');
  }
  const last = await start(['grow', broken.file]).ended;
  expect(last.code, last.stderr).toBe(0);
  const found = await outcomeOf(broken.output);
  expect(facts(found.summary)).toEqual(facts(expected.summary));
  expect(found.compute).toEqual(expected.compute);
  expect(found.summary.compute).toEqual(expected.summary.compute);
  for (const [stage, weights] of expected.weights.entries()) {
    expect(found.weights[stage]?.equals(weights), `stage ${stage}`).toBe(true);
  }
  const names = await readdir(broken.output);
  expect(names.filter((name) => name.startsWith('.') || name.endsWith('.lock'))).toEqual([]);
  expect(names.filter((name) => name.startsWith('checkpoint'))).toEqual([
    expect.stringMatching(/^checkpoint-2-3/),
    'checkpoint-2-4',
  ]);
  const lines = (await readFile(join(broken.output, 'metrics.jsonl'), 'utf8')).trim().split('\n');
  expect(lines).toHaveLength(3 * 5 + 2);
});
