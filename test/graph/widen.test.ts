// Plans that name tied and frozen channels, and widening: which widths change, and what is refused.
import { expect, test } from 'vitest';
import { channelGroups, groupOf } from '../../lib/graph/channels.js';
import { parseGraph, shapes } from '../../lib/graph/check.js';
import { grow, normalizedPlan, widen } from '../../lib/graph/grow.js';
import { widths } from '../../lib/graph/print.js';
import { buildPreset } from '../../lib/models/zoo.js';
import { drawOf, randomGraph } from '../random-graphs.js';
import { codeOf } from '../reference.js';

const SEEDS = Array.from({ length: 150 }, (_, i) => i);

const node = (id: string, op: string, inputs: readonly string[], fields: object = {}) => ({
  id,
  op,
  inputs,
  ...fields,
});

const TIED = parseGraph({
  format: 'splitgrow-network/1',
  name: 'tied',
  input: { shape: [1, 4, 4] },
  nodes: [
    node('a', 'conv2d', ['input'], { out: 3, kernel: 1 }),
    node('b', 'conv2d', ['a'], { out: 3, kernel: 3 }),
    node('sum', 'add', ['a', 'b']),
    node('pool', 'global_avg_pool', ['sum']),
    node('c', 'linear', ['pool'], { out: 2 }),
  ],
  output: 'c',
});

test('naming a neuron in one tied layer splits it in all, and naming it in two splits it once', () => {
  expect(normalizedPlan(TIED, { splits: { b: [2] } })).toEqual({ splits: { a: [2], b: [2] } });
  expect(normalizedPlan(TIED, { splits: { b: [2, 0], a: [0, 1] } })).toEqual({
    splits: { a: [2, 0, 1], b: [2, 0, 1] },
  });
  const { surgery } = grow(TIED, { splits: { b: [2] } });
  const moved = surgery.filter(({ shift }) => shift !== null).map(({ name, direction }) => [name, direction]);
  expect(moved).toEqual([
    ['a.weight', 'a'],
    ['b.weight', 'b'],
  ]);
});

test('a plan that names what cannot be split is refused', () => {
  const refused = (splits: unknown): string =>
    codeOf(() => grow(TIED, { splits: splits as Record<string, number[]> }));
  for (const list of [
    [3],
    [-1],
    [0.5],
    [Number.NaN],
    ['0'],
    [null],
    [[[0]]],
    'x',
    null,
    [undefined],
    Array(70_000).fill(0),
  ]) {
    expect(refused({ a: list }), JSON.stringify(list)?.slice(0, 40)).toBe('E_PLAN');
  }
  for (const id of ['c', 'sum', 'pool', 'input', 'nowhere', 'constructor'])
    expect(refused({ [id]: [0] }), id).toBe('E_PLAN');
  expect(refused(JSON.parse('{"__proto__": [0]}'))).toBe('E_PLAN');
  for (const splits of [null, undefined, 3, [[0]]]) expect(refused(splits)).toBe('E_PLAN');
});

test('widening changes every tied producer and nothing else', () => {
  expect(widths(widen(TIED, 'a', 4))).toEqual({ a: 7, b: 7, c: 2 });
  expect(widths(widen(TIED, 'a', -2))).toEqual({ a: 1, b: 1, c: 2 });
  for (const [id, by] of [
    ['a', -3],
    ['a', 0.5],
    ['b', 1],
    ['c', 1],
    ['x', 1],
  ] as const) {
    expect(
      codeOf(() => widen(TIED, id, by)),
      `${id} ${by}`,
    ).toBe('E_PLAN');
  }
});

test('growth equals widening in shape, for any number of picks', () => {
  for (const seed of SEEDS) {
    const [graph, { below }] = [randomGraph(seed), drawOf(seed)];
    for (const group of channelGroups(graph).filter((g) => g.isSplittable)) {
      const picks = Array.from({ length: 1 + below(3) }, () => below(group.neurons));
      const grown = grow(graph, { splits: { [group.id]: picks } }).graph;
      expect(shapes(grown)).toEqual(shapes(widen(graph, group.id, picks.length)));
      expect(groupOf(grown, group.id)?.neurons).toBe(group.neurons + picks.length);
    }
  }
});

test('MobileNetV1 doubles where every neuron is split', () => {
  const graph = buildPreset('mobilenet_v1');
  const all = channelGroups(graph).filter((g) => g.isSplittable);
  const splits = Object.fromEntries(all.map((g) => [g.id, Array.from({ length: g.neurons }, (_, i) => i)]));
  const { graph: doubled } = grow(graph, { splits });
  for (const { id, neurons } of all) expect(groupOf(doubled, id)?.neurons).toBe(2 * neurons);
});
