// Evaluation of few images at a time, whose channels fill the vectors, against LibTorch's operators in float64.
import { expect, test } from 'vitest';
import type { Graph } from '../../../lib/graph/ir.js';
import type { NetworkHandle } from '../../../lib/native/face.js';
import { withThreads } from '../../../lib/native/threads.js';
import {
  core,
  datasetOf,
  graphOf,
  KINDS,
  networkOf,
  numbers,
  rates,
  type ShortNode,
  training,
  weightsOf,
} from '../golden.js';
import { distance, norm, SHARE, type Start } from './agreement.js';
import { engineOf } from './features.js';
import { around, cycled, SIZES, startOf } from './nets.js';
import { everyOp, invertedNet, mobileNet, residualNet } from './whole-nets.js';

const FEW = [1, 2, 3, 4, 5, 6, 7] as const;
const WIDTHS = [1, 3, 13, 16, 17, 33, 70] as const;

/** Logits in evaluation mode, `size` images at a time. */
async function logitsOf(network: NetworkHandle, { batch, classes }: Start, size: number, threads = 1) {
  const data = datasetOf(batch, classes);
  const logits = numbers(
    await withThreads(threads, () => core().forward(network, data, { mode: 'eval', batch: size })),
  );
  data.dispose();
  return logits;
}

/** Loss of evaluation, `size` images at a time. */
async function lossOf(network: NetworkHandle, { batch, classes }: Start, size: number) {
  const data = datasetOf(batch, classes);
  const { loss } = await core().evaluate(network, data, { batch: size }, null, null);
  data.dispose();
  return loss;
}

async function assertFewAgree(start: Start, images: number, note: string): Promise<void> {
  const [got, want] = (['float32', 'float64'] as const).map((dtype) =>
    networkOf(start.graph, start.weights, { dtype }),
  ) as [NetworkHandle, NetworkHandle];
  const wanted = await logitsOf(want, start, images);
  const off = distance(await logitsOf(got, start, images), wanted);
  expect(off, `${note}: logits`).toBeLessThanOrEqual(SHARE * norm(wanted));
  const [one, other] = [await lossOf(got, start, images), await lossOf(want, start, images)];
  expect(Math.abs(one - other), `${note}: loss`).toBeLessThanOrEqual(SHARE * (norm(wanted) + 1));
  for (const network of [got, want]) network.dispose();
}

for (const kind of KINDS) {
  test(`whole networks with ${kind} agree with float64, 1 to 7 images at a time`, async () => {
    const nets = [mobileNet, residualNet, invertedNet, everyOp];
    for (const [i, images] of FEW.entries()) {
      const start = startOf(cycled(nets, i)(kind), images, i);
      await assertFewAgree(start, images, `${images} images of network ${i % nets.length}`);
    }
  });
}

/** Fields of a convolution of as many outputs as it has inputs, by what it is called. */
const LAYERS: Readonly<Record<string, (channels: number) => readonly [string, object]>> = {
  dense: (channels) => ['conv2d', { out: channels }],
  'with other widths': (channels) => ['conv2d', { out: 2 * channels + 3, bias: true }],
  'in groups': (channels) => ['conv2d', { out: 2 * channels, groups: channels % 3 === 0 ? 3 : channels }],
  depthwise: () => ['depthwise_conv2d', { bias: true }],
};

for (const [name, layerOf] of Object.entries(LAYERS)) {
  test(`convolutions ${name} of every kernel, stride and padding agree with float64`, async () => {
    let at = 0;
    for (const kernel of [1, 2, 3, 5])
      for (const stride of [1, 2, 3])
        for (const padding of [0, 1, Math.floor(kernel / 2) + 1]) {
          at += 1;
          const [channels, images] = [cycled(WIDTHS, at), cycled(FEW, at)];
          const fitting = SIZES.filter(([h, w]) => Math.min(h, w) + 2 * padding >= kernel);
          const [op, fields] = layerOf(channels);
          const body: readonly ShortNode[] = [
            ['conv', op, 'before', { ...fields, kernel, stride, padding }],
            ['norm', 'batch_norm', 'conv'],
            ['act', 'activation', 'norm', { kind: cycled(KINDS, at) }],
          ];
          const start = startOf(around(channels, cycled(fitting, at), body), images, at);
          await assertFewAgree(start, images, `${JSON.stringify(body[0])} ${channels} ${images} images`);
        }
  });
}

test('values of every node that several nodes read agree with float64', async () => {
  for (const [i, channels] of WIDTHS.entries()) {
    const nodes: readonly ShortNode[] = [
      ['conv', 'conv2d', 'before', { out: channels, kernel: 3 }],
      ['norm', 'batch_norm', 'conv'],
      ['act', 'activation', 'norm', { kind: cycled(KINDS, i) }],
      ['again', 'activation', 'act', { kind: 'sigmoid' }],
      ['sum', 'add', ['conv', 'norm', 'act', 'again', 'act']],
      ['late', 'batch_norm', 'sum'],
      ['soft', 'activation', 'late', { kind: 'softplus' }],
      ['max', 'max_pool', 'soft', { kernel: 3, stride: 2, padding: 1 }],
      ['mean', 'avg_pool', 'soft', { kernel: 3, stride: 2, padding: 1 }],
      ['both', 'add', ['max', 'mean']],
    ];
    const images = cycled(FEW, i);
    await assertFewAgree(
      startOf(around(channels, cycled(SIZES, i), nodes), images, i),
      images,
      `${channels}`,
    );
  }
});

test('images that a norm, a pool, an activation, a depthwise layer or nobody but flatten reads agree with float64', async () => {
  const readers: readonly ShortNode[] = [
    ['first', 'batch_norm', 'input'],
    ['first', 'max_pool', 'input', { kernel: 2 }],
    ['first', 'activation', 'input', { kind: 'gelu' }],
    ['first', 'depthwise_conv2d', 'input', { kernel: 3 }],
    ['first', 'dropout', 'input', { p: 0.5 }],
    ['first', 'add', ['input', 'input']],
  ];
  for (const [i, reader] of readers.entries())
    for (const channels of [1, 3, 17]) {
      const graph = graphOf(
        [channels, 5, 6],
        [reader, ['flat', 'flatten', 'first'], ['out', 'linear', 'flat', { out: 3 }]],
      );
      await assertFewAgree(startOf(graph, 3, i), 3, `${reader[1]} ${channels} channels`);
    }
});

/** 370 million multiply-adds an image, which several threads share. */
const large = (): Graph =>
  graphOf(
    [64, 100, 100],
    [
      ['conv', 'conv2d', 'input', { out: 64, kernel: 3 }],
      ['act', 'activation', 'conv', { kind: 'silu' }],
      ['dw', 'depthwise_conv2d', 'act', { kernel: 3, stride: 2 }],
      ['pool', 'global_avg_pool', 'dw'],
      ['out', 'linear', 'pool', { out: 3 }],
    ],
  );

test('an image has the same bits with any number of threads and any few images beside it', async () => {
  if (engineOf() === '') return;
  // More than half of a vector's lanes are not few.
  const sizes = engineOf() === 'baseline' ? [1, 2] : [1, 2, 3];
  for (const [graph, counts] of [
    [everyOp('silu'), [1, 3]],
    [large(), engineOf() === 'baseline' ? [] : [1, 2, 3]],
  ] as const) {
    const start = startOf(graph, 3, 1);
    const network = networkOf(graph, start.weights);
    const alone = await logitsOf(network, start, 1);
    for (const threads of counts)
      for (const size of sizes)
        expect(await logitsOf(network, start, size, threads), `${size} images, ${threads} threads`).toEqual(
          alone,
        );
  }
});

test('what is trained, written or measured anew between two passes counts in the next one', async () => {
  const start = startOf(mobileNet('silu'), 6, 1);
  const network = networkOf(start.graph, start.weights);
  const data = datasetOf(start.batch, start.classes);
  const sweep = { batch: 3, remainder: 'keep', leastImages: 1, shuffle: false, crop: 0, seed: 0 } as const;
  const first = [...weightsOf(network)];
  const changes: readonly (() => unknown)[] = [
    () => core().train(network, data, training(3, rates(2, 0.1), { momentum: 0.9 }), null, null),
    () => core().writeNetwork(network, 'weights', first),
    () => core().recalibrate(network, data, { ...sweep, flip: false, syncBatchNorm: false }, null, null),
  ];
  let before = await logitsOf(network, start, 1);
  for (const [i, change] of changes.entries()) {
    await change();
    const after = await logitsOf(network, start, 1);
    expect(distance(after, before), `change ${i}`).toBeGreaterThan(1e-4 * norm(before));
    const fresh = networkOf(start.graph, weightsOf(network));
    expect(after, `change ${i}`).toEqual(await logitsOf(fresh, start, 1));
    before = after;
  }
});
