import { expect, test } from 'vitest';
import { channelGroups } from '../../lib/graph/channels.js';
import { parseGraph } from '../../lib/graph/check.js';
import { grow, normalizedPlan } from '../../lib/graph/grow.js';
import type { Graph } from '../../lib/graph/ir.js';
import { lower } from '../../lib/graph/lower.js';
import { widths } from '../../lib/graph/print.js';
import { randomDirections, randomGraph, randomPlan, randomWeights } from '../random-graphs.js';
import { assertClose, codeOf, forward, operate, randomOf, tensor, type Weights } from '../reference.js';

const SEEDS = Array.from({ length: 150 }, (_, i) => i);
const imageOf = (graph: Graph, seed: number) => {
  const random = randomOf(seed + 9);
  return tensor(graph.input.shape, () => random() * 2 - 1);
};
const logits = (graph: Graph, weights: Weights, seed: number) =>
  forward(graph, weights, imageOf(graph, seed)).get(graph.output)?.data ?? [];

test('the random graphs cover residuals, depthwise, grouped, flatten and tied channels', () => {
  const graphs = SEEDS.map(randomGraph);
  const count = (found: (graph: Graph) => boolean): number => graphs.filter(found).length;
  for (const op of ['add', 'depthwise_conv2d', 'flatten', 'max_pool', 'avg_pool', 'batch_norm', 'dropout']) {
    expect(
      count(({ nodes }) => nodes.some((node) => node.op === op)),
      op,
    ).toBeGreaterThan(10);
  }
  expect(count(({ nodes }) => nodes.some(({ groups }) => groups === 2))).toBeGreaterThan(5);
  expect(
    count((graph) => channelGroups(graph).some((g) => g.isSplittable && g.producers.length > 1)),
  ).toBeGreaterThan(20);
  const repeated = (list: readonly number[]): boolean => new Set(list).size < list.length;
  const plans = SEEDS.map((seed) => Object.values(randomPlan(randomGraph(seed), seed).splits));
  expect(plans.filter((lists) => lists.some(repeated)).length).toBeGreaterThan(20);
});

test('growing with epsilon 0 leaves every logit unchanged', () => {
  for (const seed of SEEDS) {
    const graph = randomGraph(seed);
    const weights = randomWeights(graph, seed);
    const { graph: grown, surgery } = grow(graph, randomPlan(graph, seed));
    const after = operate(weights, surgery, randomDirections(graph, seed), 0);
    // float64; sums are taken in another order
    assertClose(logits(grown, after, seed), logits(graph, weights, seed), {
      rtol: 1e-9,
      atol: 1e-9,
      note: `seed ${seed}`,
    });
  }
});

/** Unequal shares, which float32 holds exactly. */
const DELTAS = [0, 0.25, -0.375, 0.4375] as const;
const deltaOf = (seed: number): number => DELTAS[seed % DELTAS.length] ?? 0;

test('growing with epsilon 0 and unequal outgoing weights leaves every logit unchanged', () => {
  for (const seed of SEEDS) {
    const graph = randomGraph(seed);
    const weights = randomWeights(graph, seed);
    const plan = randomPlan(graph, seed);
    const { graph: grown, surgery } = grow(graph, plan, { outgoingDelta: deltaOf(seed + 1) });
    const after = operate(weights, surgery, randomDirections(graph, seed), 0);
    // float64; sums are taken in another order
    const tolerance = { rtol: 1e-9, atol: 1e-9, note: `seed ${seed}` };
    assertClose(logits(grown, after, seed), logits(graph, weights, seed), tolerance);
  }
});

test('offspring that move by epsilon change the logits only in the second order of epsilon, whatever their shares', () => {
  // Shares times shifts are equal and opposite: the first-order terms cancel.
  let [moved, first] = [0, 0];
  for (const seed of SEEDS) {
    const graph = parseGraph(
      JSON.parse(
        JSON.stringify(randomGraph(seed))
          .replaceAll('"relu"', '"silu"')
          .replaceAll('"relu6"', '"tanh"')
          .replaceAll('"max_pool"', '"avg_pool"'),
      ),
    );
    const [group] = channelGroups(graph).filter((g) => g.isSplittable);
    if (group === undefined) continue;
    const options = { outgoingDelta: deltaOf(seed) };
    const { graph: grown, surgery } = grow(graph, { splits: { [group.id]: [0] } }, options);
    const [weights, directions] = [randomWeights(graph, seed), randomDirections(graph, seed)];
    const before = logits(graph, weights, seed);
    const change = (epsilon: number): number => {
      const after = logits(grown, operate(weights, surgery, directions, epsilon), seed);
      return Math.max(...Array.from(after, (x, i) => Math.abs(x - (before[i] ?? 0))));
    };
    const [large, small] = [change(1e-3), change(1e-4)];
    if (large < 1e-9) continue;
    moved += 1;
    if (small / large > 0.03) first += 1;
  }
  expect(moved).toBeGreaterThan(40);
  expect(first).toBe(0);
});

test('growth gives exactly the tensors of the new program, each once and of the right shape', () => {
  for (const seed of SEEDS) {
    const graph = randomGraph(seed);
    const { graph: grown, surgery } = grow(graph, randomPlan(graph, seed));
    const after = operate(randomWeights(graph, seed), surgery, randomDirections(graph, seed), 0.1);
    const want = lower(grown).instructions.flatMap(({ parameters }) =>
      parameters.map((p) => [p.name, p.shape] as const),
    );
    expect(
      surgery.map(({ name }) => name),
      `seed ${seed}`,
    ).toEqual(want.map(([name]) => name));
    for (const [name, shape] of want) expect(after.get(name)?.shape, `seed ${seed} ${name}`).toEqual(shape);
    expect(parseGraph(JSON.parse(JSON.stringify(grown)))).toEqual(grown);
  }
});

test('a width after growth is the width before plus the length of the normalized list', () => {
  for (const seed of SEEDS) {
    const graph = randomGraph(seed);
    const plan = randomPlan(graph, seed);
    const { splits } = normalizedPlan(graph, plan);
    const [before, after] = [widths(graph), widths(grow(graph, plan).graph)];
    for (const [id, width] of Object.entries(before)) {
      expect(after[id], `seed ${seed} ${id}`).toBe(width + (splits[id]?.length ?? 0));
    }
    expect(grow(graph, { splits }).graph, `seed ${seed}`).toEqual(grow(graph, plan).graph);
  }
});

const node = (id: string, op: string, inputs: readonly string[], fields: object = {}) => ({
  id,
  op,
  inputs,
  ...fields,
});
const TWO_CONVS = parseGraph({
  format: 'splitgrow-network/1',
  name: 'two',
  input: { shape: [1, 4, 4] },
  nodes: [
    node('a', 'conv2d', ['input'], { out: 2, kernel: 1, bias: true }),
    node('bn', 'batch_norm', ['a']),
    node('dw', 'depthwise_conv2d', ['bn'], { kernel: 3 }),
    node('b', 'conv2d', ['dw'], { out: 2, kernel: 1 }),
    node('flat', 'flatten', ['b']),
    node('c', 'linear', ['flat'], { out: 2 }),
  ],
  output: 'c',
});

test('offspring keep their place with theta + epsilon v and append theta - epsilon v, as the contract says', () => {
  const weights = randomWeights(TWO_CONVS, 1);
  const directions = randomDirections(TWO_CONVS, 1);
  const { surgery } = grow(TWO_CONVS, { splits: { a: [1], b: [1, 0] } });
  const after = operate(weights, surgery, directions, 0.25);
  const w = (name: string): number[] => Array.from(weights.get(name)?.data ?? []);
  const v = (id: string): number[] => Array.from(directions.get(id)?.data ?? []);
  const got = (name: string): number[] => Array.from(after.get(name)?.data ?? []);
  const [a0 = 0, a1 = 0] = w('a.weight');
  const [, va1 = 0] = v('a');
  expect(got('a.weight')).toEqual([a0, a1 + 0.25 * va1, a1 - 0.25 * va1]);
  for (const name of ['a.bias', 'bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var']) {
    const [x0, x1] = w(name);
    expect(got(name), name).toEqual([x0, x1, x1]);
  }
  expect(got('dw.weight')).toEqual([...w('dw.weight'), ...w('dw.weight').slice(9)]);
  // b: rows [in a0, in a1] of neurons 0 and 1; the input a1 is shared by its offspring, in weights and directions alike.
  const moved = (i: number, sign: number): number => (w('b.weight')[i] ?? 0) + sign * 0.25 * (v('b')[i] ?? 0);
  const row = (n: number, sign: number): number[] => [
    moved(2 * n, sign),
    moved(2 * n + 1, sign) / 2,
    moved(2 * n + 1, sign) / 2,
  ];
  expect(got('b.weight')).toEqual([...row(0, 1), ...row(1, 1), ...row(1, -1), ...row(0, -1)]);
  // c: 16 columns a channel; channel 2 is the copy of 1, channel 3 of 0, each at half.
  const halves = (r: number): number[] =>
    w('c.weight')
      .slice(32 * r, 32 * r + 32)
      .map((x) => x / 2);
  const wide = (r: number): number[] => [...halves(r), ...halves(r).slice(16), ...halves(r).slice(0, 16)];
  expect(got('c.weight')).toEqual([...wide(0), ...wide(1)]);
  expect(got('c.bias')).toEqual(w('c.bias'));
});

test('a neuron that is split twice leaves a half and two quarters, moved by +2, -1 and 0 epsilon', () => {
  const { surgery } = grow(TWO_CONVS, { splits: { a: [0, 0] } });
  const of = (name: string) => surgery.find((step) => step.name === name);
  expect(Array.from(of('a.weight')?.rows ?? [])).toEqual([0, 1, 0, 0]);
  expect(Array.from(of('a.weight')?.shift ?? [])).toEqual([2, 0, -1, 0]);
  expect(Array.from(of('a.weight')?.rowShares ?? [])).toEqual([0.25, 1, 0.5, 0.25]);
  expect(of('a.weight')?.direction).toBe('a');
  expect(of('bn.weight')?.shift).toBeNull();
  expect(Array.from(of('b.weight')?.columns ?? [])).toEqual([0, 1, 0, 0]);
  expect(Array.from(of('b.weight')?.scales ?? [])).toEqual([0.25, 1, 0.5, 0.25]);
});

test('a neuron split twice at 1/2 +- 1/4 leaves 9/16, 1/4 and 3/16, whose mean step is 0', () => {
  const { surgery } = grow(TWO_CONVS, { splits: { a: [0, 0] } }, { outgoingDelta: 0.25 });
  const of = (name: string) => surgery.find((step) => step.name === name);
  const shares = [9 / 16, 1, 1 / 4, 3 / 16];
  const shifts = [1, 0, -3 / 2, -1];
  expect(Array.from(of('a.weight')?.shift ?? [])).toEqual(shifts);
  expect(Array.from(of('a.weight')?.rowShares ?? [])).toEqual(shares);
  expect(Array.from(of('b.weight')?.scales ?? [])).toEqual(shares);
  expect(shares.reduce((sum, share, i) => sum + share * (shifts[i] ?? 0), 0)).toBe(0);
});

test('shares that leave an offspring unread are refused', () => {
  for (const outgoingDelta of [0.5, -0.5, 1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(
      codeOf(() => grow(TWO_CONVS, { splits: { a: [0] } }, { outgoingDelta })),
      String(outgoingDelta),
    ).toBe('E_ARGUMENT');
});

test('an empty plan changes nothing and says so with nulls', () => {
  const { graph, surgery } = grow(TWO_CONVS, { splits: { a: [], c: [] } });
  expect(graph).toEqual(TWO_CONVS);
  for (const { name, ...rest } of surgery) {
    expect(rest, name).toEqual({
      rows: null,
      shift: null,
      direction: null,
      rowShares: null,
      columns: null,
      scales: null,
    });
  }
  expect(normalizedPlan(TWO_CONVS, { splits: { a: [] } })).toEqual({ splits: {} });
});
