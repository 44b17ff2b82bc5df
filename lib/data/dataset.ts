// Datasets by name: one row a dataset, from files to uint8 or float32 tensors.
import { SplitgrowError } from '../errors.js';
import type { TensorData } from '../native.js';
import { loadCifar10, loadCifar100 } from './cifar.js';
import { loadFashionMnist } from './fashion-mnist.js';
import { loadFile } from './file.js';
import { remedyFor } from './get/places.js';
import { type Part, pixelStatistics, take } from './parts.js';

export interface DataSpec {
  readonly name?: string | undefined;
  /** Folder with the dataset's own files. */
  readonly root?: string | undefined;
  /** Only every image of the official set will do; a part of it is refused. */
  readonly whole?: boolean | undefined;
  /** A safetensors file instead of a named dataset. */
  readonly file?: string | undefined;
  /** Images used of each part, the first ones; null or absent: all. */
  readonly trainImages?: number | null | undefined;
  readonly testImages?: number | null | undefined;
  /** Which labels of cifar100; fine unless said otherwise. */
  readonly labels?: 'fine' | 'coarse' | undefined;
}

/** What a loader reads from files. */
export interface Source {
  readonly train: Part;
  readonly test: Part;
  readonly classes: number;
  readonly classNames?: readonly string[] | undefined;
  /** What a reader of a report should know about it. */
  readonly note?: string | undefined;
}

export interface Dataset extends Source {
  readonly name: string;
  /** Per channel, over the training pixels / 255; empty for float32 images, which are used as they are. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

type Loader = (spec: DataSpec) => Promise<Source>;

function notAvailable(name: string): Loader {
  return async () => {
    throw new SplitgrowError(
      'E_DATA',
      `the dataset "${name}" is not available in this version; choose one of ${available().join(', ')}, or give a safetensors file as "file"`,
    );
  };
}

interface Row {
  readonly load: Loader;
  /** Images of the official set: for training, for testing. */
  readonly images?: readonly [number, number];
  readonly isAvailable: boolean;
}

export const DATASETS: Readonly<Record<string, Row>> = {
  'fashion-mnist': { load: loadFashionMnist, images: [60_000, 10_000], isAvailable: true },
  cifar10: { load: loadCifar10, images: [50_000, 10_000], isAvailable: true },
  cifar100: { load: loadCifar100, images: [50_000, 10_000], isAvailable: true },
  imagenet: { load: notAvailable('imagenet'), isAvailable: false },
  'image-folder': { load: notAvailable('image-folder'), isAvailable: false },
};

function available(): string[] {
  return Object.keys(DATASETS).filter((name) => DATASETS[name]?.isAvailable);
}

function loaderOf(spec: DataSpec): { readonly name: string; readonly load: Loader } {
  if (spec.file !== undefined) return { name: spec.name ?? 'file', load: loadFile };
  const name = spec.name ?? '';
  const row = Object.hasOwn(DATASETS, name) ? DATASETS[name] : undefined;
  if (row) return { name, load: row.load };
  throw new SplitgrowError(
    'E_DATA',
    `unknown dataset "${name}"; known are ${Object.keys(DATASETS).join(', ')}`,
  );
}

/** @throws E_DATA where the source is not every image of the official set */
function requireWhole(name: string, source: Source): void {
  const official = DATASETS[name]?.images ?? [0, 0];
  const found = [source.train, source.test].map(({ images }) => images.shape[0] ?? 0);
  if (found.join() === official.join()) return;
  throw new SplitgrowError(
    'E_DATA',
    `${name}: expected the whole set of ${official.join(' + ')} images, found ${found.join(' + ')}; run: ${remedyFor(name)}, or leave out data.whole`,
  );
}

/** Reads a dataset, checks it, and takes the first images of each part where the spec says so. */
export async function loadDataset(spec: DataSpec): Promise<Dataset> {
  const { name, load } = loaderOf(spec);
  const source = await load(spec);
  if (spec.whole === true) requireWhole(name, source);
  const train = take(source.train, spec.trainImages ?? null, { name, part: 'train' });
  const test = take(source.test, spec.testImages ?? null, { name, part: 'test' });
  return { ...source, name, train, test, ...pixelStatistics(train.images) };
}

export type { Part, TensorData };
