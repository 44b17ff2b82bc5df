// A dataset's images at another resolution.

import { underControl } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import { loadCore } from '../native/load.js';
import type { Dataset } from './dataset.js';
import { sizesAt } from './images/settings.js';
import { isInMemory, type Part } from './part.js';

/**
 * All images at `size` x `size`; mean and std stay those of the images given. Images in memory (uint8 or
 * float32, as they were) are resized, bilinear and antialiased; those of files are decoded to that size from now on.
 */
export async function resizedDataset(
  data: Dataset,
  size: number,
  { control = {}, stage = 0 }: { readonly control?: RunControl; readonly stage?: number } = {},
): Promise<Dataset> {
  const place = { stage, phase: 'load', epoch: 0, epochs: 1 } as const;
  const resized = async (part: Part): Promise<Part> => {
    if (!isInMemory(part))
      return { ...part, settings: { ...part.settings, ...sizesAt(part.settings, size) } };
    const images = await underControl(control, place, (_progress, abort) =>
      loadCore().resizeImages(part.images, size, abort),
    );
    return { images, labels: part.labels };
  };
  const { train, test, validation } = data;
  return {
    ...data,
    train: await resized(train),
    test: await resized(test),
    ...(validation && { validation: await resized(validation) }),
  };
}
