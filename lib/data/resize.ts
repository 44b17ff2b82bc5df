// A dataset's images at another resolution.
import type { RunControl } from '../events.js';
import { loadCore } from '../native.js';
import { underControl } from '../train/control.js';
import type { Dataset } from './dataset.js';
import type { Part } from './parts.js';

/**
 * Training and test images at `size` x `size` (uint8 or float32, as they were), bilinear and antialiased; mean and std
 * stay those of the images given.
 */
export async function resizedDataset(
  data: Dataset,
  size: number,
  { control = {}, stage = 0 }: { readonly control?: RunControl; readonly stage?: number } = {},
): Promise<Dataset> {
  const place = { stage, phase: 'load', epoch: 0, epochs: 1 } as const;
  const resized = async ({ images, labels }: Part): Promise<Part> => ({
    images: await underControl(control, place, (_progress, abort) =>
      loadCore().resizeImages(images, size, abort),
    ),
    labels,
  });
  return { ...data, train: await resized(data.train), test: await resized(data.test) };
}
