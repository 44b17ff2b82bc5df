// One part (train or test) of a dataset, its images in memory or in files: what everything that uses a part may ask of it.
import { SplitgrowError } from '../errors.js';
import type { Graph } from '../graph/ir.js';
import type { DatasetHandle, Device, TensorData } from '../native/face.js';
import { loadCore } from '../native/load.js';
import { evenly, type ImagePart, openFiles, takeFiles } from './images/part.js';
import { channelsOf } from './images/settings.js';
import { imageShape, slicePart, type TensorPart } from './parts.js';

export type Part = TensorPart | ImagePart;

export function isInMemory(part: Part): part is TensorPart {
  return 'images' in part;
}

/** The number of images of the part. */
export function countOf(part: Part): number {
  return isInMemory(part) ? imageShape(part.images)[0] : part.labels.length;
}

/** Class of every image, in their order. */
export function labelsIn(part: Part): Int32Array {
  if (!isInMemory(part)) return part.labels;
  const { data, shape } = part.labels;
  return Int32Array.from(new BigInt64Array(data.slice().buffer, 0, shape[0]), Number);
}

/** [C, H, W] of an image as the network sees it. Of files it may take colours or their luma: one channel where `mean` has one number. */
export function shapeOf(part: Part): readonly [number, number, number] {
  if (isInMemory(part)) {
    const [, channels, height, width] = imageShape(part.images);
    return [channels, height, width];
  }
  const { resolution } = part.settings;
  return [channelsOf(part.settings), resolution, resolution];
}

/**
 * `limit` images of a part, null: all. The first ones of images in memory; of files, which lie class by class, as many of
 * every class. @throws E_DATA where there are fewer
 */
export function limited(
  part: Part,
  limit: number | null,
  at: { readonly name: string; readonly part: 'train' | 'test' },
): Part {
  const count = countOf(part);
  if (limit === null || limit === count) return part;
  if (!Number.isInteger(limit) || limit < 1 || limit > count) {
    throw new SplitgrowError(
      'E_DATA',
      `${at.name} has ${count} ${at.part} images, expected ${at.part}Images from 1 to ${count}, got ${limit}`,
    );
  }
  return isInMemory(part) ? slicePart(part, 0, limit) : takeFiles(part, evenly(part.labels, limit));
}

/** The chosen images, in the order given. */
export function takeImages(part: TensorPart, chosen: Int32Array): TensorPart;
export function takeImages(part: Part, chosen: Int32Array): Part;
export function takeImages(part: Part, chosen: Int32Array): Part {
  if (!isInMemory(part)) return takeFiles(part, chosen);
  return { images: takeRows(part.images, chosen), labels: takeRows(part.labels, chosen) };
}

function takeRows(tensor: TensorData, rows: Int32Array): TensorData {
  const bytes = tensor.data.byteLength / (tensor.shape[0] ?? 1);
  const data = new Uint8Array(bytes * rows.length);
  rows.forEach((row, at) => {
    data.set(tensor.data.subarray(row * bytes, (row + 1) * bytes), at * bytes);
  });
  return { dtype: tensor.dtype, shape: [rows.length, ...tensor.shape.slice(1)], data };
}

/**
 * A part for native calls, on the device or on its way there. uint8 pixels and those of files are normalised on the fly
 * by the network's mean and std (none: x / 255 only); float32 images are taken as they are.
 */
export function toDevice(graph: Graph, part: Part, classes: number, device: Device): DatasetHandle {
  const channels = graph.input.shape[0];
  const mean = graph.input.mean ?? new Array<number>(channels).fill(0);
  const std = graph.input.std ?? new Array<number>(channels).fill(1);
  if (!isInMemory(part)) return openFiles(part, { mean, std, classes, device });
  return loadCore().createDataset(part.images, part.labels, mean, std, classes, device);
}
