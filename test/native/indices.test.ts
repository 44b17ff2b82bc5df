// Splitting indices against golden splitting matrices, made by autograd from the definition (test/golden/generate.py).
import { expect, test } from 'vitest';
import type { Graph } from '../../lib/graph/ir.js';
import { lower } from '../../lib/graph/lower.js';
import type { IndicesOptions, IndicesResult, TensorMap } from '../../lib/native/face.js';
import { failureOf } from '../data/places.js';
import { assertClose } from '../reference.js';
import {
  core,
  datasetOf,
  golden,
  goldenGraph,
  graphOf,
  indexing,
  KINDS,
  largest,
  networkOf,
  numbers,
  numbersOf,
  type Precision,
  quotientOf,
  randomBatch,
  weightsOf,
  withKind,
} from './golden.js';

/**
 * Share of a layer's largest entry of S. float32: h and x carry the roundings
 * of a forward and a backward pass, 6e-8 each, and second derivatives cancel
 * near their zeros; float64: the same with 1e-16.
 */
const CLOSE: Readonly<Record<Precision, number>> = { float32: 3e-5, float64: 1e-11 };
/** PyTorch's softplus is the identity from 20 on, which leaves out exp(-20) = 2e-9 of its value and derivatives. */
const SOFTPLUS_CUT = 1e-8;
/** Linear chains of the golden files have curvature 1. */
const GOLDEN_OPTIONS = { identityCurvature: 1 };

interface Case {
  readonly kind: string;
  readonly dtype: Precision;
  readonly options: IndicesOptions;
}

async function run({ kind, dtype, options }: Case): Promise<IndicesResult> {
  const graph = withKind(goldenGraph('split'), kind);
  const network = networkOf(graph, await golden('split', 'weights'), { dtype });
  const before = weightsOf(network);
  const data = datasetOf(await golden('split', 'batch'), 4);
  const result = await core().indices(network, data, options, null, null);
  expect(weightsOf(network), 'weights and statistics').toEqual(before);
  return result;
}

/** Every index against the quotient of its own direction in the golden S; `lowest` also against the golden index. */
function compare(result: IndicesResult, want: TensorMap, { kind, dtype }: Case, lowest: boolean): void {
  const share = Math.max(CLOSE[dtype], kind === 'softplus' ? SOFTPLUS_CUT : 0);
  const directions = new Map(core().readDirections(result.directions));
  for (const { id, neurons, dimension: d, indices, residuals } of result.chains) {
    const [s, v] = [numbersOf(want, `${id}.S`), numbersOf(directions, id)];
    const tolerance = { rtol: 0, atol: share * largest(s), note: `${kind} ${id} ${dtype}` };
    if (lowest) assertClose(indices, numbersOf(want, `${id}.indices`), tolerance);
    for (let n = 0; n < neurons; n += 1) {
      const direction = v.slice(n * d, n * d + d);
      assertClose([Math.hypot(...direction)], [1], { rtol: 0, atol: share, note: `${id} is unit` });
      const { quotient, residual } = quotientOf(s.slice(n * d * d, (n + 1) * d * d), direction);
      assertClose([indices[n] ?? 0, residuals[n] ?? 0], [quotient, residual], tolerance);
      if (lowest) assertClose([residual], [0], tolerance);
    }
  }
}

async function check(one: Case, lowest: boolean): Promise<void> {
  compare(await run(one), await golden('split', one.kind), one, lowest);
}

for (const kind of KINDS) {
  for (const dtype of ['float32', 'float64'] as const) {
    test(`exact indices and directions of ${kind} chains equal the golden ones in ${dtype}`, async () => {
      const options = indexing(goldenGraph('split'), 'exact', GOLDEN_OPTIONS);
      await check({ kind, dtype, options }, true);
    });

    // One step over the whole batch: the index is v' S v of the seed's v, the residual |S v - (v' S v) v|.
    for (const auxiliary of [false, true]) {
      const path = auxiliary ? 'auxiliary activation' : 'closed form';
      test(`S v of ${kind} chains by the ${path} equals the golden one in ${dtype}`, async () => {
        for (let seed = 0; seed < 4; seed += 1) {
          const options = indexing(goldenGraph('split'), 'rayleigh', { ...GOLDEN_OPTIONS, auxiliary, seed });
          await check({ kind, dtype, options }, false);
        }
      });
    }
  }
}

test('the closed form and the auxiliary activation take the same way over many steps', async () => {
  for (const kind of KINDS) {
    const more = { ...GOLDEN_OPTIONS, epochs: 20, batch: 2, shuffle: true, learningRate: 0.01 };
    const [one, other] = await Promise.all(
      [false, true].map((auxiliary) =>
        run({
          kind,
          dtype: 'float64',
          options: indexing(goldenGraph('split'), 'rayleigh', { ...more, auxiliary }),
        }),
      ),
    );
    for (const [i, chain] of (one?.chains ?? []).entries()) {
      // float64; 60 steps of RMSprop magnify a rounding where a gradient is near 0.
      const atol = 1e-6 * largest(chain.indices);
      assertClose(other?.chains[i]?.indices ?? [], chain.indices, {
        rtol: 0,
        atol,
        note: `${kind} ${chain.id}`,
      });
    }
  }
});

test('several minibatches give the exact indices of one', async () => {
  for (const dtype of ['float32', 'float64'] as const) {
    for (const batch of [1, 4, 5]) {
      const options = indexing(goldenGraph('split'), 'exact', { ...GOLDEN_OPTIONS, batch });
      await check({ kind: 'silu', dtype, options }, true);
    }
  }
});

test('a memory limit that takes several sweeps, or one neuron at a time, gives the same exact indices', async () => {
  for (const memoryLimit of [1, 100, 1000, 3000, 5000, 10000]) {
    for (const dtype of ['float32', 'float64'] as const) {
      const options = indexing(goldenGraph('split'), 'exact', { ...GOLDEN_OPTIONS, memoryLimit, batch: 4 });
      await check({ kind: 'gelu', dtype, options }, true);
    }
  }
});

test('chains without curvature have index 0 and unit directions, by every method', async () => {
  for (const method of ['exact', 'rayleigh', 'lobpcg'] as const) {
    for (const auxiliary of method === 'lobpcg' ? [false] : [false, true]) {
      const options = indexing(goldenGraph('split'), method, { epochs: 3, batch: 2, auxiliary });
      const { chains, directions } = await run({ kind: 'silu', dtype: 'float32', options });
      const proj = chains.find(({ id }) => id === 'proj');
      expect([...(proj?.indices ?? [])], `${method} proj`).toEqual([0, 0, 0]);
      expect([...(proj?.residuals ?? [])]).toEqual([0, 0, 0]);
      const v = numbersOf(new Map(core().readDirections(directions)), 'proj');
      for (let n = 0; n < 3; n += 1)
        assertClose([Math.hypot(...v.slice(3 * n, 3 * n + 3))], [1], {
          rtol: 0,
          atol: 1e-6,
          note: 'float32',
        });
    }
  }
});

test('reluBeta is the beta of relu chains', async () => {
  // Where |z| is large the surrogate is 0, where z is 0 it is beta / 4: S of one neuron at z = 0 scales with beta.
  const graph = graphOf(
    [1, 1, 1],
    [
      ['conv', 'conv2d', 'input', { out: 2, kernel: 1 }],
      ['act', 'activation', 'conv', { kind: 'relu' }],
      ['pool', 'global_avg_pool', 'act'],
      ['out', 'linear', 'pool', { out: 2 }],
    ],
  );
  const weights = networkOf(graph);
  const zero = new Map(
    core()
      .readNetwork(weights, 'weights')
      .map(([name, t]) => [name, { ...t, data: name === 'conv.weight' ? t.data.map(() => 0) : t.data }]),
  );
  const data = datasetOf(randomBatch([1, 1, 1], 2, 5, 1), 2);
  const at = async (reluBeta: number): Promise<Float64Array> => {
    const options = indexing(graph, 'exact', { reluBeta });
    const { chains } = await core().indices(networkOf(graph, zero), data, options, null, null);
    return chains[0]?.indices ?? new Float64Array();
  };
  const [three, six] = [await at(3), await at(6)];
  expect(largest(three)).toBeGreaterThan(0);
  assertClose(
    six,
    three.map((x) => 2 * x),
    { rtol: 1e-5, atol: 0, note: 'float32' },
  );
});

const tiny = (): Graph =>
  graphOf(
    [1, 4, 4],
    [
      ['conv', 'conv2d', 'input', { out: 3, kernel: 3 }],
      ['norm', 'batch_norm', 'conv'],
      ['act', 'activation', 'norm', { kind: 'silu' }],
      ['second', 'conv2d', 'act', { out: 4, kernel: 1 }],
      ['second_act', 'activation', 'second', { kind: 'tanh' }],
      ['pool', 'global_avg_pool', 'second_act'],
      ['out', 'linear', 'pool', { out: 3 }],
    ],
  );

test('Rayleigh descent converges to the exact index, from above', async () => {
  const graph = tiny();
  const data = datasetOf(randomBatch([1, 4, 4], 3, 64, 9), 3);
  const network = networkOf(graph, new Map(), { seed: 3 });
  const of = async (options: IndicesOptions) =>
    (await core().indices(network, data, options, null, null)).chains;
  const exact = await of(indexing(graph, 'exact'));
  const rayleigh = await of(indexing(graph, 'rayleigh', { epochs: 1600 }));
  for (const [i, { id, indices }] of exact.entries()) {
    // 1,600 steps of RMSprop at 0.001 reach 0.5% of the index of nets of 5 to 72 dimensions; the layer's largest is the unit.
    const atol = 5e-3 * largest(indices);
    const got = rayleigh[i]?.indices ?? [];
    assertClose(got, indices, { rtol: 0, atol, note: id });
    // No quotient is below the smallest eigenvalue; 1e-5 for float32.
    for (const [n, index] of indices.entries())
      expect(got[n]).toBeGreaterThan(index - 1e-5 * largest(indices));
  }
});

test('Rayleigh descent follows its seed, and each chain takes its own method', async () => {
  const graph = tiny();
  const data = datasetOf(randomBatch([1, 4, 4], 3, 10, 9), 3);
  const network = networkOf(graph);
  const of = async (more: Partial<IndicesOptions>) => {
    const options = indexing(graph, 'rayleigh', { batch: 4, epochs: 3, shuffle: true, ...more });
    const { chains, directions } = await core().indices(network, data, options, null, null);
    return { chains, directions: core().readDirections(directions) };
  };
  const one = await of({ seed: 1 });
  expect(await of({ seed: 1 })).toEqual(one);
  expect(await of({ seed: 2 })).not.toEqual(one);
  const exact = await of({ methods: ['exact', 'exact'] });
  const mixed = await of({ methods: ['exact', 'rayleigh'], seed: 1 });
  expect(mixed.chains.map(({ method }) => method)).toEqual(['exact', 'rayleigh']);
  assertClose(mixed.chains[0]?.indices ?? [], exact.chains[0]?.indices ?? [], {
    rtol: 1e-6,
    atol: 1e-9,
    note: 'float32',
  });
});

test('the number of methods must be the number of chains, and weights that overflow are E_NOT_FINITE', async () => {
  const graph = tiny();
  const data = datasetOf(randomBatch([1, 4, 4], 3, 10, 9), 3);
  const wrong = indexing(graph, 'exact', { methods: ['exact'] });
  expect(await failureOf(core().indices(networkOf(graph), data, wrong, null, null))).toMatch(
    /^E_ARGUMENT: .*2 methods, found 1/,
  );
  const huge = new Map(
    core()
      .readNetwork(networkOf(graph), 'weights')
      .map(([name, t]) => [
        name,
        { ...t, data: new Uint8Array(Float32Array.from(numbers(t), () => 1e38).buffer) },
      ]),
  );
  for (const method of ['exact', 'rayleigh', 'lobpcg'] as const) {
    const failure = await failureOf(
      core().indices(networkOf(graph, huge), data, indexing(graph, method), null, null),
    );
    expect(failure).toMatch(/^E_NOT_FINITE: |^E_NATIVE: /);
  }
  expect(lower(graph).chains).toHaveLength(2);
});
