// The default descent against eigenvalues of splitting matrices that this file sums and solves itself in double, and how it stops.
import { expect, test } from 'vitest';
import type { Graph } from '../../lib/graph/ir.js';
import { loadCore } from '../../lib/native/load.js';
import { computeIndices, enoughEpochs } from '../../lib/split/indices/indices.js';
import { INDEX_DEFAULTS, type IndexSettings } from '../../lib/split/indices/settings.js';
import type { Network } from '../../lib/train/network.js';
import { datasetOf, graphOf, networkOf, numbersOf, randomBatch } from '../native/golden.js';

const CLASSES = 3;
const NEURONS = 6;
const IMAGES = 48;

/** One hidden layer of silu over `d` inputs: S is a sum over images that a few lines can write down. */
const hidden = (d: number): Graph =>
  graphOf(
    [d, 1, 1],
    [
      ['flat', 'flatten', 'input'],
      ['layer', 'linear', 'flat', { out: NEURONS }],
      ['act', 'activation', 'layer', { kind: 'silu' }],
      ['out', 'linear', 'act', { out: CLASSES }],
    ],
  );

const rows = (values: Float64Array, d: number): Float64Array[] =>
  Array.from({ length: values.length / d }, (_, i) => values.slice(i * d, (i + 1) * d));
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);

/** Smallest eigenvalue of a symmetric matrix by cyclic Jacobi rotations. */
function smallestEigenvalue(matrix: readonly Float64Array[]): number {
  const a = matrix.map((row) => [...row]);
  const at = (i: number, j: number): number => a[i]?.[j] ?? 0;
  const d = a.length;
  for (let sweep = 0; sweep < 30; sweep += 1) {
    let off = 0;
    for (let p = 0; p < d; p += 1)
      for (let q = p + 1; q < d; q += 1) {
        off = Math.max(off, Math.abs(at(p, q)));
        if (at(p, q) === 0) continue;
        const theta = (at(q, q) - at(p, p)) / (2 * at(p, q));
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        for (let k = 0; k < d; k += 1) {
          const [x, y] = [at(k, p), at(k, q)];
          (a[k] as number[])[p] = c * x - t * c * y;
          (a[k] as number[])[q] = t * c * x + c * y;
        }
        for (let k = 0; k < d; k += 1) {
          const [x, y] = [at(p, k), at(q, k)];
          (a[p] as number[])[k] = c * x - t * c * y;
          (a[q] as number[])[k] = t * c * x + c * y;
        }
      }
    if (off < 1e-16) break;
  }
  return Math.min(...a.map((_, i) => at(i, i)));
}

/** Smallest eigenvalues of S = sum over images of g act''(z) x x', by the definition. */
function exactIndices(weights: ReadonlyMap<string, never>, batch: ReturnType<typeof randomBatch>, d: number) {
  const of = (name: string): Float64Array => numbersOf(weights, name);
  const images = rows(numbersOf(batch, 'images'), d);
  const labels = numbersOf(batch, 'labels');
  const [first, second] = [rows(of('layer.weight'), d), rows(of('out.weight'), NEURONS)];
  const matrices = first.map(() => Array.from({ length: d }, () => new Float64Array(d)));
  for (const [i, x] of images.entries()) {
    const z = first.map((w, n) => dot(w, x) + (of('layer.bias')[n] ?? 0));
    const s = z.map((value) => 1 / (1 + Math.exp(-value)));
    const act = Float64Array.from(z, (value, n) => value * (s[n] ?? 0));
    const logits = second.map((w, k) => dot(w, act) + (of('out.bias')[k] ?? 0));
    const total = logits.reduce((sum, value) => sum + Math.exp(value), 0);
    for (const [n, matrix] of matrices.entries()) {
      const g = second.reduce(
        (sum, w, k) => sum + (w[n] ?? 0) * (Math.exp(logits[k] ?? 0) / total - (labels[i] === k ? 1 : 0)),
        0,
      );
      const q = s[n] ?? 0;
      // silu'' = s' (2 + z (1 - 2 s)), s' = s (1 - s)
      const h = (g / images.length) * q * (1 - q) * (2 + (z[n] ?? 0) * (1 - 2 * q));
      for (let p = 0; p < d; p += 1)
        matrix[p] = Float64Array.from(matrix[p] ?? [], (sum, r) => sum + h * (x[p] ?? 0) * (x[r] ?? 0));
    }
  }
  return matrices.map(smallestEigenvalue);
}

async function run(d: number, seed: number, more: Partial<IndexSettings> = {}, images = IMAGES) {
  const graph = hidden(d);
  const batch = randomBatch([d, 1, 1], CLASSES, images, seed + 1);
  const handle = networkOf(graph, new Map(), { seed });
  const want = exactIndices(new Map(loadCore().readNetwork(handle, 'weights')) as never, batch, d);
  const request = { ...INDEX_DEFAULTS, batch: IMAGES, epochs: enoughEpochs(images, IMAGES), images, seed };
  const network = { graph, handle } as Network;
  using found = await computeIndices(network, datasetOf(batch, CLASSES), { ...request, ...more });
  const [chain] = found.chains;
  if (chain === undefined) throw new Error('no chain');
  const errors = want.map((index, n) => Math.abs((chain.indices[n] ?? Number.NaN) - index) / Math.abs(index));
  const largest = Math.max(...chain.indices.map(Math.abs));
  const shares = [...chain.residuals].map(
    (residual, n) => residual / Math.max(Math.abs(chain.indices[n] ?? 0), largest / 100),
  );
  return { chain, errors, shares };
}

test('at the default settings the descent comes within 1 % of eigenvalues in double', async () => {
  for (const d of [5, 9, 18, 36, 72])
    for (const seed of [1, 2, 3]) {
      const { chain, errors, shares } = await run(d, seed);
      expect(Math.max(...errors), `${d} dimensions, seed ${seed}`).toBeLessThan(0.01);
      expect(chain.above).toBe(shares.filter((share) => share > INDEX_DEFAULTS.tolerance).length);
      expect(chain.above, `${d} dimensions, seed ${seed}`).toBe(0);
    }
});

test('neurons above the tolerance go on, up to the most epochs, and both are told', async () => {
  const short = { epochs: 40 };
  const fixed = await run(36, 1, { ...short, mostEpochs: 40 });
  expect(fixed.chain.epochs).toBe(40);
  expect(fixed.chain.above).toBe(fixed.shares.filter((share) => share > 0.01).length);
  expect(fixed.chain.above).toBeGreaterThan(0);
  const some = await run(36, 1, { ...short, mostEpochs: 47 });
  // The only further round, 64 minibatches, is cut.
  expect(some.chain.epochs).toBe(47);
  const enough = await run(36, 1, { ...short, mostEpochs: 4000 });
  expect(enough.chain.above).toBe(0);
  expect(enough.chain.epochs).toBeGreaterThan(47);
  expect(enough.chain.epochs).toBeLessThan(4000);
  expect(Math.max(...enough.errors)).toBeLessThan(0.01);
  // The default: three times the epochs.
  expect((await run(36, 1, { ...short, tolerance: 0 })).chain.epochs).toBe(120);
});

test('what the first epochs brought within the tolerance is what a fixed count gives, or better', async () => {
  const fixed = await run(18, 2, { epochs: 300, mostEpochs: 300 });
  const more = await run(18, 2, { epochs: 300 });
  for (const [n, share] of fixed.shares.entries()) {
    if (share <= INDEX_DEFAULTS.tolerance)
      expect(more.chain.residuals[n]).toBeLessThanOrEqual(fixed.chain.residuals[n] ?? 0);
  }
  expect(more.chain.above).toBeLessThanOrEqual(fixed.chain.above);
});

test("the paper's plain descent is there by its fields, and is worse", async () => {
  const plain = { ...INDEX_DEFAULTS.rmsprop, alpha: 0.99, momentum: 0 };
  const [old, now] = [
    await run(72, 1, { rmsprop: plain, epochs: 400, mostEpochs: 400 }),
    await run(72, 1, { epochs: 400, mostEpochs: 400 }),
  ];
  expect(Math.max(...old.errors)).toBeGreaterThan(10 * Math.max(...now.errors));
});

test('fewer most epochs than epochs are refused', async () => {
  await expect(run(5, 1, { epochs: 10, mostEpochs: 9 })).rejects.toMatchObject({ code: 'E_ARGUMENT' });
});
