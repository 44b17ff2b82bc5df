// A description of a part of a dataset that differs for other data: counts, shapes, and cheap digests of labels and pixels.
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageFiles } from '../native/face.js';
import { countOf, isInMemory, type Part, shapeOf } from './part.js';

/** Files that are looked at, evenly chosen where there are more, and bytes that are read of them. */
const MOST_FILES = 20_000;
const MOST_BYTES = 256 * 2 ** 20;
const AT_ONCE = 16;
/** A packed store ends with checksums of all its images, and with where those begin. */
const STORE_TRAILER = 64;

const short = (hash: { digest(encoding: 'hex'): string }): string =>
  `sha256 ${hash.digest('hex').slice(0, 16)}`;
const bytesOf = (numbers: Int32Array): Uint8Array =>
  new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);

/** `most` of `count` places, evenly spread; all of them where there are no more. */
function spread(count: number, most: number): readonly number[] {
  const taken = Math.min(count, most);
  return Array.from({ length: taken }, (_, at) => Math.floor((at * count) / taken));
}

async function eachOf<T>(places: readonly T[], work: (place: T, at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    for (let at = next++; at < places.length; at = next++) await work(places[at] as T, at);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

/** A digest of all file sizes, and of the bytes of some files. A file that cannot be read counts as empty. */
async function filesDigest({ root, paths }: ImageFiles): Promise<string> {
  const chosen = spread(paths.length, MOST_FILES).map((at) => join(root, paths[at] ?? ''));
  const sizes = new Float64Array(chosen.length);
  await eachOf(chosen, async (path, at) => {
    sizes[at] = await stat(path).then(
      ({ size }) => size,
      () => 0,
    );
  });
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const most = total <= MOST_BYTES ? chosen.length : Math.floor((chosen.length * MOST_BYTES) / total);
  const read = spread(chosen.length, most);
  const digests: Buffer[] = new Array<Buffer>(read.length);
  await eachOf(read, async (place, at) => {
    const bytes = await readFile(chosen[place] ?? '').catch(() => Buffer.alloc(0));
    digests[at] = createHash('sha256').update(bytes).digest();
  });
  const hash = createHash('sha256').update(new Uint8Array(sizes.buffer));
  for (const one of digests) hash.update(one);
  return short(hash);
}

/** A digest of a store's index and names, which hold the checksum of every image. */
async function storeDigest(path: string): Promise<string> {
  let handle: FileHandle | null = null;
  try {
    handle = await open(path);
    const { size } = await handle.stat();
    const trailer = Buffer.alloc(STORE_TRAILER);
    await handle.read(trailer, 0, STORE_TRAILER, size - STORE_TRAILER);
    const from = Number(trailer.readBigUInt64LE(0));
    const end = Buffer.alloc(size - from);
    await handle.read(end, 0, end.length, from);
    return short(createHash('sha256').update(end));
  } finally {
    await handle?.close();
  }
}

/** The description of a part. It does not depend on where the part lies. */
export async function partDigest(part: Part): Promise<Readonly<Record<string, unknown>>> {
  const images = countOf(part);
  if (isInMemory(part)) {
    return {
      ...{ images, shape: shapeOf(part), type: part.images.dtype },
      labels: short(createHash('sha256').update(part.labels.data)),
      pixels: short(createHash('sha256').update(part.images.data)),
    };
  }
  const { source, labels } = part;
  const common = { images, labels: short(createHash('sha256').update(bytesOf(labels))) };
  if ('store' in source) {
    const chosen =
      source.chosen === undefined ? null : short(createHash('sha256').update(bytesOf(source.chosen)));
    return { ...common, part: source.part, chosen, pixels: await storeDigest(source.store) };
  }
  return {
    ...common,
    files: short(createHash('sha256').update(source.files.paths.join('\0'))),
    pixels: await filesDigest(source.files),
  };
}
