// Multiply-adds of training against counts by hand.
import { expect, test } from 'vitest';
import { parseGraph } from '../../lib/graph/check.js';
import type { Graph } from '../../lib/graph/ir.js';
import {
  type ComputeRecord,
  forwardCompute,
  growthCompute,
  imagesOfEpoch,
  passesCompute,
  runCompute,
} from '../../lib/train/compute.js';

/** 8 x 8 x 4 x 27 + 8 x 8 x 6 x 4 + 6 x 2 = 6,912 + 1,536 + 12 = 8,460 MACs */
function handGraph(size = 8): Graph {
  return parseGraph({
    format: 'splitgrow-network/1',
    name: 'hand',
    input: { shape: [3, size, size] },
    nodes: [
      { id: 'a', op: 'conv2d', inputs: ['input'], out: 4, kernel: 3 },
      { id: 'a_act', op: 'activation', inputs: ['a'], kind: 'silu' },
      { id: 'b', op: 'conv2d', inputs: ['a_act'], out: 6, kernel: 1 },
      { id: 'b_act', op: 'activation', inputs: ['b'], kind: 'silu' },
      { id: 'pool', op: 'global_avg_pool', inputs: ['b_act'] },
      { id: 'classifier', op: 'linear', inputs: ['pool'], out: 2 },
    ],
    output: 'classifier',
  });
}

test('a forward pass counts once and a backward pass twice, at the resolution of the input', () => {
  expect(forwardCompute(handGraph(), 10)).toBe(84_600);
  expect(passesCompute(handGraph(), 10)).toBe(3 * 84_600);
  // A quarter of the positions: 1,728 + 384 + 12.
  expect(passesCompute(handGraph(4), 10)).toBe(3 * 21_240);
});

test.each([
  { remainder: undefined, images: 33 },
  { remainder: 'keep', images: 33 },
  { remainder: 'join', images: 33 },
  { remainder: 'drop', images: 32 },
] as const)(
  'an epoch over 33 images in minibatches of 16 takes $images with remainder $remainder',
  ({ remainder, images }) => {
    expect(imagesOfEpoch(33, { batch: 16, remainder }, handGraph())).toBe(images);
  },
);

test('drop takes every image where minibatches are full', () => {
  expect(imagesOfEpoch(32, { batch: 16, remainder: 'drop' }, handGraph())).toBe(32);
});

const stages: readonly { readonly record: { readonly compute?: ComputeRecord } }[] = [
  { record: { compute: { fit: 1, finish: 10, search: 100 } } },
  { record: { compute: { fit: 1_000, finish: 10_000, search: 100_000 } } },
  { record: { compute: { fit: 1_000_000, search: 0 } } },
];

test('a run up to a stage is every fit and finishing up to it, and the search before it', () => {
  expect([0, 1, 2].map((stage) => runCompute(stages, stage))).toEqual([11, 11_111, 1_111_111]);
});

test('growth up to an architecture is every fit and search before it, without finishing', () => {
  expect([0, 1, 2].map((stage) => growthCompute(stages, stage))).toEqual([0, 101, 101_101]);
});

test('where a record of an older version lacks its part, what needs it is null', () => {
  const old = [{ record: {} }, ...stages.slice(1)];
  expect([runCompute(old, 0), runCompute(old, 2), growthCompute(old, 0), growthCompute(old, 1)]).toEqual([
    null,
    null,
    0,
    null,
  ]);
});
