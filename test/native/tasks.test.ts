// Calls that run on a thread of their own: abort, progress, one task a network, two networks at once.
import { afterAll, expect, test } from 'vitest';
import { buildPreset } from '../../lib/models/zoo.js';
import type { AbortHandle, Core, OnProgress, Progress, TensorData } from '../../lib/native/face.js';
import { failureOf } from '../data/places.js';
import { codeOf } from '../reference.js';
import { core, datasetOf, indexing, networkOf, randomBatch, rates, training, weightsOf } from './golden.js';

const GRAPH = buildPreset('mobilenet_cifar10', { blocks: 2, width: 4, resolution: 16 });
const COUNT = 256;
const BATCH = randomBatch(GRAPH.input.shape, 10, COUNT, 1);
const data = datasetOf(BATCH, 10);

afterAll(() => core().setThreads(1));

/** Tasks that would take minutes: thousands of minibatches of one image, or as many epochs. */
const repeated = new Map(
  [...BATCH].map(([name, t]): [string, TensorData] => {
    const times = 100;
    const bytes = new Uint8Array(t.data.length * times);
    for (let i = 0; i < times; i += 1) bytes.set(t.data, i * t.data.length);
    return [name, { ...t, shape: [COUNT * times, ...t.shape.slice(1)], data: bytes }];
  }),
);
const many = datasetOf(repeated, 10);
const SWEEP = { batch: 8, syncBatchNorm: false, shuffle: true, flip: false, crop: 0, seed: 0 };
const LONG: Readonly<Record<string, (on: OnProgress | null, abort: AbortHandle | null) => Promise<unknown>>> =
  {
    train: (on, abort) =>
      core().train(networkOf(GRAPH), many, training(1, rates(100 * COUNT, 1e-4)), on, abort),
    evaluate: (on, abort) => core().evaluate(networkOf(GRAPH), many, { batch: 1 }, on, abort),
    recalibrate: (on, abort) => core().recalibrate(networkOf(GRAPH), many, { ...SWEEP, batch: 1 }, on, abort),
    rayleigh: (on, abort) =>
      core().indices(
        networkOf(GRAPH),
        many,
        indexing(GRAPH, 'rayleigh', { batch: 4, epochs: 99 }),
        on,
        abort,
      ),
    exact: (on, abort) =>
      core().indices(networkOf(GRAPH), many, indexing(GRAPH, 'exact', { batch: 4 }), on, abort),
  };

for (const [phase, start] of Object.entries(LONG)) {
  test(`an aborted ${phase} rejects with E_ABORTED long before its end`, async () => {
    const abort = core().createAbort();
    let first: Progress | null = null;
    let asked = 0;
    const failure = await failureOf(
      start((progress) => {
        first ??= progress;
        if (asked > 0) return;
        asked = performance.now();
        core().abort(abort);
      }, abort),
    );
    expect(failure).toMatch(/^E_ABORTED: /);
    // The work itself would take hours.
    expect(performance.now() - asked).toBeLessThan(60_000);
    expect(first).toMatchObject({ phase });
  });
}

test('a task whose abort was asked for before it began does nothing, and the process goes on', async () => {
  const abort = core().createAbort();
  core().abort(abort);
  const network = networkOf(GRAPH);
  const before = weightsOf(network);
  const options = training(64, rates(4, 0.1));
  expect(await failureOf(core().train(network, data, options, null, abort))).toMatch(/^E_ABORTED/);
  expect(weightsOf(network)).toEqual(before);
  const result = await core().train(network, data, options, null, core().createAbort());
  expect(result.images).toBe(COUNT);
});

const SHORT: Readonly<Record<string, (on: OnProgress) => Promise<unknown>>> = {
  train: (on) => core().train(networkOf(GRAPH), data, training(8, rates(32, 0.01)), on, null),
  evaluate: (on) => core().evaluate(networkOf(GRAPH), data, { batch: 8 }, on, null),
  recalibrate: (on) => core().recalibrate(networkOf(GRAPH), data, SWEEP, on, null),
  rayleigh: (on) =>
    core().indices(networkOf(GRAPH), data, indexing(GRAPH, 'rayleigh', { batch: 8, epochs: 3 }), on, null),
  exact: (on) =>
    core().indices(
      networkOf(GRAPH),
      data,
      indexing(GRAPH, 'exact', { batch: 16, memoryLimit: 20_000 }),
      on,
      null,
    ),
};
for (const [phase, start] of Object.entries(SHORT)) {
  test(`progress of ${phase} only grows, keeps its total and ends at it`, async () => {
    const seen: Progress[] = [];
    await start((progress) => seen.push(progress));
    const last = seen.at(-1);
    expect(last?.done).toBe(last?.total);
    expect((last?.images ?? 0) % COUNT).toBe(0);
    for (const [i, now] of seen.entries()) {
      expect([now.phase, now.total]).toEqual([phase, last?.total]);
      const before = seen[i - 1] ?? { done: 0, images: 0, seconds: 0 };
      expect(now.done).toBeGreaterThan(before.done);
      expect(now.images).toBeGreaterThan(before.images);
      expect(now.seconds).toBeGreaterThanOrEqual(before.seconds);
      if (phase === 'train') expect(now.loss).toBeGreaterThan(0);
    }
  });
}

test('a network at work refuses to be read or written with E_HANDLE, and serves again afterwards', async () => {
  const [network, abort] = [networkOf(GRAPH), core().createAbort()];
  const codes: string[] = [];
  const options = training(1, rates(100 * COUNT, 1e-4));
  const running = core().train(
    network,
    many,
    options,
    () => {
      if (codes.length > 0) return;
      codes.push(codeOf(() => core().readNetwork(network, 'weights')));
      codes.push(codeOf(() => core().readNetwork(network, 'momentum')));
      codes.push(codeOf(() => core().writeNetwork(network, 'momentum', [])));
      core().abort(abort);
    },
    abort,
  );
  expect(await failureOf(running)).toMatch(/^E_ABORTED/);
  expect(codes).toEqual(['E_HANDLE', 'E_HANDLE', 'E_HANDLE']);
  expect(weightsOf(network).size).toBeGreaterThan(0);
});

test('two tasks on one network run one after the other', async () => {
  const [both, apart] = [networkOf(GRAPH), networkOf(GRAPH)];
  const options = training(64, rates(4, 0.05), { momentum: 0.9 });
  const epoch = (network: ReturnType<typeof networkOf>) => core().train(network, data, options, null, null);
  await Promise.all([epoch(both), epoch(both)]);
  await epoch(apart);
  await epoch(apart);
  expect(weightsOf(both)).toEqual(weightsOf(apart));
});

for (const threads of [1, 2]) {
  test(`two networks that train at once on ${threads} threads give what each gives alone, bit for bit`, async () => {
    core().setThreads(threads);
    expect(core().features().threads).toBe(threads);
    const start = (seed: number): ReturnType<typeof networkOf> => networkOf(GRAPH, new Map(), { seed });
    const options = (seed: number): Parameters<Core['train']>[2] =>
      training(64, rates(4, 0.05), { momentum: 0.9, shuffle: true, flip: true, crop: 2, seed });
    const alone = [];
    for (const seed of [1, 2]) {
      const network = start(seed);
      await core().train(network, data, options(seed), null, null);
      alone.push(weightsOf(network));
    }
    const together = await Promise.all(
      [1, 2].map(async (seed) => {
        const network = start(seed);
        await core().train(network, data, options(seed), null, null);
        return weightsOf(network);
      }),
    );
    expect(together).toEqual(alone);
  });
}
