import { expect, test } from 'vitest';
import { channelGroups } from '../../../lib/graph/channels.js';
import { COSTS, type Cost, costOfGraph, macs, marginalCost, params } from '../../../lib/graph/cost.js';
import { grow, normalizedPlan, widen } from '../../../lib/graph/grow.js';
import type { Graph } from '../../../lib/graph/ir.js';
import { buildPreset } from '../../../lib/models/zoo.js';
import { STRATEGIES } from '../../../lib/split/choose/strategies.js';
import { type ChooseOptions, choose } from '../../../lib/split/choose/strategy.js';
import { groupIndices } from '../../../lib/split/indices/indices.js';
import { randomGraph } from '../../random-graphs.js';
import { codeOf, messageOf, randomOf } from '../../reference.js';

/** Neither whole nor a product of widths, as a measured latency would be. */
const LATENCY: Cost = {
  name: 'latency',
  isInteger: false,
  ofNode: (node, inputs, output) =>
    0.01 + 1e-9 * COSTS.macs.ofNode(node, inputs, output) + 1e-4 * output.channels,
};

const splittable = (graph: Graph) => channelGroups(graph).filter(({ isSplittable }) => isSplittable);
function randomIndices(graph: Graph, seed: number): Map<string, Float64Array> {
  const random = randomOf(seed + 5);
  return new Map(
    splittable(graph).map(
      ({ id, neurons }) =>
        [id, Float64Array.from({ length: neurons }, () => random() ** 3 * -2 + 0.2)] as const,
    ),
  );
}
const NAMES = Object.keys(STRATEGIES);

test('every strategy keeps MACs within the growth ratio exactly, and leaves no eligible neuron that still fits', async () => {
  let tight = 0;
  for (let seed = 0; seed < 40; seed += 1) {
    const graph =
      seed % 4 === 0
        ? buildPreset('mobilenet_cifar10', { blocks: 3 + (seed % 5), width: 8 + seed })
        : randomGraph(seed);
    const indices = randomIndices(graph, seed);
    for (const strategy of NAMES) {
      for (const growthRatio of [0.1, 0.5, 1.3]) {
        const { plan, picks, certificate } = await choose(graph, indices, { strategy, growthRatio, seed });
        const note = `seed ${seed} ${strategy} ${growthRatio}`;
        const grown = grow(graph, plan).graph;
        expect(macs(grown), note).toBeLessThanOrEqual((1 + growthRatio) * macs(graph));
        const [budget] = certificate.budgets;
        expect(budget?.after, note).toBe(macs(grown));
        expect(budget?.before, note).toBe(macs(graph));
        expect(
          picks.every(({ index }) => index < 0),
          note,
        ).toBe(true);
        const used = budget?.usedShare ?? 0;
        if (used >= 0.97) tight += 1;
        if (used >= 0.97) continue;
        // Then no neuron fits: every eligible one that is left is too large for what is left.
        for (const { id, neurons } of splittable(graph)) {
          const left = Array.from({ length: neurons }, (_, n) => n).some(
            (n) =>
              (indices.get(id)?.[n] ?? 0) < 0 &&
              !picks.some(({ group, neuron }) => group === id && neuron === n),
          );
          if (left)
            expect(macs(widen(grown, id, 1)), `${note} ${id}`).toBeGreaterThan(
              (1 + growthRatio) * macs(graph),
            );
        }
      }
    }
  }
  expect(tight).toBeGreaterThan(40);
});

test('at least 97% of the allowed growth is used where neurons are small for the budget', async () => {
  for (const width of [16, 24, 32]) {
    const graph = buildPreset('mobilenet_cifar10', { width });
    // Enough eligible neurons in every group: all of them.
    const indices = new Map(
      splittable(graph).map(
        ({ id, neurons }) => [id, new Float64Array(neurons).map((_, i) => -1 / (i + 1))] as const,
      ),
    );
    // Cheapest first leaves the dearest for last, and one of them can be larger than what is left.
    for (const strategy of NAMES.filter((name) => name !== 'cost-only')) {
      const { certificate } = await choose(graph, indices, { strategy, growthRatio: 0.5 });
      const [{ usedShare } = { usedShare: 0 }] = certificate.budgets;
      expect(usedShare, `${width} ${strategy}`).toBeGreaterThanOrEqual(0.97);
    }
  }
});

test('several budgets and caps hold at once', async () => {
  for (let seed = 0; seed < 15; seed += 1) {
    const graph = buildPreset('mobilenet_cifar10', { blocks: 4, width: 8 + seed });
    const indices = randomIndices(graph, seed);
    const cap = Math.round(params(graph) * 1.2);
    for (const strategy of NAMES) {
      const options: ChooseOptions = {
        strategy,
        growthRatio: 0.5,
        costs: ['params', LATENCY],
        caps: { params: cap },
        seed,
      };
      const { plan, certificate } = await choose(graph, indices, options);
      const grown = grow(graph, plan).graph;
      expect(certificate.budgets.map(({ cost }) => cost)).toEqual(['macs', 'params', 'latency']);
      expect(params(grown)).toBeLessThanOrEqual(cap);
      expect(macs(grown)).toBeLessThanOrEqual(1.5 * macs(graph));
      expect(costOfGraph(grown, LATENCY)).toBeLessThanOrEqual(1.5 * costOfGraph(graph, LATENCY));
      expect(certificate.budgets.every(({ after, limit }) => after <= limit * (1 + 1e-12))).toBe(true);
    }
  }
});

test('a cap on a cost outside the list is a budget of its own, and one below the present cost picks nothing', async () => {
  const graph = buildPreset('mobilenet_cifar10');
  const indices = randomIndices(graph, 1);
  const capped = await choose(graph, indices, { growthRatio: 9, caps: { params: params(graph) + 100 } });
  expect(capped.certificate.budgets.map(({ cost, limit }) => [cost, limit])).toEqual([
    ['macs', 10 * macs(graph)],
    ['params', params(graph) + 100],
  ]);
  expect(params(grow(graph, capped.plan).graph)).toBeLessThanOrEqual(params(graph) + 100);
  const none = await choose(graph, indices, { growthRatio: 0.5, caps: { macs: 10 } });
  expect([none.picks, none.plan, none.certificate.bound, none.certificate.gap]).toEqual([
    [],
    { splits: {} },
    0,
    0,
  ]);
});

test('no choice within the true limit lowers the sum of indices below the LP bound', async () => {
  for (let seed = 0; seed < 12; seed += 1) {
    const graph = buildPreset('mobilenet_cifar10', { blocks: 1, width: 3 });
    const indices = randomIndices(graph, seed);
    const { certificate, picks } = await choose(graph, indices, { growthRatio: 0.6 });
    const all = splittable(graph).flatMap(({ id, neurons }) =>
      Array.from({ length: neurons }, (_, neuron) => ({ id, neuron })),
    );
    let best = 0;
    for (let mask = 0; mask < 2 ** all.length; mask += 1) {
      const chosen = all.filter((_, i) => (mask >> i) & 1);
      const added = new Map<string, number>();
      for (const { id } of chosen) added.set(id, (added.get(id) ?? 0) + 1);
      const wide = [...added].reduce((g, [id, by]) => widen(g, id, by), graph);
      if (macs(wide) <= 1.6 * macs(graph))
        best = Math.min(
          best,
          chosen.reduce((s, { id, neuron }) => s + (indices.get(id)?.[neuron] ?? 0), 0),
        );
    }
    expect(certificate.bound, `seed ${seed}`).toBeLessThanOrEqual(best + 1e-12);
    expect(certificate.objective, `seed ${seed}`).toBeGreaterThanOrEqual(best - 1e-12);
    expect(certificate.objective).toBeCloseTo(
      picks.reduce((s, { index }) => s + index, 0),
      12,
    );
  }
});

test('picks carry index, first-order cost and ratio, and energy-aware takes them by ratio', async () => {
  const graph = buildPreset('mobilenet_cifar10', { width: 16 });
  const indices = randomIndices(graph, 3);
  const { picks, certificate } = await choose(graph, indices, { growthRatio: 0.2 });
  for (const { group, neuron, index, costs, ratio } of picks) {
    expect(index).toBe(indices.get(group)?.[neuron]);
    expect(costs).toEqual({ macs: marginalCost(graph, group, 'macs') });
    expect(ratio).toBe(index / marginalCost(graph, group, 'macs'));
  }
  const prefix = picks.slice(0, Math.floor(picks.length / 2)).map(({ ratio }) => ratio);
  expect(prefix).toEqual([...prefix].sort((a, b) => a - b));
  expect(certificate.eligible).toBe(
    [...indices.values()].reduce((s, list) => s + list.filter((i) => i < 0).length, 0),
  );
});

test('vanilla takes the most negative index first, whatever it costs', async () => {
  const graph = buildPreset('mobilenet_cifar10', { width: 16 });
  const { picks } = await choose(graph, randomIndices(graph, 3), { strategy: 'vanilla', growthRatio: 0.2 });
  const prefix = picks.slice(0, Math.floor(picks.length / 2)).map(({ index }) => index);
  expect(prefix).toEqual([...prefix].sort((a, b) => a - b));
});

test('random depends on the seed alone', async () => {
  const graph = buildPreset('mobilenet_cifar10', { width: 16 });
  const run = async (seed: number) =>
    (await choose(graph, randomIndices(graph, 3), { strategy: 'random', growthRatio: 0.2, seed })).plan;
  expect(await run(1)).toEqual(await run(1));
  expect(await run(1)).not.toEqual(await run(2));
  expect(await run(Number.MAX_SAFE_INTEGER)).toEqual(await run(Number.MAX_SAFE_INTEGER));
});

test('cost-only takes every neuron of the cheapest groups, and asks only the sign of an index', async () => {
  for (let seed = 0; seed < 10; seed += 1) {
    const graph = seed % 2 === 0 ? buildPreset('mobilenet_cifar10', { width: 16 }) : randomGraph(seed);
    const indices = randomIndices(graph, seed);
    const options = { strategy: 'cost-only', growthRatio: 0.3, seed } as const;
    const { picks, plan } = await choose(graph, indices, options);
    const cost = new Map(
      splittable(graph).map(({ id }) => [id, macs(widen(graph, id, 1)) - macs(graph)] as const),
    );
    const of = (group: string): number => cost.get(group) ?? Number.NaN;
    const negative = splittable(graph).flatMap(({ id }) =>
      [...(indices.get(id) ?? [])].flatMap((index) => (index < 0 ? [of(id)] : [])),
    );
    // By hand: sorted costs, as many of them as are within the first of the neurons that no longer fits.
    const cheapest = negative.sort((a, b) => a - b);
    const paid = picks.map(({ group }) => of(group));
    expect(paid, `seed ${seed}`).toEqual([...paid].sort((a, b) => a - b));
    const whole = paid.filter((one) => one < (paid.at(-1) ?? 0)).length;
    expect(paid.slice(0, whole), `seed ${seed}`).toEqual(cheapest.slice(0, whole));
    const others = new Map(
      [...indices].map(([id, list]) => [id, list.map((index) => (index < 0 ? -1 / (1 - index) : index))]),
    );
    expect((await choose(graph, others, options)).plan, `seed ${seed}`).toEqual(plan);
  }
});

test('cost-only takes neurons of one group in an order of the seed', async () => {
  const graph = buildPreset('mobilenet_cifar10', { width: 16 });
  const run = async (seed: number) =>
    (await choose(graph, randomIndices(graph, 3), { strategy: 'cost-only', growthRatio: 0.02, seed })).plan;
  expect(await run(1)).toEqual(await run(1));
  expect(await run(1)).not.toEqual(await run(2));
});

test('cost-only weighs each cost by what its budget allows', async () => {
  const graph = buildPreset('mobilenet_cifar10', { width: 16 });
  const indices = randomIndices(graph, 3);
  const options = { strategy: 'cost-only', growthRatio: 0.05, costs: ['macs', 'params'] };
  const { picks } = await choose(graph, indices, options);
  const share = (group: string): number => {
    const wide = widen(graph, group, 1);
    return Math.max(
      (macs(wide) - macs(graph)) / Math.floor(0.05 * macs(graph)),
      (params(wide) - params(graph)) / Math.floor(0.05 * params(graph)),
    );
  };
  const shares = picks.map(({ group }) => share(group));
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
});

test('the plan lists the picks for every tied producer', async () => {
  const graph = buildPreset('mobilenet_v2', { width: 0.3, resolution: 32, classes: 10 });
  const { plan, picks } = await choose(graph, randomIndices(graph, 2), { growthRatio: 0.5 });
  expect(plan).toEqual(normalizedPlan(graph, plan));
  for (const { id, producers } of splittable(graph)) {
    const want = picks.filter(({ group }) => group === id).map(({ neuron }) => neuron);
    for (const producer of producers) expect(plan.splits[producer] ?? []).toEqual(want);
  }
});

test('the index of tied channels is the sum over the tied layers', () => {
  const graph = buildPreset('mobilenet_v2', { width: 0.3, resolution: 32, classes: 10 });
  const group = splittable(graph).find(({ producers }) => producers.length === 3);
  const layers = new Map(
    splittable(graph).flatMap(({ producers, neurons }) =>
      producers.map((id, k) => [id, new Float64Array(neurons).fill(-(10 ** k))] as const),
    ),
  );
  expect(new Set(groupIndices(graph, layers).get(group?.id ?? ''))).toEqual(new Set([-111]));
  layers.delete(group?.producers[1] ?? '');
  expect(codeOf(() => groupIndices(graph, layers))).toBe('E_ARGUMENT');
  layers.set(group?.producers[1] ?? '', new Float64Array(group?.neurons ?? 0).fill(Number.NaN));
  expect(codeOf(() => groupIndices(graph, layers))).toBe('E_NOT_FINITE');
});

test('wrong options are refused, naming the nearest', async () => {
  const graph = buildPreset('mobilenet_cifar10');
  const indices = randomIndices(graph, 0);
  const refusal = async (options: object): Promise<string> =>
    choose(graph, indices, { growthRatio: 0.5, ...options }).then(
      () => 'accepted',
      (error: Error) =>
        messageOf(() => {
          throw error;
        }),
    );
  expect(await refusal({ strategy: 'vanila' })).toMatch(/"vanilla"/);
  expect(await refusal({ strategy: 'toString' })).toMatch(/no strategy/);
  expect(await refusal({ costs: ['parms'] })).toMatch(/"params"/);
  expect(await refusal({ caps: { mac: 3 } })).toMatch(/"macs"/);
  expect(await refusal({ caps: { macs: Number.NaN } })).toMatch(/cap/);
  for (const growthRatio of [-0.1, Number.NaN, Infinity])
    expect(await refusal({ growthRatio })).toMatch(/growthRatio/);
  for (const seed of [-1, 0.5, Number.NaN]) expect(await refusal({ seed })).toMatch(/seed/);
});

test('of ten thousand neurons a choice within one budget, and within three, keeps every limit', async () => {
  const graph = buildPreset('mobilenet_v1', { width: 1.7 });
  const indices = new Map(
    [...randomIndices(graph, 1)].map(([id, list]) => [id, list.map((x) => -Math.abs(x) - 1e-9)] as const),
  );
  const several: ChooseOptions = { growthRatio: 0.5, costs: ['params', LATENCY] };
  for (const options of [{ growthRatio: 0.5 }, several]) {
    const { certificate } = await choose(graph, indices, options);
    expect(certificate.eligible).toBeGreaterThan(10_000);
    for (const { after, limit } of certificate.budgets) expect(after).toBeLessThanOrEqual(limit);
    expect(certificate.objective).toBeGreaterThanOrEqual(certificate.bound);
  }
});
