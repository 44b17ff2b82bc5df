// Which images are kept for testing when a folder has no test part. They are always the same, whatever the order or the seed.
import { createHash } from 'node:crypto';

/** Shuffles the images of a class. The order depends on their paths alone. */
function keyOf(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 16);
}

/**
 * 1 for each image that is kept for testing: round(share * n) of all n, spread over the classes in proportion to their
 * sizes; but at least one of every class that has two images, and not all of it. A class of one image is for training,
 * unless every class is one: then one image in all at least is kept.
 */
export function keptForTesting(
  { paths, labels }: { readonly paths: readonly string[]; readonly labels: Int32Array },
  share: number,
): Uint8Array {
  const keys = paths.map(keyOf);
  const order = paths
    .map((_, at) => at)
    .sort((a, b) => (labels[a] ?? 0) - (labels[b] ?? 0) || ((keys[a] ?? '') < (keys[b] ?? '') ? -1 : 1));
  const isTest = new Uint8Array(paths.length);
  // An image is kept wherever the rounded share of the images so far goes up by one.
  order.forEach((at, i) => {
    isTest[at] = Math.round(share * (i + 1)) > Math.round(share * i) ? 1 : 0;
  });
  const classes = new Map<number, number[]>();
  for (const at of order) {
    const label = labels[at] ?? 0;
    const images = classes.get(label);
    if (images === undefined) classes.set(label, [at]);
    else images.push(at);
  }
  const isEachSingle = [...classes.values()].every((images) => images.length < 2);
  for (const images of classes.values()) {
    const [first = 0] = images;
    const kept = images.filter((at) => isTest[at] === 1).length;
    if (images.length > 1 && kept === 0) isTest[first] = 1;
    else if (images.length > 1 && kept === images.length) isTest[first] = 0;
    else if (images.length === 1 && !isEachSingle) isTest[first] = 0;
  }
  const last = order.at(-1);
  if (last !== undefined && !isTest.includes(1)) isTest[last] = 1;
  return isTest;
}
