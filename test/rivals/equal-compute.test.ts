// At equal compute every rival spends the total, but for less than an epoch of its last training: over random targets and totals.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { macs } from '../../lib/graph/cost.js';
import type { Graph } from '../../lib/graph/ir.js';
import { widths } from '../../lib/graph/print.js';
import { buildPreset } from '../../lib/models/zoo.js';
import type { Contest, GrownNetwork, Job, Outcome, Target, Trained } from '../../lib/rivals/contest.js';
import { scaleWidths } from '../../lib/rivals/networks/width-multiplier.js';
import { RIVALS, type RivalMethod, trainRivals } from '../../lib/rivals/table.js';
import { optionsOf } from '../../lib/run/spec/compare.js';
import { parseExperiment } from '../../lib/run/spec/spec.js';
import { createNetwork, saveNetwork } from '../../lib/train/network.js';
import { drawOf } from '../random-graphs.js';

const IMAGES = 50;
const SEED_GRAPH = buildPreset('mobilenet_cifar10', { blocks: 2, width: 4, classes: 4, resolution: 16 });
const METHODS = Object.keys(RIVALS) as RivalMethod[];
/** An epoch by hand: forward once and backward twice over every image. */
const epochOf = (graph: Graph): number => 3 * macs(graph) * IMAGES;
const NO_SECONDS = { fit: 0, indices: 0, select: 0, grow: 0, evaluate: 0 };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'splitgrow-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Instead of training: new weights, as many epochs as were asked for. */
async function pretend(job: Job, jobs: Trained[]): Promise<Trained> {
  const directory = join(folder, `${jobs.length}-${Math.random()}`);
  using network = createNetwork(job.graph, { seed: jobs.length, device: 'cpu' });
  await saveNetwork(network, directory);
  const record = {
    ...{ macs: macs(job.graph), params: 1, epochs: Array.from({ length: job.epochs }) },
    ...{ evaluation: { top1: 1, top5: 1, loss: 1 }, widths: widths(job.graph), seconds: NO_SECONDS },
  };
  const trained = { record, directory, id: job.name, compute: job.epochs * epochOf(job.graph) };
  jobs.push(trained);
  return trained;
}

/** A run of a seed network and one twice as wide. */
async function grownRun(): Promise<readonly GrownNetwork[]> {
  return await Promise.all(
    [SEED_GRAPH, scaleWidths(SEED_GRAPH, 2)].map(async (graph, stage) => {
      const directory = join(folder, `grown-${stage}-${Math.random()}`);
      using network = createNetwork(graph, { seed: stage, device: 'cpu' });
      await saveNetwork(network, directory);
      const compute = { fit: 5 * epochOf(graph), search: 1_000 };
      return { record: { stage, epochs: [1, 2, 3, 4, 5], seconds: NO_SECONDS, compute }, directory };
    }),
  );
}

interface Held {
  readonly outcomes: readonly Outcome[];
  /** Every training of the contest, in order. */
  readonly jobs: readonly Trained[];
}

async function held(
  method: RivalMethod,
  target: Target,
  given: object,
  grown: readonly GrownNetwork[] = [],
): Promise<Held> {
  const experiment = { name: 'x', network: { preset: 'mobilenet_cifar10' }, data: { name: 'cifar10' } };
  const [entry] = parseExperiment({ ...experiment, compare: [{ method, ...given }] }).compare;
  if (entry === undefined) throw new Error('no entry');
  const jobs: Trained[] = [];
  const contest: Contest & { readonly method: RivalMethod } = {
    ...{ start: SEED_GRAPH, grown, output: folder, seed: 0, device: 'cpu', method, label: method },
    ...{ targets: [target], all: [target], epochCompute: epochOf, train: (job) => pretend(job, jobs) },
  };
  const outcomes = await trainRivals(contest, optionsOf(entry));
  return { outcomes, jobs };
}

const total = (jobs: readonly Trained[]): number => jobs.reduce((sum, { compute }) => sum + compute, 0);

test.each(METHODS.filter((method) => method !== 'retrain'))(
  '%s spends the total but for less than an epoch of its last training',
  async (method) => {
    const grown = RIVALS[method].needsGrown === true ? await grownRun() : [];
    for (let seed = 0; seed < 6; seed += 1) {
      const { below } = drawOf(seed);
      const wide = scaleWidths(SEED_GRAPH, 2);
      const isGrown = grown.length > 0;
      const most = isGrown ? macs(wide) : Math.round(macs(SEED_GRAPH) * (0.8 + below(150) / 100));
      const compute = epochOf(SEED_GRAPH) * (60 + below(200)) + below(1_000_000);
      const target = { stage: isGrown ? 1 : null, macs: most, epochs: 1, compute };
      const given = method.startsWith('morphnet') ? { lambdas: [1e-9, 1e-10, 1e-8] } : {};
      const { jobs, outcomes } = await held(method, target, given, grown);
      const last = jobs.at(-1);
      const epoch = (last?.compute ?? 0) / (last?.record.epochs.length ?? 0);
      expect(total(jobs), `seed ${seed}`).toBeLessThanOrEqual(compute);
      expect(total(jobs), `seed ${seed}`).toBeGreaterThan(compute - epoch);
      const [outcome] = outcomes;
      const growth = isGrown ? 5 * epochOf(SEED_GRAPH) + 1_000 : 0;
      expect((outcome?.parentCompute ?? 0) + (outcome?.trained.compute ?? 0)).toBe(total(jobs) + growth);
    }
  },
);

const TARGET = { stage: null, macs: macs(SEED_GRAPH), epochs: 7, compute: 100 * epochOf(SEED_GRAPH) };

test('half of it goes to the base of a pruned network, and to all strengths of MorphNet together', async () => {
  for (const [method, strengths] of [
    ['prune-l1', 1],
    ['prune-bn', 1],
    ['morphnet', 4],
  ] as const) {
    const lambdas = strengths === 1 ? {} : { lambdas: [1e-9, 1e-10, 1e-8, 5e-9] };
    const { jobs } = await held(method, TARGET, lambdas);
    expect(jobs).toHaveLength(strengths + 1);
    const first = jobs.slice(0, -1);
    const epoch = (first[0]?.compute ?? 0) / (first[0]?.record.epochs.length ?? 0);
    expect(total(first), method).toBeLessThanOrEqual(TARGET.compute / 2);
    expect(total(first), method).toBeGreaterThan(TARGET.compute / 2 - strengths * epoch);
  }
});

test('epochs that an entry names hold, and the rest has what they leave', async () => {
  const named = await held('prune-l1', TARGET, { pretrainEpochs: 3, epochs: 2 });
  expect(named.jobs.map(({ record }) => record.epochs.length)).toEqual([3, 2]);
  const { jobs } = await held('prune-l1', TARGET, { pretrainEpochs: 3 });
  expect(jobs[0]?.record.epochs).toHaveLength(3);
  const left = TARGET.compute - (jobs[0]?.compute ?? 0);
  expect(jobs[1]?.record.epochs).toHaveLength(Math.floor(left / (3 * (jobs[1]?.record.macs ?? 0) * IMAGES)));
});

test('a total below one epoch is one epoch', async () => {
  const { jobs } = await held('width-multiplier', { ...TARGET, compute: 1 }, {});
  expect(jobs.map(({ record }) => record.epochs.length)).toEqual([1]);
});

test('without a total the epochs are equal', async () => {
  const { jobs } = await held('prune-bn', { ...TARGET, compute: null }, {});
  expect(jobs.map(({ record }) => record.epochs.length)).toEqual([7, 7]);
});

test('retrain keeps its epochs, and the growth of a grown base comes on top', async () => {
  const grown = await grownRun();
  const target = { ...TARGET, stage: 1, macs: macs(scaleWidths(SEED_GRAPH, 2)) };
  expect((await held('retrain', target, {}, grown)).jobs[0]?.record.epochs).toHaveLength(10);
  const { jobs, outcomes } = await held(
    'prune-l1',
    { ...target, macs: macs(SEED_GRAPH) },
    { base: 'grown' },
    grown,
  );
  const [base, last] = jobs;
  expect([base?.record.epochs.length, (last?.compute ?? 0) > 0.95 * target.compute]).toEqual([0, true]);
  const growth = 5 * (epochOf(SEED_GRAPH) + epochOf(scaleWidths(SEED_GRAPH, 2))) + 1_000;
  expect(outcomes[0]?.parentCompute).toBe(growth);
});
