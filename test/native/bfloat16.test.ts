// Training in bfloat16 against torch.autocast (test/golden/recipe.py), float64 and float32.
import { expect, test } from 'vitest';
import type { NetworkHandle, TensorMap, TrainOptions } from '../../lib/native/face.js';
import { precisionOn } from '../../lib/train/precision.js';
import { failureOf } from '../data/places.js';
import { assertClose, codeOf } from '../reference.js';
import { tinyImages } from '../run/tiny.js';
import {
  core,
  datasetOf,
  golden,
  goldenGraph,
  graphOf,
  KINDS,
  largest,
  networkOf,
  numbers,
  numbersOf,
  type Precision,
  rates,
  tensorOf,
  training,
  weightsOf,
  withKind,
} from './golden.js';

/** bfloat16 where the processor has AVX512-BF16 or AMX; elsewhere it is refused, which the last test holds. */
const isThere = core().features().bfloat16.cpu;
const narrow = test.skipIf(!isThere);
const BFLOAT16 = { precision: 'bfloat16' } as const;

const start = async (dtype: Precision = 'float32') =>
  networkOf(goldenGraph('train'), await golden('train', 'weights'), { dtype });
const images = async () => datasetOf(await golden('train', 'batch'), 5);
const epoch = async (network: NetworkHandle, options: TrainOptions, data = images()) =>
  core().train(network, await data, options, null, null);

/** Largest difference of each tensor as a share of its largest value. */
function errors(got: TensorMap, want: TensorMap): number[] {
  return [...got.keys()].map((name) => {
    const expected = numbersOf(want, name);
    const off = numbersOf(got, name).map((x, i) => Math.abs(x - (expected[i] ?? Number.NaN)));
    return largest(off) / largest(expected);
  });
}
const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

narrow(
  'two epochs come as near to float64 as torch.autocast does, tensor by tensor near autocast',
  async () => {
    const network = await start();
    const losses: number[] = [];
    for (const part of [
      [0.05, 0.05, 0.04],
      [0.03, 0.02, 0.01],
    ]) {
      const options = training(8, part, { momentum: 0.9, labelSmoothing: 0.1, ...BFLOAT16 });
      losses.push((await epoch(network, options)).loss);
    }
    const [autocast, exact] = [await golden('recipe', 'bfloat16'), await golden('recipe', 'float64')];
    // 8 bits of mantissa: every value of a pass is rounded by up to 2^-9 = 0.002 of itself, and six steps add up.
    const tolerance = { rtol: 2e-3, atol: 0, note: 'losses, bfloat16' };
    assertClose(losses, numbersOf(autocast, 'losses'), tolerance);
    const rounded = weightsOf(network);
    for (const error of errors(rounded, autocast)) expect(error).toBeLessThan(1.5e-2);
    // Roundings fall differently; over two dozen tensors their mean is alike.
    const theirs = new Map([...rounded.keys()].map((name) => [name, tensorOf(autocast, name)]));
    expect(mean(errors(rounded, exact))).toBeLessThan(1.5 * mean(errors(theirs, exact)));
  },
);

narrow('weights move by steps that bfloat16 weights would not see', async () => {
  const moved = async (options: Partial<TrainOptions>) => {
    const network = await start();
    for (let i = 0; i < 20; i += 1) await epoch(network, training(20, [1e-5], options));
    return weightsOf(network);
  };
  const [rounded, wide, before] = [await moved(BFLOAT16), await moved({}), await golden('train', 'weights')];
  const name = 'pw.weight';
  const step = (of: TensorMap) => numbersOf(of, name).map((x, i) => x - (numbersOf(before, name)[i] ?? 0));
  const sizes = numbersOf(before, name);
  // Half a unit in the last place of bfloat16 is at least 2^-9 of a value: a rounded weight would come back each time.
  step(wide).forEach((x, i) => {
    expect(Math.abs(x / 20)).toBeLessThan(2 ** -9 * Math.abs(sizes[i] ?? 0));
  });
  const steps = step(wide);
  // Gradients of 0.4 % or so, and of float32 weights each step rounded by 6e-8 of them.
  assertClose(step(rounded), steps, { rtol: 0, atol: 0.03 * largest(steps), note: name });
});

for (const kind of KINDS) {
  narrow(`${kind}: every op trains in bfloat16 as in float64, to its rounding`, async () => {
    const graph = withKind(goldenGraph('maps'), kind);
    const [weights, batch] = [await golden('maps', 'weights'), await golden('maps', 'batch')];
    const of = async (dtype: Precision, options: Partial<TrainOptions>) => {
      const network = networkOf(graph, weights, { dtype });
      const { loss } = await epoch(
        network,
        training(10, [0.02], { weightDecay: 1e-2, ...options }),
        Promise.resolve(datasetOf(batch, 6)),
      );
      return { loss, weights: weightsOf(network) };
    };
    const [rounded, exact] = [await of('float32', BFLOAT16), await of('float64', {})];
    // A dozen layers of roundings by 2^-9, over ten images; batch norm divides by small deviations.
    assertClose([rounded.loss], [exact.loss], { rtol: 2e-2, atol: 0, note: 'loss' });
    for (const error of errors(rounded.weights, exact.weights)) expect(error).toBeLessThan(5e-2);
  });
}

narrow('a small network learns in bfloat16 what it learns in float32', async () => {
  const graph = graphOf(
    [1, 8, 8],
    [
      ['stem', 'conv2d', 'input', { out: 8, kernel: 3 }],
      ['stem_bn', 'batch_norm', 'stem'],
      ['stem_act', 'activation', 'stem_bn', { kind: 'relu' }],
      ['dw', 'depthwise_conv2d', 'stem_act', { kernel: 3, stride: 2 }],
      ['dw_bn', 'batch_norm', 'dw'],
      ['dw_act', 'activation', 'dw_bn', { kind: 'silu' }],
      ['pw', 'conv2d', 'dw_act', { out: 16, kernel: 1 }],
      ['pw_bn', 'batch_norm', 'pw'],
      ['pw_act', 'activation', 'pw_bn', { kind: 'relu' }],
      ['flat', 'flatten', 'pw_act'],
      ['drop', 'dropout', 'flat', { p: 0.1 }],
      ['out', 'linear', 'drop', { out: 4 }],
    ],
  );
  const [train, unseen] = [tinyImages(320, 1), tinyImages(400, 2)].map(({ images: x, labels }) =>
    core().createDataset(x, labels, [0.43], [0.13], 4, 'cpu'),
  );
  if (train === undefined || unseen === undefined) throw new Error('no images');
  const accuracy = async (options: Partial<TrainOptions>) => {
    const network = networkOf(graph, new Map(), { seed: 2 });
    for (let seed = 0; seed < 8; seed += 1) {
      const one = training(32, rates(10, 0.1), {
        momentum: 0.9,
        shuffle: true,
        flip: false,
        seed,
        ...options,
      });
      await core().train(network, train, one, null, null);
    }
    return (await core().evaluate(network, unseen, { batch: 100 }, null, null)).top1;
  };
  const [wide, rounded] = [await accuracy({}), await accuracy(BFLOAT16)];
  expect(wide).toBeGreaterThan(85);
  // 400 images: two standard deviations of the difference at 90 % are 4 points.
  expect(Math.abs(rounded - wide)).toBeLessThan(4);
});

narrow('what is kept carries on to the same bits, in slices and in pieces', async () => {
  const options = training(8, rates(3, 0.05), { momentum: 0.9, microBatch: 4, seed: 3, ...BFLOAT16 });
  const [whole, first, resumed] = [await start(), await start(), await start()];
  await epoch(whole, options);
  await epoch(first, { ...options, start: 0, stop: 2 });
  for (const set of ['weights', 'momentum'] as const)
    core().writeNetwork(resumed, set, core().readNetwork(first, set));
  await epoch(resumed, { ...options, start: 2, stop: 3 });
  expect(weightsOf(resumed)).toEqual(weightsOf(whole));
});

narrow('evaluation is in float32, whatever trained the weights', async () => {
  const network = await start();
  await epoch(network, training(8, rates(3, 0.05), BFLOAT16));
  const again = networkOf(goldenGraph('train'), weightsOf(network));
  const logits = async (of: NetworkHandle) => core().forward(of, await images(), { mode: 'eval', batch: 20 });
  expect(await logits(network)).toEqual(await logits(again));
  const wide = networkOf(goldenGraph('train'), weightsOf(network), { dtype: 'float64' });
  const exact = numbers(await logits(wide));
  // As near as float32 is, a thousand times nearer than bfloat16.
  assertClose(numbers(await logits(again)), exact, { rtol: 0, atol: 2e-6 * largest(exact), note: 'float32' });
});

test('bfloat16 is refused where the device lacks it, for float64 networks, and by any other name', async () => {
  const { cpu, cuda, engine } = core().features().bfloat16;
  expect(precisionOn('cpu', 'auto')).toBe(engine === '' ? 'float32' : 'bfloat16');
  expect(precisionOn('cpu', 'float32')).toBe('float32');
  if (!cuda) {
    expect(precisionOn('cuda', 'auto')).toBe('float32');
    expect(codeOf(() => precisionOn('cuda', 'bfloat16'))).toBe('E_DEVICE');
  }
  const refused = async (network: NetworkHandle, precision: string) =>
    failureOf(epoch(network, training(20, [0.1], { precision: precision as 'bfloat16' })));
  expect(await refused(await start(), 'float16')).toMatch(
    /^E_ARGUMENT: .*float32 or bfloat16, found float16/,
  );
  expect(await refused(await start('float64'), 'bfloat16')).toMatch(/^E_ARGUMENT: .*found Double/);
  if (!cpu) expect(await refused(await start(), 'bfloat16')).toMatch(/^E_DEVICE: .*AVX512-BF16/);
});
