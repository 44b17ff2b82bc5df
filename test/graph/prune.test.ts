import { expect, test } from 'vitest';
import { channelGroups, groupOf } from '../../lib/graph/channels.js';
import { parseGraph } from '../../lib/graph/check.js';
import type { Graph } from '../../lib/graph/ir.js';
import { lower } from '../../lib/graph/lower.js';
import { widths } from '../../lib/graph/print.js';
import { prune } from '../../lib/graph/prune.js';
import { buildPreset } from '../../lib/models/zoo.js';
import { core, datasetOf, graphOf, networkOf, numbers, randomBatch, training } from '../native/golden.js';
import { drawOf, randomGraph, randomWeights } from '../random-graphs.js';
import {
  assertClose,
  codeOf,
  forward,
  messageOf,
  operate,
  randomOf,
  size,
  type Tensor,
  tensor,
  type Weights,
} from '../reference.js';

const SEEDS = Array.from({ length: 150 }, (_, i) => i);
type Kept = ReadonlyMap<string, readonly number[]>;

/** Some channels of some splittable groups, at least one of each. */
function randomKeep(graph: Graph, seed: number): Kept {
  const { below, chance } = drawOf(seed + 5);
  const keep = new Map<string, readonly number[]>();
  for (const { id, neurons, isSplittable } of channelGroups(graph)) {
    if (!isSplittable || chance(0.2)) continue;
    const kept = Array.from({ length: neurons }, (_, i) => i).filter(() => chance(0.6));
    keep.set(id, kept.length === 0 ? [below(neurons)] : kept);
  }
  return keep;
}

/** The weights with a zero wherever a layer reads a channel that is not kept: nobody sees those channels. */
function silenced(graph: Graph, weights: Weights, keep: Kept): Weights {
  const masked = new Map(weights);
  for (const { id, op, inputs } of graph.nodes) {
    const group = groupOf(graph, inputs[0] ?? '');
    const kept = group && keep.get(group.id);
    const weight = weights.get(`${id}.weight`);
    if (op !== 'conv2d' && op !== 'linear') continue;
    if (group === undefined || kept === undefined || weight === undefined) continue;
    const [, columns = 0, ...window] = weight.shape;
    // A flatten gives each channel several columns in a row.
    const block = columns / group.neurons;
    masked.set(
      `${id}.weight`,
      tensor(weight.shape, (i) => {
        const channel = Math.floor((Math.floor(i / size(window)) % columns) / block);
        return kept.includes(channel) ? (weight.data[i] ?? 0) : 0;
      }),
    );
  }
  return masked;
}

const logits = (graph: Graph, weights: Weights, seed: number) => {
  const random = randomOf(seed + 9);
  const image: Tensor = tensor(graph.input.shape, () => random() * 2 - 1);
  return forward(graph, weights, image).get(graph.output)?.data ?? [];
};

test('a pruned random network equals the whole one with the other channels silenced', () => {
  let [pruned, tied] = [0, 0];
  for (const seed of SEEDS) {
    const [graph, keep] = [randomGraph(seed), randomKeep(randomGraph(seed), seed)];
    const weights = randomWeights(graph, seed);
    const { graph: narrow, surgery } = prune(graph, keep);
    const after = operate(weights, surgery, new Map(), 0);
    assertClose(logits(narrow, after, seed), logits(graph, silenced(graph, weights, keep), seed), {
      rtol: 1e-9,
      atol: 1e-9,
      note: `seed ${seed}, float64, sums with and without zeros`,
    });
    for (const [id, kept] of keep) {
      const group = groupOf(graph, id);
      if (group === undefined || kept.length === group.neurons) continue;
      pruned += 1;
      if (group.producers.length > 1) tied += 1;
    }
  }
  expect(pruned).toBeGreaterThan(100);
  expect(tied).toBeGreaterThan(20);
});

test('pruning gives exactly the tensors of the new program, and a graph that passes every check', () => {
  for (const seed of SEEDS) {
    const [graph, keep] = [randomGraph(seed), randomKeep(randomGraph(seed), seed)];
    const { graph: narrow, surgery } = prune(graph, keep);
    const after = operate(randomWeights(graph, seed), surgery, new Map(), 0);
    const want = lower(narrow).instructions.flatMap(({ parameters }) =>
      parameters.map(({ name, shape }) => [name, shape] as const),
    );
    expect([...after].map(([name, { shape }]) => [name, shape])).toEqual(want);
    expect(parseGraph(JSON.parse(JSON.stringify(narrow)))).toEqual(narrow);
    for (const { id, producers, neurons } of channelGroups(graph)) {
      for (const producer of producers)
        expect(widths(narrow)[producer], `seed ${seed}`).toBe(keep.get(id)?.length ?? neurons);
    }
  }
});

const PRESETS = {
  'MobileNetV1 of CIFAR-10': () => buildPreset('mobilenet_cifar10', { resolution: 8, width: 8 }),
  'MobileNetV2 with residual adds': () =>
    buildPreset('mobilenet_v2', { width: 0.3, resolution: 32, classes: 7, dropout: 0.2 }),
};

for (const [name, build] of Object.entries(PRESETS)) {
  test(`the native rewrite prunes ${name} to the function of the silenced network, and resets momentum`, async () => {
    const graph = build();
    const weights = randomWeights(graph, 3);
    const scaled: Weights = new Map(
      // Weights of one size for every width, so that logits stay near 1.
      [...weights].map(([id, t]) => {
        const fan = size(t.shape.slice(1));
        return [id, t.shape.length > 1 ? tensor(t.shape, (i) => (t.data[i] ?? 0) / Math.sqrt(fan)) : t];
      }),
    );
    const keep = randomKeep(graph, 4);
    const { graph: narrow, surgery } = prune(graph, keep);
    const [classes, batch] = [
      lower(graph).classes,
      randomBatch(graph.input.shape, lower(graph).classes, 4, 5),
    ];
    const data = datasetOf(batch, classes);
    const of = async (network: ReturnType<typeof networkOf>) =>
      numbers(await core().forward(network, data, { mode: 'eval', batch: 4 }));
    const whole = networkOf(graph, scaled);
    const pruned = await core().rewrite(whole, lower(narrow), surgery, null, 0, 'reset');
    const want = await of(networkOf(graph, silenced(graph, scaled, keep)));
    const most = Math.max(...want.map(Math.abs));
    // float32 through some tens of layers, sums with and without zeros
    assertClose(await of(pruned), want, { rtol: 0, atol: 2e-5 * most, note: name });
    expect(most).toBeGreaterThan(1e-3);
    expect(lower(narrow).instructions.length).toBe(lower(graph).instructions.length);
    await core().train(whole, data, training(4, [0.01], { momentum: 0.9 }), null, null);
    const again = await core().rewrite(whole, lower(narrow), surgery, null, 0, 'reset');
    expect(core().readNetwork(again, 'momentum')).toEqual([]);
    await core().train(again, data, training(4, [0.01], { momentum: 0.9 }), null, null);
  });
}

const TIED = graphOf(
  [1, 4, 4],
  [
    ['a', 'conv2d', 'input', { out: 3, kernel: 1, bias: true }],
    ['dw', 'depthwise_conv2d', 'a', { kernel: 3 }],
    ['b', 'conv2d', 'dw', { out: 3, kernel: 3 }],
    ['sum', 'add', ['a', 'b']],
    ['norm', 'batch_norm', 'sum'],
    ['flat', 'flatten', 'norm'],
    ['c', 'linear', 'flat', { out: 2 }],
  ],
);

test('tied layers, depthwise filters, batch norms and consumers lose the same channels, each weight kept as it was', () => {
  const weights = randomWeights(TIED, 1);
  const { graph, surgery } = prune(TIED, new Map([['a', [0, 2]]]));
  expect(widths(graph)).toEqual({ a: 2, b: 2, c: 2 });
  const after = operate(weights, surgery, new Map(), 0);
  const w = (name: string): number[] => Array.from(weights.get(name)?.data ?? []);
  const got = (name: string): number[] => Array.from(after.get(name)?.data ?? []);
  for (const name of ['a.weight', 'a.bias', 'norm.weight', 'norm.bias', 'norm.running_var'])
    expect(got(name), name).toEqual([w(name)[0], w(name)[2]]);
  expect(got('dw.weight')).toEqual([...w('dw.weight').slice(0, 9), ...w('dw.weight').slice(18)]);
  const b = (o: number, i: number): number[] => w('b.weight').slice(9 * (3 * o + i), 9 * (3 * o + i) + 9);
  expect(got('b.weight')).toEqual([...b(0, 0), ...b(0, 2), ...b(2, 0), ...b(2, 2)]);
  const c = (o: number, i: number): number[] => w('c.weight').slice(16 * (3 * o + i), 16 * (3 * o + i) + 16);
  expect(got('c.weight')).toEqual([...c(0, 0), ...c(0, 2), ...c(1, 0), ...c(1, 2)]);
  for (const { shift, direction, rowShares, scales } of surgery)
    expect([shift, direction, rowShares, scales]).toEqual([null, null, null, null]);
});

test('keeping every channel, or naming no group, changes nothing and says so with nulls', () => {
  for (const keep of [new Map(), new Map([['a', [0, 1, 2]]])]) {
    const { graph, surgery } = prune(TIED, keep);
    expect(graph).toEqual(TIED);
    for (const { rows, columns } of surgery) expect([rows, columns]).toEqual([null, null]);
  }
});

test('a list of channels that is none is refused, with its group and place', () => {
  const refused = (id: string, kept: readonly unknown[]): string =>
    codeOf(() => prune(TIED, new Map([[id, kept as readonly number[]]])));
  const wrong = [[], [3], [-1], [0.5], [Number.NaN], ['0'], [1, 0], [1, 1], [0, undefined], [null]];
  for (const kept of wrong) expect(refused('a', kept), JSON.stringify(kept)).toBe('E_PLAN');
  for (const id of ['b', 'c', 'sum', 'nowhere', 'constructor']) expect(refused(id, [0]), id).toBe('E_PLAN');
  expect(messageOf(() => prune(TIED, new Map([['a', [0, 2, 1]]])))).toMatch(/"a".*got 1 at place 2/);
  expect(messageOf(() => prune(TIED, new Map([['c', [0]]])))).toMatch(/"c" cannot be pruned: .*output/);
});
