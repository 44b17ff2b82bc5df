// Five steps of training with every part of the recipe, against float64.
import { test } from 'vitest';
import type { TensorEntries, TrainOptions } from '../../../lib/native/face.js';
import { core, datasetOf, floats, networkOf, numbers, type Precision, rates, training } from '../golden.js';
import { assertAgree, type Results, type Start } from './agreement.js';
import { startOf } from './nets.js';
import { everyOp, mobileNet, residualNet } from './whole-nets.js';

const STEPS = 5;
const RATE = 0.05;

/** A step's errors go into the next steps' gradients; momentum adds up to ten of them. LibTorch's worst is 5e-6. */
const AFTER_STEPS = 5e-5;

const PARTS: Readonly<Record<string, Partial<TrainOptions>>> = {
  plain: {},
  momentum: { momentum: 0.9 },
  nesterov: { momentum: 0.9, nesterov: true },
  'weight decay of all': { momentum: 0.9, weightDecay: 0.05 },
  'weight decay of weights': { momentum: 0.9, weightDecay: 0.05, decay: 'weights' },
  'label smoothing': { labelSmoothing: 0.1 },
  'a gradient clip that is reached': { gradientClip: 0.1, momentum: 0.9 },
  'a gradient clip that is not reached': { gradientClip: 1e4, momentum: 0.9 },
  'a moving average': { momentum: 0.9, average: { decay: 0.8, every: 2, copies: 1 } },
  'passes over parts of a minibatch': { microBatch: 7, momentum: 0.9 },
  'passes over parts and a clip': { microBatch: 16, gradientClip: 0.1, labelSmoothing: 0.1 },
  'turned and moved images in another order': { shuffle: true, flip: true, crop: 2, seed: 9 },
  all: {
    momentum: 0.9,
    nesterov: true,
    weightDecay: 1e-3,
    decay: 'weights',
    labelSmoothing: 0.1,
    gradientClip: 0.5,
    average: { decay: 0.9, every: 1, copies: 0 },
    microBatch: 11,
    shuffle: true,
    flip: true,
    crop: 1,
    seed: 3,
  },
};

/** L1 penalties of two parameters that every network of this file has. */
const penalties = ({ weights }: Start): TensorEntries =>
  [...weights]
    .filter(([name]) => /^stem(_norm)?\.weight$/.test(name))
    .map(([name, { shape }]) => [name, floats(shape, (i) => 0.01 * (1 + (i % 3)))]);

/** Factors on the rates of the first and the last layer's weights, the tensors between them without. */
function rateFactors({ weights }: Start): TensorEntries {
  const layers = [...weights].filter(([, { shape }]) => shape.length > 1);
  return [layers.at(0), layers.at(-1)].flatMap((layer) =>
    layer === undefined ? [] : [[layer[0], floats(layer[1].shape, (i) => 0.25 * (1 + (i % 5)))] as const],
  );
}

/** Losses, all sets of tensors, and an evaluation after one epoch. */
async function trained(start: Start, dtype: Precision, options: TrainOptions): Promise<Results> {
  const network = networkOf(start.graph, start.weights, { dtype });
  const data = datasetOf(start.batch, start.classes);
  const { loss, top1 } = await core().train(network, data, options, null, null);
  const after = await core().evaluate(network, data, { batch: 32 }, null, null);
  const results = new Map<string, Float64Array>([
    ['losses', Float64Array.of(loss, after.loss)],
    ['hits', Float64Array.of(top1, after.top1, after.top5)],
  ]);
  for (const set of ['weights', 'momentum', 'average'] as const)
    for (const [name, tensor] of core().readNetwork(network, set))
      results.set(`${set} ${name}`, numbers(tensor));
  for (const handle of [network, data]) handle.dispose();
  return results;
}

async function assertAgreeAfter(start: Start, options: TrainOptions, note: string): Promise<void> {
  const [narrow, wide] = [await trained(start, 'float32', options), await trained(start, 'float64', options)];
  assertAgree(narrow, wide, note, () => AFTER_STEPS);
}

for (const [name, graph] of Object.entries({
  mobileNet: mobileNet('silu'),
  residualNet: residualNet('gelu'),
})) {
  test(`five steps of ${name} agree with float64 by every part of the recipe`, async () => {
    const start = startOf(graph, 20 * STEPS, 3);
    for (const [part, more] of Object.entries(PARTS))
      await assertAgreeAfter(start, training(20, rates(STEPS, RATE), more), part);
    const more = { momentum: 0.9, penalties: penalties(start) };
    await assertAgreeAfter(start, training(20, rates(STEPS, RATE), more), 'penalties');
    const aged = { momentum: 0.9, nesterov: true, weightDecay: 1e-3, rateFactors: rateFactors(start) };
    await assertAgreeAfter(start, training(20, rates(STEPS, RATE), aged), 'rate factors');
  });
}

test('dropout in every step has the same masks in both precisions', async () => {
  // Without max_pool, in which two near values may change places.
  const start = startOf(everyOp('silu', 'avg_pool'), 10 * STEPS, 1);
  for (const more of [{}, { microBatch: 4, seed: 8 }, { shuffle: true, momentum: 0.9 }])
    await assertAgreeAfter(start, training(10, rates(STEPS, 0.01), more), JSON.stringify(more));
});

test('images behind the last whole minibatch are kept, joined to it or dropped', async () => {
  const graph = mobileNet('silu');
  for (const images of [65, 67, 79]) {
    const start = startOf(graph, images, images);
    for (const remainder of ['keep', 'join', 'drop'] as const) {
      const steps = remainder === 'keep' ? 5 : 4;
      const options = training(16, rates(steps, RATE), { momentum: 0.9, remainder });
      await assertAgreeAfter(start, options, `${images} images, ${remainder}`);
    }
  }
});
