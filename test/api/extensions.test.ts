// Costs and strategies of the caller's own: named by the experiment, kept as hard limits, recorded, and refused where they break.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type CostFunction,
  type ExperimentControl,
  type Graph,
  grow,
  parseExperiment,
  type StageRecord,
  type StrategyCandidate,
  type StrategyFunction,
  train,
} from '../../lib/index.js';
import { readExperiment } from '../../lib/run/spec/spec.js';
import { messageOf } from '../reference.js';
import { asRead, readJson, temporaryFolder, tinyExperiment, writeTinyData } from '../run/tiny.js';

type Json = Record<string, unknown>;

/** Half a unit, and a hundredth a channel that a layer makes. */
const slope = 0.01;
const latencyOf = (outs: readonly number[]): number => 0.5 + slope * outs.reduce((sum, out) => sum + out, 0);
const latency: CostFunction = ({ nodes }) =>
  latencyOf(nodes.flatMap(({ out }) => (typeof out === 'number' ? [out] : [])));

async function experiment(splitting: Json = {}, more: Json = {}): Promise<Json> {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const base = tinyExperiment(folder);
  return { ...base, splitting: { ...(base.splitting as Json), ...splitting }, ...more };
}

const recordOf = (json: Json, stage: number): Promise<StageRecord> =>
  readJson(String(json.output), `stage-${stage}`, 'stage.json');

test('a cost of your own is a budget that holds, and stands in the records under its name', async () => {
  const json = await experiment({ cost: 'latency' });
  const { stages } = await grow(asRead(json), { costs: { latency, unused: () => 1 } });
  expect(stages).toHaveLength(3);
  for (const [k, { costs, widths }] of stages.entries()) {
    // Counted again from the summary's widths: every layer that makes channels is in them.
    const counted = latencyOf(Object.values(widths));
    expect(costs).toEqual({ latency: counted });
    const next = stages[k + 1]?.costs?.latency;
    if (next !== undefined) expect(next).toBeLessThanOrEqual(1.5 * counted);
    const { split } = await recordOf(json, k);
    if (split === null) continue;
    expect(split.certificate.budgets.map(({ cost }) => cost)).toEqual(['macs', 'latency']);
    expect(split.certificate.budgets[1]).toMatchObject({ before: counted, after: next });
    expect(split.certificate.boundWithout).toEqual(['latency']);
    for (const { costs: marginal } of split.picks) expect(marginal.latency).toBeCloseTo(slope, 12);
  }
});

test('stop.costs is never exceeded, and the run ends when nothing fits below it', async () => {
  const json = await experiment({ growthRatio: 3 }, { stop: { costs: { latency: 0.9 } } });
  const { stages } = await grow(asRead(json), { costs: { latency } });
  expect((await recordOf(json, stages.length - 1)).ended).toBe('cost');
  expect(stages.length).toBeGreaterThan(1);
  for (const { costs } of stages) expect(costs?.latency).toBeLessThanOrEqual(0.9);
  // One channel more of any layer costs at least `slope`.
  expect(stages.at(-1)?.costs?.latency).toBeGreaterThan(0.9 - 2 * slope);
});

test('a seed network above stop.costs is refused before anything is written', async () => {
  const json = await experiment({}, { stop: { costs: { latency: 0.5 } } });
  await expect(grow(asRead(json), { costs: { latency } })).rejects.toMatchObject({
    code: 'E_EXPERIMENT',
    message: expect.stringMatching(
      /^stop\.costs\.latency: expected at least 0\.\d+, "latency" of the network/,
    ),
  });
  const params = await experiment({}, { stop: { costs: { params: 3 } } });
  await expect(grow(asRead(params))).rejects.toMatchObject({
    message: expect.stringContaining('stop.costs.params'),
  });
});

/** Runs stage 0 alone; what is given may then be continued with two stages more. */
async function begun(costs: ExperimentControl['costs']): Promise<Json> {
  const json = await experiment({ cost: 'latency' }, { stop: { stages: 0 } });
  await grow(asRead(json), { costs });
  return { ...json, stop: { stages: 1 } };
}

test('a run with a cost of your own goes on with it, and is refused without it or with another function', async () => {
  const json = await begun({ latency });
  const kept = join(String(json.output), 'experiment.json');
  const without = await grow(kept).catch((error: Error) => error.message);
  expect(without).toBe(
    'splitting.cost: expected one of macs, params, flops2x, got "latency". ' +
      'One of your own is given in code: grow(experiment, { costs: { "latency": ... } })',
  );
  await expect(readExperiment(kept)).rejects.toMatchObject({ code: 'E_EXPERIMENT' });
  await expect(
    grow(asRead(json), { costs: { latency: (graph, shapes) => 2 * latency(graph, shapes) } }),
  ).rejects.toMatchObject({
    code: 'E_RESUME',
    message: expect.stringMatching(/stage-0: expected cost "latency" to be 0\.\d+ as when the run was begun/),
  });
  expect((await grow(asRead(json), { costs: { latency } })).stages).toHaveLength(2);
});

test.each<[string, CostFunction, string]>([
  [
    'throws',
    () => {
      throw new Error('no table for this layer');
    },
    'cost "latency": its function threw: no table for this layer',
  ],
  ['is not finite', () => Number.NaN, 'cost "latency": expected its function to return a finite number'],
  ['is negative', () => -1, 'of 0 or more, got -1'],
  ['is no number', (() => Promise.resolve(1)) as unknown as CostFunction, 'got an object'],
  [
    'falls as widths grow',
    (graph, shapes) => 1 / latency(graph, shapes),
    'expected no less for a wider network',
  ],
  [
    'changes the graph',
    (graph: Graph) => {
      (graph.nodes as unknown[]).pop();
      return 1;
    },
    'its function threw: Cannot delete property',
  ],
])('a cost that %s ends the run by an error that names it', async (_what, of, said) => {
  const json = await experiment({ cost: 'latency', method: 'exact' }, { fit: { epochs: 0 } });
  const error = await grow(asRead(json), { costs: { latency: of } }).catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: 'E_CALLBACK', message: expect.stringContaining(said) });
});

const byIndex = (a: StrategyCandidate, b: StrategyCandidate): number => a.index - b.index;

test('a strategy of your own decides the order, what it leaves out stays, and budgets hold', async () => {
  const seen: { readonly names: readonly string[]; readonly count: number }[] = [];
  const last: StrategyFunction = async (candidates, { budgets, graph, seed }) => {
    seen.push({ names: budgets.map(({ name }) => name), count: candidates.length });
    expect(graph.nodes.length).toBeGreaterThan(0);
    expect(Number.isSafeInteger(seed)).toBe(true);
    const groups = [...new Set(candidates.map(({ group }) => group))];
    return candidates.filter(({ group }) => group === groups.at(-1)).sort(byIndex);
  };
  const json = await experiment({ strategy: 'last-layer', cost: ['macs', 'params'], method: 'exact' });
  const { stages } = await grow(asRead(json), { strategies: { 'last-layer': last } });
  const { split } = await recordOf(json, 0);
  expect(split?.strategy).toBe('last-layer');
  expect(new Set(split?.picks.map(({ group }) => group)).size).toBe(1);
  const order = split?.picks.map(({ index }) => index) ?? [];
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(seen[0]).toEqual({ names: ['macs', 'params'], count: split?.certificate.eligible });
  for (const [k, { macs }] of stages.entries())
    expect(stages[k + 1]?.macs ?? 0).toBeLessThanOrEqual(1.5 * macs);
});

test('a strategy that wants everything gets no more than the budget, and the most wanted first', async () => {
  const vanilla = await experiment({ strategy: 'vanilla', method: 'exact' }, { stop: { stages: 1 } });
  const own = await experiment({ strategy: 'own', method: 'exact' }, { stop: { stages: 1 } });
  const [a, b] = [
    await grow(asRead(vanilla)),
    await grow(asRead(own), { strategies: { own: (candidates) => [...candidates].sort(byIndex) } }),
  ];
  // The same order as `vanilla`, so the same network.
  expect(b.stages.map(({ widths }) => widths)).toEqual(a.stages.map(({ widths }) => widths));
});

test.each<[string, StrategyFunction, string]>([
  [
    'throws',
    () => {
      throw new Error('lost');
    },
    'strategy "own": its function threw: lost',
  ],
  ['rejects', () => Promise.reject(new Error('lost')), 'strategy "own": its function threw: lost'],
  ['gives nothing', (() => undefined) as unknown as StrategyFunction, 'got nothing'],
  ['gives one twice', (all) => [...all, ...all], 'each once at most, got one of them twice'],
  ['gives copies', (all) => all.map((one) => ({ ...one })), 'got an object'],
])('a strategy that %s ends the run by an error that names it', async (_what, of, said) => {
  const json = await experiment({ strategy: 'own', method: 'exact' }, { fit: { epochs: 0 } });
  const error = await grow(asRead(json), { strategies: { own: of } }).catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: 'E_CALLBACK', message: expect.stringContaining(said) });
});

test('names that are unknown, taken or no names are refused with the known ones', async () => {
  const json = await experiment({ strategy: 'greedy' });
  expect(messageOf(() => parseExperiment(json, [], { strategies: { 'my-own': () => [] } }))).toBe(
    'splitting.strategy: expected one of energy-aware, vanilla, random, cost-only, my-own, got "greedy". ' +
      'One of your own is given in code: grow(experiment, { strategies: { "greedy": ... } })',
  );
  expect(messageOf(() => parseExperiment({ ...json, splitting: { cost: 'mac' } }))).toContain(
    'got "mac"; did you mean "macs"?',
  );
  const refused = (control: ExperimentControl): Promise<unknown> =>
    grow(asRead(json), control).catch((error: unknown) => error);
  expect(await refused({ costs: { macs: () => 1 } })).toMatchObject({
    code: 'E_ARGUMENT',
    message: 'costs: "macs": expected a name besides macs, params, flops2x, which are taken',
  });
  expect(await refused({ strategies: { 'a.b': () => [] } })).toMatchObject({ code: 'E_ARGUMENT' });
  expect(await refused({ costs: { slow: 3 as unknown as CostFunction } })).toMatchObject({
    message: 'costs: "slow": expected a function, got 3',
  });
});

test('train and compare read an experiment that names costs of your own', async () => {
  const json = await experiment({ cost: 'latency' }, { fit: { epochs: 0 } });
  await expect(train(asRead(json))).rejects.toMatchObject({ code: 'E_EXPERIMENT' });
  expect((await train(asRead(json), { costs: { latency } })).stages).toHaveLength(1);
  const file = join(String(json.output), '..', 'experiment.json');
  await writeFile(file, JSON.stringify(json));
  expect(await readExperiment(file, [], { costs: { latency } })).toMatchObject({
    splitting: { cost: 'latency' },
  });
});

test('a field under its former name works, and a note tells the present one', async () => {
  const json = await experiment({ energy: { estimate: 'own-layer' } }, { stop: { stages: 0 } });
  const notes: string[] = [];
  await grow(asRead(json), { onEvent: (event) => void (event.type === 'note' && notes.push(event.text)) });
  expect(notes).toContain('splitting.energy is now splitting.costEstimate; the former name still works');
  const kept: Json = await readJson(String(json.output), 'experiment.json');
  expect(kept.splitting).toMatchObject({ costEstimate: { estimate: 'own-layer' } });
  expect(kept.splitting).not.toHaveProperty('energy');
});
