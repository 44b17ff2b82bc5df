// Batch norm of values whose mean is many standard deviations from 0, from its running mean and from the first values.
import { expect, test } from 'vitest';
import type { Graph } from '../../../lib/graph/ir.js';
import { floats, graphOf, numbersOf, type ShortNode } from '../golden.js';
import { assertAgree, norm, type Results, resultsOf, SHARE, type Start } from './agreement.js';
import { around, startOf } from './nets.js';

const SHIFTS = [0, 3, 30, 300, 3000] as const;

/**
 * Let values have the mean m and the deviation s, with k = |m| / s, and let u = 2^-24, half the distance from 1 to the next
 * float32. Rounded to float32, a value or a mean is off by u |m| = u k s. Then
 * - x - m is off by u k s, and (x - m) / s by u k; so are the output and, as a share, the gradients;
 * - the variance about the rounded mean is too large by (u k s)^2; merging two parts whose means are d apart, where d is at
 *   most about s, adds 2 d u k s, which is some u k of the variance.
 * So all results are within some u k of float64 from the same float32 values. LibTorch is within 4.5 u k here. A variance
 * from sums of x^2 is off by u k^2 instead: at k = 3,000 by half of it, where the bound is 0.0015.
 */
const ROUNDINGS = 8;
const shareAt = (shift: number): number => SHARE + ROUNDINGS * shift * 2 ** -24;

/** Root mean square of `randomBatch`'s pixels: uniform in [-2, 2]. */
const PIXEL = 2 / Math.sqrt(3);

const sign = (channel: number): number => (channel % 2 === 0 ? 1 : -1);

/** Every image channel moved by so many of its deviations. */
function withShiftedImages(start: Start, shift: number): Start {
  const [channels = 1, height, width] = start.graph.input.shape;
  const pixels = numbersOf(start.batch, 'images');
  const shape = start.batch.get('images')?.shape ?? [];
  const channelOf = (i: number): number => Math.floor(i / (height * width)) % channels;
  const images = floats(shape, (i) => (pixels[i] ?? 0) + sign(channelOf(i)) * shift * PIXEL);
  return { ...start, batch: new Map([...start.batch, ['images', images]]) };
}

/** The deviation of each channel of a layer: of "before", or of "dw" behind it with one weight a channel. */
function deviations({ graph, weights }: Start, layer: string): readonly number[] {
  const [into] = graph.input.shape;
  const weight = weights.get(`${layer}.weight`)?.data ?? new Float64Array();
  if (layer === 'dw')
    return deviations({ graph, weights } as Start, 'before').map((s, c) => s * Math.abs(weight[c] ?? 0));
  return Array.from(
    { length: weight.length / into },
    (_, c) => PIXEL * norm(weight.slice(c * into, (c + 1) * into)),
  );
}

/** The biases of a layer such that each of its channels has a mean of so many of its deviations, about. */
function withShiftedBiases(start: Start, layer: string, shift: number): Start {
  const bias = Float64Array.from(deviations(start, layer), (s, c) => Math.fround(sign(c) * shift * s));
  return {
    ...start,
    weights: new Map([...start.weights, [`${layer}.bias`, { shape: [bias.length], data: bias }]]),
  };
}

const OF_IMAGES: Graph = graphOf(
  [5, 4, 5],
  [
    ['norm', 'batch_norm', 'input'],
    ['act', 'activation', 'norm', { kind: 'silu' }],
    ['conv', 'conv2d', 'act', { out: 5, kernel: 3 }],
    ['flat', 'flatten', 'conv'],
    ['out', 'linear', 'flat', { out: 3 }],
  ],
);
const act: ShortNode = ['act', 'activation', 'norm', { kind: 'silu' }];
const OF_LAYERS: Readonly<Record<string, readonly ShortNode[]>> = {
  'a convolution': [['norm', 'batch_norm', 'before'], act],
  'a convolution without an activation': [['norm', 'batch_norm', 'before']],
  'a depthwise convolution': [
    ['dw', 'depthwise_conv2d', 'before', { kernel: 1, bias: true }],
    ['norm', 'batch_norm', 'dw'],
    act,
  ],
  'an average pool': [['pool', 'avg_pool', 'before', { kernel: 2 }], ['norm', 'batch_norm', 'pool'], act],
  'a sum': [['sum', 'add', ['before', 'before']], ['norm', 'batch_norm', 'sum'], act],
};

/**
 * Without the gradients of the biases: they are 0 by their formula, and in float32 the sum of what all values are off by in
 * one direction.
 */
const kept = (results: Results): Results =>
  new Map([...results].filter(([name]) => !/^gradient of (before|dw)\.bias$/.test(name)));

async function assertAgreeAt(shift: number, start: Start, note: string): Promise<void> {
  const [narrow, wide] = [await resultsOf(start, 'float32'), await resultsOf(start, 'float64')];
  assertAgree(kept(narrow), kept(wide), `${note}, ${shift} deviations`, () => shareAt(shift));
}

for (const images of [4, 16, 37] as const) {
  test(`batch norm of ${images} images with shifted pixels agrees with float64`, async () => {
    for (const shift of SHIFTS)
      await assertAgreeAt(shift, withShiftedImages(startOf(OF_IMAGES, images, images), shift), 'pixels');
  });

  for (const [name, nodes] of Object.entries(OF_LAYERS)) {
    test(`batch norm of ${images} images behind ${name} with shifted biases agrees with float64`, async () => {
      for (const [i, channels] of [3, 16, 21].entries())
        for (const shift of SHIFTS) {
          const start = startOf(around(channels, [4, 6], nodes), images, i + images);
          await assertAgreeAt(
            shift,
            withShiftedBiases(start, nodes[0]?.[1] === 'depthwise_conv2d' ? 'dw' : 'before', shift),
            `${channels} channels`,
          );
        }
    });
  }
}

test('the first image, and with it the first block, may be far from all others', async () => {
  for (const images of [17, 33]) {
    for (const factor of [30, 3000]) {
      const start = startOf(OF_IMAGES, images, images);
      const pixels = numbersOf(start.batch, 'images');
      const first = pixels.length / images;
      const moved = floats(
        [images, ...OF_IMAGES.input.shape],
        (i) => (pixels[i] ?? 0) + (i < first ? factor : 0),
      );
      const far = { ...start, batch: new Map([...start.batch, ['images', moved]]) };
      // The deviation is then that of the first image: no value is more than sqrt(images) deviations from the mean.
      await assertAgreeAt(Math.sqrt(images), far, `${images} images, the first by ${factor}`);
    }
  }
});

test('a channel whose values are all equal has its shift as output and a variance of 0', async () => {
  const value = 1000.1;
  const start = startOf(OF_IMAGES, 16, 1);
  const pixels = floats([16, ...OF_IMAGES.input.shape], () => value);
  const results = await resultsOf(
    { ...start, batch: new Map([...start.batch, ['images', pixels]]) },
    'float32',
  );
  const before = start.weights.get('norm.running_var')?.data ?? [];
  const after = results.get('norm.running_var') ?? [];
  // 0.9 of the variance before, plus 0.1 of (u * value)^2 at most.
  expect(after.length).toBe(5);
  for (const [c, variance] of after.entries())
    expect(Math.abs(variance - 0.9 * (before[c] ?? 0))).toBeLessThan(1e-6);
});
