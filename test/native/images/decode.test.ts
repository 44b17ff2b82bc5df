// Pictures of every format against Pillow's decoder and torchvision's evaluation transforms (test/golden/images.py).
import { expect, test } from 'vitest';
import { golden } from '../golden.js';
import { imageCore, imagesOf, PICTURES, sourceOf } from './files.js';

const EXPECTED = await golden('images', 'expected');

/** Largest and mean difference of levels. */
function difference(got: Uint8Array, want: Uint8Array): { readonly most: number; readonly mean: number } {
  expect(got.length).toBe(want.length);
  const gaps = Array.from(got, (level, i) => Math.abs(level - (want[i] ?? 0)));
  return { most: Math.max(...gaps), mean: gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length };
}

// Inks: Pillow multiplies with another rounding.
const levelsOf = (file: string): number => (/^(cmyk|ycck)/.test(file) ? 1 : 0);

test.each([...EXPECTED])('%s is what Pillow and torchvision make of it', async (name, want) => {
  const [file = '', kind = '', shortSide = ''] = name.split('/');
  const resolution = want.shape[1] ?? 0;
  const data = imagesOf(sourceOf(PICTURES, [file]), { resolution, shortSide: Number(shortSide) });
  const got = await imageCore().imageAt(data, 0);
  expect([got.dtype, ...got.shape]).toEqual(['uint8', ...want.shape]);
  const { most, mean } = difference(got.data, want.data);
  // Unresized pixels are the decoder's own. Resized ones are rounded once here, between rows and columns too by Pillow,
  // and for turned pictures in the other order.
  expect(most).toBeLessThanOrEqual(levelsOf(file) + (kind === 'same' ? 0 : 1));
  expect(mean).toBeLessThan(kind === 'same' ? 0.3 : 0.5);
});
