// Every exported call of the core with arguments of every wrong sort: an error with a code, and never the end of the process.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lower } from '../../lib/graph/lower.js';
import type { Surgery, TensorSurgery } from '../../lib/graph/program.js';
import { buildPreset } from '../../lib/models/zoo.js';
import { loadImageCore } from '../../lib/native/load.js';
import { temporaryFolder } from '../run/tiny.js';
import {
  core,
  datasetOf,
  floats,
  graphOf,
  indexing,
  longs,
  networkOf,
  randomBatch,
  rates,
  training,
} from './golden.js';

const GRAPH = graphOf(
  [2, 6, 6],
  [
    ['conv', 'conv2d', 'input', { out: 3, kernel: 3, bias: true }],
    ['norm', 'batch_norm', 'conv'],
    ['act', 'activation', 'norm', { kind: 'silu' }],
    ['pool', 'global_avg_pool', 'act'],
    ['out', 'linear', 'pool', { out: 2 }],
  ],
);
const PROGRAM = lower(GRAPH);
const batch = randomBatch([2, 6, 6], 2, 8, 1);
const data = () => datasetOf(batch, 2);

/** The code of what a call throws or rejects with; 'none' where it does neither. */
async function codeFrom(call: () => unknown): Promise<string> {
  try {
    await call();
    return 'none';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : `no code: ${String(error)}`;
  }
}

function detached(): Uint8Array {
  const bytes = new Uint8Array(64);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}
const throwing = (): unknown =>
  new Proxy(
    {},
    {
      get: () => {
        throw new RangeError('the getter threw');
      },
    },
  );

/** Values that no argument is meant to be, or that are at the edge of what one may be. */
function values(): readonly unknown[] {
  const disposed = networkOf(GRAPH);
  disposed.dispose();
  const sparse: unknown[] = [];
  sparse[5] = 1;
  return [
    ...[undefined, null, true, '', 'cpu', 'x\0y', Symbol('x'), 10n, () => 0, {}, [], sparse, new Array(1e6)],
    ...[Number.NaN, Infinity, -1, -0, 0, 0.5, 1, 2 ** 31, 2 ** 53, 1e300, -1e300],
    ...[new Uint8Array(0), detached(), new Float64Array(3), new Int32Array([-1, 7]), new Float32Array(2)],
    ...[new Uint8Array(new SharedArrayBuffer(8)), new DataView(new ArrayBuffer(4)), randomBytes(32)],
    ...[
      throwing(),
      [throwing()],
      [[throwing()]],
      Object.create(null),
      new Proxy([], {}),
      [['a', throwing()]],
    ],
    ...[networkOf(GRAPH), disposed, data(), core().createAbort(), core().createPause()],
    ...[{ dtype: 'float32', shape: [1e9, 1e9], data: new Uint8Array(4) }, [['conv.weight', null]]],
    ...[
      { dtype: 'float32', shape: [2], data: detached() },
      { dtype: 'int64', shape: [-1], data: detached() },
    ],
  ];
}

const state = await core().createIndicesState(networkOf(GRAPH), indexing(GRAPH, 'exact'), []);
const { directions } = await core().indices(networkOf(GRAPH), data(), indexing(GRAPH, 'exact'), null, null);
const images = loadImageCore();
const noFiles = { root: '/', paths: [], labels: new Int32Array(0) };
const limits = { maxPixels: 100, maxScans: 10 };

/** Every export with arguments that would do, each of which is replaced by each of the values in turn. */
const CALLS: Readonly<Record<string, () => readonly unknown[]>> = {
  features: () => [],
  createAbort: () => [],
  abort: () => [core().createAbort()],
  createPause: () => [],
  pause: () => [core().createPause(), 'stop'],
  createNetwork: () => [PROGRAM, [], 1, 'cpu', 'float32'],
  readNetwork: () => [networkOf(GRAPH), 'weights'],
  writeNetwork: () => [networkOf(GRAPH), 'momentum', []],
  averagedNetwork: () => [networkOf(GRAPH)],
  createDataset: () => [batch.get('images'), batch.get('labels'), [], [], 2, 'cpu'],
  train: () => [networkOf(GRAPH), data(), training(8, [0.1]), null, null],
  evaluate: () => [networkOf(GRAPH), data(), { batch: 8 }, null, null],
  recalibrate: () => [
    networkOf(GRAPH),
    data(),
    { batch: 8, syncBatchNorm: false, shuffle: true, flip: false, crop: 0, seed: 0 },
    null,
    null,
  ],
  forward: () => [networkOf(GRAPH), data(), { mode: 'eval', batch: 8 }],
  indices: () => [networkOf(GRAPH), data(), indexing(GRAPH, 'exact'), null, null],
  createIndicesState: () => [networkOf(GRAPH), indexing(GRAPH, 'exact'), []],
  readIndicesState: () => [networkOf(GRAPH), indexing(GRAPH, 'exact'), state, 100],
  resizeImages: () => [floats([1, 1, 4, 4], () => 0), 2, null],
  readDirections: () => [directions],
  keptByLobpcg: () => [networkOf(GRAPH), PROGRAM.chains.map(() => 4), 8],
  createDirections: () => [[['conv', floats([3, 18], () => 1)]], 'cpu'],
  rewrite: () => [networkOf(GRAPH), PROGRAM, unchanged(), null, 0, 'keep'],
  bench: () => [
    networkOf(GRAPH),
    data(),
    { what: 'forward', batch: 4, repeats: 1, warmup: 0, memoryLimit: 2 ** 20 },
    null,
  ],
  memory: () => ['cpu'],
  handles: () => [],
  energy: () => [],
  broadcastOverRanks: () => [null],
  sumOverRanks: () => [new Float64Array(2)],
  rowsOfRank: () => [{ images: 10, batch: 4, microBatch: 0, rank: 0, world: 1 }],
  openJpeg: () => ['/nowhere'],
  scanImages: () => [noFiles, { ...limits, threads: 1, decode: false }, null, null],
  readStore: () => ['/nowhere'],
  readStoreLabels: () => ['/nowhere', 'train'],
  verifyStore: () => ['/nowhere', { threads: 1 }, null, null],
  createImageDataset: () => [{ files: noFiles }, { ...limits, resolution: 4 }],
  imageAt: () => [data(), 0],
  sweepImages: () => [data(), { batch: 1, shuffle: false, flip: false, seed: 0, steps: null }, null, null],
};

/** Surgery that keeps every tensor as it is. */
function unchanged(change: Partial<TensorSurgery> = {}, name = 'conv.weight'): Surgery {
  return PROGRAM.instructions.flatMap(({ parameters }) =>
    parameters.map((parameter): TensorSurgery => {
      const same = { rows: null, shift: null, direction: null, rowShares: null, columns: null, scales: null };
      return { name: parameter.name, ...same, ...(parameter.name === name ? change : {}) };
    }),
  );
}

test('every function of the core that takes something is called here', () => {
  const known = new Set([...Object.keys(CALLS), 'setThreads', 'useThreads', 'exiting', 'emptyCache']);
  // Joining takes a group of ranks, packing a folder of images: test/distributed and test/native/images do.
  for (const name of ['joinGroup', 'leaveGroup', 'packImages']) known.add(name);
  expect(Object.keys(images).filter((name) => !known.has(name))).toEqual([]);
});

for (const [name, given] of Object.entries(CALLS)) {
  test(`${name} with any wrong argument ends well or is refused with a code`, async () => {
    const call = (images as unknown as Record<string, (...all: readonly unknown[]) => unknown>)[name];
    const right = given();
    for (let at = -1; at < right.length; at += 1) {
      for (const value of at < 0 ? [undefined] : values()) {
        const all = at < 0 ? [] : given().map((one, i) => (i === at ? value : one));
        const code = await codeFrom(() => call?.(...all));
        const place = `${name}, argument ${at}: ${typeof value}`;
        expect(code, place).toMatch(/^(none|E_[A-Z_]+)$/);
      }
      // Each field of an options object in turn.
      const options = right[at];
      if (
        typeof options !== 'object' ||
        options === null ||
        Object.getPrototypeOf(options) !== Object.prototype
      )
        continue;
      for (const field of Object.keys(options)) {
        for (const value of values()) {
          const all = given().map((one, i) => (i === at ? { ...(one as object), [field]: value } : one));
          // A count of billions is an honest wish that would take as long.
          if (
            typeof value === 'number' &&
            value >= 2 ** 31 &&
            /repeats|warmup|epochs|images|crop/.test(field)
          )
            continue;
          const code = await codeFrom(() => call?.(...all));
          expect(code, `${name}, ${field}: ${typeof value}`).toMatch(/^(none|E_[A-Z_]+)$/);
        }
      }
    }
  });
}

const ONE = Int32Array.of(0);
const SURGERIES: Readonly<Record<string, readonly [Partial<TensorSurgery>, string]>> = {
  'scales of a tensor of one axis': [{ scales: Float32Array.of(1) }, 'conv.bias'],
  'columns of a tensor of one axis': [{ columns: ONE }, 'conv.bias'],
  'more scales than columns': [{ scales: new Float32Array(9).fill(1) }, 'conv.weight'],
  'one scale for several columns': [{ scales: Float32Array.of(2) }, 'conv.weight'],
  'fewer shares than rows': [{ rowShares: Float32Array.of(1) }, 'conv.weight'],
  'fewer shifts than rows': [{ shift: Float32Array.of(1), direction: 'conv' }, 'conv.weight'],
  'a row that is not there': [{ rows: Int32Array.of(0, 1, 3) }, 'conv.weight'],
  'a negative row': [{ rows: Int32Array.of(0, 1, -1) }, 'conv.weight'],
  'rows of the wrong type': [{ rows: Float32Array.of(0, 1, 2) as never }, 'conv.weight'],
  'a direction that is not there': [{ shift: new Float32Array(3).fill(1), direction: 'none' }, 'conv.weight'],
  'directions of another size': [{ shift: new Float32Array(3).fill(1), direction: 'short' }, 'conv.weight'],
};
for (const [what, [change, name]] of Object.entries(SURGERIES)) {
  test(`surgery with ${what} is refused with a code`, async () => {
    const made = core().createDirections(
      [
        ['conv', floats([3, 18], () => 1)],
        ['short', floats([3, 6], () => 1)],
      ],
      'cpu',
    );
    const network = networkOf(GRAPH);
    await core().train(network, data(), training(8, [0.1], { momentum: 0.9 }), null, null);
    const call = () => core().rewrite(network, PROGRAM, unchanged(change, name), made, 1, 'keep');
    expect(await codeFrom(call)).toMatch(/^E_(ARGUMENT|DIRECTIONS|WEIGHTS)$/);
    expect(await codeFrom(() => core().rewrite(network, PROGRAM, unchanged(), made, 1, 'keep'))).toBe('none');
  });
}

test('a state of indices serves its own network and methods alone, and once', async () => {
  const other = graphOf(
    [2, 6, 6],
    [
      ['conv', 'conv2d', 'input', { out: 4, kernel: 3 }],
      ['act', 'activation', 'conv', { kind: 'silu' }],
      ['more', 'conv2d', 'act', { out: 3, kernel: 3 }],
      ['act2', 'activation', 'more', { kind: 'silu' }],
      ['pool', 'global_avg_pool', 'act2'],
      ['out', 'linear', 'pool', { out: 2 }],
    ],
  );
  const made = await core().createIndicesState(networkOf(GRAPH), indexing(GRAPH, 'exact'), []);
  const pause = core().createPause();
  const options = (graph: typeof GRAPH, method: 'exact' | 'rayleigh') => ({
    ...indexing(graph, method),
    ...{ state: made, pause },
  });
  const call = (graph: typeof GRAPH, method: 'exact' | 'rayleigh') => () =>
    core().indices(networkOf(graph), data(), options(graph, method), null, null);
  expect(await codeFrom(call(other, 'exact'))).toBe('E_ARGUMENT');
  expect(await codeFrom(call(GRAPH, 'rayleigh'))).toBe('E_ARGUMENT');
  const read = (graph: typeof GRAPH) => () =>
    core().readIndicesState(networkOf(graph), indexing(graph, 'exact'), made, 1e9);
  expect(await codeFrom(read(other))).toBe('E_ARGUMENT');
  expect(await codeFrom(read(GRAPH))).toBe('none');
  expect(await codeFrom(call(GRAPH, 'exact'))).toBe('none');
  expect(await codeFrom(call(GRAPH, 'exact'))).toBe('E_ARGUMENT');
});

test('handles that are disposed of while tasks use them, and tasks of one network side by side, end well', async () => {
  const graph = buildPreset('mobilenet_cifar10', { blocks: 1, width: 4, resolution: 16 });
  for (let round = 0; round < 3; round += 1) {
    const [network, set] = [networkOf(graph), datasetOf(randomBatch(graph.input.shape, 10, 32, 1), 10)];
    const abort = core().createAbort();
    const begun = [
      core().train(network, set, training(8, rates(4, 0.01), { momentum: 0.9 }), null, abort),
      core().train(network, set, training(8, rates(4, 0.01), { momentum: 0.9 }), null, abort),
      core().evaluate(network, set, { batch: 8 }, null, abort),
      core().indices(network, set, indexing(graph, 'exact'), null, abort),
      core().forward(network, set, { mode: 'train', batch: 8 }),
      core().rewrite(network, lower(graph), [], null, 0, 'keep'),
    ];
    network.dispose();
    set.dispose();
    if (round > 0) core().abort(abort);
    abort.dispose();
    for (const code of await Promise.all(begun.map((one) => codeFrom(() => one))))
      expect(code).toMatch(/^(none|E_ABORTED|E_ARGUMENT)$/);
  }
});

test('a forward pass in training mode leaves the running statistics as they were, to the bit', async () => {
  const network = networkOf(GRAPH);
  const before = core().readNetwork(network, 'weights');
  await core().forward(network, data(), { mode: 'train', batch: 8 });
  expect(core().readNetwork(network, 'weights')).toEqual(before);
});

test('labels, sizes and paths of images at their limits are refused with a code', async () => {
  const folder = temporaryFolder();
  const source = { files: { root: folder, paths: ['a.png'], labels: Int32Array.of(0) } };
  const right = {
    ...{
      ...limits,
      resolution: 4,
      shortSide: 4,
      classes: 1,
      mean: [0, 0, 0],
      std: [1, 1, 1],
      device: 'cpu' as const,
    },
    ...{ workers: 1, prefetch: 0, scaledDecoding: true, skipUnreadable: false },
  } as const;
  const made = images.createImageDataset(source, right);
  expect(await codeFrom(() => images.imageAt(made, 0))).toMatch(/^E_/);
  for (const index of [1, -1, Number.NaN, 2 ** 53, 0.5, Infinity])
    expect(await codeFrom(() => images.imageAt(made, index)), String(index)).toMatch(/^E_/);
  for (const label of [-1, 1, 2 ** 31 - 1]) {
    const wrong = { files: { ...source.files, labels: Int32Array.of(label) } };
    expect(await codeFrom(() => images.createImageDataset(wrong, right))).toBe('E_LABELS');
  }
  expect(await codeFrom(() => images.readStore(join(folder, 'none.store')))).toMatch(/^E_/);
  expect(
    await codeFrom(() =>
      core().createDataset(
        floats([1, 1, 1, 1], () => 0),
        longs([0]),
        [0],
        [1e-300],
        1,
        'cpu',
      ),
    ),
  ).toMatch(/^(none|E_)/);
});
