// data pack and data verify: a folder of images as one packed store, and a store held against its checksums.
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { notesOf, STORE_PARTS } from '../data/images/load.js';
import { IMAGE_DEFAULTS } from '../data/images/settings.js';
import type { FileProblem } from '../data/images/walk.js';
import { working } from '../data/images/working.js';
import { SplitgrowError } from '../errors.js';
import { note } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import { loadImageCore } from '../native/load.js';
import { watched } from '../native/watched.js';
import { type FolderOptions, folderOf, leftOutOf } from './data-index.js';

export interface PackDataOptions extends FolderOptions {
  /** The store to write. */
  readonly out: string;
  /** The shorter side, in pixels, that larger images are brought to; null: every file's bytes as they are. Default 256. */
  readonly shortSide?: number | null | undefined;
  /** Of JPEGs that are encoded anew, 1 to 100; default 90. */
  readonly quality?: number | undefined;
}

/** What `data pack` prints. */
export interface PackDataDocument {
  /** The file. */
  readonly store: string;
  /** How the folder's parts and classes were read. */
  readonly layout: string;
  /** Classes in it. */
  readonly classes: number;
  /** Images in it. */
  readonly images: number;
  /** Its bytes. */
  readonly bytes: number;
  /** Shorter side of the images, in pixels; null: as they were. */
  readonly shortSide: number | null;
  /** Images that an interrupted attempt had packed already. */
  readonly resumed: number;
  /** Files that are no images, and why. */
  readonly leftOut: readonly FileProblem[];
  /** What is to be known of the folder, a line each. */
  readonly notes: readonly string[];
}

const SHORT_SIDE = 256;
const QUALITY = 90;

async function refuseExisting(store: string): Promise<void> {
  const found = await stat(store).catch(() => null);
  if (found === null) return;
  throw new SplitgrowError(
    'E_WRITE',
    `${store}: expected no file of this name, found ${found.isFile() ? 'one' : 'something else'}; choose another name, or remove it`,
  );
}

/**
 * Packs a folder of images into one store. After an abort or a kill the same call goes on where it was.
 * @throws E_DATA, E_IMAGES, E_WRITE, E_ABORTED
 */
export async function packData(
  options: PackDataOptions,
  control: RunControl = {},
): Promise<PackDataDocument> {
  return watched(control, (own) => packedFolder(options, own));
}

async function packedFolder(options: PackDataOptions, control: RunControl): Promise<PackDataDocument> {
  const store = resolve(options.out);
  await refuseExisting(store);
  // Packing decodes.
  const folder = await folderOf({ ...options, decode: false }, control);
  const { listing, train, test } = folder;
  for (const text of [listing.layout, ...notesOf(folder)]) note(control, 0, 'load', text);
  const core = loadImageCore();
  const shortSide = options.shortSide === undefined ? SHORT_SIDE : options.shortSide;
  const { root } = listing;
  const parts = [
    { name: STORE_PARTS.train, files: { root, ...train } },
    { name: STORE_PARTS.test, files: { root, ...test } },
  ];
  const packed = await working(control, 'pack', (progress, abort) =>
    core.packImages(
      parts,
      {
        ...{ store, shortSide, classNames: listing.classNames, quality: options.quality ?? QUALITY },
        maxPixels: options.maxPixels ?? IMAGE_DEFAULTS.maxPixels,
        maxScans: options.maxScans ?? IMAGE_DEFAULTS.maxScans,
        threads: options.threads ?? core.features().threads,
      },
      progress,
      abort,
    ),
  );
  const unpacked = packed.problems.map(({ part, index, reason }) => ({
    path: parts[part]?.files.paths[index] ?? '',
    reason,
  }));
  const { images, bytes, resumed } = packed;
  const leftOut = [...unpacked, ...leftOutOf(folder)];
  return {
    ...{ store, layout: listing.layout, images, bytes, resumed, shortSide, leftOut },
    classes: listing.classes.length,
    notes: folder.notes,
  };
}

/** What `data verify` prints. */
export interface VerifyDataDocument {
  /** The file. */
  readonly store: string;
  /** Images in it. */
  readonly images: number;
  /** Its bytes. */
  readonly bytes: number;
  /** Images whose bytes are not what was packed. */
  readonly problems: readonly {
    /** Which image, from 0. */
    readonly index: number;
    /** What is wrong with it. */
    readonly reason: string;
  }[];
}

/** Compares every image of a store with its checksum. @throws E_DATA where it is no store or cut short, E_FILE, E_ABORTED */
export async function verifyData(
  { store, threads }: { readonly store: string; readonly threads?: number | undefined },
  control: RunControl = {},
): Promise<VerifyDataDocument> {
  const core = loadImageCore();
  const options = { threads: threads ?? core.features().threads };
  const { images, bytes, problems } = await watched(control, (own) =>
    working(own, 'verify', (progress, abort) => core.verifyStore(store, options, progress, abort)),
  );
  return { store, images, bytes, problems };
}
