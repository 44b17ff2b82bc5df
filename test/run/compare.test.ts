// Every method's rivals: within their targets, of the epochs that are due, from what is shared.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { compare } from '../../lib/api/compare.js';
import { readSafetensors } from '../../lib/data/safetensors.js';
import { channelGroups } from '../../lib/graph/channels.js';
import { macs } from '../../lib/graph/cost.js';
import { widen } from '../../lib/graph/grow.js';
import type { Graph } from '../../lib/graph/ir.js';
import { widths } from '../../lib/graph/print.js';
import { aliveGraph, expandTo } from '../../lib/rivals/networks/morphnet.js';
import { RIVALS } from '../../lib/rivals/table.js';
import type { RivalRecord, StageRecord } from '../../lib/run/store/records.js';
import { readGraph } from '../../lib/train/network.js';
import { numbersOf } from '../native/golden.js';
import {
  bytesOf,
  EVERY,
  experimentIn,
  foldersOf,
  LAMBDAS,
  type Played,
  played,
  rivalsOf,
} from './contest.js';
import { asRead, readJson, temporaryFolder } from './tiny.js';

let whole: Played;
beforeAll(async () => {
  whole = await played(EVERY);
  return () => rm(whole.folder, { recursive: true, force: true });
}, 600_000);
const of = (method: string, summary = whole.summary) => rivalsOf(method, summary);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** What a network of the same kind costs with one channel more in each group. */
function oneWider(graph: Graph): number {
  return macs(
    channelGroups(graph)
      .filter(({ isSplittable }) => isSplittable)
      .reduce((wider, { id }) => widen(wider, id, 1), graph),
  );
}

test.each(Object.entries(RIVALS))(
  '%s makes a trained network directory of at most the MACs of each stage',
  async (method, { label }) => {
    const rivals = of(method);
    expect(rivals.map(({ stage, target }) => ({ stage, target }))).toEqual(
      whole.summary.stages.slice(1).map((stage) => ({ stage: stage.stage, target: stage.macs })),
    );
    for (const rival of rivals) {
      const graph = await readGraph(rival.directory);
      expect(rival).toMatchObject({ label, macs: macs(graph) });
      expect(rival.macs).toBeLessThanOrEqual(rival.target);
      expect(rival.directory).toContain(`-${rival.target}-`);
      expect((await bytesOf(rival.directory)).length).toBeGreaterThan(0);
      const record = await readJson<StageRecord>(rival.directory, 'stage.json');
      expect(rival).toMatchObject({ top1: record.evaluation.top1, epochs: record.epochs.length });
    }
  },
);

test('a target is met but for the last neuron of each layer', async () => {
  for (const method of ['width-multiplier', 'prune-l1', 'prune-bn', 'morphnet', 'morphnet-authors']) {
    for (const rival of of(method)) {
      expect(oneWider(await readGraph(rival.directory)), method).toBeGreaterThan(rival.target);
    }
  }
});

test('the lower resolution is the largest within the target, of the network that is the widest at the last one', async () => {
  const [small, large] = of('resolution-multiplier');
  expect(large).toMatchObject({ resolution: null, widths: of('width-multiplier')[1]?.widths });
  const { resolution = null, target = 0, directory = '' } = small ?? {};
  const graph = await readGraph(directory);
  const at = (size: number): number => macs({ ...graph, input: { ...graph.input, shape: [1, size, size] } });
  expect(graph.input.shape).toEqual([1, resolution, resolution]);
  expect(small?.widths).toEqual(large?.widths);
  expect(resolution).toBeLessThan(8);
  expect(at(Number(resolution))).toBeLessThanOrEqual(target);
  expect(at(Number(resolution) + 1)).toBeGreaterThan(target);
});

test('each is trained for the epochs that the grown network has behind it; pretraining comes on top', () => {
  const epochs = (method: string): (readonly number[])[] =>
    of(method).map((rival) => [rival.epochs, rival.totalEpochs]);
  for (const method of ['width-multiplier', 'resolution-multiplier', 'scratch']) {
    expect(epochs(method), method).toEqual([
      [2, 2],
      [3, 3],
    ]);
  }
  // The base is trained for the 3 epochs of the largest target.
  for (const method of ['prune-l1', 'prune-bn', 'morphnet', 'morphnet-authors']) {
    expect(epochs(method), method).toEqual([
      [2, 5],
      [3, 6],
    ]);
  }
  expect(epochs('retrain')).toEqual([
    [3, 3],
    [3, 3],
  ]);
});

test('each counts its own epochs, and in all every training before and the growth of its architecture', async () => {
  const stages = await Promise.all(
    [0, 1, 2].map((stage) => readJson<StageRecord>(whole.output, `stage-${stage}`, 'stage.json')),
  );
  const growth = [0, 1, 2].map((stage) =>
    sum(stages.slice(0, stage).flatMap(({ compute }) => [compute?.fit ?? 0, compute?.search ?? 0])),
  );
  const names = await foldersOf(whole.output);
  const before = async (start: string): Promise<number> => {
    const folders = names.filter((name) => name.startsWith(start));
    const records = folders.map((name) => readJson<StageRecord>(whole.output, 'compare', name, 'stage.json'));
    return sum((await Promise.all(records)).map(({ macs: each, epochs }) => 3 * each * 96 * epochs.length));
  };
  const parents: Record<string, (stage: number) => Promise<number> | number> = {
    'width-multiplier': () => 0,
    'resolution-multiplier': () => 0,
    'prune-l1': () => before('prune-l1-base-'),
    'prune-bn': () => before('prune-bn-base-'),
    // Both strengths, whichever the network comes from.
    morphnet: () => before('morphnet-lambda-'),
    'morphnet-authors': () => before('morphnet-authors-lambda-'),
    scratch: (stage) => growth[stage] ?? 0,
    retrain: (stage) => growth[stage] ?? 0,
  };
  for (const method of Object.keys(RIVALS)) {
    for (const rival of of(method)) {
      const own = 3 * rival.macs * 96 * rival.epochs;
      const parent = await parents[method]?.(rival.stage ?? 0);
      expect(parent, method).toBeDefined();
      expect(rival, method).toMatchObject({ compute: own, totalCompute: own + (parent ?? 0) });
    }
  }
  expect(await before('morphnet-lambda-')).toBeGreaterThan(0);
});

test('the schedule is stretched with the epochs: its step stays half way', async () => {
  const [first] = of('width-multiplier');
  const spec = await readJson<{ fit: unknown }>(first?.directory ?? '', 'experiment.json');
  expect(spec.fit).toMatchObject({ epochs: 2, schedule: { kind: 'steps', at: [1], factor: 0.5 } });
});

test('targets share one base, and one training a strength of MorphNet', async () => {
  const names = await foldersOf(whole.output);
  const count = (start: string): number => names.filter((name) => name.startsWith(start)).length;
  expect(count('prune-l1-base-')).toBe(1);
  expect(count('prune-bn-base-')).toBe(1);
  for (const lambda of LAMBDAS) {
    expect(count(`morphnet-lambda-${lambda}-`)).toBe(1);
    expect(count(`morphnet-authors-lambda-${lambda}-`)).toBe(1);
  }
  // Two targets a method. At the last one whole images are the width multiplier's, and retraining is training from scratch.
  expect(names).toHaveLength(2 * Object.keys(RIVALS).length - 2 + 2 + 4);
});

test('what targets share is counted once in all', async () => {
  const names = await foldersOf(whole.output);
  for (const [method, start] of [
    ['prune-l1', 'prune-l1-base-'],
    ['prune-bn', 'prune-bn-base-'],
    ['morphnet', 'morphnet-lambda-'],
    ['morphnet-authors', 'morphnet-authors-lambda-'],
  ] as const) {
    const shared = names.filter((name) => name.startsWith(start));
    const records = await Promise.all(
      shared.map((name) => readJson<StageRecord>(whole.output, 'compare', name, 'stage.json')),
    );
    const spent = sum(records.map(({ seconds }) => seconds.fit));
    expect(sum(of(method).map(({ searchSeconds }) => searchSeconds)), method).toBeCloseTo(spent, 9);
  }
  // Architectures that growth found cost the growth to the last of them.
  const growth = whole.summary.stages
    .slice(0, -1)
    .map(({ seconds: { evaluate: _e, ...rest } }) => Object.values(rest));
  expect(sum(of('scratch').map(({ searchSeconds }) => searchSeconds))).toBeCloseTo(sum(growth.flat()), 9);
});

test('grown architectures are trained from weights of their own', async () => {
  for (const rival of of('scratch')) {
    expect(rival.widths).toEqual(whole.summary.stages[rival.stage ?? 0]?.widths);
  }
  const [, last] = of('scratch');
  expect((await bytesOf(last?.directory ?? '')).equals(await bytesOf(join(whole.output, 'stage-2')))).toBe(
    false,
  );
});

/** Weights of the trainings whose folders begin like that, of rivals to targets in MACs. */
async function sharedBy(
  start: string,
  entry: Readonly<Record<string, unknown>>,
): Promise<{ readonly rivals: readonly RivalRecord[]; readonly directories: readonly string[] }> {
  const output = join(temporaryFolder(), 'run');
  const summary = await compare({ experiment: asRead(experimentIn(whole.folder, output, [entry])) });
  const names = (await foldersOf(output)).filter((name) => name.startsWith(start));
  return { rivals: summary.compare ?? [], directories: names.map((name) => join(output, 'compare', name)) };
}

test('Pruning (Bn) starts its base from scales of 0.5, and its penalty makes them smaller', async () => {
  const scale = async (options: Readonly<Record<string, number>>): Promise<number> => {
    const entry = { method: 'prune-bn', targets: [5000], epochs: 0, ...options };
    const { directories } = await sharedBy('prune-bn-base-', entry);
    expect(directories).toHaveLength(1);
    const weights = await readSafetensors(join(directories[0] ?? '', 'weights.safetensors'));
    const gammas = numbersOf(weights, 'b1_pw_bn.weight');
    return sum([...gammas].map(Math.abs)) / gammas.length;
  };
  expect(await scale({ pretrainEpochs: 0 })).toBe(0.5);
  const [none, strong] = [await scale({ strength: 0 }), await scale({ strength: 0.5 })];
  // Three steps of at most rate 0.1 times 0.5, momentum aside.
  expect(strong).toBeLessThan(none - 0.05);
});

test('of MorphNet the nearest shrunk network is expanded, and the record says of which strength', async () => {
  const threshold = 0.97;
  const entry = {
    method: 'morphnet',
    targets: [2500, 6000],
    lambdas: [1e-9, 1e-4],
    threshold,
    pretrainEpochs: 2,
  };
  const { rivals, directories } = await sharedBy('morphnet-lambda-', entry);
  const alive = await Promise.all(
    directories.map(async (directory) => {
      const weights = await readSafetensors(join(directory, 'weights.safetensors'));
      const graph = await readGraph(directory);
      return aliveGraph(graph, weights, { threshold, variant: 'official' });
    }),
  );
  const costs = alive.map(macs);
  expect(new Set(costs).size, 'the two strengths leave other widths').toBe(2);
  for (const { target, lambda, widths: found, multiplier } of rivals) {
    const distances = costs.map((cost) => Math.max(cost / target, target / cost));
    const nearest = distances.indexOf(Math.min(...distances));
    expect(directories[nearest]).toContain(`lambda-${lambda}-`);
    const expanded = expandTo(alive[nearest] as Graph, target);
    expect({ found, multiplier }).toEqual({ found: widths(expanded.graph), multiplier: expanded.multiplier });
  }
});
