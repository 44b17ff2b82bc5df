import { expect, test } from 'vitest';
import { channelGroups, groupOf } from '../../lib/graph/channels.js';
import { parseGraph } from '../../lib/graph/check.js';
import { buildPreset } from '../../lib/models/zoo.js';

const graphOf = (
  nodes: readonly (readonly [id: string, op: string, inputs: readonly string[], fields?: object])[],
) =>
  parseGraph({
    format: 'splitgrow-network/1',
    name: 'g',
    input: { shape: [4, 8, 8] },
    nodes: [
      ...nodes.map(([id, op, inputs, fields]) => ({ id, op, inputs, ...fields })),
      { id: 'pool', op: 'global_avg_pool', inputs: [nodes.at(-1)?.[0]] },
      { id: 'fc', op: 'linear', inputs: ['pool'], out: 3 },
    ],
    output: 'fc',
  });
const brief = (graph: ReturnType<typeof graphOf>) =>
  channelGroups(graph).map(({ id, producers, neurons, isSplittable }) => [
    id,
    producers.join(' '),
    neurons,
    isSplittable,
  ]);
const W = { out: 4, kernel: 1 };

test('batch norm, depthwise, pools and dropout hand channels on; a convolution begins new ones', () => {
  const graph = graphOf([
    ['a', 'conv2d', ['input'], { out: 6, kernel: 3 }],
    ['bn', 'batch_norm', ['a']],
    ['dw', 'depthwise_conv2d', ['bn'], { kernel: 3 }],
    ['mp', 'max_pool', ['dw'], { kernel: 2 }],
    ['b', 'conv2d', ['mp'], { out: 5, kernel: 1 }],
    ['do', 'dropout', ['b'], { p: 0.2 }],
  ]);
  expect(brief(graph)).toEqual([
    ['a', 'a', 6, true],
    ['b', 'b', 5, true],
    ['fc', 'fc', 3, false],
  ]);
  for (const id of ['a', 'bn', 'dw', 'mp']) expect(groupOf(graph, id)?.id).toBe('a');
  expect(groupOf(graph, 'pool')?.id).toBe('b');
  expect(groupOf(graph, 'nowhere')).toBeUndefined();
});

test('adds tie their producers, also through each other', () => {
  const graph = graphOf([
    ['a', 'conv2d', ['input'], { out: 6, kernel: 3 }],
    ['b', 'conv2d', ['a'], { out: 6, kernel: 1 }],
    ['c', 'conv2d', ['b'], { out: 6, kernel: 1 }],
    ['s1', 'add', ['a', 'b']],
    ['s2', 'add', ['s1', 'c']],
  ]);
  expect(brief(graph)).toEqual([
    ['a', 'a b c', 6, true],
    ['fc', 'fc', 3, false],
  ]);
});

test('channels tied to the input, to the output, to a grouped convolution or to split: false are frozen, and say why', () => {
  const because = (nodes: Parameters<typeof graphOf>[0], id: string): string | undefined =>
    groupOf(graphOf(nodes), id)?.frozenBecause;
  expect(
    because(
      [
        ['a', 'conv2d', ['input'], W],
        ['s', 'add', ['a', 'input']],
      ],
      'a',
    ),
  ).toMatch(/network input/);
  expect(because([['a', 'conv2d', ['input'], W]], 'fc')).toMatch(/network output/);
  const grouped: Parameters<typeof graphOf>[0] = [
    ['a', 'conv2d', ['input'], W],
    ['g', 'conv2d', ['a'], { ...W, groups: 2 }],
    ['z', 'conv2d', ['g'], W],
  ];
  expect(because(grouped, 'a')).toMatch(/"g" is a grouped/);
  expect(because(grouped, 'g')).toMatch(/"g" is a grouped/);
  expect(because(grouped, 'z')).toBeUndefined();
  const kept: Parameters<typeof graphOf>[0] = [
    ['a', 'conv2d', ['input'], W],
    ['b', 'conv2d', ['a'], { ...W, split: false }],
    ['s', 'add', ['a', 'b']],
  ];
  expect(because(kept, 'a')).toMatch(/"b" has split: false/);
});

test('nodes that only hand on the network input belong to no group', () => {
  const graph = graphOf([
    ['p', 'max_pool', ['input'], { kernel: 2 }],
    ['a', 'conv2d', ['p'], W],
  ]);
  expect(groupOf(graph, 'p')).toBeUndefined();
  expect(groupOf(graph, 'input')).toBeUndefined();
});

test('MobileNetV2 has one group a residual stage and one an expansion', () => {
  const groups = channelGroups(buildPreset('mobilenet_v2')).filter(({ isSplittable }) => isSplittable);
  // 7 stages of 1 2 3 4 3 3 1 blocks, 16 expansions, stem and head
  expect(groups.map(({ producers }) => producers.length).filter((n) => n > 1)).toEqual([2, 3, 4, 3, 3]);
  expect(groups).toHaveLength(7 + 16 + 2);
});
