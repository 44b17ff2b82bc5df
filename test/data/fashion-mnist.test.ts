// Fashion-MNIST: the shipped files are the originals, split 8,000/2,000; hostile IDX files are refused.
import { createHash } from 'node:crypto';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test, vi } from 'vitest';
import { SHIPPED_ROOT } from '../../lib/data/fashion-mnist.js';
import type { TensorPart } from '../../lib/data/parts.js';
import { dataFolder, failureOf, inFolder } from './places.js';
import { loadTensors } from './tensors.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

const IMAGES = 't10k-images-idx3-ubyte.gz';
const LABELS = 't10k-labels-idx1-ubyte.gz';

function firstLabels(part: TensorPart, count: number): number[] {
  return Array.from(new BigInt64Array(part.labels.data.slice(0, 8 * count).buffer), Number);
}

// MD5 as in the README of zalandoresearch/fashion-mnist.
test.each([
  [IMAGES, 'bef4ecab320f06d8554ea6380940ec79'],
  [LABELS, 'bb300cfdad3c16e7a12a480ee83cd310'],
])('the shipped %s is the original', async (name, md5) => {
  const bytes = await readFile(join(SHIPPED_ROOT, name));
  expect(createHash('md5').update(bytes).digest('hex')).toBe(md5);
});

test('without a root the shipped images are split 8,000 / 2,000, in order', async () => {
  const data = await loadTensors({ name: 'fashion-mnist' });
  expect(data.train.images.shape).toEqual([8000, 1, 28, 28]);
  expect(data.test.images.shape).toEqual([2000, 1, 28, 28]);
  expect(data.test.labels.shape).toEqual([2000]);
  expect(data.classes).toBe(10);
  expect(data.classNames?.[9]).toBe('Ankle boot');
  expect(data.note).toMatch(/first 8000 for training/);
  // The first labels of the test file, known from many listings: ankle boot, pullover, trouser, trouser, shirt ...
  expect(firstLabels(data.train, 10)).toEqual([9, 2, 1, 1, 6, 1, 4, 6, 5, 7]);
});

test('mean and standard deviation are those of the training pixels', async () => {
  const data = await loadTensors({ name: 'fashion-mnist' });
  // Two-pass, in doubles, over the pixels themselves.
  const pixels = data.train.images.data;
  const mean = pixels.reduce((sum, x) => sum + x / 255, 0) / pixels.length;
  const std = Math.sqrt(pixels.reduce((sum, x) => sum + (x / 255 - mean) ** 2, 0) / pixels.length);
  expect(data.mean[0]).toBeCloseTo(mean, 10);
  expect(data.std[0]).toBeCloseTo(std, 10);
});

test('trainImages and testImages take the first ones, and no more than there are', async () => {
  const data = await loadTensors({ name: 'fashion-mnist', trainImages: 100, testImages: 7 });
  expect(data.train.images.shape).toEqual([100, 1, 28, 28]);
  expect(data.train.images.data.byteLength).toBe(100 * 784);
  expect(data.test.labels.data.byteLength).toBe(7 * 8);
  expect(await failureOf(loadTensors({ name: 'fashion-mnist', trainImages: 8001 }))).toMatch(
    /^E_DATA: .*8000 train images.*got 8001/,
  );
});

const whole = dataFolder('fashion-mnist');
test.skipIf(whole.reason !== '')(
  `with the training files there are 60,000 and 10,000${whole.reason}`,
  async () => {
    const data = await loadTensors({ name: 'fashion-mnist', root: whole.folder });
    expect(data.train.images.shape).toEqual([60000, 1, 28, 28]);
    expect(data.test.images.shape).toEqual([10000, 1, 28, 28]);
    expect(data.note).toBeUndefined();
    // The values that everybody normalises with.
    expect(data.mean[0]).toBeCloseTo(0.286, 3);
    expect(data.std[0]).toBeCloseTo(0.353, 3);
    expect(firstLabels(data.train, 5)).toEqual([9, 0, 0, 3, 0]);
  },
);

test.skipIf(whole.reason !== '')(
  `what data get fetched is taken with whole, and only then${whole.reason}`,
  () =>
    inFolder(async (folder) => {
      vi.stubEnv('SPLITGROW_DATA', folder);
      await symlink(whole.folder, join(folder, 'fashion-mnist'));
      const counts = async (isWhole: boolean): Promise<unknown> =>
        (await loadTensors({ name: 'fashion-mnist', whole: isWhole })).train.images.shape[0];
      expect([await counts(true), await counts(false)]).toEqual([60_000, 8_000]);
    }),
);

test('whole without the files says what fetches them; the shipped part is not whole', () =>
  inFolder(async (folder) => {
    vi.stubEnv('SPLITGROW_DATA', folder);
    expect(await failureOf(loadTensors({ name: 'fashion-mnist', whole: true }))).toMatch(
      /^E_DATA: .*; run: splitgrow data get fashion-mnist/,
    );
    expect(await failureOf(loadTensors({ name: 'fashion-mnist', root: SHIPPED_ROOT, whole: true }))).toMatch(
      /^E_DATA: .*expected the whole set of 60000 \+ 10000 images, found 8000 \+ 2000/,
    );
  }));

/** An IDX file of `sizes` with these bytes, gzipped. */
function idx(magic: number, sizes: readonly number[], bytes: number): Buffer {
  const head = Buffer.alloc(4 + 4 * sizes.length);
  head.writeUInt32BE(magic);
  for (const [i, size] of sizes.entries()) head.writeUInt32BE(size, 4 + 4 * i);
  return gzipSync(Buffer.concat([head, Buffer.alloc(bytes, 1)]));
}

const N = 8001;
const GOOD_IMAGES = idx(0x803, [N, 28, 28], N * 784);
const GOOD_LABELS = idx(0x801, [N], N);

const MALFORMED: readonly (readonly [string, Buffer, Buffer, RegExp])[] = [
  ['images that are not gzip', Buffer.from('hello'), GOOD_LABELS, /E_DATA: .*not a gzip/],
  ['a gzip file cut off', GOOD_IMAGES.subarray(0, 100), GOOD_LABELS, /E_DATA: .*not a gzip/],
  ['an empty gzip file', gzipSync(''), GOOD_LABELS, /E_DATA: .*IDX header/],
  ['a wrong magic', idx(0x801, [N, 28, 28], N * 784), GOOD_LABELS, /E_DATA: .*magic 2051, found 2049/],
  ['images of 32 x 32', idx(0x803, [N, 32, 32], N * 1024), GOOD_LABELS, /E_DATA: /],
  [
    'fewer images than the header says',
    idx(0x803, [N, 28, 28], 784),
    GOOD_LABELS,
    /E_DATA: .*expected .* bytes/,
  ],
  [
    'more images than the header says',
    idx(0x803, [1, 28, 28], 2 * 784),
    GOOD_LABELS,
    /E_DATA: .*expected .* bytes/,
  ],
  ['a count of 2^32 - 1', idx(0x803, [2 ** 32 - 1, 28, 28], 784), GOOD_LABELS, /E_DATA: .*expected .* bytes/],
  ['no images', idx(0x803, [0, 28, 28], 0), GOOD_LABELS, /E_DATA: /],
  ['a bomb of 200 MB', gzipSync(Buffer.alloc(200_000_000)), GOOD_LABELS, /E_DATA: .*not a gzip/],
  ['another number of labels', GOOD_IMAGES, idx(0x801, [5], 5), /E_DATA: .*expected 8001 labels, found 5/],
  [
    'too few images to split',
    idx(0x803, [10, 28, 28], 7840),
    idx(0x801, [10], 10),
    /E_DATA: .*more than 8000/,
  ],
];

test.each(MALFORMED)('%s: refused', (_, images, labels, reason) =>
  inFolder(async (root) => {
    await writeFile(join(root, IMAGES), images);
    await writeFile(join(root, LABELS), labels);
    expect(await failureOf(loadTensors({ name: 'fashion-mnist', root }))).toMatch(reason);
  }),
);

test('a label of 10 is E_LABELS with its place', () =>
  inFolder(async (root) => {
    const labels = Buffer.alloc(8 + N, 3);
    labels.writeUInt32BE(0x801);
    labels.writeUInt32BE(N, 4);
    labels[8 + 4321] = 10;
    await writeFile(join(root, IMAGES), GOOD_IMAGES);
    await writeFile(join(root, LABELS), gzipSync(labels));
    const failure = await failureOf(loadTensors({ name: 'fashion-mnist', root }));
    expect(failure).toMatch(/^E_LABELS: .*0 to 9, found 10 at image 4321/);
  }));

test('a missing folder says what to set', async () => {
  const failure = await failureOf(loadTensors({ name: 'fashion-mnist', root: '/nonexistent/place' }));
  expect(failure).toMatch(/^E_DATA: cannot read the folder/);
});

test('whole is refused for images of the user, of which no official size is known', () =>
  inFolder(async (folder) => {
    expect(await failureOf(loadTensors({ name: 'image-folder', root: folder, whole: true }))).toMatch(
      /^E_DATA: image-folder: data\.whole .*official size is known \(fashion-mnist, .*\), which this is not; leave it out/,
    );
    expect(await failureOf(loadTensors({ file: 'mine.safetensors', whole: true }))).toMatch(
      /^E_DATA: mine\.safetensors: data\.whole .*leave it out/,
    );
  }));
