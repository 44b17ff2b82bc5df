// How calls are watched and stopped: listeners that reject, callbacks that never answer, what is no callback, and seeds that are none.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  bench,
  benchSplitting,
  buildPreset,
  compare,
  compareExperiment,
  createNetwork,
  type ExperimentControl,
  evaluate,
  exportNetwork,
  forward,
  getData,
  grow,
  growExperiment,
  importWeights,
  indexData,
  indices,
  packData,
  parseExperiment,
  predict,
  type RunControl,
  reproduce,
  setup,
  split,
  train,
  trainExperiment,
  verifyData,
} from '../../lib/index.js';
import type { ExperimentInput } from '../../lib/run/spec/experiment-input.js';
import { seedOf } from '../../lib/train/seeds.js';
import { asRead, temporaryFolder, tinyExperiment, writeTinyData } from '../run/tiny.js';

async function experiment(): Promise<ExperimentInput> {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  return tinyExperiment(folder);
}

const NO = 'no-such-place';
/** Every function that takes a control, on what is not there: a wrong control is told of first. */
const CALLS: Readonly<Record<string, (control: RunControl) => Promise<unknown>>> = {
  grow: (control) => grow(NO, control),
  train: (control) => train(NO, control),
  compare: (control) => compare(NO, control),
  growExperiment: (control) => growExperiment({} as never, control),
  trainExperiment: (control) => trainExperiment({} as never, control),
  compareExperiment: (control) => compareExperiment({} as never, control),
  evaluate: (control) => evaluate({ network: NO, data: {} as never }, control),
  predict: (control) => predict({ network: NO, images: [NO] }, control),
  forward: (control) => forward({ network: NO, batch: NO }, control),
  indices: (control) => indices({ network: NO, batch: NO }, control),
  split: (control) =>
    split({ network: NO, plan: { splits: {} }, directions: NO, epsilon: 0, out: NO }, control),
  bench: (control) => bench({ network: NO, batchSize: 1 }, control),
  benchSplitting: (control) => benchSplitting({ network: NO }, control),
  exportNetwork: (control) => exportNetwork({ network: NO, onnx: NO }, control),
  importWeights: (control) =>
    importWeights({ weights: NO, from: 'timm', preset: 'mobilenet_v1', out: NO }, control),
  indexData: (control) => indexData({ root: NO }, control),
  packData: (control) => packData({ root: NO, out: NO }, control),
  verifyData: (control) => verifyData({ store: NO }, control),
  reproduce: (control) => reproduce({ id: 'none' }, control as never),
};
for (const [name, call] of Object.entries(CALLS)) {
  test(`${name} refuses a listener that is no function and a signal that is none, before anything else`, async () => {
    for (const onEvent of [5, 'tell', {}, null] as never[])
      await expect(call({ onEvent })).rejects.toMatchObject({
        code: 'E_ARGUMENT',
        message: expect.stringMatching(/^onEvent: expected a function, got /),
      });
    for (const signal of [5, {}, null, new AbortController()] as never[])
      await expect(call({ signal })).rejects.toMatchObject({
        code: 'E_ARGUMENT',
        message: expect.stringMatching(/^signal: expected an AbortSignal, got /),
      });
    for (const control of [null, 5, 'x'] as never[])
      await expect(call(control)).rejects.toMatchObject({ code: 'E_ARGUMENT' });
  });
}

test('setup and getData refuse a listener that is no function', async () => {
  const control = { onProgress: 7 as never };
  for (const call of [setup({}, control), getData({ name: 'cifar10' }, control)])
    await expect(call).rejects.toMatchObject({
      code: 'E_ARGUMENT',
      message: expect.stringMatching(/^onProgress: /),
    });
});

test('costs and strategies that are no functions are refused before anything is written', async () => {
  const json = await experiment();
  for (const wrong of [
    { costs: { own: 5 } },
    { strategies: { own: 'best' } },
    { costs: 7 },
    { strategies: null },
  ])
    await expect(grow(asRead(json), wrong as never)).rejects.toMatchObject({ code: 'E_ARGUMENT' });
  expect(existsSync(String(json.output))).toBe(false);
});

for (const [name, call] of Object.entries({ grow, train, compare })) {
  test(`a promise of a listener that is rejected ends ${name} with E_CALLBACK and its cause`, async () => {
    const json: Record<string, unknown> = { ...(await experiment()) };
    if (name === 'compare') json.compare = [{ method: 'width-multiplier', targets: [20_000] }];
    const cause = new Error('no room for the log');
    const onEvent = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      throw cause;
    };
    const run: Promise<unknown> = call(json as never, { onEvent });
    await expect(run).rejects.toMatchObject({
      code: 'E_CALLBACK',
      message: 'onEvent: its promise was rejected: no room for the log',
      cause,
    });
  });
}

test('listeners whose promises are kept, or never settle, change nothing', async () => {
  const json = await experiment();
  let events = 0;
  const onEvent = async (): Promise<void> => {
    events += 1;
    if (events % 2 === 0) await new Promise(() => undefined);
  };
  const { stages } = await grow(asRead({ ...json, stop: { stages: 0 } }), { onEvent });
  expect([stages.length, events > 0]).toEqual([1, true]);
});

const NEVER: Readonly<Record<string, (asked: () => void) => ExperimentControl>> = {
  'a strategy that never answers': (asked) => ({
    strategies: {
      own: () => {
        asked();
        return new Promise(() => undefined);
      },
    },
  }),
  'a strategy that answers after the abort alone': (asked) => ({
    strategies: {
      own: async (candidates) => {
        asked();
        await new Promise((resolve) => setTimeout(resolve, 30_000).unref());
        return candidates;
      },
    },
  }),
};
for (const [what, controlOf] of Object.entries(NEVER)) {
  test(`an abort ends a run that waits for ${what} with E_ABORTED, and the run goes on from there`, async () => {
    const json = await experiment();
    const own = { ...json, splitting: { ...(json.splitting as object), strategy: 'own' } };
    const stopping = new AbortController();
    let at = 0;
    const control = controlOf(() => {
      at = performance.now();
      setImmediate(() => stopping.abort());
    });
    await expect(grow(asRead(own), { ...control, signal: stopping.signal })).rejects.toMatchObject({
      code: 'E_ABORTED',
    });
    expect(performance.now() - at).toBeLessThan(10_000);
    expect(existsSync(join(String(json.output), 'run.lock'))).toBe(false);
    const { stages } = await grow(asRead(own), { strategies: { own: (candidates) => candidates } });
    expect(stages).toHaveLength(3);
  });
}

const SEEDS: readonly unknown[] = [Number.NaN, -1, 0.5, 2 ** 53, Infinity, '1', null, 1n, {}];
test('a seed that is no whole number from 0 to 2^53 - 1 is refused wherever one is given', async () => {
  const json = await experiment();
  const graph = buildPreset('mobilenet_cifar10', { blocks: 1, width: 4, resolution: 8 });
  for (const seed of SEEDS as readonly never[]) {
    expect(() => createNetwork(graph, { seed, device: 'cpu' })).toThrow(
      expect.objectContaining({ code: 'E_ARGUMENT' }),
    );
    expect(() => seedOf('fit', seed)).toThrow(expect.objectContaining({ code: 'E_ARGUMENT' }));
    expect(() => parseExperiment({ ...json, seed })).toThrow(
      expect.objectContaining({ code: 'E_EXPERIMENT' }),
    );
    if (seed === null) continue;
    const code = { code: expect.stringMatching(/^E_(ARGUMENT|FILE)$/) };
    await expect(benchSplitting({ seed })).rejects.toMatchObject({ code: 'E_ARGUMENT' });
    await expect(indices({ network: NO, batch: NO, seed })).rejects.toMatchObject(code);
  }
  using made = createNetwork(graph, { seed: Number.MAX_SAFE_INTEGER, device: 'cpu' });
  expect(made.handle.isDisposed).toBe(false);
});
