// Pools of every window against float64, and which of several largest values max_pool sends its gradient to.
import { expect, test } from 'vitest';
import {
  core,
  datasetOf,
  floats,
  graphOf,
  longs,
  networkOf,
  numbersOf,
  type ShortNode,
  training,
} from '../golden.js';
import { assertPrecisionsAgree } from './agreement.js';
import { around, BATCHES, CHANNELS, cycled, SIZES, startAwayFromKinks } from './nets.js';

const WINDOWS = [1, 2, 3, 4].flatMap((kernel) =>
  [1, 2, 3].flatMap((stride) =>
    [0, 1, 2].filter((padding) => 2 * padding <= kernel).map((padding) => ({ kernel, stride, padding })),
  ),
);

for (const op of ['max_pool', 'avg_pool'] as const) {
  for (const behind of ['alone', 'batch norm', 'convolution'] as const) {
    test(`${op} of every window, overlapping and padded (${behind}), agrees with float64`, async () => {
      for (const [i, window] of WINDOWS.entries()) {
        const at = i + { alone: 0, 'batch norm': 3, convolution: 5 }[behind];
        const fitting = SIZES.filter(([h, w]) => Math.min(h, w) + 2 * window.padding >= window.kernel);
        const [size, images, channels] = [cycled(fitting, at), cycled(BATCHES, at), cycled(CHANNELS, at)];
        const more: Readonly<Record<typeof behind, readonly ShortNode[]>> = {
          alone: [],
          // A large eps: a norm over few values is no function that float32 can follow.
          'batch norm': [['norm', 'batch_norm', 'pool', { eps: 0.5 }]],
          convolution: [
            ['act', 'activation', 'pool', { kind: 'silu' }],
            ['conv', 'conv2d', 'act', { out: 5, kernel: 1 }],
          ],
        };
        const graph = around(channels, size, [['pool', op, 'before', window], ...more[behind]]);
        const start = await startAwayFromKinks(
          graph,
          behind === 'batch norm' ? Math.max(2, images) : images,
          at,
        );
        await assertPrecisionsAgree(
          start,
          `${JSON.stringify(window)} ${size} ${channels} channels ${images} images`,
        );
      }
    });
  }
}

test('of equal values in a window the first gets the gradient of max_pool', async () => {
  // One image of 2 x 4 pixels that are all alike; only the first pixel of each window is the largest that is found.
  const graph = graphOf(
    [1, 2, 4],
    [
      ['scale', 'conv2d', 'input', { out: 1, kernel: 3, bias: false }],
      ['pool', 'max_pool', 'scale', { kernel: 2 }],
      ['flat', 'flatten', 'pool'],
      ['out', 'linear', 'flat', { out: 2 }],
    ],
  );
  const images = floats([1, 1, 2, 4], () => 1);
  const data = datasetOf(
    new Map([
      ['images', images],
      ['labels', longs([0])],
    ]),
    2,
  );
  // A kernel of zeros: all values are 0, and equal.
  const weights = new Map([
    ['scale.weight', floats([1, 1, 3, 3], () => 0)],
    ['out.weight', floats([2, 2], (i) => [1, 2, 0, 0][i] ?? 0)],
    ['out.bias', floats([2], () => 0)],
  ]);
  const network = networkOf(graph, weights);
  await core().train(network, data, training(1, [0], { momentum: 0.5 }), null, null);
  const found = numbersOf(new Map(core().readNetwork(network, 'momentum')), 'scale.weight');
  // softmax of (0, 0) minus (1, 0): -1/2 for class 0; its weights 1 and 2 send -1/2 and -1 to pixels (0, 0) and (0, 2).
  // The gradient of weight (a, b) is the sum over both of g * x[y + a - 1, x + b - 1], pixels outside being 0.
  const g = [-0.5, -1];
  const want = [-1, 0, 1].flatMap((a) =>
    [-1, 0, 1].map((b) =>
      [0, 2].reduce((sum, x, i) => sum + (a >= 0 && x + b >= 0 && x + b < 4 ? (g[i] ?? 0) : 0), 0),
    ),
  );
  expect([...found].map((x) => x + 0)).toEqual(want.map((x) => x + 0));
});
