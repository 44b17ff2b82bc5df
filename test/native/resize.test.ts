// Resized images against PyTorch's interpolate (test/golden/generate.py), and what is refused.
import { expect, test } from 'vitest';
import type { TensorData } from '../../lib/native/face.js';
import { assertClose, size } from '../reference.js';
import { core, floats, golden, numbers, numbersOf, tensorOf } from './golden.js';

const SIZES = [1, 5, 8, 12, 17];

test('pixels resized to any size are those of PyTorch rounded to grey levels, still uint8', async () => {
  const images = await golden('resize', 'images');
  for (const to of SIZES) {
    const found = await core().resizeImages(tensorOf(images, 'pixels'), to, null);
    expect([found.dtype, ...found.shape]).toEqual(['uint8', 4, 3, to, to]);
    // Rounded to whole levels, of float32 sums.
    assertClose(numbers(found), numbersOf(images, `to-${to}`), { rtol: 0, atol: 0.501, note: `to ${to}` });
  }
});

test('floats resized to any size are those of PyTorch', async () => {
  const images = await golden('resize', 'images');
  const pixels = numbersOf(images, 'pixels');
  const given = floats([4, 3, 12, 12], (i) => pixels[i] ?? 0);
  for (const to of SIZES) {
    const found = await core().resizeImages(given, to, null);
    expect([found.dtype, ...found.shape]).toEqual(['float32', 4, 3, to, to]);
    // float32 sums of up to 24 x 24 pixels of 255.
    assertClose(numbers(found), numbersOf(images, `to-${to}`), { rtol: 1e-5, atol: 1e-3, note: `to ${to}` });
  }
});

test('more images than are resized at a time come out whole and in order', async () => {
  const shape = [1500, 1, 2, 2];
  const data = Uint8Array.from({ length: size(shape) }, (_, i) => Math.floor(i / 4) % 251);
  const found = await core().resizeImages({ dtype: 'uint8', shape, data }, 1, null);
  expect(Array.from(found.data)).toEqual(Array.from({ length: 1500 }, (_, i) => i % 251));
});

test('an aborted call rejects with E_ABORTED', async () => {
  const abort = core().createAbort();
  core().abort(abort);
  const images = floats([1, 1, 2, 2], () => 0);
  await expect(core().resizeImages(images, 1, abort)).rejects.toMatchObject({ code: 'E_ABORTED' });
});

const FINE: TensorData = floats([1, 1, 2, 2], () => 0);
const WRONG: readonly (readonly [string, TensorData, unknown, RegExp])[] = [
  ['no pixels', { dtype: 'uint8', shape: [0, 1, 2, 2], data: new Uint8Array() }, 1, /images/],
  ['three axes', floats([1, 2, 2], () => 0), 1, /\[N, C, H, W\]/],
  ['another dtype', { dtype: 'int32', shape: [1, 1, 1, 1], data: new Uint8Array(4) }, 1, /images/],
  ['a size of 0', FINE, 0, /size.*found 0/],
  ['a size that is no whole number', FINE, 1.5, /size.*found 1.5/],
  ['a size that is too large', FINE, 1e9, /size/],
  ['a size that is no number', FINE, '2', /size/],
];
test.each(WRONG)('%s: refused with E_ARGUMENT', (_claim, images, to, says) => {
  expect(() => core().resizeImages(images, to as number, null)).toThrow(
    expect.objectContaining({ code: 'E_ARGUMENT', message: expect.stringMatching(says) }),
  );
});
