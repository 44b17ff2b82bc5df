// Validation images: how many of each class, that both parts make up the whole, and that the seed alone decides.
import { expect, test } from 'vitest';
import type { Dataset } from '../../lib/data/dataset.js';
import { countOf, labelsIn, type Part } from '../../lib/data/part.js';
import { quotas, validationCount, withValidation } from '../../lib/train/validation.js';

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

/** Image i has one pixel, i, and the label given. */
function partOf(labels: readonly number[]): Part {
  const wide = BigInt64Array.from(labels, BigInt);
  return {
    images: {
      dtype: 'uint8',
      shape: [labels.length, 1, 1, 1],
      data: Uint8Array.from(labels, (_, at) => at),
    },
    labels: { dtype: 'int64', shape: [labels.length], data: new Uint8Array(wide.buffer) },
  };
}

function dataOf(labels: readonly number[]): Dataset {
  return {
    ...{ name: 'd', classes: 3, classesBy: 'name', mean: [], std: [] },
    train: partOf(labels),
    test: partOf([0]),
  };
}

const pixelsOf = (part: Part): readonly number[] => ('images' in part ? [...part.images.data] : []);

test('a share below 1 is rounded and never less than one image; from 1 on it is a count; 0 is none', () => {
  expect([0, 0.1, 0.001, 0.26, 7].map((asked) => validationCount(asked, 50))).toEqual([0, 5, 1, 13, 7]);
  expect(validationCount(10_000 / 1_281_167, 1_281_167)).toBe(10_000);
});

test('classes give in proportion: whole parts first, then by the largest fraction', () => {
  // 10 of 60, 30, 10: exactly 6, 3, 1. 7 of 50, 30, 20: 3.5, 2.1, 1.4, so the fourth goes to the first class.
  expect(quotas([60, 30, 10], 10)).toEqual([6, 3, 1]);
  expect(quotas([50, 30, 20], 7)).toEqual([4, 2, 1]);
  // Equal fractions: the lower class.
  expect(quotas([10, 10, 10], 2)).toEqual([1, 1, 0]);
});

test('a class keeps an image to train on while others have more; only a larger count takes it', () => {
  expect(quotas([1, 9], 5)).toEqual([0, 5]);
  expect(quotas([1, 1, 1], 2)).toEqual([1, 1, 0]);
});

test('over random classes every image is in one part alone, in its order, and no class is off by more than one', () => {
  for (const seed of range(20)) {
    const labels = range(200).map((i) => (i * (seed + 3)) % (1 + ((i + seed) % 3)));
    const data = withValidation(dataOf(labels), 0.2, seed);
    const { train, validation } = data;
    if (validation === undefined) throw new Error('expected validation images');
    const [left, taken] = [pixelsOf(train), pixelsOf(validation)];
    expect(
      [...left, ...taken].sort((a, b) => a - b),
      `seed ${seed}`,
    ).toEqual(range(200));
    for (const one of [left, taken]) expect(one, `seed ${seed}`).toEqual([...one].sort((a, b) => a - b));
    expect([...labelsIn(validation)], `seed ${seed}`).toEqual(taken.map((pixel) => labels[pixel]));
    for (const label of new Set(labels)) {
      const [all, chosen] = [labels, [...labelsIn(validation)]].map(
        (list) => list.filter((one) => one === label).length,
      ) as [number, number];
      expect(Math.abs(chosen - 0.2 * all), `seed ${seed}, class ${label}`).toBeLessThanOrEqual(1);
    }
  }
});

test('the seed alone decides which images are taken', () => {
  const data = dataOf(range(100).map((i) => i % 3));
  const taken = (seed: number) => pixelsOf(withValidation(data, 0.1, seed).validation as Part);
  expect(taken(1)).toEqual(taken(1));
  expect(taken(1)).not.toEqual(taken(2));
});

test('0 leaves the data as it is, and a count that leaves nothing to train on is refused', () => {
  const data = dataOf([0, 1, 2]);
  expect(withValidation(data, 0, 0)).toBe(data);
  expect(countOf(withValidation(data, 2, 0).train)).toBe(1);
  for (const asked of [3, 4]) {
    expect(() => withValidation(data, asked, 0)).toThrow(
      `dataset d: data.validation asks for ${asked} of 3 training images; expected fewer`,
    );
  }
});
