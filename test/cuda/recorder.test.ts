// Steps of static shape are recorded and replayed; what cannot be recorded is run as it is. On the twin: "recorded" is
// the same work on the recording's own batch, so a stale input, rate or sum would show.
import './twin.js';
import { expect, test } from 'vitest';
import type { TrainOptions } from '../../lib/native/face.js';
import {
  core,
  datasetOf,
  graphOf,
  indexing,
  networkOf,
  randomBatch,
  type ShortNode,
  training,
  weightsOf,
} from '../native/golden.js';

const SHAPE = [3, 8, 8];
const BLOCK: readonly ShortNode[] = [
  ['conv', 'conv2d', 'input', { out: 6, kernel: 3, padding: 1 }],
  ['norm', 'batch_norm', 'conv'],
  ['act', 'activation', 'norm', { kind: 'silu' }],
  ['wide', 'conv2d', 'act', { out: 10, kernel: 3, padding: 1 }],
  ['norm2', 'batch_norm', 'wide'],
  ['act2', 'activation', 'norm2', { kind: 'silu' }],
  ['pool', 'global_avg_pool', 'act2'],
];
const PLAIN = graphOf(SHAPE, [...BLOCK, ['fc', 'linear', 'pool', { out: 4 }]]);
const DROPPING = graphOf(SHAPE, [
  ...BLOCK,
  ['drop', 'dropout', 'pool', { p: 0.5 }],
  ['fc', 'linear', 'drop', { out: 4 }],
]);

/** Runs `work` with SPLITGROW_GRAPHS set. */
async function withGraphs<T>(value: string, work: () => Promise<T>): Promise<T> {
  process.env.SPLITGROW_GRAPHS = value;
  try {
    return await work();
  } finally {
    delete process.env.SPLITGROW_GRAPHS;
  }
}

async function trained(graph: typeof PLAIN, graphs: string, more: Partial<TrainOptions> = {}) {
  return withGraphs(graphs, async () => {
    const network = networkOf(graph, new Map(), { seed: 3 });
    const data = datasetOf(randomBatch(SHAPE, 4, 30, 7), 4);
    // 8 minibatches, the last of them smaller, each at a rate of its own.
    const options = training(4, [0.1, 0.2, 0.05, 0.1, 0.3, 0.1, 0.02, 0.1], {
      momentum: 0.9,
      labelSmoothing: 0.1,
      shuffle: true,
      flip: true,
      seed: 5,
      ...more,
    });
    const { loss, top1, graph: state } = await core().train(network, data, options, null, null);
    return {
      loss,
      top1,
      state,
      weights: [...weightsOf(network)],
      momentum: core().readNetwork(network, 'momentum'),
    };
  });
}

test('the twin is the accelerator of this process', () => {
  expect(core().features()).toMatchObject({ accelerator: 'twin', acceleratorFault: '' });
});

test('a recorded epoch leaves the bits of one that is not recorded, its smaller last minibatch too', async () => {
  const [on, off] = [await trained(PLAIN, '1'), await trained(PLAIN, '0')];
  expect([on.state, off.state]).toEqual(['on', 'off']);
  expect({ ...on, state: '' }).toEqual({ ...off, state: '' });
});

test('accumulated gradients are those of recorded pieces', async () => {
  const [on, off] = [
    await trained(PLAIN, '1', { microBatch: 2 }),
    await trained(PLAIN, '0', { microBatch: 2 }),
  ];
  expect({ ...on, state: '' }).toEqual({ ...off, state: '' });
});

test('steps that draw on the host are not recorded', async () => {
  expect((await trained(DROPPING, '1')).state).toBe('off');
});

test('a recorded Rayleigh descent gives the indices of one that is not, over epochs of other rates', async () => {
  const data = datasetOf(randomBatch(SHAPE, 4, 30, 7), 4);
  const options = indexing(PLAIN, 'rayleigh', {
    batch: 4,
    epochs: 3,
    shuffle: true,
    decayFactor: 0.5,
    seed: 2,
  });
  const of = (graphs: string) =>
    withGraphs(graphs, async () => {
      const network = networkOf(PLAIN, new Map(), { seed: 3 });
      const { chains, directions } = await core().indices(network, data, options, null, null);
      return { chains, directions: core().readDirections(directions) };
    });
  expect(await of('1')).toEqual(await of('0'));
});

test('the eigenvalues of large dimensions, solved at once, are those of their directions', async () => {
  const data = datasetOf(randomBatch(SHAPE, 4, 30, 7), 4);
  const network = networkOf(PLAIN, new Map(), { seed: 3 });
  const { chains } = await core().indices(network, data, indexing(PLAIN, 'exact'), null, null);
  const wide = chains.find(({ id }) => id === 'wide');
  expect(wide?.dimension).toBe(54); // above 32, where the solver changes
  for (const [i, index] of (wide?.indices ?? []).entries()) {
    // float32 products of matrices whose largest eigenvalue is about as large as the smallest.
    expect(wide?.residuals[i]).toBeLessThan(1e-4 * Math.max(Math.abs(index), 1e-3));
    expect(index).toBeLessThan(0);
  }
});
