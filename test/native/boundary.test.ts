// What crosses from JavaScript: handles of every wrong sort, malformed data, weights, programs and options. Each is an error with a code.
import { expect, test } from 'vitest';
import { lower } from '../../lib/graph/lower.js';
import type { Chain, Instruction, Program } from '../../lib/graph/program.js';
import type { DatasetHandle, NetworkHandle, TensorData, TrainOptions } from '../../lib/native/face.js';
import { failureOf } from '../data/places.js';
import { codeOf, messageOf } from '../reference.js';
import {
  core,
  datasetOf,
  doubles,
  floats,
  graphOf,
  indexing,
  longs,
  networkOf,
  randomBatch,
  rates,
  training,
  weightsOf,
} from './golden.js';

const GRAPH = graphOf(
  [1, 4, 4],
  [
    ['conv', 'conv2d', 'input', { out: 3, kernel: 3, bias: true }],
    ['norm', 'batch_norm', 'conv'],
    ['act', 'activation', 'norm', { kind: 'silu' }],
    ['sum', 'add', ['act', 'act']],
    ['pool', 'global_avg_pool', 'sum'],
    ['out', 'linear', 'pool', { out: 2 }],
  ],
);
const PROGRAM = lower(GRAPH);
const SWEEP = { batch: 4, syncBatchNorm: false, shuffle: false, flip: false, crop: 0, seed: 0 };
const batch = randomBatch([1, 4, 4], 2, 4, 1);
const data = () => datasetOf(batch, 2);

/** A code of a call that throws or rejects. */
async function codeFrom(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
  return 'no error';
}

test('handles say their kind and are disposed once and for all', () => {
  const network = networkOf(GRAPH);
  expect([network.kind, data().kind, core().createAbort().kind]).toEqual(['network', 'dataset', 'abort']);
  expect(network.isDisposed).toBe(false);
  network.dispose();
  network.dispose();
  expect(network.isDisposed).toBe(true);
  expect(codeOf(() => core().readNetwork(network, 'weights'))).toBe('E_HANDLE');
  const scoped = data();
  scoped[Symbol.dispose]();
  expect(scoped.isDisposed).toBe(true);
});

test('whatever is not a live handle of the right kind is E_HANDLE, in every call', async () => {
  const [network, images, abort] = [networkOf(GRAPH), data(), core().createAbort()];
  const disposed = networkOf(GRAPH);
  disposed.dispose();
  const { directions } = await core().indices(network, images, indexing(GRAPH, 'exact'), null, null);
  const foreign: unknown[] = [
    null,
    undefined,
    0,
    'network',
    true,
    1n,
    Symbol('x'),
    {},
    [],
    () => 0,
    new Date(),
  ];
  foreign.push(
    new Proxy(network, {}),
    Object.create(network),
    { ...network },
    Buffer.alloc(8),
    disposed,
    abort,
  );
  const calls: ((h: NetworkHandle & DatasetHandle) => unknown)[] = [
    (h) => core().readNetwork(h, 'weights'),
    (h) => core().writeNetwork(h, 'momentum', []),
    (h) => core().train(h, images, training(4, [0]), null, null),
    (h) => core().train(network, h, training(4, [0]), null, null),
    (h) => core().evaluate(h, images, { batch: 4 }, null, null),
    (h) => core().evaluate(network, h, { batch: 4 }, null, null),
    (h) => core().recalibrate(h, images, SWEEP, null, null),
    (h) => core().recalibrate(network, h, SWEEP, null, null),
    (h) => core().forward(h, images, { mode: 'eval', batch: 4 }),
    (h) => core().forward(network, h, { mode: 'eval', batch: 4 }),
    (h) => core().indices(h, images, indexing(GRAPH, 'exact'), null, null),
    (h) => core().indices(network, h, indexing(GRAPH, 'exact'), null, null),
    (h) => core().rewrite(h, PROGRAM, [], null, 0, 'reset'),
    (h) => core().readDirections(h as never),
    (h) =>
      core().bench(h, images, { what: 'train', batch: 4, repeats: 1, warmup: 0, memoryLimit: 2 ** 20 }, null),
  ];
  for (const value of foreign)
    for (const call of calls)
      expect(await codeFrom(() => call(value as never)), `${call} of ${typeof value}`).toBe('E_HANDLE');
  for (const value of [network, images, directions, {}])
    expect(codeOf(() => core().abort(value as never))).toBe('E_HANDLE');
  for (const value of [network, images, {}, 1])
    expect(await codeFrom(() => core().evaluate(network, images, { batch: 4 }, null, value as never))).toBe(
      'E_HANDLE',
    );
});

test('no handle can be made, or its methods run on something else, from JavaScript', () => {
  const network = networkOf(GRAPH);
  const make = network.constructor as new () => unknown;
  expect(() => new make()).toThrow(/handles are made by splitgrow/);
  for (const other of [{}, null, 1, Object.create(network)])
    expect(() => network.dispose.call(other)).toThrow();
  expect(network.isDisposed).toBe(false);
});

test('a network and a dataset disposed at work stay until the work is done', async () => {
  const [network, images] = [networkOf(GRAPH), data()];
  const running = core().train(network, images, training(1, rates(4, 0.1)), null, null);
  network.dispose();
  images.dispose();
  expect((await running).images).toBe(4);
});

const IMAGES = floats([4, 1, 4, 4], (i) => i / 64);
const LABELS = longs([0, 1, 1, 0]);
const DATASETS: readonly (readonly [
  string,
  string,
  Partial<Record<'images' | 'labels' | 'mean' | 'std' | 'classes' | 'device', unknown>>,
])[] = [
  ['a label equal to the number of classes', 'E_LABELS', { labels: longs([0, 1, 2, 0]) }],
  ['a negative label', 'E_LABELS', { labels: longs([0, -1, 1, 0]) }],
  ['no class', 'E_LABELS', { classes: 0 }],
  ['classes that are no number', 'E_ARGUMENT', { classes: 'ten' }],
  ['fewer labels than images', 'E_DATA', { labels: longs([0, 1, 1]) }],
  ['float labels', 'E_DATA', { labels: floats([4], () => 0) }],
  ['images of three axes', 'E_DATA', { images: floats([4, 4, 4], () => 0) }],
  ['float64 images', 'E_DATA', { images: doubles([4, 1, 4, 4], () => 0) }],
  ['no image', 'E_DATA', { images: floats([0, 1, 4, 4], () => 0), labels: longs([]) }],
  ['a NaN pixel', 'E_NOT_FINITE', { images: floats([4, 1, 4, 4], (i) => (i === 40 ? Number.NaN : 1)) }],
  [
    'infinite pixels of both signs',
    'E_NOT_FINITE',
    { images: floats([4, 1, 4, 4], (i) => (i % 2 ? Infinity : -Infinity)) },
  ],
  ['bytes that do not fill the shape', 'E_ARGUMENT', { images: { ...IMAGES, data: IMAGES.data.slice(4) } }],
  ['an unknown dtype', 'E_ARGUMENT', { images: { ...IMAGES, dtype: 'float16' } }],
  ['a negative size', 'E_ARGUMENT', { images: { ...IMAGES, shape: [-4, 1, 4, 4] } }],
  ['a size that is no integer', 'E_ARGUMENT', { images: { ...IMAGES, shape: [4.5, 1, 4, 4] } }],
  ['sizes beyond any memory', 'E_ARGUMENT', { images: { ...IMAGES, shape: [2 ** 40, 2 ** 40, 4, 4] } }],
  ['data that is no typed array', 'E_ARGUMENT', { images: { ...IMAGES, data: 'pixels' } }],
  ['images that are no tensor', 'E_ARGUMENT', { images: 7 }],
  ['means for other channels', 'E_DATA', { mean: [0, 0], std: [1, 1] }],
  ['a mean without a deviation', 'E_DATA', { mean: [0] }],
  ['a deviation of 0', 'E_DATA', { mean: [0], std: [0] }],
  ['a deviation that is NaN', 'E_DATA', { mean: [0], std: [Number.NaN] }],
  ['an unknown device', 'E_ARGUMENT', { device: 'tpu' }],
];
for (const [what, code, change] of DATASETS) {
  test(`a dataset with ${what} is ${code}`, () => {
    const all = { images: IMAGES, labels: LABELS, mean: [], std: [], classes: 2, device: 'cpu', ...change };
    const { images, labels, mean, std, classes, device } = all as never as Record<string, never>;
    const make = core().createDataset as (...all: readonly unknown[]) => DatasetHandle;
    expect(codeOf(() => make(images, labels, mean, std, classes, device))).toBe(code);
  });
}

test('data that does not fit the network is refused by every task', async () => {
  const network = networkOf(GRAPH);
  for (const [other, code] of [
    [datasetOf(randomBatch([1, 4, 5], 2, 4, 1), 2), 'E_DATA'],
    [datasetOf(randomBatch([3, 4, 4], 2, 4, 1), 2), 'E_DATA'],
    [datasetOf(batch, 3), 'E_LABELS'],
  ] as const) {
    const tasks = [
      () => core().train(network, other, training(4, [0.1]), null, null),
      () => core().evaluate(network, other, { batch: 4 }, null, null),
      () => core().recalibrate(network, other, SWEEP, null, null),
      () => core().forward(network, other, { mode: 'eval', batch: 4 }),
      () => core().indices(network, other, indexing(GRAPH, 'rayleigh'), null, null),
    ];
    for (const task of tasks) expect(await failureOf(task())).toMatch(`${code}: `);
  }
});

test('weights and momentum of another name, shape or type are E_WEIGHTS and name the tensor', () => {
  const program = lower(GRAPH);
  const wrong: readonly (readonly [string, TensorData])[] = [
    ['conv.scale', floats([3], () => 1)],
    ['conv.weight', floats([3, 1, 3, 2], () => 1)],
    ['out.bias', floats([3], () => 1)],
    ['out.bias', longs([1, 2])],
  ];
  for (const entry of wrong) {
    expect(codeOf(() => core().createNetwork(program, [entry], 1, 'cpu'))).toBe('E_WEIGHTS');
    expect(messageOf(() => core().createNetwork(program, [entry], 1, 'cpu'))).toContain(entry[0]);
    expect(codeOf(() => core().writeNetwork(networkOf(GRAPH), 'momentum', [entry]))).toBe('E_WEIGHTS');
  }
  const statistic = ['norm.running_mean', floats([3], () => 1)] as const;
  expect(codeOf(() => core().writeNetwork(networkOf(GRAPH), 'momentum', [statistic]))).toBe('E_WEIGHTS');
  expect(codeOf(() => core().readNetwork(networkOf(GRAPH), 'gradients' as never))).toBe('E_ARGUMENT');
});

const replaced = (at: number, change: Partial<Instruction>): Partial<Program> => ({
  instructions: PROGRAM.instructions.map((row, i) => (i === at ? { ...row, ...change } : row)),
});
const chained = (change: Partial<Chain>): Partial<Program> => ({
  chains: PROGRAM.chains.map((chain) => ({ ...chain, ...change })),
});
const [CONV, NORM] = [PROGRAM.instructions[0]?.parameters ?? [], PROGRAM.instructions[1]?.parameters ?? []];
const PROGRAMS: Readonly<Record<string, Partial<Program>>> = {
  'an unknown op': replaced(3, { op: 'attention' }),
  'an unknown activation': replaced(2, { attributes: { kind: 'step' } }),
  'a slot that is not written yet': replaced(1, { inputs: [2] }),
  'a negative slot': replaced(1, { inputs: [-1] }),
  'a slot that is no integer': replaced(1, { inputs: [0.5] }),
  'no inputs': replaced(3, { inputs: [] }),
  'a layer without weights': replaced(0, { parameters: [] }),
  'a norm without statistics': replaced(1, { parameters: NORM.slice(0, 2) }),
  'a tensor named twice': replaced(0, { parameters: [...CONV, ...CONV] }),
  'an empty shape': replaced(0, { parameters: CONV.map((p) => ({ ...p, shape: [0, 1, 3, 3] })) }),
  'a shape beyond any memory': replaced(0, {
    parameters: CONV.map((p) => ({ ...p, shape: [2 ** 30, 2 ** 30] })),
  }),
  'a stride of 0': replaced(0, { attributes: { stride: 0, padding: 1, groups: 1 } }),
  'no instructions': { instructions: [] },
  'an output that is no slot': { output: 7 },
  'the input as output': { output: 0 },
  'an input of two axes': { inputShape: [4, 4] as never },
  'a chain that starts at a norm': chained({ layer: 2 }),
  'a chain with a layer for an activation': chained({ activation: 6 }),
  'a chain with a norm that is not behind its layer': chained({ batchNorm: 3 }),
  'a chain of more neurons than its layer': chained({ neurons: 4 }),
  'a chain of another dimension': chained({ dimension: 10 }),
};
for (const [what, change] of Object.entries(PROGRAMS)) {
  test(`a program with ${what} is E_ARGUMENT`, () => {
    expect(codeOf(() => core().createNetwork({ ...PROGRAM, ...change }, [], 1, 'cpu'))).toBe('E_ARGUMENT');
  });
}

test('a norm whose parameters are too short for its input is E_ARGUMENT in every pass', async () => {
  const short = replaced(1, { parameters: NORM.map((p) => ({ ...p, shape: [2] })) });
  const network = core().createNetwork({ ...PROGRAM, ...short }, [], 1, 'cpu');
  expect(await failureOf(core().train(network, data(), training(4, [0.1]), null, null))).toMatch(
    /^E_ARGUMENT: norm/,
  );
  const tasks = [
    () => core().forward(network, data(), { mode: 'eval', batch: 4 }),
    () => core().indices(network, data(), indexing(GRAPH, 'exact'), null, null),
  ];
  for (const task of tasks) expect(await failureOf(task())).toMatch(/^E_(ARGUMENT|NATIVE): /);
});

test('options of a wrong type or value are E_ARGUMENT, before anything is trained', async () => {
  const network = networkOf(GRAPH);
  const before = weightsOf(network);
  const wrong: readonly Readonly<Record<string, unknown>>[] = [
    { batch: 0 },
    { batch: 1.5 },
    { batch: Number.NaN },
    { batch: '4' },
    { learningRates: Float64Array.of(0.1, 0.1) },
    { learningRates: Float32Array.of(0.1) },
    { learningRates: ['fast'] },
    { momentum: undefined },
    { nesterov: 1 },
    { crop: -1 },
    { seed: -1 },
    { decay: 3 },
  ];
  for (const change of wrong) {
    const options = { ...training(4, [0.1]), ...change } as TrainOptions;
    expect(
      await codeFrom(() => core().train(network, data(), options, null, null)),
      JSON.stringify(change),
    ).toBe('E_ARGUMENT');
  }
  expect(await codeFrom(() => core().train(network, data(), null as never, null, null))).toBe('E_ARGUMENT');
  expect(await codeFrom(() => core().forward(network, data(), { mode: 'test' as never, batch: 4 }))).toBe(
    'E_ARGUMENT',
  );
  expect(
    await codeFrom(() => core().indices(network, data(), indexing(GRAPH, 'power' as never), null, null)),
  ).toBe('E_ARGUMENT');
  expect(codeOf(() => core().setThreads(0))).toBe('E_ARGUMENT');
  expect(weightsOf(network)).toEqual(before);
});
