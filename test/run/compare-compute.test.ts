// Rivals at equal compute: the totals of a real run, its own rate, and records of older versions.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { compare } from '../../lib/api/compare.js';
import { parseExperiment } from '../../lib/run/spec/spec.js';
import { withCompute } from '../../lib/run/stage/compute.js';
import { readCompare, writeCompare } from '../../lib/run/store/compare-file.js';
import type { CompareRecord, RivalRecord, StageRecord } from '../../lib/run/store/records.js';
import { readStages } from '../../lib/run/store/summary.js';
import { runCompute } from '../../lib/train/compute.js';
import { bytesOf, type Entry, experimentIn, foldersOf, type Played, played, rivalsOf } from './contest.js';
import { asRead, readJson } from './tiny.js';

const IMAGES = 96;
const ENTRIES = [
  { method: 'width-multiplier', at: 'stages' },
  { method: 'prune-l1', at: 'stages' },
  { method: 'scratch', at: 'stages' },
];

let whole: Played;
beforeAll(async () => {
  whole = await played(ENTRIES);
  return () => rm(whole.folder, { recursive: true, force: true });
}, 600_000);

const again = (entries: readonly Entry[]) =>
  compare({ experiment: asRead(experimentIn(whole.folder, whole.output, entries)) });

test('each target has the compute of the run up to it, for every method', async () => {
  const stages = await readStages(whole.output, 2);
  for (const { method } of ENTRIES) {
    const rivals = rivalsOf(method, whole.summary);
    expect(rivals.map(({ stage }) => stage)).toEqual([1, 2]);
    for (const rival of rivals) {
      const { stage, compute = 0, totalCompute = 0 } = rival;
      const total = runCompute(stages, stage ?? 0) ?? Number.NaN;
      const epoch = 3 * rival.macs * IMAGES;
      // What a grown architecture took to be found comes on top.
      const spent = method === 'scratch' ? compute : totalCompute;
      expect(spent, method).toBeLessThanOrEqual(total);
      expect(spent, method).toBeGreaterThan(total - epoch);
      expect(compute).toBe(rival.epochs * epoch);
      expect(rival.options).toMatchObject({ equal: 'compute', learningRate: null });
    }
  }
  // A base for each target.
  const names = await foldersOf(whole.output);
  expect(names.filter((name) => name.startsWith('prune-l1-base-'))).toHaveLength(2);
});

test('the same again trains nothing, and equal epochs are other rivals beside them', async () => {
  const before = await foldersOf(whole.output);
  await again(ENTRIES);
  expect(await foldersOf(whole.output)).toEqual(before);
  const { compare: rivals = [] } = await again([{ ...ENTRIES[0], equal: 'epochs' }]);
  const own = rivals.filter(({ method }) => method === 'width-multiplier');
  expect(own.map(({ options, epochs }) => [options.equal, epochs]).slice(-2)).toEqual([
    ['epochs', 2],
    ['epochs', 3],
  ]);
  expect(own).toHaveLength(4);
});

test('a rival of its own rate is trained by it in a folder of its own', async () => {
  const plain = rivalsOf('width-multiplier', whole.summary)[0];
  const { compare: rivals = [] } = await again([{ ...ENTRIES[0], learningRate: 0.03 }]);
  const faster = rivals.find(({ options }) => options.learningRate === 0.03);
  expect(faster?.directory).not.toBe(plain?.directory);
  expect(faster?.epochs).toBe(plain?.epochs);
  const { fit } = await readJson<{ fit: object }>(faster?.directory ?? '', 'experiment.json');
  expect(fit).toMatchObject({ optimizer: { learningRate: 0.03 } });
  expect((await bytesOf(faster?.directory)).equals(await bytesOf(plain?.directory))).toBe(false);
});

test('targets in MACs have the compute that the entry names, or the epochs of one stage', async () => {
  const target = whole.summary.stages[1]?.macs ?? 0;
  const { compare: rivals = [] } = await again([
    { method: 'width-multiplier', targets: [target], compute: 5.5 * 3 * target * IMAGES },
    { method: 'width-multiplier', targets: [target] },
  ]);
  const own = rivals.filter(({ stage }) => stage === null);
  const [named, plain] = [5.5 * target, 0].map((budget) =>
    budget === 0 ? 1 : Math.floor(budget / (own[0]?.macs ?? 0)),
  );
  expect(own.map(({ epochs }) => epochs)).toEqual([named, plain]);
});

test('stages of older versions are counted from what their records tell', async () => {
  const spec = parseExperiment(experimentIn(whole.folder, whole.output, []));
  const stages = await readStages(whole.output, 2);
  const old = stages.map(({ record: { compute: _, ...record }, ...stage }) => ({
    ...stage,
    record: record as StageRecord,
  }));
  const found = await withCompute(spec, IMAGES, old);
  expect(found.map(({ record }) => record.compute)).toEqual(stages.map(({ record }) => record.compute));
});

test('rivals of older versions are read as those of equal epochs at the rate of the run', async () => {
  const record = await readJson<CompareRecord>(whole.output, 'compare.json');
  const [rival] = record.rivals.filter(({ options }) => options.equal === 'epochs');
  const { equal: _equal, learningRate: _rate, ...options } = rival?.options ?? {};
  const folder = join(whole.folder, 'old');
  await mkdir(folder);
  await writeCompare(folder, { ...record, rivals: [{ ...(rival as RivalRecord), options }] });
  expect((await readCompare(folder))[0]).toEqual(rival);
});
