// The last minibatch of an epoch: held against epochs over exactly the images that it should be made of.
import { expect, test } from 'vitest';
import type { TensorData, TrainOptions } from '../../lib/native/face.js';
import { core, datasetOf, graphOf, networkOf, randomBatch, rates, training, weightsOf } from './golden.js';

const NARROW = graphOf(
  [2, 6, 6],
  [
    ['conv', 'conv2d', 'input', { out: 4, kernel: 3 }],
    ['pool', 'global_avg_pool', 'conv'],
    ['norm', 'batch_norm', 'pool'],
    ['out', 'linear', 'norm', { out: 3 }],
  ],
);
const BATCH = randomBatch([2, 6, 6], 3, 5, 9);

function rowsOf(tensor: TensorData, from: number, to: number): TensorData {
  const bytes = tensor.data.byteLength / (tensor.shape[0] ?? 1);
  return {
    ...tensor,
    shape: [to - from, ...tensor.shape.slice(1)],
    data: tensor.data.slice(from * bytes, to * bytes),
  };
}

function part(from: number, to: number): Map<string, TensorData> {
  return new Map([...BATCH].map(([name, tensor]) => [name, rowsOf(tensor, from, to)]));
}

/** Weights after one epoch over minibatches of these rows, each an epoch of its own. */
async function stepped(rows: readonly (readonly [number, number])[]) {
  const network = networkOf(NARROW);
  for (const [from, to] of rows)
    await core().train(
      network,
      datasetOf(part(from, to), 3),
      training(to - from, rates(1, 0.1), { momentum: 0.9 }),
      null,
      null,
    );
  return weightsOf(network);
}

async function epoch(options: Partial<TrainOptions>, steps: number) {
  const network = networkOf(NARROW);
  const given = training(2, rates(steps, 0.1), { momentum: 0.9, ...options });
  const { images } = await core().train(network, datasetOf(BATCH, 3), given, null, null);
  return { images, weights: weightsOf(network) };
}

test('join makes the remainder part of the last minibatch', async () => {
  const { images, weights } = await epoch({ remainder: 'join' }, 2);
  expect(images).toBe(5);
  expect(weights).toEqual(
    await stepped([
      [0, 2],
      [2, 5],
    ]),
  );
});

test('drop leaves the remainder out', async () => {
  const { images, weights } = await epoch({ remainder: 'drop' }, 2);
  expect(images).toBe(4);
  expect(weights).toEqual(
    await stepped([
      [0, 2],
      [2, 4],
    ]),
  );
});

test('keep fails where batch norm has one value, and names the norm', async () => {
  await expect(epoch({ remainder: 'keep' }, 3)).rejects.toMatchObject({
    code: 'E_ARGUMENT',
    message: expect.stringMatching(/^norm: batch norm in training needs more than one value a channel/),
  });
});

test('pieces of a minibatch have as many images as batch norm needs', async () => {
  const { images } = await epoch({ remainder: 'join', microBatch: 1, leastImages: 2 }, 2);
  expect(images).toBe(5);
  await expect(epoch({ remainder: 'join', microBatch: 1 }, 2)).rejects.toMatchObject({ code: 'E_ARGUMENT' });
});

test('a dataset of which drop leaves no minibatch is refused', async () => {
  await expect(epoch({ remainder: 'drop', batch: 6 }, 1)).rejects.toMatchObject({
    code: 'E_DATA',
    message: expect.stringMatching(/5 images.*no minibatch is left/),
  });
});

test('statistics are estimated anew over the same minibatches', async () => {
  const network = networkOf(NARROW);
  const options = { ...{ batch: 2, syncBatchNorm: false, shuffle: false, flip: false, crop: 0, seed: 1 } };
  const run = (more: { readonly remainder?: 'join' }): Promise<void> =>
    core().recalibrate(network, datasetOf(BATCH, 3), { ...options, ...more }, null, null);
  await expect(run({})).rejects.toMatchObject({ code: 'E_ARGUMENT' });
  await run({ remainder: 'join' });
});
