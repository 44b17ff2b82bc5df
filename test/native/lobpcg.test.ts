// Splitting indices by lobpcg against the exact ones of the same images: every width, matrices of low rank, zero ones, and what it refuses.
import { describe, expect, test } from 'vitest';
import type { Graph } from '../../lib/graph/ir.js';
import type {
  ChainIndices,
  IndicesOptions,
  IndicesResult,
  NetworkHandle,
  Progress,
  TensorMap,
} from '../../lib/native/face.js';
import { failureOf } from '../data/places.js';
import {
  core,
  datasetOf,
  floats,
  graphOf,
  indexing,
  largest,
  networkOf,
  numbers,
  type Precision,
  randomBatch,
} from './golden.js';

const PASSES = 12;
const TOLERANCE = 0.01;

/** One chain whose neurons have `dimension` weights, on images of 3 x 3 positions. */
function chainOf(dimension: number, neurons: number, kind: string): Graph {
  return graphOf(
    [dimension, 3, 3],
    [
      ['conv', 'conv2d', 'input', { out: neurons, kernel: 1 }],
      ['norm', 'batch_norm', 'conv'],
      ['act', 'activation', 'norm', { kind }],
      ['pool', 'global_avg_pool', 'act'],
      ['out', 'linear', 'pool', { out: 4 }],
    ],
  );
}

interface Case {
  readonly graph: Graph;
  readonly images: number;
  readonly dtype?: Precision;
  readonly weights?: TensorMap;
  readonly options?: Partial<IndicesOptions>;
}

interface Both {
  readonly exact: readonly ChainIndices[];
  readonly found: IndicesResult;
  readonly network: NetworkHandle;
}

async function both({ graph, images, dtype = 'float32', weights, options = {} }: Case): Promise<Both> {
  const data = datasetOf(randomBatch(graph.input.shape, 4, images, 3), 4);
  const network = networkOf(graph, weights, { dtype });
  const of = (method: 'exact' | 'lobpcg') =>
    core().indices(
      network,
      data,
      indexing(graph, method, { batch: 16, tolerance: TOLERANCE, ...options }),
      null,
      null,
    );
  return { exact: (await of('exact')).chains, found: await of('lobpcg'), network };
}

/** Largest difference of a chain, as a share of |index| but of no less than a hundredth of the largest. */
function worst(exact: ChainIndices | undefined, found: ChainIndices | undefined): number {
  const [want, got] = [exact?.indices ?? [], found?.indices ?? []];
  const floor = largest(want) / 100;
  return Math.max(
    ...Array.from(
      want,
      (index, n) => Math.abs(index - (got[n] ?? Number.NaN)) / Math.max(Math.abs(index), floor),
    ),
  );
}

describe('lobpcg is within 1 % of the exact index in at most 12 passes', () => {
  test.each([
    [1, 4, 'silu'],
    [2, 5, 'tanh'],
    [3, 1, 'gelu'],
    [5, 8, 'sigmoid'],
    [17, 16, 'softplus'],
    [48, 13, 'relu'],
    [130, 24, 'relu6'],
    [300, 16, 'silu'],
    [500, 8, 'silu'],
  ])('%i weights, %i neurons, %s', async (dimension, neurons, kind) => {
    for (const dtype of ['float32', 'float64'] as const) {
      const { exact, found } = await both({ graph: chainOf(dimension, neurons, kind), images: 64, dtype });
      const [chain] = found.chains;
      expect(chain?.method).toBe('lobpcg');
      expect(worst(exact[0], chain), dtype).toBeLessThan(TOLERANCE);
      expect(chain?.epochs).toBeLessThanOrEqual(Math.min(PASSES, dimension));
      // The Rayleigh quotient of any vector is at least the smallest eigenvalue; 1e-5 for float32.
      for (const [n, index] of (exact[0]?.indices ?? []).entries())
        expect(chain?.indices[n]).toBeGreaterThan(index - 1e-5 * largest(exact[0]?.indices ?? []));
      const directions = numbers(core().readDirections(found.directions)[0]?.[1] ?? expect.fail());
      for (let n = 0; n < neurons; n += 1)
        expect(Math.hypot(...directions.slice(n * dimension, (n + 1) * dimension))).toBeCloseTo(1, 5);
    }
  });

  test('of matrices of rank 2 in 40 dimensions, whose index is 0 where nothing is negative', async () => {
    const graph = graphOf(
      [40, 1, 1],
      [
        ['flat', 'flatten', 'input'],
        ['first', 'linear', 'flat', { out: 9 }],
        ['act', 'activation', 'first', { kind: 'silu' }],
        ['out', 'linear', 'act', { out: 4 }],
      ],
    );
    const { exact, found } = await both({ graph, images: 2, options: { batch: 2 } });
    const indices = [...(exact[0]?.indices ?? [])];
    const size = largest(indices);
    const zeros = indices.filter((index) => Math.abs(index) < 1e-6 * size).length;
    expect([zeros > 0, zeros < indices.length]).toEqual([true, true]);
    expect(worst(exact[0], found.chains[0])).toBeLessThan(TOLERANCE);
    // The space of S and one vector outside it.
    expect(found.chains[0]?.epochs).toBeLessThanOrEqual(5);
  });

  test('of matrices that are 0, of neurons that a batch norm switches off', async () => {
    const graph = chainOf(6, 3, 'silu');
    const weights = new Map(core().readNetwork(networkOf(graph), 'weights'));
    weights.set(
      'norm.weight',
      floats([3], () => 0),
    );
    const { found } = await both({ graph, images: 20, weights });
    expect(found.chains[0]).toMatchObject({ epochs: 1, above: 0 });
    expect(
      [...(found.chains[0]?.indices ?? []), ...(found.chains[0]?.residuals ?? [])].map(Math.abs),
    ).toEqual(new Array(6).fill(0));
  });
});

const DEEP = graphOf(
  [2, 8, 8],
  [
    ['a', 'conv2d', 'input', { out: 7, kernel: 3 }],
    ['a_act', 'activation', 'a', { kind: 'silu' }],
    ['b', 'conv2d', 'a_act', { out: 6, kernel: 3, stride: 2 }],
    ['b_norm', 'batch_norm', 'b'],
    ['b_act', 'activation', 'b_norm', { kind: 'gelu' }],
    ['flat', 'flatten', 'b_act'],
    ['c', 'linear', 'flat', { out: 5 }],
    ['c_act', 'activation', 'c', { kind: 'tanh' }],
    ['out', 'linear', 'c_act', { out: 4 }],
  ],
);

test('every layer of a network, whose residuals are those of its directions and say which neurons are within the tolerance', async () => {
  const { exact, found } = await both({ graph: DEEP, images: 70, dtype: 'float64' });
  for (const [i, chain] of found.chains.entries()) {
    expect(worst(exact[i], chain), chain.id).toBeLessThan(TOLERANCE);
    const size = largest(chain.indices);
    const above = [...chain.residuals].filter(
      (residual, n) => residual > TOLERANCE * Math.max(Math.abs(chain.indices[n] ?? 0), size / 100),
    );
    expect(chain.above, chain.id).toBe(above.length);
  }
});

test('a wider tolerance takes fewer passes, and never more than the passes asked for', async () => {
  const passes = async (options: Partial<IndicesOptions>): Promise<readonly number[]> =>
    (await both({ graph: DEEP, images: 40, options: { memoryLimit: 1, ...options } })).found.chains.map(
      ({ epochs }) => epochs,
    );
  const [wide, usual] = [await passes({ tolerance: 0.3 }), await passes({})];
  expect(Math.max(...wide)).toBeLessThan(Math.max(...usual));
  expect(await passes({ passes: 3, tolerance: 0 })).toEqual([3, 3, 3]);
  expect(Math.max(...(await passes({ passes: 1 })))).toBe(1);
});

test('the minibatch does not matter, and the seed only within the tolerance', async () => {
  const of = async (options: Partial<IndicesOptions>): Promise<readonly ChainIndices[]> =>
    (await both({ graph: DEEP, images: 40, dtype: 'float64', options })).found.chains;
  const usual = await of({});
  for (const batch of [1, 7, 40]) {
    for (const [i, chain] of (await of({ batch })).entries())
      expect(worst(usual[i], chain), chain.id).toBeLessThan(1e-6);
  }
  for (const [i, chain] of (await of({ seed: 9 })).entries())
    expect(worst(usual[i], chain), chain.id).toBeLessThan(2 * TOLERANCE);
  expect(await of({})).toEqual(usual);
  expect(await of({ seed: 9 })).not.toEqual(usual);
});

/** A layer with a window, of whose neurons S is kept, and two without, of which 118 x 35 and 70 numbers an image are. */
const KEPT = graphOf(
  [2, 7, 5],
  [
    ['a', 'conv2d', 'input', { out: 57, kernel: 3 }],
    ['a_act', 'activation', 'a', { kind: 'silu' }],
    ['b', 'conv2d', 'a_act', { out: 61, kernel: 1, bias: true }],
    ['b_norm', 'batch_norm', 'b'],
    ['b_act', 'activation', 'b_norm', { kind: 'gelu' }],
    ['flat', 'global_avg_pool', 'b_act'],
    ['c', 'linear', 'flat', { out: 9 }],
    ['c_act', 'activation', 'c', { kind: 'tanh' }],
    ['out', 'linear', 'c_act', { out: 4 }],
  ],
);

test.each([
  ['nothing', 1],
  ['the small layers', 100_000],
  ['all layers', 2 ** 28],
])('as float64 finds them where what products take of %s is kept', async (_what, memoryLimit) => {
  for (const [images, batch] of [
    [1, 1],
    [70, 16],
    [70, 33],
    [41, 41],
  ] as const) {
    const data = datasetOf(randomBatch([2, 7, 5], 4, images, 3), 4);
    const of = async (dtype: Precision, method: 'lobpcg' | 'exact'): Promise<IndicesResult> =>
      core().indices(
        networkOf(KEPT, undefined, { dtype }),
        data,
        indexing(KEPT, method, { batch, passes: 4, memoryLimit: method === 'exact' ? 2 ** 28 : memoryLimit }),
        null,
        null,
      );
    const [want, got] = [await of('float64', 'lobpcg'), await of('float32', 'lobpcg')];
    const exact = await of('float64', 'exact');
    for (const [i, chain] of got.chains.entries()) {
      // S of the first layer is kept where there is room, and its eigenpairs are found in the second pass.
      const hasMatrix = chain.id === 'a' && memoryLimit > 1;
      const other = hasMatrix ? exact.chains[i] : want.chains[i];
      // Rounding of float32 over four passes.
      expect(worst(other, chain), `${chain.id}, ${images} in ${batch}`).toBeLessThan(1e-3);
      expect(chain.epochs).toBe(hasMatrix ? 2 : other?.epochs);
    }
  }
});

test('what is kept is what the core says beforehand', async () => {
  const network = networkOf(KEPT);
  // 35 positions of 18 weights, 35 of 57, one of 61; what is kept of inputs is x and h of each.
  expect(core().keptByLobpcg(network, [35, 35, 1], 70)).toEqual([
    { form: 'matrices', bytes: 4 * 57 * 18 * 18 },
    { form: 'inputs', bytes: 4 * 70 * 35 * (57 + 61) },
    { form: 'inputs', bytes: 4 * 70 * (61 + 9) },
  ]);
  const none = core().keptByLobpcg(networkOf(KEPT, undefined, { dtype: 'float64' }), [35, 35, 1], 70);
  expect(none).toEqual([35, 35, 1].map(() => ({ form: 'none', bytes: 0 })));
  for (const [positions, images, says] of [
    [[35, 35], 70, /for each of 3 chains, found 2/],
    [[35, 0, 1], 70, /from 1 to 2147483647, found 0/],
    [[35, 35, 1], 0, /images/],
  ] as const)
    expect(() => core().keptByLobpcg(network, positions, images)).toThrow(says);
});

test.each([
  [40, 1],
  [60, 1],
  [4, 3],
  [20, 3],
])(
  'S of neurons that read %i channels through a window of %i is kept where the core says so, and fits',
  async (wide, kernel) => {
    const graph = graphOf(
      [wide, 5, 5],
      [
        ['a', 'conv2d', 'input', { out: 6, kernel }],
        ['a_act', 'activation', 'a', { kind: 'silu' }],
        ['flat', 'global_avg_pool', 'a_act'],
        ['out', 'linear', 'flat', { out: 4 }],
      ],
    );
    const side = 6 - kernel;
    const [kept] = core().keptByLobpcg(networkOf(graph), [side * side], 64);
    const data = datasetOf(randomBatch([wide, 5, 5], 4, 64, 3), 4);
    const passesWithin = async (memoryLimit: number): Promise<number | undefined> => {
      const options = indexing(graph, 'lobpcg', { batch: 16, passes: 12, memoryLimit });
      const { chains } = await core().indices(networkOf(graph), data, options, null, null);
      return chains[0]?.epochs;
    };
    const bytes = kept?.bytes ?? 0;
    // All eigenpairs of a matrix are found in the second pass.
    expect((await passesWithin(2 ** 28)) === 2).toBe(kept?.form === 'matrices');
    if (kept?.form !== 'matrices') return;
    expect(await passesWithin(bytes)).toBe(2);
    expect(await passesWithin(bytes - 1)).toBeGreaterThan(2);
  },
);

test('tells its minibatches, and an abort ends it with E_ABORTED', async () => {
  const data = datasetOf(randomBatch([2, 8, 8], 4, 40, 3), 4);
  const options = indexing(DEEP, 'lobpcg', { batch: 10, passes: 5 });
  const told: Progress[] = [];
  await core().indices(networkOf(DEEP), data, options, (progress) => void told.push(progress), null);
  expect(told.at(-1)).toMatchObject({ phase: 'lobpcg', done: 20, total: 20, images: 200 });
  const abort = core().createAbort();
  core().abort(abort);
  expect(await failureOf(core().indices(networkOf(DEEP), data, options, null, abort))).toMatch(
    /^E_ABORTED: /,
  );
});

test('refuses no passes, an unknown method and the auxiliary activation', async () => {
  const data = datasetOf(randomBatch([2, 8, 8], 4, 4, 3), 4);
  const run = (more: object): Promise<string> =>
    failureOf(
      Promise.resolve().then(() =>
        core().indices(
          networkOf(DEEP),
          data,
          { ...indexing(DEEP, 'lobpcg'), ...more } as IndicesOptions,
          null,
          null,
        ),
      ),
    );
  expect(await run({ passes: 0 })).toMatch(/^E_ARGUMENT: .*passes/);
  expect(await run({ passes: 1.5 })).toMatch(/^E_ARGUMENT: .*passes/);
  expect(await run({ methods: ['lobpcg', 'lobpcg', 'lanczos'] })).toMatch(
    /^E_ARGUMENT: a method must be exact, rayleigh or lobpcg, found lanczos/,
  );
  expect(await run({ auxiliary: true })).toMatch(
    /^E_ARGUMENT: lobpcg has no products by the auxiliary activation/,
  );
});

test('a checkpoint of more passes, or of other directions, is E_RESUME', async () => {
  const data = datasetOf(randomBatch([2, 8, 8], 4, 40, 3), 4);
  const options = indexing(DEEP, 'lobpcg', { batch: 10, passes: 5, memoryLimit: 1 });
  const network = networkOf(DEEP);
  const pause = core().createPause();
  core().pause(pause, 'checkpoint');
  const state = await core().createIndicesState(network, options, []);
  for (let i = 0; i < 9; i += 1)
    await core().indices(network, data, { ...options, pause, state }, null, null);
  const tensors = core().readIndicesState(network, options, state, 1e9);
  const refused = (given: typeof tensors, more: Partial<IndicesOptions> = {}) =>
    failureOf(core().createIndicesState(network, { ...options, ...more }, given));
  expect(await refused(tensors, { passes: 1 })).toMatch(/^E_RESUME: .*stands at pass 2 of 1/);
  const without = tensors.filter(([name]) => name !== 'basis:b');
  expect(await refused(without)).toMatch(/^E_RESUME: .*"basis:b"/);
  const bad = tensors.map(([name, t]) =>
    name === 'owners:b' ? ([name, { ...t, data: t.data.map(() => 9) }] as const) : ([name, t] as const),
  );
  expect(await refused(bad as typeof tensors)).toMatch(/^E_RESUME: .*rows of "b"/);
});
