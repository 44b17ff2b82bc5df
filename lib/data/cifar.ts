// CIFAR-10 and CIFAR-100 from their binary files: rows of label bytes and 3,072 pixels.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SplitgrowError } from '../errors.js';
import { readWhole } from '../machine/files/text-file.js';
import { defaultRoot, placesIn, remedyFor } from './get/places.js';
import { filesOf, SOURCES } from './get/sources.js';
import { namesIn, readBytes, type TensorPart, toLabels } from './parts.js';
import type { DataSpec, Source } from './source.js';

const PIXELS = 3 * 32 * 32;
const BATCH = /^data_batch_[1-5]\.bin$/;
const BATCHES = 5;
const CIFAR10_CLASSES = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
];

interface Layout {
  /** How many label bytes come before the pixels, and which of them is used. */
  readonly labelBytes: number;
  readonly labelAt: number;
  readonly classes: number;
}

const CIFAR10: Layout = { labelBytes: 1, labelAt: 0, classes: 10 };
const CIFAR100 = {
  fine: { labelBytes: 2, labelAt: 1, classes: 100 },
  coarse: { labelBytes: 2, labelAt: 0, classes: 20 },
} satisfies Record<string, Layout>;

/** Which labels of CIFAR-100 have so many classes; undefined where neither has, and then the fine ones are used. */
export function labelsOf(classes: number): 'fine' | 'coarse' | undefined {
  return (['fine', 'coarse'] as const).find((kind) => CIFAR100[kind].classes === classes);
}

/** The first folder at or below the root that has the file `first`. */
async function folderOf(spec: DataSpec, name: string, first: RegExp): Promise<string> {
  const source = SOURCES.find((one) => one.name === name);
  if (source === undefined) throw new SplitgrowError('E_INTERNAL', `${name} has no source`);
  const places = placesIn(spec.root ?? defaultRoot(name), source);
  for (const folder of places) {
    if ((await readdir(folder).catch(() => [])).some((file) => first.test(file))) return folder;
  }
  throw new SplitgrowError(
    'E_DATA',
    `${name}: expected its files (${filesOf(source)
      .map(({ file }) => file)
      .join(
        ', ',
      )}) in ${places.join(' or ')}, found none; run: ${remedyFor(name)}, or set data.root to the folder that has them`,
  );
}

/** One part of the dataset, from files that hold whole rows. */
async function readRows(files: readonly string[], layout: Layout, name: string): Promise<TensorPart> {
  const remedy = `run: ${remedyFor(name)}, or set data.root to the folder that has it`;
  const row = layout.labelBytes + PIXELS;
  const parts: Uint8Array[] = [];
  for (const file of files) {
    const bytes = await readBytes(file, 'CIFAR rows', remedy);
    if (bytes.byteLength === 0 || bytes.byteLength % row !== 0) {
      throw new SplitgrowError(
        'E_DATA',
        `${file}: expected whole rows of ${row} bytes, found ${bytes.byteLength} bytes; fetch the file again`,
      );
    }
    parts.push(bytes);
  }
  const count = parts.reduce((sum, bytes) => sum + bytes.byteLength / row, 0);
  const images = new Uint8Array(count * PIXELS);
  const labels = new Uint8Array(count);
  let i = 0;
  for (const bytes of parts) {
    for (let at = 0; at < bytes.byteLength; at += row) {
      labels[i] = bytes[at + layout.labelAt] as number;
      images.set(bytes.subarray(at + layout.labelBytes, at + row), i * PIXELS);
      i += 1;
    }
  }
  return {
    images: { dtype: 'uint8', shape: [count, 3, 32, 32], data: images },
    labels: toLabels(labels, count, { classes: layout.classes, where: files.join(', ') }),
  };
}

/** Class names from a file with one name on each line; undefined where it is missing or has another number of lines. */
async function classNames(file: string, classes: number): Promise<readonly string[] | undefined> {
  const text = await readWhole(file).catch(() => '');
  const names = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return names.length === classes ? names : undefined;
}

/** The training batches that are there, in order, and the test batch. */
export async function loadCifar10(spec: DataSpec): Promise<Source> {
  const root = await folderOf(spec, 'cifar10', BATCH);
  const batches = (await namesIn(root)).filter((name) => BATCH.test(name)).sort();
  return {
    train: await readRows(
      batches.map((name) => join(root, name)),
      CIFAR10,
      'cifar10',
    ),
    test: await readRows([join(root, 'test_batch.bin')], CIFAR10, 'cifar10'),
    classes: CIFAR10.classes,
    classNames: CIFAR10_CLASSES,
    note:
      batches.length < BATCHES
        ? `${batches.length} of CIFAR-10's ${BATCHES} training batches; not comparable with results on all of them`
        : undefined,
  };
}

export async function loadCifar100(spec: DataSpec): Promise<Source> {
  const root = await folderOf(spec, 'cifar100', /^train\.bin$/);
  const kind = spec.labels ?? 'fine';
  const layout = CIFAR100[kind];
  const train = await readRows([join(root, 'train.bin')], layout, 'cifar100');
  const count = train.images.shape[0] ?? 0;
  return {
    train,
    test: await readRows([join(root, 'test.bin')], layout, 'cifar100'),
    classes: layout.classes,
    classNames: await classNames(join(root, `${kind}_label_names.txt`), layout.classes),
    note:
      count < 50_000
        ? `${count} of CIFAR-100's 50000 training images; not comparable with results on all of them`
        : undefined,
  };
}
