// A dataset in one safetensors file: train_images, train_labels, test_images, test_labels.
import { SplitgrowError } from '../errors.js';
import type { DType, TensorData, TensorMap } from '../native.js';
import type { DataSpec, Source } from './dataset.js';
import { imageShape, type TensorPart, toLabels } from './parts.js';
import { readSafetensors } from './safetensors.js';

/** Classes that a label may name; bounds what a wrong label can ask for. */
const MAX_CLASSES = 100_000;

/** Readers of the integer types that labels may have. */
const INTEGERS: Partial<Record<DType, (data: Uint8Array) => Iterable<number>>> = {
  int64: (data) => Array.from(new BigInt64Array(data.buffer, data.byteOffset, data.byteLength / 8), Number),
  int32: (data) => new Int32Array(data.buffer, data.byteOffset, data.byteLength / 4),
  uint8: (data) => data,
};

function required(tensors: TensorMap, name: string, file: string): TensorData {
  const tensor = tensors.get(name);
  if (tensor) return tensor;
  throw new SplitgrowError(
    'E_DATA',
    `${file}: expected the tensor ${name}, found ${[...tensors.keys()].slice(0, 8).join(', ') || 'none'}`,
  );
}

/** Throws E_DATA unless these are images, at least one, of finite numbers. */
function checkImages(images: TensorData, where: string): void {
  const { dtype, shape, data } = images;
  if ((dtype !== 'uint8' && dtype !== 'float32') || shape.length !== 4 || shape.some((size) => size === 0)) {
    throw new SplitgrowError(
      'E_DATA',
      `${where}: expected uint8 or float32 [N, C, H, W], found ${dtype} [${shape.join(', ')}]`,
    );
  }
  if (dtype !== 'float32') return;
  const at = new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4).findIndex(
    (x) => !Number.isFinite(x),
  );
  if (at >= 0)
    throw new SplitgrowError('E_DATA', `${where}: expected finite numbers, found another at element ${at}`);
}

function readPart(tensors: TensorMap, part: 'train' | 'test', file: string): TensorPart {
  const images = required(tensors, `${part}_images`, file);
  const labels = required(tensors, `${part}_labels`, file);
  const where = `${file}: ${part}_labels`;
  checkImages(images, `${file}: ${part}_images`);
  const [count] = imageShape(images);
  const integers = INTEGERS[labels.dtype];
  if (!integers || labels.shape.length !== 1 || labels.shape[0] !== count) {
    throw new SplitgrowError(
      'E_DATA',
      `${where}: expected int64 [${count}], found ${labels.dtype} [${labels.shape.join(', ')}]`,
    );
  }
  return { images, labels: toLabels(integers(labels.data), count, { classes: MAX_CLASSES, where }) };
}

function largestLabel(part: TensorPart): number {
  const labels = new BigInt64Array(
    part.labels.data.buffer,
    part.labels.data.byteOffset,
    part.labels.shape[0],
  );
  return labels.reduce((most, label) => Math.max(most, Number(label)), 0);
}

/** The classes are those that the labels name: the largest label plus one. */
export async function loadFile(spec: DataSpec): Promise<Source> {
  const file = spec.file ?? '';
  const tensors = await readSafetensors(file);
  const train = readPart(tensors, 'train', file);
  const test = readPart(tensors, 'test', file);
  const same =
    train.images.dtype === test.images.dtype &&
    String(train.images.shape.slice(1)) === String(test.images.shape.slice(1));
  if (!same) {
    throw new SplitgrowError(
      'E_DATA',
      `${file}: expected train and test images of one type and size, found ${train.images.dtype} [${train.images.shape.join(', ')}] and ${test.images.dtype} [${test.images.shape.join(', ')}]`,
    );
  }
  return { train, test, classes: Math.max(largestLabel(train), largestLabel(test)) + 1 };
}
