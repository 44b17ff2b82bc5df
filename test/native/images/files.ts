// What tests of the native image code share: the golden pictures (test/golden/images.py), datasets, folders of pictures.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  Core,
  DatasetHandle,
  ImageDatasetOptions,
  ImageSource,
  PackOptions,
  StorePart,
} from '../../../lib/native/face.js';
import { loadImageCore } from '../../../lib/native/load.js';
import { core, GOLDEN } from '../golden.js';

export const PICTURES = join(GOLDEN, 'images');
export const LIMITS = { maxPixels: 1_000_000, maxScans: 100 };

export function imageCore(): Core {
  core();
  return loadImageCore();
}

export const bytesOf = (name: string): Buffer => readFileSync(join(PICTURES, name));

/** Files of one class each, or of the classes given. */
export function sourceOf(root: string, paths: readonly string[], labels?: readonly number[]): ImageSource {
  return { files: { root, paths, labels: Int32Array.from(labels ?? paths.map((_, i) => i)) } };
}

export const PLAIN: ImageDatasetOptions = {
  ...LIMITS,
  resolution: 16,
  classes: 1000,
  mean: [0, 0, 0],
  std: [1, 1, 1],
  device: 'cpu',
  workers: 1,
  prefetch: 2,
  shortSide: 18,
  scaledDecoding: false,
  skipUnreadable: false,
};

export function imagesOf(source: ImageSource, options: Partial<ImageDatasetOptions> = {}): DatasetHandle {
  return imageCore().createImageDataset(source, { ...PLAIN, ...options });
}

/** Pictures of the golden folder, over and over, written under other names; gives the names. */
export function copies(folder: string, count: number, from: readonly string[]): string[] {
  return Array.from({ length: count }, (_, i) => {
    const name = `${String(i).padStart(4, '0')}.jpg`;
    writeFileSync(join(folder, name), bytesOf(from[i % from.length] ?? ''));
    return name;
  });
}

export const partOf = (name: string, root: string, paths: readonly string[], classes = 3): StorePart => ({
  name,
  files: { root, paths, labels: Int32Array.from(paths, (_, i) => i % classes) },
});

export const packing = (store: string, options: Partial<PackOptions> = {}): PackOptions => ({
  ...LIMITS,
  store,
  classNames: ['a', 'b', 'c'],
  shortSide: null,
  quality: 90,
  threads: 1,
  ...options,
});

/** Pictures of every kind that can be read. */
export const NAMES = [
  'rgb.jpg',
  'turned-6.jpg',
  'grey.jpg',
  'cmyk.jpg',
  'progressive.jpg',
  'alpha.png',
  'square.jpg',
];
