// Rewriting: surgery by the letter of lib/graph/program.ts, and what becomes of momentum.
import { expect, test } from 'vitest';
import { grow } from '../../lib/graph/grow.js';
import { lower } from '../../lib/graph/lower.js';
import type { Surgery, TensorSurgery } from '../../lib/graph/program.js';
import type { NetworkHandle } from '../../lib/native/face.js';
import { failureOf } from '../data/places.js';
import { randomDirections, randomGraph, randomPlan, randomWeights } from '../random-graphs.js';
import { assertClose, operate, size, type Tensor, type Weights } from '../reference.js';
import {
  core,
  datasetOf,
  doubles,
  floats,
  graphOf,
  networkOf,
  numbers,
  randomBatch,
  rates,
  training,
  weightsOf,
} from './golden.js';

const GRAPH = graphOf(
  [1, 4, 4],
  [
    ['first', 'conv2d', 'input', { out: 3, kernel: 3, bias: true }],
    ['norm', 'batch_norm', 'first'],
    ['act', 'activation', 'norm', { kind: 'silu' }],
    ['dw', 'depthwise_conv2d', 'act', { kernel: 3 }],
    ['second', 'conv2d', 'dw', { out: 2, kernel: 1 }],
    ['pool', 'global_avg_pool', 'second'],
    ['out', 'linear', 'pool', { out: 2 }],
  ],
);
const PLAN = { splits: { first: [1, 1], second: [0] } };

function directionsOf(weights: Weights): ReturnType<ReturnType<typeof core>['createDirections']> {
  const flat = [...weights].map(([id, { shape, data }]) => {
    const rows = shape[0] ?? 1;
    return [id, doubles([rows, size(shape) / rows], (i) => data[i] ?? 0)] as const;
  });
  return core().createDirections(flat, 'cpu');
}

test('random graphs are rewritten as surgery applied by hand', async () => {
  for (let seed = 0; seed < 25; seed += 1) {
    const graph = randomGraph(seed);
    const [weights, directions] = [randomWeights(graph, seed), randomDirections(graph, seed)];
    const { graph: grown, surgery } = grow(graph, randomPlan(graph, seed));
    const start = networkOf(graph, weights, { dtype: 'float64' });
    const handle = directionsOf(directions);
    for (const epsilon of [0, 0.25]) {
      const got = weightsOf(await core().rewrite(start, lower(grown), surgery, handle, epsilon, 'reset'));
      const want = operate(weights, surgery, directions, epsilon);
      expect(got.size).toBe(want.size);
      for (const [name, { shape, data }] of want) {
        const tensor = got.get(name) ?? floats([0], () => 0);
        expect(tensor.shape, `seed ${seed} ${name}`).toEqual(shape);
        // float64; a scale and a step are one rounding each.
        assertClose(numbers(tensor), data, { rtol: 1e-14, atol: 1e-15, note: `seed ${seed} ${name}` });
      }
    }
    for (const [name, tensor] of weightsOf(start))
      expect(numbers(tensor), `the old ${name}`).toEqual(weights.get(name)?.data);
  }
});

test('without direction halving a layer whose inputs are split moves by the whole of its regathered direction', async () => {
  const [weights, directions] = [randomWeights(GRAPH, 4), randomDirections(GRAPH, 4)];
  const [halved, whole] = [grow(GRAPH, PLAN), grow(GRAPH, PLAN, { directionHalving: false })];
  const start = networkOf(GRAPH, weights, { dtype: 'float64' });
  const rewritten = async (surgery: Surgery, epsilon: number) =>
    weightsOf(
      await core().rewrite(start, lower(whole.graph), surgery, directionsOf(directions), epsilon, 'reset'),
    );
  // Step 0 keeps the function either way: the weights are the same ones.
  expect(await rewritten(whole.surgery, 0)).toEqual(await rewritten(halved.surgery, 0));
  const [before, after, paper] = [
    await rewritten(whole.surgery, 0),
    await rewritten(whole.surgery, 0.25),
    await rewritten(halved.surgery, 0.25),
  ];
  const values = (map: typeof before, name: string) => numbers(map.get(name) ?? floats([0], () => 0));
  for (const { name, columns, scales, shift } of whole.surgery) {
    const [from, to, other] = [values(before, name), values(after, name), values(paper, name)];
    if (shift === null || columns === null || scales === null) {
      expect(to, name).toEqual(other);
      continue;
    }
    // In `second`, inputs 1, 3 and 4 are quarters and a half of one: the paper's step times 4, 2 and 4.
    expect([...scales]).toEqual([1, 0.25, 1, 0.5, 0.25]);
    const want = other.map(
      (x, i) => (from[i] ?? 0) + (x - (from[i] ?? 0)) / (scales[i % columns.length] ?? 1),
    );
    assertClose(to, want, { rtol: 1e-13, atol: 1e-14, note: `${name}, float64` });
    expect(to).not.toEqual(other);
  }
});

async function trained(): Promise<NetworkHandle> {
  const network = networkOf(GRAPH, new Map(), { dtype: 'float64' });
  const data = datasetOf(randomBatch([1, 4, 4], 2, 8, 3), 2);
  await core().train(network, data, training(4, rates(2, 0.1), { momentum: 0.9 }), null, null);
  return network;
}
const momentumOf = (network: NetworkHandle): Weights =>
  new Map(
    core()
      .readNetwork(network, 'momentum')
      .map(([name, t]): [string, Tensor] => [name, { shape: t.shape, data: numbers(t) }]),
  );

test("momentum 'keep' gives an offspring its share of the parent's, and consumers' columns the whole", async () => {
  const start = await trained();
  const before = momentumOf(start);
  const { graph: grown, surgery } = grow(GRAPH, PLAN);
  const got = momentumOf(await core().rewrite(start, lower(grown), surgery, null, 0, 'keep'));
  const statistics = (name: string): boolean => name.includes('running');
  expect([...got.keys()].sort()).toEqual(
    surgery
      .map(({ name }) => name)
      .filter((name) => !statistics(name))
      .sort(),
  );
  for (const { name, rows, rowShares, columns } of surgery) {
    const [old, now] = [before.get(name), got.get(name)];
    if (old === undefined || now === undefined) continue;
    const [outer = 1, inner = 1, ...rest] = now.shape;
    const [width, area] = [old.shape[1] ?? 1, size(rest)];
    const want = now.data.map((_, i) => {
      const [row, column, at] = [Math.floor(i / (inner * area)), Math.floor(i / area) % inner, i % area];
      const [from, to] = [rows?.[row] ?? row, columns?.[column] ?? column];
      return (rowShares?.[row] ?? 1) * (old.data[(from * width + to) * area + at] ?? Number.NaN);
    });
    expect(outer).toBe(rows?.length ?? old.shape[0]);
    assertClose(now.data, want, { rtol: 1e-14, atol: 0, note: `${name}, float64` });
  }
});

test("the first layer's momentum is that of the weights after growth: shares 1/4, 1/2, 1/4 of a neuron split twice", async () => {
  const start = await trained();
  const before = momentumOf(start).get('first.bias')?.data ?? new Float64Array();
  const { graph: grown, surgery } = grow(GRAPH, PLAN);
  const after = momentumOf(await core().rewrite(start, lower(grown), surgery, null, 0, 'keep')).get(
    'first.bias',
  )?.data;
  const [a = 0, b = 0, c = 0] = before;
  // Neuron 1 is split in two halves, then its place in two quarters.
  assertClose(after ?? [], [a, b / 4, c, b / 2, b / 4], { rtol: 1e-14, atol: 0, note: 'float64' });
});

test('momentum is shared out as the outgoing weights are', async () => {
  const start = await trained();
  const [a = 0, b = 0, c = 0] = momentumOf(start).get('first.bias')?.data ?? [];
  const { graph: grown, surgery } = grow(GRAPH, PLAN, { outgoingDelta: 0.25 });
  const after = momentumOf(await core().rewrite(start, lower(grown), surgery, null, 0, 'keep'));
  const want = [a, (9 / 16) * b, c, b / 4, (3 / 16) * b];
  assertClose(after.get('first.bias')?.data ?? [], want, { rtol: 1e-14, atol: 0, note: 'float64' });
});

test("momentum 'reset' leaves none, and a network without momentum keeps none", async () => {
  const { graph: grown, surgery } = grow(GRAPH, PLAN);
  const reset = await core().rewrite(await trained(), lower(grown), surgery, null, 0, 'reset');
  expect(core().readNetwork(reset, 'momentum')).toEqual([]);
  const fresh = await core().rewrite(networkOf(GRAPH), lower(grown), surgery, null, 0, 'keep');
  expect(core().readNetwork(fresh, 'momentum')).toEqual([]);
});

const BASE = grow(GRAPH, PLAN);
const changed = (name: string, change: Partial<TensorSurgery>): Surgery =>
  BASE.surgery.map((step) => (step.name === name ? { ...step, ...change } : step));
const WRONG: Readonly<Record<string, readonly [Surgery, RegExp]>> = {
  'a row past the last': [
    changed('first.weight', { rows: Int32Array.of(0, 1, 2, 3, 1) }),
    /^E_ARGUMENT: .*outside axis 0/,
  ],
  'a negative row': [
    changed('first.bias', { rows: Int32Array.of(0, 1, 2, -1, 1) }),
    /^E_ARGUMENT: .*outside axis 0/,
  ],
  'a column past the last': [
    changed('second.weight', { columns: Int32Array.of(0, 1, 2, 1, 7) }),
    /^E_ARGUMENT: .*outside axis 1/,
  ],
  'columns of a tensor of one axis': [
    changed('out.bias', { columns: Int32Array.of(0) }),
    /^E_ARGUMENT: .*outside axis 1/,
  ],
  'too few rows': [
    changed('first.weight', { rows: Int32Array.of(0, 1), shift: null }),
    /^E_WEIGHTS: first\.weight/,
  ],
  'a tensor that is not there': [
    changed('first.weight', { name: 'first.mass' }),
    /^E_ARGUMENT: .*first\.mass/,
  ],
  'a tensor left out': [BASE.surgery.slice(1), /^E_ARGUMENT: .*first\.weight.* out/],
  'scales of another length': [
    changed('second.weight', { scales: Float32Array.of(1, 1) }),
    /^E_(ARGUMENT|NATIVE): /,
  ],
};
for (const [what, [surgery, said]] of Object.entries(WRONG)) {
  test(`surgery with ${what} is refused`, async () => {
    const start = networkOf(GRAPH);
    expect(await failureOf(core().rewrite(start, lower(BASE.graph), surgery, null, 0, 'reset'))).toMatch(
      said,
    );
  });
}

test('directions that are missing or do not fit are E_DIRECTIONS where there is a step to take', async () => {
  const program = lower(BASE.graph);
  const rewritten = (directions: Parameters<ReturnType<typeof core>['rewrite']>[3]) =>
    core().rewrite(networkOf(GRAPH), program, BASE.surgery, directions, 0.1, 'reset');
  expect(await failureOf(rewritten(null))).toMatch(/^E_DIRECTIONS: .*first/);
  for (const shape of [[3], [3, 8], [3, 10], [2, 9]]) {
    const wrong = core().createDirections([['first', floats(shape, () => 1)]], 'cpu');
    expect(await failureOf(rewritten(wrong)), String(shape)).toMatch(/^E_(DIRECTIONS|ARGUMENT): .*first/);
  }
});
