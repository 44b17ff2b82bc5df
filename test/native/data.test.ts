// Minibatches as training sees them: normalised, shuffled, flipped and cropped, and dropout's masks, all by the seed.
import { expect, test } from 'vitest';
import type { TensorData, TrainOptions } from '../../lib/native/face.js';
import { assertClose, randomOf, size } from '../reference.js';
import {
  core,
  doubles,
  floats,
  graphOf,
  longs,
  networkOf,
  numbers,
  numbersOf,
  type Precision,
  training,
  weightsOf,
} from './golden.js';

interface Images {
  readonly images: TensorData;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

/**
 * The image that training sees at place `at` of an epoch, without bias or
 * start: one step of rate 1 from weights 0 and two equal logits, label 0,
 * makes the first row of a linear layer half the image.
 */
async function seen(
  { images, mean = [], std = [] }: Images,
  at: number,
  options: Partial<TrainOptions>,
  dtype: Precision = 'float32',
): Promise<Float64Array> {
  const [count = 0, ...shape] = images.shape;
  const graph = graphOf(shape, [
    ['flat', 'flatten', 'input'],
    ['out', 'linear', 'flat', { out: 2, bias: false }],
  ]);
  const zero = new Map([['out.weight', doubles([2, size(shape)], () => 0)]]);
  const network = networkOf(graph, zero, { dtype });
  const labels = longs(Array.from({ length: count }, () => 0));
  const data = core().createDataset(images, labels, mean, std, 2, 'cpu');
  const rates = Array.from({ length: count }, (_, i) => (i === at ? 1 : 0));
  await core().train(network, data, training(1, rates, options), null, null);
  const weights = numbersOf(weightsOf(network), 'out.weight');
  return weights.slice(0, size(shape)).map((x) => 2 * x);
}

async function epoch(set: Images, options: Partial<TrainOptions>, dtype?: Precision): Promise<string[]> {
  const rows: string[] = [];
  for (let at = 0; at < (set.images.shape[0] ?? 0); at += 1)
    rows.push((await seen(set, at, options, dtype)).join(' '));
  return rows;
}

const [COUNT, CHANNELS, HEIGHT, WIDTH] = [12, 2, 3, 4];
const SHAPE = [COUNT, CHANNELS, HEIGHT, WIDTH];
/** Every pixel different, none 0: padding stands out. */
const NUMBERED: Images = { images: floats(SHAPE, (i) => i + 1) };
const pixel = (n: number, c: number, y: number, x: number): number =>
  y < 0 || x < 0 || y >= HEIGHT || x >= WIDTH ? 0 : ((n * CHANNELS + c) * HEIGHT + y) * WIDTH + x + 1;

/** Image n, mirrored or not, moved by (top, left) with zeros around it. */
function moved(n: number, isFlipped: boolean, top: number, left: number): string {
  const values: number[] = [];
  for (let c = 0; c < CHANNELS; c += 1)
    for (let y = 0; y < HEIGHT; y += 1)
      for (let x = 0; x < WIDTH; x += 1)
        values.push(pixel(n, c, y + top, (isFlipped ? WIDTH - 1 - x : x) + left));
  return values.join(' ');
}
const plain = Array.from({ length: COUNT }, (_, n) => moved(n, false, 0, 0));

test('without shuffling or augmentation every image comes once, in order, as it is', async () => {
  for (const seed of [0, 7]) expect(await epoch(NUMBERED, { seed })).toEqual(plain);
});

test('shuffling is a permutation that follows the seed', async () => {
  const first = await epoch(NUMBERED, { shuffle: true, seed: 1 });
  expect([...first].sort()).toEqual([...plain].sort());
  expect(first).not.toEqual(plain);
  expect(await epoch(NUMBERED, { shuffle: true, seed: 1 })).toEqual(first);
  expect(await epoch(NUMBERED, { shuffle: true, seed: 2 })).not.toEqual(first);
});

for (const dtype of ['float32', 'float64'] as const) {
  test(`a flip mirrors an image or leaves it, by the seed, in ${dtype}`, async () => {
    const got = await epoch(NUMBERED, { flip: true, seed: 3 }, dtype);
    const isFlipped = got.map((row, n) => {
      expect([moved(n, false, 0, 0), moved(n, true, 0, 0)]).toContain(row);
      return row === moved(n, true, 0, 0);
    });
    expect(new Set(isFlipped).size).toBe(2);
    expect(await epoch(NUMBERED, { flip: true, seed: 3 }, dtype)).toEqual(got);
  });

  test(`a crop moves an image by at most the padding, with zeros around, by the seed, in ${dtype}`, async () => {
    const options = { flip: true, crop: 2, shuffle: true, seed: 4 };
    const got = await epoch(NUMBERED, options, dtype);
    const offsets = [-2, -1, 0, 1, 2];
    const found = got.map((row) => {
      for (const n of plain.keys())
        for (const flip of [false, true])
          for (const top of offsets)
            for (const left of offsets) if (moved(n, flip, top, left) === row) return { n, top, left };
      return expect.fail(`no flip and crop of an image gives ${row}`);
    });
    expect(new Set(found.map(({ n }) => n)).size).toBe(COUNT);
    expect(new Set(found.map(({ top }) => top)).size).toBeGreaterThan(2);
    expect(new Set(found.map(({ left }) => left)).size).toBeGreaterThan(2);
    expect(await epoch(NUMBERED, options, dtype)).toEqual(got);
    expect(await epoch(NUMBERED, { ...options, seed: 5 }, dtype)).not.toEqual(got);
  });
}

test('loops and operators draw the same flips, crops and order, the image outside of the crop too', async () => {
  for (const crop of [1, 6]) {
    const options = { flip: true, crop, shuffle: true, seed: 6 };
    expect(await epoch(NUMBERED, options, 'float32')).toEqual(await epoch(NUMBERED, options, 'float64'));
  }
});

test('pixels become (x / 255 - mean) / std, and padding is a black pixel', async () => {
  const random = randomOf(1);
  const bytes = Uint8Array.from({ length: size(SHAPE) }, () => 1 + Math.floor(random() * 255));
  const images: TensorData = { dtype: 'uint8', shape: SHAPE, data: bytes };
  const set: Images = { images, mean: [0.5, 0.1], std: [0.25, 2] };
  const normal = (x: number, c: number): number => (x / 255 - (set.mean?.[c] ?? 0)) / (set.std?.[c] ?? 1);
  const area = HEIGHT * WIDTH;
  const want = Array.from(bytes.slice(0, 2 * area), (x, i) => normal(x, Math.floor(i / area)));
  // One rounding of float32 in each factor; the network in float64 has the dataset's own numbers.
  assertClose(await seen(set, 0, {}), want, { rtol: 1e-6, atol: 1e-6 });
  assertClose(await seen(set, 0, {}, 'float64'), want, { rtol: 1e-13, atol: 1e-13 });
  const raw = Array.from(bytes.slice(0, 2 * area), (x) => x / 255);
  assertClose(await seen({ images }, 0, {}), raw, { rtol: 1e-6, atol: 0, note: 'no mean' });
  const black: TensorData = { ...images, data: bytes.map(() => 0) };
  const dark = await seen({ ...set, images: black }, 0, { crop: 2 });
  assertClose(
    dark,
    Array.from(dark, (_, i) => normal(0, Math.floor(i / area))),
    { rtol: 1e-6, atol: 0 },
  );
});

test('dropout keeps a share of 1 - p, scaled by its inverse, by the seed, and not in evaluation', async () => {
  const [features, p] = [1000, 0.25];
  const graph = graphOf(
    [1, 1, features],
    [
      ['flat', 'flatten', 'input'],
      ['drop', 'dropout', 'flat', { p }],
      ['out', 'linear', 'drop', { out: 2, bias: false }],
    ],
  );
  const zero = new Map([['out.weight', doubles([2, features], () => 0)]]);
  const data = core().createDataset(
    floats([1, 1, 1, features], () => 1),
    longs([0]),
    [],
    [],
    2,
    'cpu',
  );
  const masks = async (seed: number, dtype: Precision): Promise<Float64Array> => {
    const network = networkOf(graph, zero, { dtype });
    await core().train(network, data, training(1, [1], { seed }), null, null);
    return numbersOf(weightsOf(network), 'out.weight')
      .slice(0, features)
      .map((x) => 2 * x);
  };
  const mask = await masks(1, 'float32');
  const kept = mask.filter((x) => x !== 0);
  assertClose(
    kept,
    kept.map(() => 1 / (1 - p)),
    { rtol: 1e-6, atol: 0, note: 'float32' },
  );
  // 5 standard deviations of a binomial.
  expect(Math.abs(kept.length - features * (1 - p))).toBeLessThan(5 * Math.sqrt(features * p * (1 - p)));
  expect(await masks(1, 'float32')).toEqual(mask);
  expect(await masks(2, 'float32')).not.toEqual(mask);
  assertClose(await masks(1, 'float64'), mask, { rtol: 1e-6, atol: 0, note: 'the same mask in float64' });
  const ones = new Map([['out.weight', doubles([2, features], (i) => (i < features ? 1 : 0))]]);
  const logits = await core().forward(networkOf(graph, ones), data, { mode: 'eval', batch: 1 });
  expect([...numbers(logits)]).toEqual([features, 0]);
});
