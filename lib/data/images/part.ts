// A part of a dataset whose images stay in files, or in a packed store, and are decoded in every pass over them.

import type { DatasetHandle, Device, ImageSource } from '../../native/face.js';
import { loadImageCore } from '../../native/load.js';
import { type ImageSettings, shortSideOf } from './settings.js';

export interface ImagePart {
  readonly source: ImageSource;
  /** Class of every image. */
  readonly labels: Int32Array;
  readonly settings: ImageSettings;
}

/** The same images with other class numbers. */
export function relabelled(part: ImagePart, labels: Int32Array): ImagePart {
  const { source } = part;
  return 'store' in source
    ? { ...part, source: { ...source, labels }, labels }
    : { ...part, source: { files: { ...source.files, labels } }, labels };
}

const labelsAt = (labels: Int32Array, chosen: Int32Array): Int32Array => chosen.map((at) => labels[at] ?? -1);

/** The files, or the images of the store, at these positions. */
function sourceAt(source: ImageSource, chosen: Int32Array): ImageSource {
  if ('store' in source) {
    const { chosen: before, labels } = source;
    return {
      ...source,
      chosen: before === undefined ? chosen : chosen.map((at) => before[at] ?? -1),
      ...(labels && { labels: labelsAt(labels, chosen) }),
    };
  }
  const { root, paths, labels } = source.files;
  return {
    files: { root, paths: Array.from(chosen, (at) => paths[at] ?? ''), labels: labelsAt(labels, chosen) },
  };
}

/** The chosen images, in the order given; none of them is read. */
export function takeFiles(part: ImagePart, chosen: Int32Array): ImagePart {
  return { ...part, source: sourceAt(part.source, chosen), labels: labelsAt(part.labels, chosen) };
}

/** Images on their way to the device, normalised by `mean` and `std`. @throws E_IMAGES, E_DATA, E_LABELS, E_FILE */
export function openFiles(
  { source, settings }: ImagePart,
  {
    mean,
    std,
    classes,
    device,
  }: Pick<ImageSettings, 'mean' | 'std'> & { readonly classes: number; readonly device: Device },
): DatasetHandle {
  const core = loadImageCore();
  const { resolution, prefetch, maxPixels, maxScans, scaledDecoding, skipUnreadable } = settings;
  return core.createImageDataset(source, {
    ...{ resolution, prefetch, maxPixels, maxScans, scaledDecoding, skipUnreadable },
    ...{ mean, std, classes, device },
    shortSide: shortSideOf(settings),
    workers: settings.workers ?? core.features().threads,
  });
}

/**
 * Places of `count` images, in their own order, spread over the classes as evenly as they go: an image of every class
 * that has one, then a second, until there are enough.
 */
export function evenly(labels: Int32Array, count: number): Int32Array {
  const seen = new Map<number, number>();
  const turn = Int32Array.from(labels, (label) => {
    const before = seen.get(label) ?? 0;
    seen.set(label, before + 1);
    return before;
  });
  const order = Int32Array.from(labels, (_, at) => at).sort(
    (a, b) => (turn[a] ?? 0) - (turn[b] ?? 0) || (labels[a] ?? 0) - (labels[b] ?? 0),
  );
  return order.slice(0, count).sort();
}
