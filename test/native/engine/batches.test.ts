// Every batch from 1 to 65 images, and images that are made from pixels, against float64.
import { test } from 'vitest';
import { drawOf } from '../../random-graphs.js';
import {
  core,
  DEVICE,
  graphOf,
  longs,
  networkOf,
  numbers,
  type Precision,
  training,
  weightsOf,
} from '../golden.js';
import { assertAgree, assertPrecisionsAgree, type Results, type Start } from './agreement.js';
import { startOf } from './nets.js';

const GRAPH = graphOf(
  [3, 4, 5],
  [
    ['stem', 'conv2d', 'input', { out: 5, kernel: 3 }],
    ['stem_norm', 'batch_norm', 'stem'],
    ['stem_act', 'activation', 'stem_norm', { kind: 'silu' }],
    ['dw', 'depthwise_conv2d', 'stem_act', { kernel: 3, stride: 2 }],
    ['dw_norm', 'batch_norm', 'dw'],
    ['dw_act', 'activation', 'dw_norm', { kind: 'silu' }],
    ['conv', 'conv2d', 'dw_act', { out: 5, kernel: 1 }],
    ['norm', 'batch_norm', 'conv'],
    ['sum', 'add', ['norm', 'dw_act']],
    ['pool', 'global_avg_pool', 'sum'],
    ['out', 'linear', 'pool', { out: 3 }],
  ],
);

test('forward passes and a training step of 1 to 65 images agree with float64', async () => {
  for (let images = 1; images <= 65; images += 1)
    await assertPrecisionsAgree(startOf(GRAPH, images, images), `${images} images`);
});

/** An epoch of minibatches of 16 over pixels, each moved, turned around and normalised. */
async function epochOverPixels({ graph, weights, classes }: Start, dtype: Precision): Promise<Results> {
  const { below } = drawOf(3);
  const count = 50;
  const images = {
    dtype: 'uint8',
    shape: [count, ...graph.input.shape],
    data: Uint8Array.from({ length: count * 60 }, () => below(256)),
  } as const;
  const labels = longs(Array.from({ length: count }, () => below(classes)));
  const data = core().createDataset(images, labels, [0.5, 0.4, 0.3], [0.2, 0.3, 0.4], classes, DEVICE);
  const network = networkOf(graph, weights, { dtype });
  const options = training(16, [0.1, 0.1, 0.1, 0.1], { shuffle: true, flip: true, crop: 1, seed: 3 });
  const { loss } = await core().train(network, data, options, null, null);
  const { loss: after, top1 } = await core().evaluate(network, data, { batch: 17 }, null, null);
  const tensors = [...weightsOf(network)].map(([name, tensor]) => [name, numbers(tensor)] as const);
  return new Map([['losses', Float64Array.of(loss, after)], ['top1', Float64Array.of(top1)], ...tensors]);
}

test('an epoch over shuffled, turned, moved and normalised pixels agrees with float64', async () => {
  const start = startOf(GRAPH, 1, 1);
  assertAgree(
    await epochOverPixels(start, 'float32'),
    await epochOverPixels(start, 'float64'),
    'pixels',
    () => 1e-4,
  );
});
