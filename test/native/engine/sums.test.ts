// Sums, values that several nodes read, and nodes that nobody reads, against float64.
import { expect, test } from 'vitest';
import type { Graph } from '../../../lib/graph/ir.js';
import { graphOf, type ShortNode } from '../golden.js';
import { assertPrecisionsAgree, norm } from './agreement.js';
import { around, BATCHES, CHANNELS, cycled, startOf } from './nets.js';

const silu = (id: string, from: string): ShortNode => [id, 'activation', from, { kind: 'silu' }];
const batchNorm = (id: string, from: string): ShortNode => [id, 'batch_norm', from];
const conv = (id: string, from: string, out: number, more = {}): ShortNode => [
  id,
  'conv2d',
  from,
  { out, kernel: 3, ...more },
];

/** Nodes for `c` channels; the last one is what the classifier reads. */
const SUMS: Readonly<Record<string, (c: number) => readonly ShortNode[]>> = {
  'two inputs': (c) => [conv('a', 'before', c), ['last', 'add', ['before', 'a']]],
  'three inputs': (c) => [
    conv('a', 'before', c),
    conv('b', 'before', c, { bias: true }),
    ['last', 'add', ['a', 'before', 'b']],
  ],
  'five inputs': (c) => [
    conv('a', 'before', c),
    batchNorm('b', 'a'),
    silu('s', 'b'),
    ['last', 'add', ['a', 's', 'before', 'b', 's']],
  ],
  'a value twice': () => [['last', 'add', ['before', 'before']]],
  'a value three times beside another': (c) => [
    conv('a', 'before', c),
    ['last', 'add', ['a', 'before', 'a', 'a']],
  ],
  'a sum of sums': (c) => [
    conv('a', 'before', c),
    ['one', 'add', ['before', 'a']],
    conv('b', 'one', c),
    ['last', 'add', ['b', 'one', 'before']],
  ],
  'an activation behind': (c) => [
    conv('a', 'before', c),
    batchNorm('b', 'a'),
    ['sum', 'add', ['before', 'b']],
    silu('last', 'sum'),
  ],
  'batch norm and activation behind': (c) => [
    conv('a', 'before', c),
    ['sum', 'add', ['before', 'a']],
    batchNorm('n', 'sum'),
    silu('last', 'n'),
  ],
  vectors: (c) => [
    ['pool', 'global_avg_pool', 'before'],
    ['l', 'linear', 'pool', { out: c }],
    ['last', 'add', ['pool', 'l', 'pool']],
  ],
  pools: () => [
    ['m', 'avg_pool', 'before', { kernel: 3, stride: 1, padding: 1 }],
    ['n', 'avg_pool', 'before', { kernel: 1 }],
    ['last', 'add', ['m', 'n']],
  ],
};

/** A value with several readers. */
const READERS: Readonly<Record<string, (c: number) => readonly ShortNode[]>> = {
  'a convolution, read raw and by a norm': (c) => [
    conv('a', 'before', c),
    batchNorm('n', 'a'),
    silu('s', 'n'),
    conv('b', 'a', c),
    ['last', 'add', ['s', 'b']],
  ],
  'a norm, read raw and by an activation': (c) => [
    conv('a', 'before', c),
    batchNorm('n', 'a'),
    silu('s', 'n'),
    conv('b', 'n', c),
    conv('d', 's', c),
    ['last', 'add', ['b', 'd']],
  ],
  'an activation, read by a norm and two convolutions': (c) => [
    silu('s', 'before'),
    batchNorm('n', 's'),
    conv('b', 's', c),
    ['d', 'depthwise_conv2d', 's', { kernel: 3 }],
    ['last', 'add', ['n', 'b', 'd']],
  ],
  'a convolution, read by two norms of different activations': (c) => [
    conv('a', 'before', c),
    batchNorm('n', 'a'),
    batchNorm('m', 'a'),
    silu('s', 'n'),
    ['t', 'activation', 'm', { kind: 'tanh' }],
    ['last', 'add', ['s', 't']],
  ],
  'all three of a chain': (c) => [
    conv('a', 'before', c),
    batchNorm('n', 'a'),
    silu('s', 'n'),
    ['last', 'add', ['a', 'n', 's', 'before']],
  ],
  'a norm, read by two activations': (c) => [
    conv('a', 'before', c),
    batchNorm('n', 'a'),
    silu('s', 'n'),
    ['t', 'activation', 'n', { kind: 'sigmoid' }],
    ['last', 'add', ['s', 't']],
  ],
  'a map, read by pools and a convolution of stride 2': (c) => [
    ['p', 'avg_pool', 'before', { kernel: 2, padding: 1 }],
    conv('a', 'before', c, { stride: 2, kernel: 2, padding: 1 }),
    ['last', 'add', ['a', 'p']],
  ],
  'a map, read by global pooling and by flatten': (c) => [
    ['pool', 'global_avg_pool', 'before'],
    ['scale', 'linear', 'pool', { out: c }],
    ['f', 'flatten', 'before'],
    ['l', 'linear', 'f', { out: c }],
    ['last', 'add', ['scale', 'l']],
  ],
};

for (const [table, title] of [
  [SUMS, 'a sum of'],
  [READERS, 'several readers:'],
] as const) {
  for (const [i, [name, nodes]] of Object.entries(table).entries()) {
    test(`${title} ${name} agrees with float64`, async () => {
      for (const [j, images] of BATCHES.slice(1).entries()) {
        const channels = cycled(CHANNELS, 3 * i + j);
        const start = startOf(around(channels, [4, 5], nodes(channels)), images, 10 * i + j);
        await assertPrecisionsAgree(start, `${channels} channels, ${images} images`);
      }
    });
  }
}

test('the input may be added to itself and be read by several layers', async () => {
  const graph = graphOf(
    [3, 4, 5],
    [
      ['twice', 'add', ['input', 'input']],
      conv('a', 'input', 3),
      conv('b', 'twice', 3),
      ['sum', 'add', ['input', 'a', 'b', 'twice']],
      ['flat', 'flatten', 'sum'],
      ['out', 'linear', 'flat', { out: 3 }],
    ],
  );
  for (const images of [1, 16, 33])
    await assertPrecisionsAgree(startOf(graph, images, images), `${images} images`);
});

/** Nodes that lead nowhere, which a network file must not have and the native core runs all the same. */
const DEAD_ENDS = [
  { id: 'dead', op: 'conv2d', inputs: ['before'], out: 5, kernel: 3, bias: true },
  { id: 'dead_norm', op: 'batch_norm', inputs: ['dead'] },
  { id: 'dead_act', op: 'activation', inputs: ['dead_norm'], kind: 'silu' },
  { id: 'dead_pool', op: 'max_pool', inputs: ['before'], kernel: 2 },
  { id: 'dead_vector', op: 'global_avg_pool', inputs: ['dead_act'] },
  { id: 'dead_linear', op: 'linear', inputs: ['dead_vector'], out: 2 },
  { id: 'unread', op: 'batch_norm', inputs: ['a'] },
  { id: 'behind', op: 'batch_norm', inputs: ['out'] },
  { id: 'behind_act', op: 'activation', inputs: ['behind'], kind: 'silu' },
] as const;

test('nodes that reach no output have gradients of 0, and their running statistics move', async () => {
  const live = around(5, [4, 5], [conv('a', 'before', 13), silu('last', 'a')]);
  const graph: Graph = { ...live, nodes: [...live.nodes, ...DEAD_ENDS] };
  for (const images of [2, 16, 17]) {
    const start = startOf(graph, images, images);
    const results = await assertPrecisionsAgree(start, `${images} images`);
    expect(norm(results.get('gradient of dead.weight') ?? [1])).toBe(0);
    expect(norm(results.get('gradient of unread.bias') ?? [1])).toBe(0);
    expect(results.get('unread.running_mean')).not.toEqual(start.weights.get('unread.running_mean')?.data);
  }
});

test('an output that is a batch norm, an activation or features, and that other nodes read too, agrees with float64', async () => {
  const live = around(5, [4, 5], [conv('a', 'before', 13), silu('last', 'a')]);
  const graph: Graph = { ...live, nodes: [...live.nodes, ...DEAD_ENDS] };
  for (const output of ['behind', 'behind_act', 'flat'])
    await assertPrecisionsAgree(startOf({ ...graph, output }, 16, 5), output);
});
