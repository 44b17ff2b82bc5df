// The authors' way to choose: what each of its options changes, against the default.
import { expect, test } from 'vitest';
import { channelGroups } from '../../lib/graph/channels.js';
import { macs, marginalCost } from '../../lib/graph/cost.js';
import { grow } from '../../lib/graph/grow.js';
import type { Graph } from '../../lib/graph/ir.js';
import { buildPreset } from '../../lib/models/zoo.js';
import { halvesOf, ownLayerMacs } from '../../lib/split/choose/estimate.js';
import { type Choice, type ChooseOptions, choose } from '../../lib/split/choose/strategy.js';
import { randomOf } from '../reference.js';

const GRAPH = buildPreset('mobilenet_cifar100');
const AUTHORS: ChooseOptions = {
  growthRatio: 0.5,
  costEstimate: { estimate: 'own-layer', transform: 'sqrt' },
  budgets: 'two-groups',
  hardLimit: false,
  rounding: { kind: 'threshold', threshold: 0.99 },
};

function indicesOf(graph: Graph, seed: number, above = 0): ReadonlyMap<string, Float64Array> {
  const random = randomOf(seed);
  const groups = channelGroups(graph).filter(({ isSplittable }) => isSplittable);
  return new Map(
    groups.map(({ id, neurons }) => [id, new Float64Array(neurons).map(() => above - random())] as const),
  );
}
const INDICES = indicesOf(GRAPH, 1, 0.1);
const named = ({ picks }: Choice): readonly string[] =>
  picks.map(({ group, neuron }) => `${group} ${neuron}`).sort();
const growth = (graph: Graph, { plan }: Choice): number => macs(grow(graph, plan).graph) / macs(graph);
const perGroup = ({ picks }: Choice): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const { group } of picks) counts.set(group, (counts.get(group) ?? 0) + 1);
  return counts;
};

test('every option alone chooses other neurons than the default', async () => {
  // Estimates tell layers of different widths apart; rounding matters where neurons are few.
  const small = buildPreset('mobilenet_cifar10');
  const changes: readonly Partial<ChooseOptions>[] = [
    { costEstimate: { estimate: 'own-layer', transform: 'none' } },
    { costEstimate: { estimate: 'marginal', transform: 'sqrt' } },
    { costEstimate: { estimate: 'marginal', transform: 'log' } },
    { budgets: 'two-groups' },
    { layerCap: 0.25 },
    { hardLimit: false },
    { rounding: { kind: 'threshold', threshold: 0.99 } },
  ];
  for (const change of changes) {
    let different = 0;
    for (let seed = 0; seed < 6; seed += 1) {
      const graph = seed % 2 === 0 ? GRAPH : small;
      const indices = indicesOf(graph, seed, 0.1);
      const plain = await choose(graph, indices, { growthRatio: 0.5 });
      const other = await choose(graph, indices, { growthRatio: 0.5, ...change });
      if (named(other).join() !== named(plain).join()) different += 1;
    }
    expect(different, JSON.stringify(change)).toBeGreaterThanOrEqual(3);
  }
});

test('defaults written out choose what they choose when left out, certificate and all', async () => {
  const written = await choose(GRAPH, INDICES, {
    growthRatio: 0.5,
    costEstimate: { estimate: 'marginal', transform: 'none' },
    budgets: 'total',
    layerCap: null,
    hardLimit: true,
    rounding: { kind: 'exchange', threshold: 0.5 },
  });
  expect(written).toEqual(await choose(GRAPH, INDICES, { growthRatio: 0.5 }));
  expect(written.certificate).not.toHaveProperty('estimates');
});

test('with soft limits growth passes 1 + growthRatio, and the certificate says by how much', async () => {
  let above = 0;
  for (let seed = 0; seed < 6; seed += 1) {
    const choice = await choose(GRAPH, indicesOf(GRAPH, seed), AUTHORS);
    const [budget] = choice.certificate.budgets;
    expect(choice.certificate.isHard).toBe(false);
    expect(budget?.after).toBe(macs(grow(GRAPH, choice.plan).graph));
    if (growth(GRAPH, choice) > 1.5) above += 1;
    for (const { name, used, allowed } of choice.certificate.estimates ?? [])
      expect(used, name).toBeLessThanOrEqual(allowed * (1 + 1e-9));
    // Few splits are fractional in an optimum, so that little of the estimated budget is left.
    expect(choice.certificate.objective).toBeGreaterThanOrEqual(choice.certificate.bound);
    expect(choice.certificate.gap).toBeLessThan(0.05);
  }
  expect(above).toBeGreaterThan(3);
});

test('hard limits hold under every estimate, transform, grouping, cap and rounding', async () => {
  for (const estimate of ['marginal', 'own-layer'] as const)
    for (const transform of ['none', 'sqrt', 'log'] as const)
      for (const budgets of ['total', 'two-groups'] as const)
        for (const kind of ['exchange', 'threshold'] as const) {
          const note = [estimate, transform, budgets, kind].join();
          const choice = await choose(GRAPH, INDICES, {
            growthRatio: 0.5,
            costEstimate: { estimate, transform },
            budgets,
            rounding: { kind, threshold: 0.9 },
            layerCap: 0.75,
          });
          expect(growth(GRAPH, choice), note).toBeLessThanOrEqual(1.5);
          expect(choice.picks.length, note).toBeGreaterThan(0);
          // The bound is one on true first-order costs, whatever the order was made by.
          expect(choice.certificate.objective, note).toBeGreaterThanOrEqual(choice.certificate.bound);
        }
});

test('the threshold takes what the relaxation takes nearly whole, and nothing else', async () => {
  const options: ChooseOptions = {
    growthRatio: 0.5,
    hardLimit: false,
    rounding: { kind: 'threshold', threshold: 0.99 },
  };
  for (let seed = 0; seed < 10; seed += 1) {
    const indices = indicesOf(GRAPH, seed, 0.3);
    const { picks } = await choose(GRAPH, indices, options);
    // One budget: the relaxation spends it by index over cost (Dantzig); one neuron at most is taken in part.
    const all = [...indices].flatMap(([group, list]) => {
      const cost = marginalCost(GRAPH, group, 'macs');
      return [...list].flatMap((index, neuron) => (index < 0 ? [{ group, neuron, index, cost }] : []));
    });
    all.sort((a, b) => a.index / a.cost - b.index / b.cost);
    let left = Math.floor(1.5 * macs(GRAPH)) - macs(GRAPH);
    const want: string[] = [];
    for (const { group, neuron, cost } of all) {
      if (left >= 0.99 * cost) want.push(`${group} ${neuron}`);
      left -= cost;
      if (left < 0) break;
    }
    expect(
      picks.map(({ group, neuron }) => `${group} ${neuron}`),
      `seed ${seed}`,
    ).toEqual(want);
  }
});

test('two groups keep a budget each, which one budget over all does not', async () => {
  const halves = halvesOf(GRAPH);
  const costs = ownLayerMacs(GRAPH);
  // Early layers are wanted most.
  const indices = new Map(
    [...INDICES].map(
      ([id, list]) => [id, list.map((x) => (halves.get(id) === 'early' ? 100 * x : x))] as const,
    ),
  );
  const spent = ({ picks }: Choice, half: string): number =>
    picks.reduce(
      (sum, { group }) => sum + (halves.get(group) === half ? Math.sqrt(costs.get(group) ?? 0) : 0),
      0,
    );
  const both = await choose(GRAPH, indices, AUTHORS);
  const one = await choose(GRAPH, indices, { ...AUTHORS, budgets: 'total' });
  const room = both.certificate.estimates?.find(({ name }) => name === 'macs early')?.allowed ?? 0;
  expect(spent(both, 'early')).toBeLessThanOrEqual(room);
  expect(spent(one, 'early')).toBeGreaterThan(1.5 * room);
});

test('a share and a table of widths cap layers, and caps are in the relaxation too', async () => {
  const share = await choose(GRAPH, INDICES, { growthRatio: 1, layerCap: 0.25 });
  for (const { id, neurons } of channelGroups(GRAPH))
    expect(perGroup(share).get(id) ?? 0, id).toBeLessThanOrEqual(Math.floor(0.25 * neurons));
  const table = { ...AUTHORS, growthRatio: 1, layerCap: { stem: 8, b1_pw: 10, b4_pw: 320 } };
  const capped = perGroup(await choose(GRAPH, INDICES, table));
  const free = perGroup(await choose(GRAPH, INDICES, { ...table, layerCap: null }));
  expect([capped.get('stem') ?? 0, capped.get('b1_pw')]).toEqual([0, 2]);
  expect(free.get('stem')).toBeGreaterThan(0);
  expect(free.get('b1_pw')).toBeGreaterThan(2);
  // What the capped layers leave of their budget goes to others.
  const others = (counts: ReadonlyMap<string, number>): number =>
    (counts.get('b2_pw') ?? 0) + (counts.get('b3_pw') ?? 0);
  expect(others(capped)).toBeGreaterThanOrEqual(others(free));
});

test('stop.macs holds under soft limits too', async () => {
  const limit = Math.round(1.2 * macs(GRAPH));
  for (const kind of ['exchange', 'threshold'] as const) {
    const choice = await choose(GRAPH, INDICES, {
      ...AUTHORS,
      rounding: { kind, threshold: 0.99 },
      caps: { macs: limit },
    });
    expect(growth(GRAPH, choice) * macs(GRAPH)).toBeLessThanOrEqual(limit);
    expect(choice.picks.length).toBeGreaterThan(0);
  }
});

test('what cannot be together is refused', async () => {
  const refusal = (options: Partial<ChooseOptions>): Promise<string> =>
    choose(GRAPH, INDICES, { ...AUTHORS, ...options }).then(
      () => 'accepted',
      (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
    );
  expect(await refusal({ strategy: 'vanilla' })).toMatch(/^E_ARGUMENT: .*"threshold".*"vanilla"/);
  expect(await refusal({ costs: ['params'] })).toMatch(/^E_ARGUMENT: .*"own-layer".*macs, params/);
  expect(await refusal({ layerCap: { b1_pv: 9 } })).toMatch(/^E_ARGUMENT: .*"b1_pv".*"b1_pw"/);
  expect(await refusal({ layerCap: { classifier: 9 } })).toMatch(/^E_ARGUMENT: .*"classifier"/);
});
