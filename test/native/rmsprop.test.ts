// The Rayleigh descent's constants, the paper's and its authors': against the same descent by hand, in double, on the golden S.
import { expect, test } from 'vitest';
import type { IndicesOptions } from '../../lib/native/face.js';
import { assertClose } from '../reference.js';
import {
  core,
  datasetOf,
  golden,
  goldenGraph,
  indexing,
  largest,
  networkOf,
  numbersOf,
  withKind,
} from './golden.js';

const GRAPH = withKind(goldenGraph('split'), 'silu');
const BATCH = 6;
const AUTHORS = { momentum: 0.9, alpha: 0.9, decayFactor: 0.2, decayEvery: 2, decayFirst: 1 };
const PLAIN = { momentum: 0, alpha: 0.99, decayFactor: 1, decayEvery: 2, decayFirst: 2 };

async function run(more: Partial<IndicesOptions>) {
  const network = networkOf(GRAPH, await golden('split', 'weights'), { dtype: 'float64' });
  const options = indexing(GRAPH, 'rayleigh', { identityCurvature: 1, learningRate: 0.02, seed: 3, ...more });
  const data = datasetOf(await golden('split', 'batch'), 4);
  const result = await core().indices(network, data, options, null, null);
  return { chains: result.chains, directions: new Map(core().readDirections(result.directions)) };
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
const times = (s: Float64Array, v: Float64Array): Float64Array =>
  v.map((_, i) => dot(s.slice(i * v.length, (i + 1) * v.length), v));

/** PyTorch's RMSprop on R(v) = v'Sv / v'v of one neuron, v unit after each step; one step an epoch. */
function descend(
  s: Float64Array,
  start: Float64Array,
  epochs: number,
  o: Pick<IndicesOptions, 'momentum' | 'alpha' | 'decayFactor' | 'decayEvery' | 'decayFirst'>,
): { readonly index: number; readonly v: Float64Array } {
  let v = start;
  const [square, velocity] = [new Float64Array(v.length), new Float64Array(v.length)];
  let rate = 0.02;
  const first = o.decayFirst;
  for (let epoch = 0; ; epoch += 1) {
    if (epoch >= first && (epoch - first) % o.decayEvery === 0) rate *= o.decayFactor;
    const product = times(s, v);
    const index = dot(v, product);
    if (epoch + 1 === epochs) return { index, v };
    const moved = v.map((x, i) => {
      const g = 2 * ((product[i] ?? 0) - index * x);
      square[i] = o.alpha * (square[i] ?? 0) + (1 - o.alpha) * g * g;
      velocity[i] = o.momentum * (velocity[i] ?? 0) + g / (Math.sqrt(square[i] ?? 0) + 1e-8);
      return x - rate * (velocity[i] ?? 0);
    });
    v = moved.map((x) => x / Math.hypot(...moved));
  }
}

for (const [name, constants] of [
  ["the authors'", AUTHORS],
  ["the paper's", PLAIN],
  ['decay from the third epoch on', { ...AUTHORS, decayFirst: 2 }],
] as const) {
  test(`the descent with constants "${name}" is RMSprop with unit directions after every step`, async () => {
    const options = { ...constants, batch: BATCH };
    const want = await golden('split', 'silu');
    // After one epoch the average is over the start alone.
    const start = await run({ ...options, epochs: 1 });
    const epochs = 8;
    const end = await run({ ...options, epochs });
    for (const { id, neurons, dimension: d, indices } of end.chains) {
      const [s, from, to] = [
        numbersOf(want, `${id}.S`),
        numbersOf(start.directions, id),
        numbersOf(end.directions, id),
      ];
      for (let n = 0; n < neurons; n += 1) {
        const matrix = s.slice(n * d * d, (n + 1) * d * d);
        const { index, v } = descend(matrix, from.slice(n * d, n * d + d), epochs, options);
        // float64; RMSprop divides by a square root, which magnifies rounding where a gradient is near 0.
        const tolerance = { rtol: 0, atol: 1e-7 * largest(s), note: `${id} ${n}` };
        assertClose([indices[n] ?? 0], [index], tolerance);
        const sign = Math.sign(dot(v, to.slice(n * d, n * d + d)));
        assertClose(
          to.slice(n * d, n * d + d),
          v.map((x) => sign * x),
          { rtol: 0, atol: 1e-6, note: id },
        );
      }
    }
  });
}

test('every constant of the descent moves the indices', async () => {
  const plain = await run({ ...PLAIN, epochs: 8 });
  const changes: readonly Partial<IndicesOptions>[] = [
    { momentum: 0.9 },
    { alpha: 0.9 },
    { decayFactor: 0.2 },
    { decayFactor: 0.2, decayFirst: 1 },
  ];
  const found = await Promise.all(changes.map((change) => run({ ...PLAIN, ...change, epochs: 8 })));
  const lists = [plain, ...found].map(({ chains }) => chains.flatMap(({ indices }) => [...indices]).join());
  expect(new Set(lists).size).toBe(lists.length);
});

test("lambda and v are means over the last epoch's minibatches", async () => {
  // The same images twice: every minibatch has the same S, and an epoch is two steps of the descent above.
  const batch = await golden('split', 'batch');
  const twice = new Map(
    [...batch].map(([name, { dtype, shape, data }]) => [
      name,
      { dtype, shape: [2 * (shape[0] ?? 0), ...shape.slice(1)], data: new Uint8Array([...data, ...data]) },
    ]),
  );
  const options = { ...PLAIN, batch: BATCH };
  const network = networkOf(GRAPH, await golden('split', 'weights'), { dtype: 'float64' });
  const result = await core().indices(
    network,
    datasetOf(twice, 4),
    indexing(GRAPH, 'rayleigh', { identityCurvature: 1, learningRate: 0.02, seed: 3, ...options, epochs: 3 }),
    null,
    null,
  );
  const directions = new Map(core().readDirections(result.directions));
  const [want, start] = [await golden('split', 'silu'), await run({ ...options, epochs: 1 })];
  for (const { id, neurons, dimension: d, indices } of result.chains) {
    const [s, from, to] = [
      numbersOf(want, `${id}.S`),
      numbersOf(start.directions, id),
      numbersOf(directions, id),
    ];
    for (let n = 0; n < neurons; n += 1) {
      const own = s.slice(n * d * d, (n + 1) * d * d);
      const [fifth, sixth] = [5, 6].map((steps) =>
        descend(own, from.slice(n * d, n * d + d), steps, options),
      );
      const mean = ((fifth?.index ?? 0) + (sixth?.index ?? 0)) / 2;
      assertClose([indices[n] ?? 0], [mean], { rtol: 0, atol: 1e-7 * largest(s), note: `${id} ${n}` });
      const sum = (fifth?.v ?? new Float64Array()).map((x, i) => x + (sixth?.v[i] ?? 0));
      const got = to.slice(n * d, n * d + d);
      const scale = Math.sign(dot(sum, got)) / Math.hypot(...sum);
      assertClose(
        got,
        sum.map((x) => scale * x),
        { rtol: 0, atol: 1e-6, note: id },
      );
    }
  }
});
