import { expect, test } from 'vitest';
import { channelGroups } from '../../../lib/graph/channels.js';
import { COSTS, type Cost, macs, marginalCost, params } from '../../../lib/graph/cost.js';
import { widen } from '../../../lib/graph/grow.js';
import type { Graph } from '../../../lib/graph/ir.js';
import { buildPreset } from '../../../lib/models/zoo.js';
import { allowed, budgetsOf, type Candidate, takeWithin } from '../../../lib/split/choose/knapsack.js';
import { randomOf } from '../../reference.js';

const KNOWN: readonly Cost[] = Object.values(COSTS);
const budgets = (graph: Graph, growthRatio: number) =>
  budgetsOf(graph, { growthRatio, costs: [COSTS.macs], known: KNOWN });

/** Every neuron of the graph with a random index, most negative per MAC first. */
function orderOf(graph: Graph, seed: number): readonly Candidate[] {
  const random = randomOf(seed);
  const groups = channelGroups(graph).filter(({ isSplittable }) => isSplittable);
  const all = groups.flatMap(({ id, neurons }) => {
    const cost = marginalCost(graph, id, 'macs');
    return Array.from({ length: neurons }, (_, neuron): Candidate => {
      const index = -random();
      return { group: id, neuron, index, costs: { macs: cost }, ratio: index / cost };
    });
  });
  return all.sort((a, b) => a.ratio - b.ratio);
}

const widened = (graph: Graph, picks: readonly Candidate[]): Graph =>
  picks.reduce((wide, { group }) => widen(wide, group, 1), graph);
const sum = (picks: readonly Candidate[]): number => picks.reduce((total, { index }) => total + index, 0);

test('a limit is the largest whole number within (1 + growthRatio) times the cost, or the cap', () => {
  const graph = buildPreset('mobilenet_cifar10');
  for (const ratio of [0, 0.1, 1 / 3, 0.5, 0.7, 2]) {
    const [{ limit } = { limit: -1 }] = budgets(graph, ratio);
    expect(limit).toBeLessThanOrEqual((1 + ratio) * macs(graph));
    expect(limit + 1).toBeGreaterThan((1 + ratio) * macs(graph));
  }
  const options = { growthRatio: 0.5, costs: [COSTS.macs], known: KNOWN };
  const capped = budgetsOf(graph, { ...options, caps: { macs: 270_000, params: 5000 } });
  expect(capped.map(({ cost, limit }) => [cost.name, limit])).toEqual([
    ['macs', 270_000],
    ['params', 5000],
  ]);
  expect(budgetsOf(graph, { ...options, caps: { params: 10 } }).map(allowed)).toEqual([134_568, 0]);
});

test('an order that fits is taken whole, and nothing is taken where nothing fits', () => {
  const graph = buildPreset('mobilenet_cifar10');
  const order = orderOf(graph, 1);
  expect(takeWithin(graph, order, budgets(graph, 9), { exchange: false })).toEqual(order);
  expect(takeWithin(graph, order, budgets(graph, 0), { exchange: true })).toEqual([]);
  const over = budgetsOf(graph, {
    growthRatio: 1,
    costs: [COSTS.macs],
    caps: { macs: 5 },
    known: KNOWN,
  });
  expect(takeWithin(graph, order, over, { exchange: true })).toEqual([]);
});

test('what is taken begins with the longest prefix that fits, and stays in order', () => {
  for (let seed = 0; seed < 10; seed += 1) {
    const graph = buildPreset('mobilenet_cifar10', { width: 4 + 2 * seed });
    const order = orderOf(graph, seed);
    const [{ limit } = { limit: 0 }] = budgets(graph, 0.4);
    const picks = takeWithin(graph, order, budgets(graph, 0.4), { exchange: false });
    let length = 0;
    while (length < order.length && macs(widened(graph, order.slice(0, length + 1))) <= limit) length += 1;
    expect(picks.slice(0, length), `seed ${seed}`).toEqual(order.slice(0, length));
    expect([...picks].sort((a, b) => order.indexOf(a) - order.indexOf(b))).toEqual(picks);
    expect(macs(widened(graph, picks))).toBeLessThanOrEqual(limit);
  }
});

test('exchanging lowers the sum of indices or leaves it, and keeps every limit', () => {
  let better = 0;
  for (let seed = 0; seed < 60; seed += 1) {
    const graph = buildPreset('mobilenet_cifar10', { width: 3 + (seed % 9) });
    const order = orderOf(graph, seed);
    const limits = budgetsOf(graph, { growthRatio: 0.5, costs: KNOWN, known: KNOWN });
    const [plain, exchanged] = [false, true].map((exchange) =>
      takeWithin(graph, order, limits, { exchange }),
    );
    expect(sum(exchanged ?? []), `seed ${seed}`).toBeLessThanOrEqual(sum(plain ?? []) + 1e-12);
    if (sum(exchanged ?? []) < sum(plain ?? []) - 1e-12) better += 1;
    const wide = widened(graph, exchanged ?? []);
    expect(macs(wide)).toBeLessThanOrEqual(1.5 * macs(graph));
    expect(params(wide)).toBeLessThanOrEqual(1.5 * params(graph));
    for (const left of order.filter((candidate) => !exchanged?.includes(candidate))) {
      const more = widen(wide, left.group, 1);
      expect(macs(more) > 1.5 * macs(graph) || params(more) > 1.5 * params(graph), `seed ${seed}`).toBe(true);
    }
  }
  expect(better).toBeGreaterThan(3);
});
