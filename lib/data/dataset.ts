// Datasets by name, one row each. Their images become uint8 or float32 tensors, or stay in files.
import { SplitgrowError } from '../errors.js';
import { note } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import { loadCifar10, loadCifar100 } from './cifar.js';
import { loadFashionMnist } from './fashion-mnist.js';
import { loadFile } from './file.js';
import { remedyFor } from './get/places.js';
import { SOURCES } from './get/sources.js';
import { loadImages } from './images/load.js';
import { countOf, isInMemory, limited, type Part } from './part.js';
import { pixelStatistics } from './parts.js';
import type { ClassesBy, DataSpec, Source } from './source.js';

export interface Dataset extends Source {
  readonly name: string;
  /** Images taken out of training, to choose by. Absent: none. */
  readonly validation?: Part | undefined;
  readonly classesBy: ClassesBy;
  /** Per channel, of the training pixels / 255; for images in files as the experiment says. Empty for float32 images, which are not normalised. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

type Loader = (spec: DataSpec, control: RunControl) => Promise<Source>;

interface Row {
  readonly load: Loader;
  /** Sizes of the official set: training images, test images. */
  readonly images?: readonly [number, number];
}

export const DATASETS: Readonly<Record<string, Row>> = {
  'fashion-mnist': { load: loadFashionMnist, images: [60_000, 10_000] },
  cifar10: { load: loadCifar10, images: [50_000, 10_000] },
  cifar100: { load: loadCifar100, images: [50_000, 10_000] },
  imagenet: { load: loadImages, images: [1_281_167, 50_000] },
  'image-folder': { load: loadImages },
};

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

/** Images of the official set. @throws E_DATA where there is none, as of the user's own images */
function officialOf(name: string, file: string | undefined): readonly [number, number] {
  const { images } = (file === undefined ? DATASETS[name] : undefined) ?? {};
  if (images !== undefined) return images;
  const known = Object.keys(DATASETS).filter((one) => DATASETS[one]?.images !== undefined);
  throw new SplitgrowError(
    'E_DATA',
    `${file ?? name}: data.whole (--whole) is for sets whose official size is known (${known.join(', ')}), which this is not; leave it out: all of its images are taken`,
  );
}

/** @throws E_DATA where the source is not every image of the official set */
function requireWhole(name: string, official: readonly [number, number], source: Source): void {
  const found = [source.train, source.test].map(countOf);
  if (found.join() === official.join()) return;
  const isFetched = SOURCES.some((known) => known.name === name);
  const remedy = isFetched
    ? `run: ${remedyFor(name)}, or leave out`
    : 'set data.root to the whole of it, or leave out';
  throw new SplitgrowError(
    'E_DATA',
    `${name}: expected the whole set of ${official.join(' + ')} images, found ${found.join(' + ')}; ${remedy} data.whole`,
  );
}

/** Means and standard deviations per channel: counted where the pixels are in memory, else as the experiment says. */
function statisticsOf(part: Part): Pick<Dataset, 'mean' | 'std'> {
  if (isInMemory(part)) return pixelStatistics(part.images);
  const { mean, std } = part.settings;
  return { mean, std };
}

/** Finds a dataset, checks it, and takes as many images of each part as the spec says. */
export async function loadDataset(spec: DataSpec, control: RunControl = {}): Promise<Dataset> {
  const { name, load } = loaderOf(spec);
  const official = spec.whole === true ? officialOf(name, spec.file) : undefined;
  const source = await load(spec, control);
  if (source.note !== undefined) note(control, 0, 'load', `${name}: ${source.note}`);
  if (official !== undefined) requireWhole(name, official, source);
  const train = limited(source.train, spec.trainImages ?? null, { name, part: 'train' });
  const test = limited(source.test, spec.testImages ?? null, { name, part: 'test' });
  const { classesBy = 'name' } = spec;
  return { ...source, name, classesBy, train, test, ...statisticsOf(train) };
}

/** @throws E_DATA where a part has no images, as that of a folder with testing images alone */
export function refuseEmpty(data: Dataset, part: 'train' | 'test'): void {
  if (countOf(data[part]) > 0) return;
  const name = part === 'train' ? 'training' : 'test';
  throw new SplitgrowError(
    'E_DATA',
    `dataset ${data.name}: expected ${name} images, found none; give a folder or store that has some`,
  );
}
