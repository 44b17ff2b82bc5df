// The CPU engine gives the same bits for any number of threads; LibTorch's operators only for the same number.
import { expect, test } from 'vitest';
import type { Graph } from '../../../lib/graph/ir.js';
import { withThreads } from '../../../lib/native/threads.js';
import { core, datasetOf, indexing, networkOf, rates, training, weightsOf } from '../golden.js';
import { assertAgree, resultsOf } from './agreement.js';
import { engineOf } from './features.js';
import { around, startOf } from './nets.js';
import { everyOp, mobileNet, residualNet } from './whole-nets.js';

const NETS: Readonly<Record<string, Graph>> = {
  'a MobileNet-like network': mobileNet('silu'),
  'a residual network': residualNet('relu'),
  'a network with every op': everyOp('gelu'),
};

/** More threads than blocks of 16 images, as many, and fewer. */
const THREADS = engineOf() === '' ? [2, 2] : [1, 2, 3, 5];
const IMAGES = [5, 16, 40] as const;

/** Bits of what training, evaluation and splitting give with so many threads. */
async function bitsOf(graph: Graph, images: number, threads: number) {
  const { weights, batch, classes } = startOf(graph, 3 * images, images);
  const network = networkOf(graph, weights);
  const data = datasetOf(batch, classes);
  return withThreads(threads, async () => {
    const options = training(images, rates(3, 0.05), {
      momentum: 0.9,
      labelSmoothing: 0.1,
      gradientClip: 1,
      weightDecay: 1e-4,
      average: { decay: 0.9, every: 1, copies: 0 },
    });
    const { loss } = await core().train(network, data, options, null, null);
    const evaluated = await core().evaluate(network, data, { batch: 32 }, null, null);
    const logits = [];
    for (const mode of ['eval', 'train'] as const)
      logits.push(await core().forward(network, data, { mode, batch: 32 }));
    const indices = [];
    for (const method of ['exact', 'rayleigh'] as const) {
      const { chains, directions } = await core().indices(network, data, indexing(graph, method), null, null);
      indices.push(chains, core().readDirections(directions));
    }
    const { seconds: _, ...counts } = evaluated;
    const sets = [
      weightsOf(network),
      ...(['momentum', 'average'] as const).map((set) => core().readNetwork(network, set)),
    ];
    return { loss, counts, logits, indices, sets };
  });
}

const title =
  engineOf() === ''
    ? 'has the same bits twice with the same number of threads'
    : 'has the same bits for 1, 2, 3 and 5 threads';
for (const [name, graph] of Object.entries(NETS)) {
  test(`${name} ${title}`, async () => {
    for (const images of IMAGES) {
      const [first = 1, ...others] = THREADS;
      const want = await bitsOf(graph, images, first);
      for (const threads of others) {
        const got = await bitsOf(graph, images, threads);
        for (const part of ['loss', 'sets', 'counts', 'logits', 'indices'] as const)
          expect(got[part], `${part}, ${images} images, ${threads} threads`).toEqual(want[part]);
      }
    }
  });
}

test('networks that are trained side by side have the bits of one that is trained alone', async () => {
  const graph = mobileNet('silu');
  const alone = await bitsOf(graph, 16, 2);
  const together = await Promise.all(
    [2, 2, engineOf() === '' ? 2 : 3].map((threads) => bitsOf(graph, 16, threads)),
  );
  for (const one of together) expect(one).toEqual(alone);
});

test('few images of large maps agree with float64 with more threads than images', async () => {
  for (const [images, channels, threads] of [
    [1, 5, 3],
    [2, 21, 5],
    [3, 13, 4],
  ] as const) {
    const graph = around(
      channels,
      [33, 30],
      [
        ['conv', 'conv2d', 'before', { out: 17, kernel: 3 }],
        ['norm', 'batch_norm', 'conv'],
        ['act', 'activation', 'norm', { kind: 'silu' }],
        ['dw', 'depthwise_conv2d', 'act', { kernel: 5, stride: 2 }],
        ['pool', 'avg_pool', 'dw', { kernel: 3, stride: 2, padding: 1 }],
      ],
    );
    const start = startOf(graph, images, images);
    assertAgree(
      await resultsOf(start, 'float32', threads),
      await resultsOf(start, 'float64'),
      `${images} images`,
    );
  }
});
