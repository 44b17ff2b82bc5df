// Which images are kept for testing, held against counts by hand.
import { expect, test } from 'vitest';
import { listImages } from '../../../lib/data/images/layout.js';
import { keptForTesting } from '../../../lib/data/images/share.js';
import { randomOf } from '../../reference.js';
import { folderOf } from './folders.js';

function listOf(sizes: readonly number[]) {
  const paths = sizes.flatMap((size, label) => Array.from({ length: size }, (_, i) => `${label}/${i}.jpg`));
  const labels = Int32Array.from(sizes.flatMap((size, label) => new Array<number>(size).fill(label)));
  return { paths, labels };
}

/** Images kept of each class. */
function kept(sizes: readonly number[], share: number): readonly number[] {
  const all = listOf(sizes);
  const isTest = keptForTesting(all, share);
  return sizes.map((_, label) => isTest.filter((one, at) => one === 1 && all.labels[at] === label).length);
}

test('every class that has two images has one for testing and one for training', () => {
  expect(kept(new Array<number>(12).fill(4), 0.1)).toEqual(new Array<number>(12).fill(1));
  expect(kept([2, 3, 5, 1, 0, 2], 0.1)).toEqual([1, 1, 1, 0, 0, 1]);
  expect(kept([2, 2, 10], 0.95).slice(0, 2)).toEqual([1, 1]);
  for (let seed = 0; seed < 50; seed += 1) {
    const random = randomOf(seed);
    const sizes = Array.from({ length: 12 }, () => Math.floor(random() * 30));
    const share = 0.02 + 0.95 * random();
    const counts = kept(sizes, share);
    sizes.forEach((size, label) => {
      const count = counts[label] ?? -1;
      const note = `seed ${seed}: ${count} of ${size}`;
      if (size < 2 && sizes.some((one) => one > 1)) expect(count, note).toBe(0);
      if (size < 2) return;
      expect(count, note).toBeGreaterThanOrEqual(Math.max(1, Math.floor(share * size)));
      expect(count, note).toBeLessThanOrEqual(Math.max(1, Math.min(size - 1, Math.ceil(share * size))));
    });
  }
});

test('classes of ten images and more keep a tenth, in all', () => {
  expect(kept([20, 30, 100], 0.1)).toEqual([2, 3, 10]);
  expect(kept([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], 0.1).filter((one) => one > 0)).toHaveLength(1);
});

test('classes of one image, and classes of none, are said', async () => {
  const files = ['a/1', 'a/2', 'b/1', 'c/1', 'c/2', 'c/3'].map((path) => [`${path}.jpg`, '']);
  const root = folderOf({ ...Object.fromEntries(files), 'd/readme.txt': '' });
  const { notes } = await listImages(root, { testShare: 0.1 });
  expect(notes).toContain('1 of 4 classes have no images in the folder: d');
  expect(notes).toContain('1 of 4 classes have one image and so none for testing: b');
});
