// Epochs and splitting indices that are paused, kept as tensors and gone on with leave the bits of uninterrupted ones.
import { describe, expect, test } from 'vitest';
import type { Graph } from '../../lib/graph/ir.js';
import type { IndexMethod, IndicesOptions, NetworkHandle, TensorEntries } from '../../lib/native/face.js';
import {
  core,
  datasetOf,
  graphOf,
  indexing,
  networkOf,
  randomBatch,
  rates,
  training,
  weightsOf,
} from './golden.js';

const GRAPH = graphOf(
  [2, 6, 6],
  [
    ['conv', 'conv2d', 'input', { out: 4, kernel: 3, bias: true }],
    ['norm', 'batch_norm', 'conv'],
    ['act', 'activation', 'norm', { kind: 'silu' }],
    ['drop', 'dropout', 'act', { p: 0.4 }],
    ['conv2', 'conv2d', 'drop', { out: 5, kernel: 3 }],
    ['norm2', 'batch_norm', 'conv2'],
    ['act2', 'activation', 'norm2', { kind: 'tanh' }],
    ['pool', 'global_avg_pool', 'act2'],
    ['out', 'linear', 'pool', { out: 3 }],
  ],
);
// Its norm that trains is behind a layer whose neurons are not split by themselves.
const DEPTHWISE = graphOf(
  [2, 6, 6],
  [
    ['conv', 'conv2d', 'input', { out: 4, kernel: 3 }],
    ['norm1', 'batch_norm', 'conv'],
    ['act', 'activation', 'norm1', { kind: 'silu' }],
    ['deep', 'depthwise_conv2d', 'act', { kernel: 3, padding: 1 }],
    ['norm', 'batch_norm', 'deep'],
    ['act2', 'activation', 'norm', { kind: 'tanh' }],
    ['pool', 'global_avg_pool', 'act2'],
    ['out', 'linear', 'pool', { out: 3 }],
  ],
);
// GRAPH with a third layer whose neurons are split.
const GRAPH3 = graphOf(
  [2, 6, 6],
  [
    ['conv', 'conv2d', 'input', { out: 4, kernel: 3 }],
    ['act', 'activation', 'conv', { kind: 'silu' }],
    ['conv2', 'conv2d', 'act', { out: 5, kernel: 3 }],
    ['act2', 'activation', 'conv2', { kind: 'tanh' }],
    ['conv3', 'conv2d', 'act2', { out: 3, kernel: 1 }],
    ['act3', 'activation', 'conv3', { kind: 'gelu' }],
    ['pool', 'global_avg_pool', 'act3'],
    ['out', 'linear', 'pool', { out: 3 }],
  ],
);
// Its second layer has no window, and neurons of too many weights for S.
const WIDE = graphOf(
  [2, 6, 6],
  [
    ['conv', 'conv2d', 'input', { out: 52, kernel: 3 }],
    ['act', 'activation', 'conv', { kind: 'silu' }],
    ['conv2', 'conv2d', 'act', { out: 3, kernel: 1 }],
    ['act2', 'activation', 'conv2', { kind: 'tanh' }],
    ['pool', 'global_avg_pool', 'act2'],
    ['out', 'linear', 'pool', { out: 3 }],
  ],
);
const data = () => datasetOf(randomBatch([2, 6, 6], 3, 22, 5), 3);
const momentum = (network: NetworkHandle) => core().readNetwork(network, 'momentum');

/** A handle that asks for a pause after the first minibatch: a pause already asked for lets one minibatch through. */
function pausing(why: 'checkpoint' | 'stop' = 'checkpoint') {
  const pause = core().createPause();
  core().pause(pause, why);
  return pause;
}

describe('an epoch', () => {
  const options = training(4, rates(6, 0.1), {
    ...{ momentum: 0.9, shuffle: true, flip: true, crop: 1, seed: 7, microBatch: 3, labelSmoothing: 0.1 },
  });

  test('paused after every minibatch has the weights, momentum, loss and accuracy of a whole one, to the bit', async () => {
    const [whole, paused] = [networkOf(GRAPH), networkOf(GRAPH)];
    const all = await core().train(whole, data(), options, null, null);
    expect([all.paused, all.next]).toEqual([null, 6]);
    let [start, state, images]: [number, TensorEntries, number[]] = [0, [], []];
    for (;;) {
      const given = { ...options, start, state, pause: pausing() };
      const part = await core().train(paused, data(), given, null, null);
      images.push(part.images);
      if (part.paused === null) {
        expect(part.loss).toBe(all.loss);
        expect(part.top1).toBe(all.top1);
        break;
      }
      expect([part.paused, part.next]).toEqual(['checkpoint', start + 1]);
      [start, state] = [part.next, part.state];
    }
    expect(images).toEqual([4, 8, 12, 16, 20, 22]);
    expect(weightsOf(paused)).toEqual(weightsOf(whole));
    expect(momentum(paused)).toEqual(momentum(whole));
  });

  test('is not paused after its last minibatch, and a stop is not taken back', async () => {
    const pause = pausing('stop');
    core().pause(pause, 'checkpoint');
    const first = await core().train(networkOf(GRAPH), data(), { ...options, pause }, null, null);
    expect(first.paused).toBe('stop');
    const last = await core().train(networkOf(GRAPH), data(), { ...options, start: 5, pause }, null, null);
    expect([last.paused, last.next]).toEqual([null, 6]);
  });

  test('of a version that counted every image, three sums a rank, goes on to the same numbers', async () => {
    const [whole, paused] = [networkOf(GRAPH), networkOf(GRAPH)];
    const all = await core().train(whole, data(), options, null, null);
    const part = await core().train(paused, data(), { ...options, pause: pausing() }, null, null);
    const state = part.state.map(([name, { data: bytes }]) => {
      const sums = new Float64Array(bytes.slice().buffer);
      expect([name, sums.length, sums[3]]).toEqual(['sums', 4, 4]); // 4 images so far
      return [name, { dtype: 'float64', shape: [1, 3], data: bytes.slice(0, 24) }] as const;
    });
    const rest = await core().train(paused, data(), { ...options, start: part.next, state }, null, null);
    expect([rest.loss, rest.top1, rest.images]).toEqual([all.loss, all.top1, all.images]);
    expect(weightsOf(paused)).toEqual(weightsOf(whole));
  });

  test('refuses a state that is none, and a handle of another kind', async () => {
    const wrong = [['sums', { dtype: 'float32', shape: [3], data: new Uint8Array(12) }]] as const;
    const run = (more: object) => core().train(networkOf(GRAPH), data(), { ...options, ...more }, null, null);
    await expect(run({ start: 1, state: wrong })).rejects.toMatchObject({ code: 'E_ARGUMENT' });
    expect(() => run({ start: 1, state: [['sum', wrong[0][1]]] })).toThrow(/sums and statistics, found sum/);
    expect(() => run({ pause: core().createAbort() })).toThrow(/expected a pause handle/);
    expect(() => core().pause(core().createPause(), 'later' as 'stop')).toThrow(/checkpoint or to stop/);
  });
});

describe('splitting indices', () => {
  const optionsOf = (methods: readonly IndexMethod[], more: Partial<IndicesOptions>): IndicesOptions => ({
    ...indexing(GRAPH, 'exact', { batch: 6, epochs: 4, shuffle: true, ...more }),
    methods,
  });
  const trainedNorms = ['norm'];
  const THREE: readonly IndexMethod[] = ['lobpcg', 'lobpcg', 'lobpcg'];
  const CASES: readonly (readonly [
    string,
    Graph,
    readonly IndexMethod[],
    Partial<IndicesOptions>,
    number,
  ])[] = [
    // 4 minibatches a sweep or epoch; the last of the descent is not followed by a pause.
    [
      'the descent',
      GRAPH,
      ['rayleigh', 'rayleigh'],
      { momentum: 0.9, decayFactor: 0.5, decayEvery: 2, decayFirst: 1 },
      15,
    ],
    // Two further rounds, of 64 minibatches and of what is left; no neuron is ever done.
    ['the descent in further rounds', GRAPH, ['rayleigh', 'rayleigh'], { momentum: 0.9, mostEpochs: 24 }, 95],
    // 4 neurons of 18 x 18 numbers fit, then one of 36 x 36 at a time: 6 sweeps.
    ['exact, in several sweeps', GRAPH, ['exact', 'exact'], { memoryLimit: 6000 }, 24],
    ['both', GRAPH, ['exact', 'rayleigh'], {}, 19],
    // Residuals of 0 are asked for: 11 passes through the network.
    ['lobpcg', GRAPH, ['lobpcg', 'lobpcg'], { tolerance: 0, memoryLimit: 1 }, 44],
    // With what the first pass keeps each later one is one piece; with S itself one more is enough.
    ['lobpcg that keeps S', GRAPH, ['lobpcg', 'lobpcg'], { tolerance: 0 }, 4 + 1],
    ['lobpcg that keeps inputs', WIDE, ['exact', 'lobpcg'], { tolerance: 0, passes: 4 }, 4 + 4 + 3],
    [
      'lobpcg that keeps all but one layer',
      GRAPH3,
      THREE,
      { tolerance: 0, passes: 4, memoryLimit: 6000 },
      16,
    ],
    [
      'lobpcg after exact and before the descent',
      GRAPH3,
      ['exact', 'lobpcg', 'rayleigh'],
      { passes: 3 },
      4 + 4 + 1 + 15,
    ],
    ['lobpcg while a norm trains', DEPTHWISE, ['lobpcg'], { trainedNorms, passes: 2 }, 8],
    ['the descent while a norm trains', DEPTHWISE, ['rayleigh'], { trainedNorms }, 15],
    ['exact while a norm trains', DEPTHWISE, ['exact'], { trainedNorms }, 4],
  ];

  test.each(CASES)(
    'paused after every minibatch and made anew from tensors: %s',
    async (_name, graph, methods, more, minibatches) => {
      const options = optionsOf(methods, more);
      const [whole, paused] = [networkOf(graph), networkOf(graph)];
      const all = await core().indices(whole, data(), options, null, null);
      let tensors: TensorEntries = [];
      let pauses = 0;
      for (;;) {
        const state = await core().createIndicesState(paused, options, tensors);
        const part = await core().indices(
          paused,
          data(),
          { ...options, pause: pausing(), state },
          null,
          null,
        );
        if (part.paused === null) {
          expect(part.chains).toEqual(all.chains);
          expect(core().readDirections(part.directions)).toEqual(core().readDirections(all.directions));
          break;
        }
        pauses += 1;
        tensors = core().readIndicesState(paused, options, state, 1e6);
        expect(tensors.length).toBeGreaterThan(3);
      }
      expect(pauses).toBe(minibatches);
      expect(weightsOf(paused)).toEqual(weightsOf(whole));
    },
  );

  test('a sweep whose sums are too large to keep begins anew, to the same bits', async () => {
    const options = optionsOf(['exact', 'exact'], {});
    const network = networkOf(GRAPH);
    const all = await core().indices(network, data(), options, null, null);
    const state = await core().createIndicesState(network, options, []);
    await core().indices(network, data(), { ...options, pause: pausing(), state }, null, null);
    const [kept, small] = [1e6, 10].map((bytes) => core().readIndicesState(network, options, state, bytes));
    expect(kept?.some(([name]) => name.startsWith('sums:'))).toBe(true);
    expect(small?.some(([name]) => name.startsWith('sums:'))).toBe(false);
    const again = await core().createIndicesState(network, options, small ?? []);
    const rest = await core().indices(
      network,
      data(),
      { ...options, pause: core().createPause(), state: again },
      null,
      null,
    );
    expect(rest.paused === null && rest.chains).toEqual(all.chains);
  });

  test('a sweep that cannot begin anew, because it has moved running statistics, is not kept', async () => {
    const options = { ...optionsOf(['exact'], { trainedNorms }) };
    const network = networkOf(DEPTHWISE);
    const state = await core().createIndicesState(network, options, []);
    await core().indices(network, data(), { ...options, pause: pausing(), state }, null, null);
    expect(core().readIndicesState(network, options, state, 10)).toEqual([]);
  });

  test('a descent that an earlier version kept, without rounds, is refused and names what is missing', async () => {
    const options = optionsOf(['rayleigh', 'rayleigh'], {});
    const network = networkOf(GRAPH);
    const state = await core().createIndicesState(network, options, []);
    await core().indices(network, data(), { ...options, pause: pausing(), state }, null, null);
    const old = core()
      .readIndicesState(network, options, state, 1e6)
      .filter(([name]) => !['rounds', 'read'].includes(name));
    await expect(core().createIndicesState(network, options, old)).rejects.toMatchObject({
      code: 'E_RESUME',
      message: expect.stringMatching(/"rounds".*another version of splitgrow wrote it/),
    });
  });

  test('an exact sweep that an earlier version kept, without the count of images, goes on to the same bits', async () => {
    const options = optionsOf(['exact', 'exact'], {});
    const network = networkOf(GRAPH);
    const all = await core().indices(network, data(), options, null, null);
    const state = await core().createIndicesState(network, options, []);
    await core().indices(network, data(), { ...options, pause: pausing(), state }, null, null);
    const old = core()
      .readIndicesState(network, options, state, 1e6)
      .filter(([name]) => name !== 'read');
    const again = await core().createIndicesState(network, options, old);
    const rest = await core().indices(
      network,
      data(),
      { ...options, pause: core().createPause(), state: again },
      null,
      null,
    );
    expect(rest.paused === null && rest.chains).toEqual(all.chains);
  });

  test('a state of other options or another network is refused', async () => {
    const options = optionsOf(['exact', 'exact'], {});
    const network = networkOf(GRAPH);
    const state = await core().createIndicesState(network, options, []);
    await core().indices(network, data(), { ...options, pause: pausing(), state }, null, null);
    const tensors = core().readIndicesState(network, options, state, 1e6);
    const made = (given: IndicesOptions, list: TensorEntries) =>
      core().createIndicesState(network, given, list);
    await expect(made({ ...options, memoryLimit: 6000 }, tensors)).rejects.toMatchObject({
      code: 'E_RESUME',
    });
    for (const [at] of tensors.entries()) {
      const [name = ''] = tensors[at] ?? [];
      if (name.startsWith('sums:')) continue;
      const rest = tensors.filter((_, i) => i !== at);
      if (['place', 'seconds', 'blocks'].includes(name))
        await expect(made(options, rest), name).rejects.toMatchObject({ code: 'E_RESUME' });
    }
    const place = { dtype: 'int64', shape: [3], data: new Uint8Array(24).fill(255) } as const;
    const moved = tensors.map(([name, tensor]) => [name, name === 'place' ? place : tensor] as const);
    await expect(made(options, moved)).rejects.toThrow(/nowhere/);
  });
});
