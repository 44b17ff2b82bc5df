// Moving averages and clipped gradients against PyTorch's (test/golden/recipe.py); bfloat16: bfloat16.test.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { NetworkHandle, TensorMap, TrainOptions } from '../../lib/native/face.js';
import { type AverageRule, averageIn } from '../../lib/train/average.js';
import { failureOf } from '../data/places.js';
import { assertClose } from '../reference.js';
import {
  core,
  datasetOf,
  GOLDEN,
  golden,
  goldenGraph,
  largest,
  networkOf,
  numbers,
  numbersOf,
  type Precision,
  rates,
  training,
  weightsOf,
} from './golden.js';

interface Run extends Pick<TrainOptions, 'momentum' | 'labelSmoothing' | 'gradientClip'> {
  readonly dtype: Precision;
  readonly precision?: 'bfloat16';
  readonly average?: AverageRule;
}
interface Runs {
  readonly batch: number;
  readonly rates: readonly number[];
  readonly runs: Readonly<Record<string, Run>>;
}
const RUNS: Runs = JSON.parse(readFileSync(join(GOLDEN, 'recipe', 'runs.json'), 'utf8'));

/** Share of a tensor's largest value after six steps: see test/native/train.test.ts. */
const CLOSE: Readonly<Record<Precision, number>> = { float32: 1e-4, float64: 1e-11 };

const start = async (dtype: Precision = 'float32') =>
  networkOf(goldenGraph('train'), await golden('train', 'weights'), { dtype });
const images = async () => datasetOf(await golden('train', 'batch'), 5);
const averageOf = (network: NetworkHandle): TensorMap => new Map(core().readNetwork(network, 'average'));
const epoch = async (network: NetworkHandle, options: TrainOptions) =>
  core().train(network, await images(), options, null, null);

const WIDE = Object.entries(RUNS.runs).filter(([, { precision }]) => precision === undefined);
for (const [name, { dtype, average, ...run }] of WIDE) {
  test(`weights, losses and moving average after two epochs (${name}) equal PyTorch's`, async () => {
    const [network, want] = [await start(dtype), await golden('recipe', name)];
    const losses: number[] = [];
    for (const [i, part] of [RUNS.rates.slice(0, 3), RUNS.rates.slice(3)].entries()) {
      const kept = average === undefined ? {} : { average: averageIn(average, i, part.length) };
      losses.push((await epoch(network, training(RUNS.batch, part, { ...run, ...kept }))).loss);
    }
    assertClose(losses, numbersOf(want, 'losses'), { rtol: CLOSE[dtype], atol: 0, note: 'losses' });
    const got = new Map(weightsOf(network));
    for (const [id, tensor] of averageOf(network)) got.set(`average.${id}`, tensor);
    expect([...got.keys()].sort()).toEqual([...want.keys()].filter((id) => id.includes('.')).sort());
    for (const [id, tensor] of got) {
      const expected = numbersOf(want, id);
      assertClose(numbers(tensor), expected, { rtol: 0, atol: CLOSE[dtype] * largest(expected), note: id });
    }
  });
}

test('gradients below the clip keep their bits, and every step of the golden run is above its own', async () => {
  expect(Math.min(...numbersOf(await golden('recipe', 'clip'), 'norms'))).toBeGreaterThan(0.5);
  const [free, clipped] = [await start(), await start()];
  await epoch(free, training(8, rates(3, 0.05)));
  await epoch(clipped, training(8, rates(3, 0.05), { gradientClip: 100 }));
  expect(weightsOf(clipped)).toEqual(weightsOf(free));
});

test('an average leaves the training as it is, and none is kept unless asked for', async () => {
  const [plain, averaged] = [await start(), await start()];
  await epoch(plain, training(8, rates(3, 0.05), { momentum: 0.9 }));
  await epoch(
    averaged,
    training(8, rates(3, 0.05), { momentum: 0.9, average: { decay: 0.9, every: 1, copies: 0 } }),
  );
  expect(weightsOf(averaged)).toEqual(weightsOf(plain));
  expect(averageOf(plain).size).toBe(0);
  expect(core().averagedNetwork(plain)).toBeNull();
  expect([...averageOf(averaged).keys()]).toEqual([...weightsOf(plain).keys()]);
});

test('while it warms up, the average is the network, bit for bit', async () => {
  const network = await start();
  await epoch(network, training(8, rates(3, 0.05), { average: { decay: 0.9, every: 1, copies: 3 } }));
  expect(averageOf(network)).toEqual(weightsOf(network));
});

test('the averaged network is a network of the averages: it evaluates as its weights do', async () => {
  const network = await start();
  const options = training(8, rates(3, 0.05), { average: { decay: 0.9, every: 1, copies: 0 } });
  await epoch(network, options);
  const made = core().averagedNetwork(network);
  if (made === null) throw new Error('no average');
  expect(weightsOf(made)).toEqual(averageOf(network));
  const again = networkOf(goldenGraph('train'), averageOf(network));
  const logits = async (of: NetworkHandle) => core().forward(of, await images(), { mode: 'eval', batch: 20 });
  expect(await logits(made)).toEqual(await logits(again));
  // A copy: what becomes of the network later does not move it.
  await epoch(network, options);
  expect(weightsOf(made)).toEqual(weightsOf(again));
  expect([core().readNetwork(made, 'momentum'), core().readNetwork(made, 'average')]).toEqual([[], []]);
});

test('weights, momentum and average written into another network carry the training on to the same bits', async () => {
  const options = training(8, rates(3, 0.05), {
    ...{ momentum: 0.9, average: { decay: 0.9, every: 2, copies: 0 } },
  });
  const [whole, first, resumed] = [await start(), await start(), await start()];
  await epoch(whole, options);
  await epoch(whole, options);
  await epoch(first, options);
  for (const set of ['weights', 'momentum', 'average'] as const)
    core().writeNetwork(resumed, set, core().readNetwork(first, set));
  await epoch(resumed, options);
  for (const set of ['weights', 'momentum', 'average'] as const)
    expect(core().readNetwork(resumed, set), set).toEqual(core().readNetwork(whole, set));
  core().writeNetwork(resumed, 'average', []);
  expect(core().averagedNetwork(resumed)).toBeNull();
});

test('what is no average or no clip is refused, and so are tensors that do not fit', async () => {
  const network = await start();
  const refused = (more: Partial<TrainOptions>) =>
    failureOf(epoch(network, training(8, rates(3, 0.05), more)));
  const average = { decay: 0.5, every: 1, copies: 0 };
  expect(await refused({ average: { ...average, decay: 1 } })).toMatch(/^E_ARGUMENT: .*average\.decay/);
  expect(await refused({ average: { ...average, every: 0 } })).toMatch(/^E_ARGUMENT: .*every/);
  expect(await refused({ average: { ...average, copies: -1 } })).toMatch(/^E_ARGUMENT: .*copies/);
  expect(await refused({ gradientClip: -1 })).toMatch(/^E_ARGUMENT: .*gradientClip/);
  const misfit = (set: 'momentum' | 'average', name: string) => () =>
    core().writeNetwork(network, set, [[name, { dtype: 'float32', shape: [1], data: new Uint8Array(4) }]]);
  expect(misfit('average', 'stem.weight')).toThrow(/average of stem\.weight: expected floats of shape/);
  expect(misfit('average', 'nothing')).toThrow(/is no tensor of this network/);
  expect(misfit('momentum', 'stem_bn.running_mean')).toThrow(/momentum of stem_bn\.running_mean/);
  expect(() => core().readNetwork(network, 'nothing' as 'average')).toThrow(/weights, momentum and average/);
});
