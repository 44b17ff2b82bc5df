// An epoch done in slices, and minibatches worked on in pieces whose gradients add up.
import { expect, test } from 'vitest';
import type { NetworkHandle, TrainOptions } from '../../lib/native/face.js';
import { assertClose } from '../reference.js';
import {
  core,
  datasetOf,
  golden,
  goldenGraph,
  graphOf,
  networkOf,
  numbers,
  numbersOf,
  type Precision,
  randomBatch,
  rates,
  training,
  weightsOf,
} from './golden.js';

const normed = async (dtype: Precision = 'float64') =>
  networkOf(goldenGraph('train'), await golden('train', 'weights'), { dtype });
const images = async () => datasetOf(await golden('train', 'batch'), 5);

const DROPPED = graphOf(
  [2, 6, 6],
  [
    ['conv', 'conv2d', 'input', { out: 4, kernel: 3, bias: true }],
    ['norm', 'batch_norm', 'conv'],
    ['act', 'activation', 'norm', { kind: 'silu' }],
    ['drop', 'dropout', 'act', { p: 0.4 }],
    ['pool', 'global_avg_pool', 'drop'],
    ['out', 'linear', 'pool', { out: 3 }],
  ],
);
const PLAIN = graphOf(
  [2, 6, 6],
  [
    ['conv', 'conv2d', 'input', { out: 4, kernel: 3, bias: true }],
    ['act', 'activation', 'conv', { kind: 'tanh' }],
    ['flat', 'flatten', 'act'],
    ['out', 'linear', 'flat', { out: 3 }],
  ],
);

async function trained(network: NetworkHandle, options: TrainOptions, data = images()) {
  const result = await core().train(network, await data, options, null, null);
  return { result, weights: weightsOf(network) };
}

test('slices of an epoch leave the bits of the whole epoch: order, flips, crops, dropout, momentum', async () => {
  const data = datasetOf(randomBatch([2, 6, 6], 3, 22, 5), 3);
  const options = training(4, rates(6, 0.1), {
    ...{ momentum: 0.9, shuffle: true, flip: true, crop: 1, seed: 7, microBatch: 3 },
  });
  const [whole, sliced] = [networkOf(DROPPED), networkOf(DROPPED)];
  const all = await core().train(whole, data, options, null, null);
  let seen = 0;
  for (const [start, stop] of [
    [0, 1],
    [1, 4],
    [4, 6],
  ] as const)
    seen += (await core().train(sliced, data, { ...options, start, stop }, null, null)).images;
  expect(weightsOf(sliced)).toEqual(weightsOf(whole));
  expect(core().readNetwork(sliced, 'momentum')).toEqual(core().readNetwork(whole, 'momentum'));
  expect([seen, all.images]).toEqual([22, 22]);
});

test('pieces of a minibatch add up to its gradient where no batch norm looks at the minibatch', async () => {
  const batch = randomBatch([2, 6, 6], 3, 19, 6);
  const start = () => networkOf(PLAIN, new Map(), { dtype: 'float64' });
  const run = (microBatch: number) =>
    trained(
      start(),
      training(8, rates(3, 0.1), { microBatch, labelSmoothing: 0.1 }),
      Promise.resolve(datasetOf(batch, 3)),
    );
  const whole = await run(0);
  for (const microBatch of [1, 3, 8, 100]) {
    const pieces = await run(microBatch);
    for (const [name, tensor] of pieces.weights) {
      const tolerance = { rtol: 0, atol: 1e-13, note: `${name} in pieces of ${microBatch}, float64` };
      assertClose(numbers(tensor), numbersOf(whole.weights, name), tolerance);
    }
    assertClose([pieces.result.loss], [whole.result.loss], { rtol: 1e-12, atol: 0, note: 'loss, float64' });
    expect(pieces.result.top1).toBe(whole.result.top1);
  }
});

test('with batch norm the step is the mean, by images, of the steps that each piece alone would make', async () => {
  const batch = await golden('train', 'batch');
  const before = await golden('train', 'weights');
  const [rate, cuts] = [0.5, [0, 6, 13, 20]] as const;
  const pieces = await trained(await normed(), training(20, [rate], { microBatch: 8 }));
  const moved = new Map<string, Float64Array>();
  for (const [from, to] of cuts.slice(1).map((end, i) => [cuts[i] ?? 0, end] as const)) {
    const part = new Map(
      [...batch].map(([name, { dtype, shape, data }]) => {
        const bytes = data.byteLength / 20;
        return [
          name,
          { dtype, shape: [to - from, ...shape.slice(1)], data: data.slice(from * bytes, to * bytes) },
        ];
      }),
    );
    const alone = await trained(
      await normed(),
      training(to - from, [rate]),
      Promise.resolve(datasetOf(part, 5)),
    );
    for (const [name, tensor] of alone.weights) {
      const step = numbers(tensor).map(
        (x, i) => ((x - (numbersOf(before, name)[i] ?? 0)) * (to - from)) / 20,
      );
      moved.set(
        name,
        step.map((x, i) => x + (moved.get(name)?.[i] ?? 0)),
      );
    }
  }
  for (const [name, tensor] of pieces.weights) {
    if (name.includes('running')) continue; // these take a move a piece
    const got = numbers(tensor).map((x, i) => x - (numbersOf(before, name)[i] ?? 0));
    assertClose(got, moved.get(name) ?? [], { rtol: 0, atol: 1e-13, note: `${name}, float64` });
  }
});

test('slices that are none are refused', async () => {
  const network = await normed();
  for (const [start, stop] of [
    [2, 2],
    [2, 1],
    [0, 4],
  ]) {
    const options = training(8, rates(3, 0.1), { start, stop });
    const failed = core().train(network, await images(), options, null, null);
    await expect(failed).rejects.toMatchObject({ code: 'E_ARGUMENT' });
  }
});
