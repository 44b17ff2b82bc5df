// A dataset in one safetensors file: train_images, train_labels, test_images, test_labels.
import { SplitgrowError } from '../errors.js';
import type { DType, TensorData, TensorMap } from '../native/face.js';
import { integer } from '../statistics/format.js';
import { some } from './images/part-folders.js';
import { labelsOf } from './labels.js';
import { guessedHint } from './layouts.js';
import { imageShape, type TensorPart } from './parts.js';
import { readSafetensors } from './safetensors.js';
import type { DataSpec, Source } from './source.js';
import { narrowed } from './widen.js';

/** The largest number of classes. Without it a wrong label could ask for any amount of memory. */
const MAX_CLASSES = 100_000;

function required(tensors: TensorMap, name: string, file: string): TensorData {
  const tensor = tensors.get(name);
  if (tensor) return tensor;
  throw new SplitgrowError(
    'E_DATA',
    `${file}: expected the tensor ${name}, found ${[...tensors.keys()].slice(0, 8).join(', ') || 'none'}`,
  );
}

/** What to do about images of integers that are not bytes. */
const WHOLE = 'save pixels from 0 to 255 as uint8, in NumPy: .astype("uint8"), others as float32, normalised';
const HINTS: Partial<Record<DType, string>> = { int32: WHOLE, int64: WHOLE, bool: WHOLE };

/** Throws E_DATA unless these are images, at least one, of finite numbers. */
function checkImages(images: TensorData, name: string, file: string): void {
  const { dtype, shape, data } = images;
  const where = `${file}: ${name}`;
  if ((dtype !== 'uint8' && dtype !== 'float32') || shape.length !== 4 || shape.some((size) => size === 0)) {
    const hint = guessedHint(name, shape) ?? HINTS[dtype];
    throw new SplitgrowError(
      'E_DATA',
      `${where}: expected uint8 or float32 [N, C, H, W], found ${dtype} [${shape.join(', ')}]${hint === undefined ? '' : `; ${hint}`}`,
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
  const name = `${part}_images`;
  const images = narrowed(required(tensors, name, file), { code: 'E_DATA', place: file, name });
  const labels = required(tensors, `${part}_labels`, file);
  checkImages(images, name, file);
  const [count] = imageShape(images);
  return {
    images,
    labels: labelsOf(labels, count, {
      ...{ name: `${part}_labels`, place: file, code: 'E_DATA', classes: MAX_CLASSES },
    }),
  };
}

function labelsIn({ labels: { data, shape } }: TensorPart): ReadonlySet<number> {
  return new Set(Array.from(new BigInt64Array(data.buffer, data.byteOffset, shape[0]), Number));
}

/** Why the labels may not give the number of classes: some classes have no training image. Undefined where each has one. */
function doubtOf(train: ReadonlySet<number>, test: ReadonlySet<number>, classes: number): string | undefined {
  const numbers = Array.from({ length: classes }, (_, label) => label).filter((label) => !train.has(label));
  const [tested, absent] = [true, false].map((is) => numbers.filter((label) => test.has(label) === is));
  const named = (list: readonly number[] = []): string => some(list.map(String));
  const facts = [
    ...(absent?.length ? [`${integer(absent.length)} have no image: ${named(absent)}`] : []),
    ...(tested?.length ? [`${integer(tested.length)} have test images alone: ${named(tested)}`] : []),
  ];
  if (facts.length === 0) return undefined;
  return `its labels go up to ${classes - 1}, but training images have ${integer(train.size)} of these ${integer(classes)} classes; ${facts.join('; ')}`;
}

/** The number of classes: the largest label plus one. */
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
  const [trained, tested] = [labelsIn(train), labelsIn(test)];
  const classes = [...trained, ...tested].reduce((most, label) => Math.max(most, label), 0) + 1;
  return { train, test, classes, doubt: doubtOf(trained, tested, classes) };
}
