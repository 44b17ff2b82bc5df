// The CPU engine gives the same bits for any number of threads; LibTorch's operators only for the same number.
import { expect, test } from 'vitest';
import type { Graph } from '../../../lib/graph/ir.js';
import type { IndexMethod } from '../../../lib/native/face.js';
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
    const indicesBy = async (method: IndexMethod) => {
      const { chains, directions } = await core().indices(network, data, indexing(graph, method), null, null);
      return [chains, core().readDirections(directions)];
    };
    const exact = await indicesBy('exact');
    const products = [await indicesBy('rayleigh'), await indicesBy('lobpcg')];
    const { seconds: _, ...counts } = evaluated;
    const sets = [
      weightsOf(network),
      ...(['momentum', 'average'] as const).map((set) => core().readNetwork(network, set)),
    ];
    return { loss, counts, logits, exact, products, sets };
  });
}

type Bits = Awaited<ReturnType<typeof bitsOf>>;
const known = new Map<string, readonly Bits[]>();

/** Bits with each number of threads, made once for all parts. */
async function bitsByThreads(graph: Graph, images: number): Promise<readonly Bits[]> {
  const key = `${JSON.stringify(graph.nodes)} ${images}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const made: Bits[] = [];
  for (const threads of THREADS) made.push(await bitsOf(graph, images, threads));
  known.set(key, made);
  return made;
}

const PARTS = {
  training: ['loss', 'sets'],
  'evaluation and forward passes': ['counts', 'logits'],
  'products S v': ['products'],
  'exact indices': ['exact'],
} as const;

for (const [part, keys] of Object.entries(PARTS)) {
  for (const [name, graph] of Object.entries(NETS)) {
    test(`${part} of ${name} have the same bits with ${[...new Set(THREADS)].join(', ')} threads`, async () => {
      for (const images of IMAGES) {
        const [want, ...others] = await bitsByThreads(graph, images);
        for (const [i, got] of others.entries()) {
          const threads = THREADS[i + 1];
          for (const key of keys)
            expect(got[key], `${key}, ${images} images, ${threads} threads`).toEqual(want?.[key]);
        }
      }
    });
  }
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
