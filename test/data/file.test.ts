// A dataset in a safetensors file: taken as it is, refused when its parts do not fit.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeSafetensors } from '../../lib/data/safetensors.js';
import type { DType, TensorData } from '../../lib/native/face.js';
import { failureOf, inFolder } from './places.js';
import { loadTensors } from './tensors.js';

function floats(shape: readonly number[], value = 0.5): TensorData {
  const count = shape.reduce((product, size) => product * size, 1);
  return { dtype: 'float32', shape, data: new Uint8Array(new Float32Array(count).fill(value).buffer) };
}

function pixels(shape: readonly number[]): TensorData {
  const count = shape.reduce((product, size) => product * size, 1);
  return { dtype: 'uint8', shape, data: Uint8Array.from({ length: count }, (_, i) => i % 256) };
}

function labels(values: readonly number[], dtype: DType = 'int64'): TensorData {
  const shape = [values.length];
  if (dtype === 'uint8') return { dtype, shape, data: Uint8Array.from(values) };
  if (dtype === 'int32') return { dtype, shape, data: new Uint8Array(Int32Array.from(values).buffer) };
  return { dtype: 'int64', shape, data: new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer) };
}

const GOOD: Readonly<Record<string, TensorData>> = {
  train_images: floats([4, 3, 2, 2]),
  train_labels: labels([0, 1, 2, 1]),
  test_images: floats([2, 3, 2, 2]),
  test_labels: labels([4, 0]),
};

/** What loading a file of these tensors gives or throws. */
async function load(
  tensors: Readonly<Record<string, TensorData | undefined>>,
): Promise<ReturnType<typeof loadTensors>> {
  let result: Promise<Awaited<ReturnType<typeof loadTensors>>> | null = null;
  await inFolder(async (folder) => {
    const file = join(folder, 'data.safetensors');
    const given = Object.entries(tensors).filter((e): e is [string, TensorData] => e[1] !== undefined);
    await writeSafetensors(file, new Map(given));
    result = loadTensors({ file });
    await result.catch(() => {});
  });
  if (!result) throw new Error('not loaded');
  return result;
}

test('float32 images are taken as they are, with no mean and std', async () => {
  const data = await load(GOOD);
  expect(data.train.images).toEqual(GOOD.train_images);
  expect(data.train.labels).toEqual(GOOD.train_labels);
  expect([data.mean, data.std, data.classes, data.name]).toEqual([[], [], 5, 'file']);
});

test('uint8 images come with mean and std of the training part', async () => {
  const data = await load({ ...GOOD, train_images: pixels([4, 3, 2, 2]), test_images: pixels([2, 3, 2, 2]) });
  expect(data.mean).toHaveLength(3);
  // Channel 0 holds 0..3, 12..15, 24..27, 36..39.
  expect(data.mean[0]).toBeCloseTo(19.5 / 255, 12);
});

test.each(['int32', 'uint8'] as const)('labels may be %s', async (dtype) => {
  const data = await load({ ...GOOD, train_labels: labels([0, 1, 2, 1], dtype) });
  expect(data.train.labels).toEqual(GOOD.train_labels);
});

test('a channel of one value gets std 1', async () => {
  const flat: TensorData = { dtype: 'uint8', shape: [4, 1, 2, 2], data: new Uint8Array(16).fill(7) };
  const data = await load({
    ...GOOD,
    train_images: flat,
    test_images: { ...flat, shape: [2, 1, 2, 4] },
  }).catch(() => null);
  expect(data).toBeNull();
  const good = await load({
    ...GOOD,
    train_images: flat,
    test_images: { ...flat, shape: [2, 1, 2, 2], data: new Uint8Array(8) },
  });
  expect(good.std).toEqual([1]);
});

const MALFORMED: readonly (readonly [string, Readonly<Record<string, TensorData | undefined>>, RegExp])[] = [
  ['no train_labels', { train_labels: undefined }, /^E_DATA: .*expected the tensor train_labels/],
  ['no test_images', { test_images: undefined }, /^E_DATA: .*expected the tensor test_images/],
  [
    'images of three axes',
    { train_images: floats([4, 2, 2]) },
    /^E_DATA: .*\[N, C, H, W\].*no axis of channels; .*: train_images\[:, None\]$/,
  ],
  [
    'labels of one number a class',
    { train_labels: floats([4, 5]) },
    /^E_DATA: .*; of one number a class, take train_labels\.argmax\(1\)$/,
  ],
  ['no images', { train_images: floats([0, 3, 2, 2]), train_labels: labels([]) }, /^E_DATA: /],
  ['images of type int64', { train_images: { ...labels([1]), shape: [1, 1, 1, 1] } }, /^E_DATA: .*int64/],
  [
    'too few labels',
    { train_labels: labels([0, 1]) },
    /^E_DATA: .*expected "train_labels" int64 \[4\], got int64 \[2\]$/,
  ],
  ['labels of two axes', { train_labels: { ...labels([0, 1, 2, 1]), shape: [2, 2] } }, /^E_DATA: /],
  [
    'float labels',
    { train_labels: floats([4]) },
    /^E_DATA: .*got float32 \[4\]; save whole numbers, in NumPy: train_labels\.astype\("int64"\)/,
  ],
  ['a negative label', { train_labels: labels([0, -1, 2, 1]) }, /^E_LABELS: .*found -1 at image 1/],
  ['a label of 2^40', { train_labels: labels([0, 2 ** 40, 2, 1]) }, /^E_LABELS: /],
  ['NaN', { train_images: floats([4, 3, 2, 2], Number.NaN) }, /^E_DATA: .*finite numbers/],
  ['infinity', { test_images: floats([2, 3, 2, 2], Number.POSITIVE_INFINITY) }, /^E_DATA: .*finite/],
  ['parts of other sizes', { test_images: floats([2, 3, 4, 4]) }, /^E_DATA: .*one type and size/],
  ['parts of other types', { test_images: pixels([2, 3, 2, 2]) }, /^E_DATA: .*one type and size/],
];

test.each(MALFORMED)('%s: refused', async (_, change, reason) => {
  expect(await failureOf(load({ ...GOOD, ...change }))).toMatch(reason);
});

test('a file that is missing or no safetensors keeps its own code', async () => {
  expect(await failureOf(loadTensors({ file: '/nonexistent/x' }))).toMatch(/^E_FILE: /);
  expect(await failureOf(loadTensors({ file: new URL(import.meta.url).pathname }))).toMatch(
    /^E_SAFETENSORS: /,
  );
});
