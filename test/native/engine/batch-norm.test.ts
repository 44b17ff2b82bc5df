// Batch norm behind every kind of node, its fields, and its statistics against float64.
import { test } from 'vitest';
import type { Graph } from '../../../lib/graph/ir.js';
import {
  core,
  datasetOf,
  graphOf,
  networkOf,
  numbers,
  type Precision,
  type ShortNode,
  weightsOf,
} from '../golden.js';
import { assertAgree, assertPrecisionsAgree, type Results, type Start } from './agreement.js';
import { around, BATCHES, CHANNELS, cycled, startAwayFromKinks, startOf } from './nets.js';

/** What is before the norm: nodes that end in "last", for `c` channels. */
const PLACES: Readonly<Record<string, (c: number) => readonly ShortNode[]>> = {
  'a convolution': (c) => [['last', 'conv2d', 'before', { out: c, kernel: 3 }]],
  'a convolution with bias': (c) => [['last', 'conv2d', 'before', { out: c, kernel: 1, bias: true }]],
  'a depthwise convolution': () => [['last', 'depthwise_conv2d', 'before', { kernel: 3, stride: 2 }]],
  'a sum': (c) => [
    ['other', 'conv2d', 'before', { out: c, kernel: 1 }],
    ['last', 'add', ['before', 'other']],
  ],
  'an average pool': () => [['last', 'avg_pool', 'before', { kernel: 2 }]],
  'a max pool': () => [['last', 'max_pool', 'before', { kernel: 3, stride: 2, padding: 1 }]],
  'an activation': () => [['last', 'activation', 'before', { kind: 'silu' }]],
  'another batch norm': () => [['last', 'batch_norm', 'before']],
  'global pooling': () => [['last', 'global_avg_pool', 'before']],
  flatten: () => [['last', 'flatten', 'before']],
  'a linear layer': (c) => [
    ['features', 'flatten', 'before'],
    ['last', 'linear', 'features', { out: c }],
  ],
};
const ACTIVATIONS = ['silu', 'tanh', 'identity', 'sigmoid'] as const;

for (const [i, [name, nodes]] of Object.entries(PLACES).entries()) {
  test(`batch norm behind ${name}, alone and with an activation, agrees with float64`, async () => {
    for (const [j, images] of BATCHES.filter((count) => count > 2).entries()) {
      const at = 7 * i + j;
      const channels = cycled(CHANNELS, at);
      const norm: ShortNode = ['norm', 'batch_norm', 'last'];
      const act: ShortNode = ['act', 'activation', 'norm', { kind: cycled(ACTIVATIONS, at) }];
      const graph = around(channels, [4, 5], [...nodes(channels), norm, ...(j % 2 === 0 ? [] : [act])]);
      const start =
        name === 'a max pool' ? startAwayFromKinks(graph, images, at) : startOf(graph, images, at);
      await assertPrecisionsAgree(await start, `${channels} channels, ${images} images, case ${j}`);
    }
  });
}

test('batch norm of the input agrees with float64, with an activation and read twice too', async () => {
  const behind: Readonly<Record<string, readonly ShortNode[]>> = {
    alone: [['last', 'conv2d', 'norm', { out: 5, kernel: 3 }]],
    activation: [
      ['act', 'activation', 'norm', { kind: 'silu' }],
      ['last', 'conv2d', 'act', { out: 5, kernel: 3 }],
    ],
    'read twice': [
      ['act', 'activation', 'norm', { kind: 'tanh' }],
      ['last', 'add', ['norm', 'act', 'input']],
    ],
  };
  for (const [name, nodes] of Object.entries(behind)) {
    for (const [j, images] of [2, 16, 17, 33].entries()) {
      const graph = graphOf(
        [1 + j, 4, 5],
        [
          ['norm', 'batch_norm', 'input'],
          ...nodes,
          ['flat', 'flatten', 'last'],
          ['out', 'linear', 'flat', { out: 3 }],
        ],
      );
      await assertPrecisionsAgree(startOf(graph, images, 11 + j), `${name}, ${images} images`);
    }
  }
});

test('eps and the momentum of running statistics are those of the node', async () => {
  for (const [i, fields] of [
    { eps: 1e-3 },
    { eps: 0.5, momentum: 0.3 },
    { momentum: 0 },
    { momentum: 1 },
  ].entries()) {
    const nodes: ShortNode[] = [
      ['conv', 'conv2d', 'before', { out: 13, kernel: 3 }],
      ['norm', 'batch_norm', 'conv', fields],
      ['act', 'activation', 'norm', { kind: 'silu' }],
      ['second', 'conv2d', 'act', { out: 3, kernel: 1 }],
      ['last', 'batch_norm', 'second', fields],
    ];
    await assertPrecisionsAgree(startOf(around(5, [4, 5], nodes), 17, i), JSON.stringify(fields));
  }
});

test('two values a channel are enough for batch norm in training', async () => {
  const nodes: ShortNode[] = [['norm', 'batch_norm', 'before', { eps: 0.1 }]];
  await assertPrecisionsAgree(startOf(around(5, [1, 2], nodes), 1, 1), 'one image of two pixels');
  await assertPrecisionsAgree(startOf(around(5, [1, 1], nodes), 2, 2), 'two images of one pixel');
});

const NET: Graph = around(
  5,
  [6, 5],
  [
    ['norm', 'batch_norm', 'before'],
    ['act', 'activation', 'norm', { kind: 'silu' }],
    ['dw', 'depthwise_conv2d', 'act', { kernel: 3, stride: 2 }],
    ['dw_norm', 'batch_norm', 'dw'],
    ['conv', 'conv2d', 'dw_norm', { out: 13, kernel: 1 }],
    ['last', 'batch_norm', 'conv'],
  ],
);

/** Loss by each minibatch's statistics, and statistics that were estimated anew. */
async function estimated({ graph, weights, batch, classes }: Start, dtype: Precision): Promise<Results> {
  const network = networkOf(graph, weights, { dtype });
  const data = datasetOf(batch, classes);
  const measured = await core().evaluate(network, data, { batch: 16, statistics: 'batch' }, null, null);
  const sweep = {
    batch: 16,
    remainder: 'join',
    syncBatchNorm: false,
    shuffle: true,
    flip: true,
    crop: 1,
    seed: 5,
  } as const;
  await core().recalibrate(network, data, sweep, null, null);
  const after = [...weightsOf(network)].map(([name, tensor]) => [name, numbers(tensor)] as const);
  return new Map([['loss', Float64Array.of(measured.loss)], ...after]);
}

test("statistics estimated anew, and a loss by each minibatch's statistics, agree with float64", async () => {
  for (const images of [16, 31, 50, 65]) {
    const start = startOf(NET, images, images);
    assertAgree(await estimated(start, 'float32'), await estimated(start, 'float64'), `${images} images`);
  }
});
