// Fashion-MNIST from its IDX files: all 70,000 images, or the 10,000 that ship with the package.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { reasonOf, SplitgrowError } from '../errors.js';
import { defaultRoot, remedyFor } from './get/places.js';
import { namesIn, readBytes, slicePart, type TensorPart, toLabels } from './parts.js';
import type { DataSpec, Source } from './source.js';

const unzip = promisify(gunzip);

const CLASSES = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
];
const SIDE = 28;
/** Training images when only the 10,000 of the test files are there. */
const SPLIT = 8_000;
/** The most bytes that a compressed file may unpack to: a small hostile file could hold gigabytes. */
const MAX_IMAGES = 100_000;
const MAGIC = { images: 0x0803, labels: 0x0801 };

/** The 10,000 images that ship with the package. */
export const SHIPPED_ROOT = fileURLToPath(new URL('../../data/fashion-mnist', import.meta.url));

type Kind = keyof typeof MAGIC;

const REMEDY = `run: ${remedyFor('fashion-mnist')} (--root DIR for a folder of your choice), or set data.root to the folder that has it`;

/** The bytes after an IDX header. The header must name `kind` and agree with the file's size. */
async function readIdx(
  path: string,
  kind: Kind,
): Promise<{ readonly count: number; readonly bytes: Uint8Array }> {
  const refuse = (problem: string, cause?: unknown): SplitgrowError =>
    new SplitgrowError('E_DATA', `${path}: ${problem}; fetch the file again`, { cause });
  const packed = await readBytes(path, `Fashion-MNIST's ${kind}`, REMEDY);
  const header = kind === 'images' ? 16 : 8;
  const perImage = kind === 'images' ? SIDE * SIDE : 1;
  let raw: Uint8Array;
  try {
    raw = await unzip(packed, { maxOutputLength: header + MAX_IMAGES * perImage });
  } catch (error) {
    throw refuse(`is not a gzip file of IDX ${kind} (${reasonOf(error)})`, error);
  }
  if (raw.byteLength < header)
    throw refuse(`expected an IDX header of ${header} bytes, found ${raw.byteLength}`);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const magic = view.getUint32(0);
  if (magic !== MAGIC[kind]) throw refuse(`expected IDX magic ${MAGIC[kind]}, found ${magic}`);
  const count = view.getUint32(4);
  if (kind === 'images' && (view.getUint32(8) !== SIDE || view.getUint32(12) !== SIDE)) {
    throw refuse(`expected images of ${SIDE} x ${SIDE}, found ${view.getUint32(8)} x ${view.getUint32(12)}`);
  }
  if (count === 0 || raw.byteLength !== header + count * perImage) {
    throw refuse(`expected ${header + count * perImage} bytes for ${count} ${kind}, found ${raw.byteLength}`);
  }
  return { count, bytes: raw.subarray(header) };
}

async function readPart(root: string, prefix: 'train' | 't10k'): Promise<TensorPart> {
  const images = await readIdx(join(root, `${prefix}-images-idx3-ubyte.gz`), 'images');
  const file = join(root, `${prefix}-labels-idx1-ubyte.gz`);
  const labels = await readIdx(file, 'labels');
  if (labels.count !== images.count) {
    throw new SplitgrowError('E_DATA', `${file}: expected ${images.count} labels, found ${labels.count}`);
  }
  return {
    images: { dtype: 'uint8', shape: [images.count, 1, SIDE, SIDE], data: images.bytes },
    labels: toLabels(labels.bytes, labels.count, { classes: CLASSES.length, where: file }),
  };
}

/**
 * All images when the training files are in the root, else the test files
 * split in two. Without a root: the shipped images, whatever was fetched (a
 * network trained on the shipped 8,000 has seen the whole set's test images),
 * or with `whole` what `data get` fetched.
 */
export async function loadFashionMnist(spec: DataSpec): Promise<Source> {
  const root = spec.root ?? (spec.whole === true ? defaultRoot('fashion-mnist') : SHIPPED_ROOT);
  const common = { classes: CLASSES.length, classNames: CLASSES };
  const test = await (async () => {
    const names = await namesIn(root, REMEDY);
    const part = await readPart(root, 't10k');
    return { part, isWhole: names.some((name) => name.startsWith('train-images')) };
  })();
  if (test.isWhole) return { ...common, train: await readPart(root, 'train'), test: test.part };
  const count = test.part.images.shape[0] ?? 0;
  if (count <= SPLIT) {
    throw new SplitgrowError(
      'E_DATA',
      `${root}: expected more than ${SPLIT} images in the t10k files, found ${count}`,
    );
  }
  return {
    ...common,
    train: slicePart(test.part, 0, SPLIT),
    test: slicePart(test.part, SPLIT, count),
    note: `the ${count} images of Fashion-MNIST's test files: the first ${SPLIT} for training, the other ${count - SPLIT} for testing; not comparable with results on the whole set (${remedyFor('fashion-mnist')}, then "whole": true)`,
  };
}
