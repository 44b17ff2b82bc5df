// Minibatches of an epoch: PyTorch's, but for a remainder that batch norm cannot take.
import { expect, test } from 'vitest';
import { leastImages, minibatches } from '../../lib/train/minibatches.js';
import { graphOf } from '../native/golden.js';
import { messageOf } from '../reference.js';

/** Batch norm on maps of 6 x 6. */
const WIDE = graphOf(
  [2, 6, 6],
  [
    ['conv', 'conv2d', 'input', { out: 4, kernel: 3 }],
    ['norm', 'batch_norm', 'conv'],
    ['pool', 'global_avg_pool', 'norm'],
    ['out', 'linear', 'pool', { out: 3 }],
  ],
);
/** Batch norm behind the pool: one value a channel and image. */
const NARROW = graphOf(
  [2, 6, 6],
  [
    ['conv', 'conv2d', 'input', { out: 4, kernel: 3 }],
    ['pool', 'global_avg_pool', 'conv'],
    ['norm', 'batch_norm', 'pool'],
    ['out', 'linear', 'norm', { out: 3 }],
  ],
);
/** Batch norm on maps of 1 x 1. */
const POINT = graphOf(
  [2, 3, 3],
  [
    ['conv', 'conv2d', 'input', { out: 4, kernel: 3, padding: 0 }],
    ['norm', 'batch_norm', 'conv'],
    ['pool', 'global_avg_pool', 'norm'],
    ['out', 'linear', 'pool', { out: 3 }],
  ],
);

test('two images are needed where batch norm has one value a channel and image', () => {
  expect([WIDE, NARROW, POINT].map(leastImages)).toEqual([1, 2, 2]);
});

test.each([
  // images, batch, remainder, steps
  [32, 16, undefined, 2],
  [33, 16, undefined, 3],
  [33, 16, 'keep', 3],
  [33, 16, 'join', 2],
  [33, 16, 'drop', 2],
  [10, 16, 'join', 1],
  [1, 16, undefined, 1],
] as const)('%i images in minibatches of %i, remainder %s: %i steps', (images, batch, remainder, steps) => {
  expect(minibatches(images, { batch, remainder }, WIDE)).toMatchObject({
    ...{ steps, leastImages: 1, note: null },
    remainder: remainder ?? 'keep',
  });
});

test('a remainder of one image joins the minibatch before it where batch norm cannot take it, and a note says so', () => {
  expect(minibatches(33, { batch: 16 }, NARROW)).toEqual({
    ...{ steps: 2, remainder: 'join', leastImages: 2 },
    note: '33 images in minibatches of 16 leave 1 image; batch norm "norm" in training needs 2 images or more, as it has one value a channel and image: it joins the minibatch before it (fit.remainder says otherwise)',
  });
  expect(minibatches(34, { batch: 16 }, NARROW)).toMatchObject({ steps: 3, remainder: 'keep', note: null });
});

test.each([
  [
    'keep',
    33,
    16,
    'keep' as const,
    /^fit\.remainder: keep leaves a last minibatch of 1 image \(33 images in minibatches of 16\).*take join or drop/,
  ],
  ['a batch of one', 33, 1, undefined, /^fit\.batch: batch norm "norm".*got 1; take more/],
  ['one image', 1, 16, undefined, /^data\.trainImages: .*got 1/],
  [
    'nothing left',
    10,
    16,
    'drop' as const,
    /^fit\.remainder: drop leaves no minibatch of 10 images in minibatches of 16/,
  ],
])('%s is refused with images, batch and remainder', (_, images, batch, remainder, message) => {
  expect(messageOf(() => minibatches(images, { batch, remainder }, NARROW))).toMatch(message);
});
