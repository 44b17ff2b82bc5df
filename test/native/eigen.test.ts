// Smallest eigenpairs of splitting matrices whose spectra are known beforehand.
import { expect, test } from 'vitest';
import type { IndicesResult } from '../../lib/native/face.js';
import { loadCore } from '../../lib/native/load.js';
import { assertClose, randomOf } from '../reference.js';
import {
  core,
  datasetOf,
  doubles,
  floats,
  graphOf,
  indexing,
  longs,
  networkOf,
  numbersOf,
  type Precision,
} from './golden.js';

type Rows = readonly Float64Array[];

/** Share of the largest |eigenvalue|: images are float32 and so orthogonal to 6e-8 alone; float32 sums have hundreds of terms. */
const CLOSE = 1e-6;
/** The residual is that of S as it was summed. */
const RESIDUAL: Readonly<Record<Precision, number>> = { float32: 1e-6, float64: 1e-13 };
/** Of large matrices: the iteration ends at a residual of 1e-9 of a bound that may be three times too large. */
const ITERATED: Readonly<Record<Precision, number>> = { float32: 1e-6, float64: 3e-9 };

/** Orthogonal unit rows: Gauss's numbers, each row freed of those before it, twice. */
function gaussian(d: number): Rows {
  const random = randomOf(d);
  const rows: Float64Array[] = [];
  for (let i = 0; i < d; i += 1) {
    const row = Float64Array.from(
      { length: d },
      () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
    );
    for (let pass = 0; pass < 2; pass += 1)
      for (const other of rows) {
        const dot = row.reduce((sum, x, k) => sum + x * (other[k] ?? 0), 0);
        for (let k = 0; k < d; k += 1) row[k] = (row[k] ?? 0) - dot * (other[k] ?? 0);
      }
    const norm = Math.hypot(...row);
    rows.push(row.map((x) => x / norm));
  }
  return rows;
}

/** The same for many dimensions: the rows of the discrete cosine transform, columns of random signs. */
function cosines(d: number): Rows {
  const random = randomOf(d);
  const signs = Array.from({ length: d }, () => (random() < 0.5 ? -1 : 1));
  return Array.from({ length: d }, (_, i) =>
    Float64Array.from(
      signs,
      (sign, k) => sign * Math.sqrt((i === 0 ? 1 : 2) / d) * Math.cos((Math.PI * i * (k + 0.5)) / d),
    ),
  );
}

/** Rows of which the first half has numbers at even places alone, and the others a 1 at an odd place each. */
function spread(d: number): Rows {
  const half = gaussian(d / 2).map((row) =>
    Float64Array.from({ length: d }, (_, k) => (k % 2 === 0 ? (row[k / 2] ?? 0) : 0)),
  );
  return [...half, ...identity(d).filter((_, k) => k % 2 === 1)];
}

const identity = (d: number): Rows =>
  Array.from({ length: d }, (_, i) => Float64Array.from({ length: d }, (_, j) => (i === j ? 1 : 0)));

/**
 * Indices of `scales.length` neurons, S of neuron n being scales[n] Q' diag(spectrum) Q. All weights of the layer are
 * 0, so silu'' is 1/2 everywhere, both classes are equally likely, and the gradient follows from the class alone: image p
 * is row p of Q times sqrt(|spectrum[p]|), and its class is the sign of spectrum[p].
 */
async function solve(
  rows: Rows,
  spectrum: readonly number[],
  scales: readonly number[],
  dtype: Precision,
): Promise<{ readonly chain: IndicesResult['chains'][number]; readonly directions: Float64Array }> {
  const [d, n] = [rows.length, scales.length];
  const graph = graphOf(
    [d, 1, 1],
    [
      ['conv', 'conv2d', 'input', { out: n, kernel: 1 }],
      ['act', 'activation', 'conv', { kind: 'silu' }],
      ['pool', 'global_avg_pool', 'act'],
      ['out', 'linear', 'pool', { out: 2 }],
    ],
  );
  const pixels = (i: number): number =>
    (rows[Math.floor(i / d)]?.[i % d] ?? 0) * Math.sqrt(Math.abs(spectrum[Math.floor(i / d)] ?? 0));
  const data = datasetOf(
    new Map([
      ['images', floats([d, d, 1, 1], pixels)],
      ['labels', longs(spectrum.map((x) => (x < 0 ? 0 : 1)))],
    ]),
    2,
  );
  // dL/da = (p - y) U / images, with p = 1/2: 2 u / images for class 1 where U is (2 u, -2 u).
  const u = (i: number): number => (i < n ? 2 : -2) * d * (scales[i % n] ?? 0);
  const weights = new Map([
    ['conv.weight', doubles([n, d, 1, 1], () => 0)],
    ['out.weight', doubles([2, n], u)],
    ['out.bias', doubles([2], () => 0)],
  ]);
  const network = networkOf(graph, weights, { dtype });
  const options = indexing(graph, 'exact', { batch: d });
  const { chains, directions } = await loadCore().indices(network, data, options, null, null);
  const [chain] = chains;
  if (chain === undefined) throw new Error('no chain');
  return { chain, directions: numbersOf(new Map(core().readDirections(directions)), 'conv') };
}

/** Squared length of what v has along rows whose eigenvalue is above the smallest by more than `share` of the largest. */
function outside(rows: Rows, values: readonly number[], v: Float64Array, share: number): number {
  const least = Math.min(...values);
  const far = share * Math.max(...values.map(Math.abs));
  return rows.reduce((sum, row, p) => {
    if ((values[p] ?? 0) <= least + far) return sum;
    return sum + row.reduce((dot, x, k) => dot + x * (v[k] ?? 0), 0) ** 2;
  }, 0);
}

const SPECTRA: Readonly<Record<string, (i: number, d: number) => number>> = {
  'one value': () => 1,
  'nothing but zeros': () => 0,
  'rank 1': (i) => (i === 0 ? -1 : 0),
  'rank 2 of both signs': (i) => (i === 0 ? -1 : i === 1 ? 1 : 0),
  'half of full rank': (i, d) => (i < d / 2 ? 1 + i / d : 0),
  'even steps': (i, d) => (i + 1) / d,
  'both signs': (i, d) => (i - d / 3) / d,
  'a double smallest': (i) => (i < 2 ? -1 : 1 / i),
  'a cluster at the bottom': (i, d) => (i < d / 2 ? -1 + 1e-9 * i : i / d),
  'clusters at both ends': (i, d) => (i < d / 2 ? -1 : 1) * (1 - 1e-7 * i),
  graded: (i, d) => 10 ** ((-12 * i) / d),
  'graded, of both signs': (i, d) => (i % 2 === 0 ? -1 : 1) * 10 ** ((-12 * i) / d),
  'one far above the rest': (i) => (i === 0 ? 1e6 : 1 / (i + 1)),
  'a smallest close to its neighbours': (i, d) => (i === 0 ? -1.01 : -1 + (2 * i) / d),
};
const DIMENSIONS = [1, 2, 3, 5, 8, 17, 33, 64, 100];
/** A neuron each: of both signs, tiny and huge, more than one group of them. */
const SCALES = [1, -1, 3, -3, 1e-20, -1e-20, 1e20, -1e20, 0.1, -0.1, 7];
/** Matrices of so many rows are solved by iteration. */
const LARGE = 530;
const CASES = [
  ...DIMENSIONS.flatMap((d) => [gaussian(d), identity(d)].map((rows) => ({ rows, scales: SCALES }))),
  { rows: cosines(LARGE), scales: [1, -1e20] },
];

for (const [name, at] of Object.entries(SPECTRA))
  for (const dtype of ['float32', 'float64'] as const)
    test(`the smallest eigenpair is found: ${name}, ${dtype}`, async () => {
      core();
      for (const { rows, scales } of CASES) {
        const d = rows.length;
        const spectrum = Array.from({ length: d }, (_, i) => at(i, d));
        const { chain, directions } = await solve(rows, spectrum, scales, dtype);
        for (const [n, scale] of scales.entries()) {
          const note = `${d} dimensions, times ${scale}`;
          const values = spectrum.map((x) => scale * x);
          const most = Math.max(...values.map(Math.abs));
          const tolerance = { rtol: 0, atol: CLOSE * most, note };
          assertClose([chain.indices[n] ?? 0], [Math.min(...values)], tolerance);
          assertClose([chain.residuals[n] ?? 1], [0], {
            rtol: 0,
            atol: (d === LARGE ? ITERATED : RESIDUAL)[dtype] * most,
            note,
          });
          const v = directions.slice(n * d, n * d + d);
          assertClose([Math.hypot(...v)], [1], { rtol: 0, atol: 1e-6, note });
          // The angle is at most the residual over the gap: 1e-3 of the largest.
          expect(outside(rows, values, v, 1e-3), note).toBeLessThan((CLOSE / 1e-3) ** 2);
          const largest = v.reduce((best, x) => (Math.abs(x) > Math.abs(best) ? x : best), 0);
          expect(largest, `${note}: sign`).toBeGreaterThan(0);
        }
      }
    });

// With zero rows and columns the reduction comes to numbers that are too small to divide by.
test('matrices of inputs that are always 0 have their smallest eigenpair', async () => {
  core();
  for (const d of [2, 10, 40, 100])
    for (const at of Object.values(SPECTRA)) {
      const rows = spread(d);
      const spectrum = rows.map((_, i) => (i < d / 2 ? at(i, d / 2) : 0));
      const { chain, directions } = await solve(rows, spectrum, [1, -1, 2], 'float32');
      for (const [n, scale] of [1, -1, 2].entries()) {
        const values = spectrum.map((x) => scale * x);
        const note = `${d} dimensions, times ${scale}: ${at}`;
        const tolerance = { rtol: 0, atol: CLOSE * Math.max(...values.map(Math.abs)), note };
        assertClose([chain.indices[n] ?? 0, chain.residuals[n] ?? 1], [Math.min(...values), 0], tolerance);
        expect(outside(rows, values, directions.slice(n * d, n * d + d), 1e-3), note).toBeLessThan(1e-6);
      }
    }
});

for (const [d, n] of [
  [40, 53],
  [LARGE, 40],
] as const)
  test(`eigenpairs of ${d} dimensions have the same bits for any number of threads and any neighbours`, async () => {
    const spectrum = Array.from({ length: d }, (_, i) => (i - d / 3) / d);
    const scales = Array.from({ length: n }, (_, k) => (k % 2 === 0 ? 1 : -1) * (1 + k));
    const rows = cosines(d);
    const of = async (threads: number, some = scales) => {
      loadCore().setThreads(threads);
      const { chain, directions } = await solve(rows, spectrum, some, 'float32');
      return [chain.indices, chain.residuals, directions];
    };
    const one = await of(1);
    for (const threads of [2, 3]) expect(await of(threads)).toEqual(one);
    const few = await of(1, scales.slice(0, 3));
    loadCore().setThreads(1);
    expect(few).toEqual([one[0]?.slice(0, 3), one[1]?.slice(0, 3), one[2]?.slice(0, 3 * d)]);
  });
