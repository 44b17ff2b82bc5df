// Validation images: taken out of training, stratified by class, by seed. All that chooses looks at them; test images choose nothing.
import type { Dataset } from '../data/dataset.js';
import { countOf, labelsIn, takeImages } from '../data/part.js';
import { SplitgrowError } from '../errors.js';
import { integer } from '../statistics/format.js';
import { sampleIndices, seedOf } from './seeds.js';

/** How many of `images` are asked for: a share below 1, or a count. */
export function validationCount(asked: number, images: number): number {
  return asked >= 1 || asked === 0 ? asked : Math.max(1, Math.round(asked * images));
}

/**
 * `count` shared out in proportion to `sizes`: whole parts first, then one each by the largest fraction, the lower class
 * first. No class gives its last image while others have more.
 */
export function quotas(sizes: readonly number[], count: number): readonly number[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const spare = sizes.map((size) => Math.max(0, size - 1));
  const most = spare.reduce((sum, size) => sum + size, 0) >= count ? spare : sizes;
  const exact = sizes.map((size) => (size * count) / total);
  const taken = exact.map((share, at) => Math.min(Math.floor(share), most[at] ?? 0));
  let left = count - taken.reduce((sum, one) => sum + one, 0);
  while (left > 0) {
    const missing = (at: number): number => (exact[at] ?? 0) - (taken[at] ?? 0);
    const open = taken.flatMap((one, at) => (one < (most[at] ?? 0) ? [at] : []));
    const next = open.sort((a, b) => missing(b) - missing(a) || a - b)[0] as number;
    taken[next] = (taken[next] ?? 0) + 1;
    left -= 1;
  }
  return taken;
}

/** Places of the images of every class, in their order. */
function placesByClass(labels: Int32Array): readonly (readonly number[])[] {
  const places = new Map<number, number[]>();
  labels.forEach((label, at) => {
    const known = places.get(label);
    if (known === undefined) places.set(label, [at]);
    else known.push(at);
  });
  return [...places].sort(([a], [b]) => a - b).map(([, found]) => found);
}

/**
 * The dataset with `asked` of its training images as a part of their own (`data.validation`: a share below 1, or a count; 0:
 * none). Every class gives its share, to one image. Which ones is decided by `seed` alone; both parts keep their order.
 *
 * @throws E_DATA where no training image would be left
 */
export function withValidation(data: Dataset, asked: number, seed: number): Dataset {
  const images = countOf(data.train);
  const count = validationCount(asked, images);
  if (count === 0) return data;
  if (count >= images) {
    throw new SplitgrowError(
      'E_DATA',
      `dataset ${data.name}: data.validation asks for ${integer(count)} of ${integer(images)} training images; expected fewer, so that some are left to train on`,
    );
  }
  const classes = placesByClass(labelsIn(data.train));
  const counts = quotas(
    classes.map((places) => places.length),
    count,
  );
  const isChosen = new Uint8Array(images);
  classes.forEach((places, at) => {
    const order = sampleIndices(places.length, counts[at] ?? 0, seedOf('validation', seed, at));
    for (const one of order) isChosen[places[one] as number] = 1;
  });
  const where = (flag: number): Int32Array =>
    Int32Array.from({ length: images }, (_, at) => at).filter((at) => isChosen[at] === flag);
  return {
    ...data,
    train: takeImages(data.train, where(0)),
    validation: takeImages(data.train, where(1)),
  };
}
