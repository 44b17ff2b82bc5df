// Depthwise batch norms in training mode while indices are computed: a departure of the paper's authors (test/golden/generate.py, "drift").
import { expect, test } from 'vitest';
import { depthwiseNorms } from '../../lib/graph/readers.js';
import type { IndicesOptions } from '../../lib/native/face.js';
import { failureOf } from '../data/places.js';
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
  type Precision,
  quotientOf,
  weightsOf,
  withKind,
} from './golden.js';

const GRAPH = withKind(goldenGraph('split'), 'silu');
const TRAINED = { identityCurvature: 1, trainedNorms: depthwiseNorms(GRAPH) };

async function run(dtype: Precision, options: IndicesOptions) {
  const network = networkOf(GRAPH, await golden('split', 'weights'), { dtype });
  const result = await core().indices(
    network,
    datasetOf(await golden('split', 'batch'), 4),
    options,
    null,
    null,
  );
  return {
    result,
    weights: weightsOf(network),
    directions: new Map(core().readDirections(result.directions)),
  };
}

test('the batch norms behind depthwise convolutions are found by their place', () => {
  expect(depthwiseNorms(GRAPH)).toEqual(['dw_bn']);
});

for (const [dtype, close] of [
  ['float32', 3e-5],
  ['float64', 1e-11],
] as const) {
  test(`exact indices with the depthwise batch norm in training mode equal autograd's in ${dtype}, and its statistics drift`, async () => {
    const want = await golden('split', 'drift');
    const { result, weights } = await run(dtype, indexing(GRAPH, 'exact', TRAINED));
    for (const { id, indices } of result.chains) {
      // A share of the largest entry of S: roundings of a forward and a backward pass.
      const atol = close * largest(numbersOf(want, `${id}.S`));
      assertClose(indices, numbersOf(want, `${id}.indices`), { rtol: 0, atol, note: `${dtype} ${id}` });
    }
    const before = await golden('split', 'weights');
    for (const [name, tensor] of weights) {
      const drifts = name.startsWith('dw_bn.running');
      const [now, then] = [
        numbersOf(new Map([[name, tensor]]), name),
        numbersOf(drifts ? want : before, name),
      ];
      // Means and variances of 216 values a channel.
      assertClose(now, then, { rtol: drifts ? close : 0, atol: drifts ? close : 0, note: name });
      if (drifts) expect(now, name).not.toEqual(numbersOf(before, name));
    }
  });

  test(`S v with the depthwise batch norm in training mode is autograd's in ${dtype}`, async () => {
    const want = await golden('split', 'drift');
    const { result, directions } = await run(dtype, indexing(GRAPH, 'rayleigh', TRAINED));
    for (const { id, neurons, dimension: d, indices, residuals } of result.chains) {
      const [s, v] = [numbersOf(want, `${id}.S`), numbersOf(directions, id)];
      for (let n = 0; n < neurons; n += 1) {
        const { quotient, residual } = quotientOf(
          s.slice(n * d * d, (n + 1) * d * d),
          v.slice(n * d, n * d + d),
        );
        const tolerance = { rtol: 0, atol: close * largest(s), note: `${id} ${n}` };
        assertClose([indices[n] ?? 0, residuals[n] ?? 0], [quotient, residual], tolerance);
      }
    }
  });
}

test('indices differ between the two modes in layers before a depthwise convolution and behind it', async () => {
  const [trained, plain] = [
    await run('float64', indexing(GRAPH, 'exact', TRAINED)),
    await run('float64', indexing(GRAPH, 'exact', { identityCurvature: 1 })),
  ];
  for (const [i, { id, indices }] of plain.result.chains.entries()) {
    const other = trained.result.chains[i]?.indices ?? [];
    const change = largest(indices.map((index, n) => index - (other[n] ?? 0)));
    expect(change, id).toBeGreaterThan(1e-3 * largest(indices));
  }
});

test('names that are no batch norm, norms of chains, and the auxiliary activation are refused', async () => {
  const refusal = (more: Partial<IndicesOptions>): Promise<string> =>
    failureOf(run('float32', indexing(GRAPH, 'rayleigh', { ...TRAINED, ...more })));
  expect(await refusal({ trainedNorms: ['dw'] })).toMatch(/^E_ARGUMENT: .*"dw" is no batch norm/);
  expect(await refusal({ trainedNorms: ['stem_bn'] })).toMatch(/^E_ARGUMENT: .*"stem"/);
  expect(await refusal({ auxiliary: true })).toMatch(/^E_ARGUMENT: .*auxiliary/);
});
