// Calls of every kind on one network, one after the other: nothing that an earlier call left behind shows in a later one.
import { expect, test } from 'vitest';
import type { Graph } from '../../../lib/graph/ir.js';
import type { DatasetHandle, NetworkHandle, TensorData } from '../../../lib/native/face.js';
import { drawOf } from '../../random-graphs.js';
import {
  core,
  datasetOf,
  doubles,
  floats,
  indexing,
  networkOf,
  numbers,
  type Precision,
  rates,
  training,
  weightsOf,
} from '../golden.js';
import { assertAgree, type Results, type Start } from './agreement.js';
import { cycled, startOf } from './nets.js';
import { everyOp, invertedNet, mobileNet, residualNet } from './whole-nets.js';

/** A network with images of several counts, by which one is cut into other minibatches than the other. */
interface Subject {
  readonly network: NetworkHandle;
  readonly data: readonly DatasetHandle[];
  readonly graph: Graph;
}

/** A call: what it gives, beside what it does to the network. `n`: a number to choose by. */
type Call = (subject: Subject, n: number) => Promise<Float64Array>;

const trained =
  (more: object): Call =>
  async ({ network, data }, n) => {
    const batch = cycled([33, 16, 5, 64], n);
    const images = cycled(COUNTS, n);
    const options = training(batch, rates(Math.ceil(images / batch), 0.01), {
      shuffle: true,
      seed: n,
      ...more,
    });
    return Float64Array.of((await core().train(network, cycled(data, n), options, null, null)).loss);
  };

const CALLS: Readonly<Record<string, Call>> = {
  train: trained({}),
  'train with momentum': trained({ momentum: 0.9, nesterov: true, weightDecay: 1e-3 }),
  'train in parts': trained({ microBatch: 9, gradientClip: 0.5, leastImages: 2 }),
  'train with an average': trained({ average: { decay: 0.9, every: 1, copies: 0 } }),
  evaluate: async ({ network, data }, n) => {
    const { loss } = await core().evaluate(
      network,
      cycled(data, n),
      { batch: cycled([1, 7, 64], n) },
      null,
      null,
    );
    return Float64Array.of(loss);
  },
  "evaluate by minibatches' statistics": async ({ network, data }, n) => {
    const options = { batch: 16, statistics: 'batch' } as const;
    return Float64Array.of((await core().evaluate(network, cycled(data, n), options, null, null)).loss);
  },
  forward: async ({ network, data }, n) =>
    numbers(await core().forward(network, cycled(data, n), { mode: 'eval', batch: cycled([3, 32], n) })),
  'forward in training mode': async ({ network, data }, n) =>
    numbers(await core().forward(network, cycled(data, n), { mode: 'train', batch: 64 })),
  recalibrate: async ({ network, data }, n) => {
    const sweep = {
      batch: 16,
      remainder: 'join',
      syncBatchNorm: false,
      shuffle: false,
      flip: false,
      crop: 0,
    } as const;
    await core().recalibrate(network, cycled(data, n), { ...sweep, seed: n }, null, null);
    return new Float64Array();
  },
  indices: async ({ network, data, graph }, n) => {
    const options = indexing(graph, 'exact', { batch: 16, identityCurvature: 1 });
    const { chains } = await core().indices(network, cycled(data, n), options, null, null);
    return Float64Array.from(chains.flatMap(({ indices }) => [...indices]));
  },
  'write weights': async ({ network }, n) => {
    const smaller = [...weightsOf(network)].map(([name, tensor]): [string, TensorData] => {
      const factor = name.endsWith('weight') && name.length % 2 === n % 2 ? 0.75 : 1;
      const values = numbers(tensor).map((x) => factor * x);
      const make = tensor.dtype === 'float32' ? floats : doubles;
      return [name, make(tensor.shape, (i) => values[i] ?? 0)];
    });
    core().writeNetwork(network, 'weights', smaller);
    return new Float64Array();
  },
};

const COUNTS = [68, 40, 18] as const;
const LENGTH = 12;

/** What each call of the sequence gave, and the weights behind it. */
async function run(starts: readonly Start[], names: readonly string[], dtype: Precision): Promise<Results> {
  const [first] = starts;
  if (first === undefined) throw new Error('no start');
  const network = networkOf(first.graph, first.weights, { dtype });
  const data = starts.map(({ batch, classes }) => datasetOf(batch, classes));
  const results = new Map<string, Float64Array>();
  for (const [n, name] of names.entries()) {
    const given = await CALLS[name]?.({ network, data, graph: first.graph }, n);
    results.set(`${n} (${name})`, given ?? new Float64Array());
    for (const [id, tensor] of weightsOf(network)) results.set(`${n} (${name}): ${id}`, numbers(tensor));
  }
  for (const handle of [network, ...data]) handle.dispose();
  return results;
}

/** A dozen steps on each other, as in recipe.test.ts. */
const AFTER_CALLS = 1e-4;

for (const [i, [name, graph]] of Object.entries({
  mobileNet: mobileNet('silu'),
  residualNet: residualNet('tanh'),
  invertedNet: invertedNet('silu'),
  everyOp: everyOp('silu', 'avg_pool'),
}).entries()) {
  test(`${LENGTH} calls in a row on ${name} give in float32 what they give in float64`, async () => {
    for (let seed = 10 * i; seed < 10 * i + 3; seed += 1) {
      const { one } = drawOf(seed);
      const names = Array.from({ length: LENGTH }, () => one(Object.keys(CALLS)));
      const starts = COUNTS.map((images) => startOf(graph, images, seed));
      const note = `seed ${seed}: ${names.join(', ')}`;
      assertAgree(
        await run(starts, names, 'float32'),
        await run(starts, names, 'float64'),
        note,
        () => AFTER_CALLS,
      );
    }
  });
}

test('a network that became infinite computes as a new one once its weights are written anew', async () => {
  for (const graph of [mobileNet('silu'), residualNet('relu'), everyOp('gelu')]) {
    const { weights, batch, classes } = startOf(graph, 64, 1);
    const few = startOf(graph, 17, 2).batch;
    const used = networkOf(graph, weights);
    const ruin = training(16, rates(4, 1e30));
    await expect(core().train(used, datasetOf(batch, classes), ruin, null, null)).rejects.toMatchObject({
      code: 'E_NOT_FINITE',
    });
    const fresh = networkOf(graph, weights);
    core().writeNetwork(used, 'weights', [...weightsOf(fresh)]);
    for (const network of [used, fresh])
      await core().train(network, datasetOf(few, classes), training(5, rates(4, 0.01)), null, null);
    expect(weightsOf(used)).toEqual(weightsOf(fresh));
  }
});
