// Every activation and its two derivatives against float64: in a network, and value by value from -100 to 100.
import { test } from 'vitest';
import { ACTIVATION_KINDS } from '../../../lib/graph/ops.js';
import { assertClose, type Tensor } from '../../reference.js';
import {
  core,
  datasetOf,
  floats,
  graphOf,
  indexing,
  longs,
  networkOf,
  numbersOf,
  type Precision,
  type ShortNode,
  training,
} from '../golden.js';
import { assertPrecisionsAgree } from './agreement.js';
import { around, BATCHES, CHANNELS, cycled, startAwayFromKinks } from './nets.js';

/** Nodes that end in "last", which the activation reads. */
const PLACES: Readonly<Record<string, (c: number) => readonly ShortNode[]>> = {
  convolution: (c) => [['last', 'conv2d', 'before', { out: c, kernel: 3, bias: true }]],
  'batch norm': (c) => [
    ['conv', 'conv2d', 'before', { out: c, kernel: 1 }],
    ['last', 'batch_norm', 'conv'],
  ],
  sum: (c) => [
    ['conv', 'conv2d', 'before', { out: c, kernel: 1 }],
    ['last', 'add', ['before', 'conv']],
  ],
  pool: () => [['last', 'avg_pool', 'before', { kernel: 2 }]],
  activation: () => [['last', 'activation', 'before', { kind: 'tanh' }]],
  vector: () => [['last', 'global_avg_pool', 'before']],
};

for (const [i, kind] of ACTIVATION_KINDS.entries()) {
  test(`${kind} behind every kind of node agrees with float64`, async () => {
    for (const [j, [name, nodes]] of Object.entries(PLACES).entries()) {
      const at = i * 5 + j;
      const [channels, images] = [cycled(CHANNELS, at), cycled(BATCHES.slice(1), at)];
      const act: ShortNode = ['act', 'activation', 'last', { kind }];
      const graph = around(channels, [3, 4], [...nodes(channels), act]);
      const start = await startAwayFromKinks(graph, images, at);
      await assertPrecisionsAgree(start, `${name}, ${channels} channels, ${images} images`);
    }
  });
}

/** 0, the kink of relu6, and values near and far, of both signs. */
const GRID = [0, 1, 6, ...Array.from({ length: 44 }, (_, i) => 1e-6 * 1.53 ** i)]
  .flatMap((x) => [x, -x])
  .map(Math.fround);
const CHANNELS_OF_GRID = GRID.length;

/** One image whose channel `c` has the value `GRID[c]` before the activation: weights of the layer, or pixels. */
function grid(kind: string, layer: ShortNode, pixels: readonly number[], weights: readonly number[]) {
  const graph = graphOf(
    [pixels.length, 1, 1],
    [
      layer,
      ['act', 'activation', 'layer', { kind }],
      ['flat', 'flatten', 'act'],
      ['out', 'linear', 'flat', { out: 2 }],
    ],
  );
  const images = floats([1, pixels.length, 1, 1], (i) => pixels[i] ?? 0);
  const data = datasetOf(
    new Map([
      ['images', images],
      ['labels', longs([1])],
    ]),
    2,
  );
  // Weights of the classes such that the gradients of all channels are of one size.
  const out = Float64Array.from(
    { length: 2 * CHANNELS_OF_GRID },
    (_, i) => (i % 2 === 0 ? 2 ** -7 : -(2 ** -7)) * (i < CHANNELS_OF_GRID ? 1 : -1),
  );
  const tensors = new Map<string, Tensor>([
    ['layer.weight', { shape: [CHANNELS_OF_GRID, 1, 1, 1], data: Float64Array.from(weights) }],
    ['out.weight', { shape: [2, CHANNELS_OF_GRID], data: out }],
    ['out.bias', { shape: [2], data: Float64Array.of(0, 0) }],
  ]);
  return { graph, data, tensors };
}

/** act(z) from the gradient of the linear layer's weights, and act'(z) from that of the bias before it, of one image. */
async function slopes(kind: string, dtype: Precision) {
  const ones = GRID.map(() => 1);
  const layer: ShortNode = ['layer', 'depthwise_conv2d', 'input', { kernel: 1, bias: true }];
  const { graph, data, tensors } = grid(kind, layer, GRID, ones);
  const network = networkOf(graph, tensors, { dtype });
  await core().train(network, data, training(1, [0], { momentum: 0.5 }), null, null);
  const gradients = new Map(core().readNetwork(network, 'momentum'));
  const miss = numbersOf(gradients, 'out.bias')[0] ?? 0;
  const back = miss * 2 ** -6;
  return {
    values: [...numbersOf(gradients, 'out.weight').slice(0, CHANNELS_OF_GRID)].map((x) => x / miss),
    slopes: [...numbersOf(gradients, 'layer.bias')].map((x, c) => x / (c % 2 === 0 ? back : -back)),
  };
}

/** g act''(z) of every value of the grid: a neuron of one weight has it as its splitting index. */
async function curvatures(kind: string, dtype: Precision): Promise<Float64Array> {
  const layer: ShortNode = ['layer', 'conv2d', 'input', { out: CHANNELS_OF_GRID, kernel: 1 }];
  const { graph, data, tensors } = grid(kind, layer, [1], GRID);
  const network = networkOf(graph, tensors, { dtype });
  const { chains } = await core().indices(network, data, indexing(graph, 'exact'), null, null);
  return chains[0]?.indices ?? new Float64Array();
}

for (const kind of ACTIVATION_KINDS) {
  test(`values and slopes of ${kind} are those of float64 from -100 to 100, at 0 and at 6 too`, async () => {
    const [narrow, wide] = [await slopes(kind, 'float32'), await slopes(kind, 'float64')];
    // Some roundings of an exponential, relative; gelu's and tanh's cancel where they are near 0.
    assertClose(narrow.values, wide.values, { rtol: 2e-6, atol: 1e-6, note: 'values' });
    assertClose(narrow.slopes, wide.slopes, { rtol: 2e-6, atol: 1e-6, note: 'slopes' });
  });

  test(`curvatures of ${kind} are those of float64 from -100 to 100`, async () => {
    const [narrow, wide] = [await curvatures(kind, 'float32'), await curvatures(kind, 'float64')];
    // Of the largest, which is g / 4 or more; they cancel near their zeros.
    assertClose(narrow, wide, { rtol: 0, atol: 2e-6 * Math.max(...wide.map(Math.abs)), note: 'curvatures' });
  });
}
