// float32 on the CPU runs through vectorised loops, float64 through LibTorch's operators: both must be one program.
import { test } from 'vitest';
import type { Graph } from '../../lib/graph/ir.js';
import { randomGraph, randomWeights } from '../random-graphs.js';
import { assertClose } from '../reference.js';
import {
  core,
  datasetOf,
  golden,
  goldenGraph,
  indexing,
  KINDS,
  largest,
  networkOf,
  numbers,
  numbersOf,
  type Precision,
  randomBatch,
  rates,
  training,
  weightsOf,
  withKind,
} from './golden.js';

/** |got - want| against the largest of `want`. */
function assertNear(got: ArrayLike<number>, want: ArrayLike<number>, share: number, note: string): void {
  assertClose(got, want, { rtol: 0, atol: share * largest(want), note });
}

for (const kind of [...KINDS, 'swish']) {
  test(`${kind}: loops and operators agree in forward passes, training and indices`, async () => {
    const graph = withKind(goldenGraph('maps'), kind);
    const [weights, batch] = [await golden('maps', 'weights'), await golden('maps', 'batch')];
    const of = async (dtype: Precision) => {
      const network = networkOf(graph, weights, { dtype });
      const data = datasetOf(batch, 6);
      const logits = [];
      for (const mode of ['eval', 'train'] as const)
        logits.push(numbers(await core().forward(network, data, { mode, batch: 10 })));
      const exact = await core().indices(
        network,
        data,
        indexing(graph, 'exact', { identityCurvature: 1 }),
        null,
        null,
      );
      const steps = indexing(graph, 'rayleigh', { epochs: 5, batch: 4, shuffle: true, seed: 4 });
      const rayleigh = await core().indices(network, data, steps, null, null);
      const options = training(4, rates(3, 0.02), {
        momentum: 0.9,
        weightDecay: 1e-2,
        labelSmoothing: 0.1,
        shuffle: true,
      });
      const { loss } = await core().train(network, data, options, null, null);
      return { logits, exact: exact.chains, rayleigh: rayleigh.chains, loss, trained: weightsOf(network) };
    };
    const [narrow, wide] = [await of('float32'), await of('float64')];
    // A dozen layers that round by 6e-8 each; batch norm over ten values divides by small deviations.
    for (const i of [0, 1]) assertNear(narrow.logits[i] ?? [], wide.logits[i] ?? [], 2e-5, `logits ${i}`);
    assertNear([narrow.loss], [wide.loss], 2e-5, 'loss');
    // As in train.test.ts.
    for (const [name, tensor] of wide.trained)
      assertNear(numbersOf(narrow.trained, name), numbers(tensor), 1e-4, name);
    // Second derivatives cancel near their zeros, and g comes through the whole backward pass.
    for (const [i, { id, indices }] of wide.exact.entries())
      assertNear(narrow.exact[i]?.indices ?? [], indices, 1e-4, `exact ${id}`);
    // RMSprop divides by the gradient's size: a step has a rounding's sign where a gradient is 0.
    for (const [i, { id, indices }] of wide.rayleigh.entries())
      assertNear(narrow.rayleigh[i]?.indices ?? [], indices, 1e-3, `rayleigh ${id}`);
  });
}

test('loops and operators agree on random graphs', async () => {
  for (let seed = 100; seed < 115; seed += 1) {
    const graph: Graph = randomGraph(seed);
    const weights = randomWeights(graph, seed);
    const data = datasetOf(randomBatch(graph.input.shape, 2, 6, seed), 2);
    const of = async (dtype: Precision) => {
      const network = networkOf(graph, weights, { dtype });
      const options = indexing(graph, 'exact', { batch: 4 });
      const { chains } = await core().indices(network, data, options, null, null);
      return { chains, logits: numbers(await core().forward(network, data, { mode: 'eval', batch: 4 })) };
    };
    const [narrow, wide] = [await of('float32'), await of('float64')];
    // As above.
    assertNear(narrow.logits, wide.logits, 2e-5, `seed ${seed}`);
    for (const [i, { id, indices }] of wide.chains.entries())
      assertNear(narrow.chains[i]?.indices ?? [], indices, 1e-3, `seed ${seed} ${id}`);
  }
});
