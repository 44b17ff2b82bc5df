// Multiply-adds in the records of a run, against counts from its networks and its settings.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { grow } from '../../../lib/api/grow.js';
import { train } from '../../../lib/api/train.js';
import { macs } from '../../../lib/graph/cost.js';
import { lower } from '../../../lib/graph/lower.js';
import { growExperiment } from '../../../lib/run/run.js';
import { parseExperiment } from '../../../lib/run/spec/spec.js';
import type { StageRecord, Summary } from '../../../lib/run/store/records.js';
import { readGraph } from '../../../lib/train/network.js';
import { readJson, temporaryFolder, tinyExperiment, writeTinyData } from '../tiny.js';

const IMAGES = 96;

interface Run {
  readonly output: string;
  readonly summary: Summary;
  readonly records: readonly StageRecord[];
}

async function tinyRun(set: readonly string[]): Promise<Run> {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const output = join(folder, 'run');
  const summary = await grow({ experiment: tinyExperiment(folder), set });
  const records = await Promise.all(
    summary.stages.map(({ stage }) => readJson<StageRecord>(output, `stage-${stage}`, 'stage.json')),
  );
  return { output, summary, records };
}

/** Forward and backward over all images, and the triangle of every matrix of a layer that has a curve. */
async function exactSearch(directory: string): Promise<number> {
  const graph = await readGraph(directory);
  const sides: Record<string, number> = {};
  for (const node of graph.nodes) {
    const [from = ''] = node.inputs;
    const before = sides[from] ?? 8;
    sides[node.id] = Math.ceil(before / Number('stride' in node ? node.stride : 1));
  }
  return lower(graph).chains.reduce(
    (sum, { id, neurons, dimension }) =>
      sum + (IMAGES * (sides[id] ?? 0) ** 2 * neurons * dimension * (dimension + 1)) / 2,
    3 * IMAGES * macs(graph),
  );
}

test('a stage counts its epochs, its search and its step', async () => {
  const { output, summary, records } = await tinyRun([
    'splitting.method=exact',
    'splitting.alongside=["rayleigh"]',
    'splitting.epochs=2',
  ]);
  for (const [stage, { compute, macs: before, split }] of records.entries()) {
    // Two epochs of 96 images; evaluations are not counted.
    expect(compute?.fit).toBe(3 * before * IMAGES * 2);
    expect(compute).not.toHaveProperty('finish');
    const after = records[stage + 1]?.macs ?? 0;
    // 64 images: logits and loss before; logits at step 0 and the loss at two epsilons after.
    const step = 64 * (2 * before + 3 * after);
    const search = (await exactSearch(join(output, `stage-${stage}`))) + step;
    expect(compute?.search).toBe(split === null ? 0 : search);
  }
  const [a, b, c] = records.map(({ compute }) => compute);
  const grown = [a?.fit, a?.search, b?.fit, b?.search, c?.fit].reduce((sum = 0, one = 0) => sum + one, 0);
  expect(summary.compute).toEqual({ grown, retrained: null });
});

test('finishing, statistics estimated anew and a single step count too', async () => {
  const { summary, records } = await tinyRun([
    'fit.schedule={"kind":"constant"}',
    'fit.finish.epochs=3',
    'fit.batch=36',
    'fit.remainder=drop',
    'stop.stages=1',
    'splitting.method=exact',
    'splitting.recalibrateImages=50',
    'splitting.epsilon=0.1',
  ]);
  const [seed, last] = records;
  const each = 3 * (seed?.macs ?? 0) * 72;
  // Two minibatches of 36 images; 24 are left out.
  expect(seed?.compute).toMatchObject({ fit: 2 * each, finish: 3 * each });
  const plain = await tinyRun(['stop.stages=1', 'splitting.method=exact', 'splitting.epsilon=0.1']);
  const indices = (run: readonly StageRecord[], forwards: number, anew: number): number =>
    (run[0]?.compute?.search ?? 0) - 64 * (2 * (run[0]?.macs ?? 0) + forwards * (run[1]?.macs ?? 0)) - anew;
  expect(indices(records, 3, 50 * (last?.macs ?? 0))).toBe(indices(plain.records, 2, 0));
  const sum = [seed, last].flatMap((one) => [one?.compute?.fit ?? 0, one?.compute?.finish ?? 0]);
  expect(summary.compute?.grown).toBe(
    sum.reduce((all, one) => all + one, seed?.compute?.search ?? Number.NaN),
  );
});

test('a run that ends for want of room counts the search that told it', async () => {
  const { records } = await tinyRun(['stop={"macs":12000}', 'splitting.method=exact']);
  const last = records.at(-1);
  expect(last?.ended).toBe('macs');
  expect(last?.compute?.search).toBeGreaterThan(0);
});

test('train counts its epochs and those of its finishing as one training', async () => {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const set = ['fit.schedule={"kind":"constant"}', 'fit.finish.epochs=1'];
  const summary = await train({ experiment: tinyExperiment(folder), set });
  expect(summary.compute).toEqual({
    grown: 3 * (summary.stages[0]?.macs ?? 0) * IMAGES * 3,
    retrained: null,
  });
});

test('a run stopped within its indices counts them once', async () => {
  const set = ['splitting.method=lobpcg', 'checkpoint.minutes=0'];
  const whole = await tinyRun(set);
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const spec = parseExperiment(tinyExperiment(folder), set);
  const stop = new AbortController();
  const onEvent = ({ phase }: { readonly phase: string }): void => {
    if (phase === 'indices') stop.abort();
  };
  await expect(growExperiment(spec, { signal: stop.signal, onEvent })).rejects.toMatchObject({
    code: 'E_ABORTED',
  });
  await growExperiment(spec);
  for (const [stage, { compute }] of whole.records.entries()) {
    const record = await readJson<StageRecord>(spec.output, `stage-${stage}`, 'stage.json');
    expect(record.compute).toEqual(compute);
  }
});
