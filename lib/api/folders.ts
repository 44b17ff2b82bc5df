// data index, data pack and data verify: folders of images and packed stores as typed functions.
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Folder, notesOf, readFolder, STORE_PARTS } from '../data/images/load.js';
import { IMAGE_DEFAULTS } from '../data/images/settings.js';
import type { FileProblem } from '../data/images/walk.js';
import { working } from '../data/images/working.js';
import { SplitgrowError } from '../errors.js';
import { note } from '../native/control.js';
import { loadCore } from '../native/core.js';
import type { RunControl } from '../native/events.js';
import { IMAGE_KINDS, loadImageCore } from '../native/images.js';
import { watched } from '../native/watched.js';

/** Which folder, and what of its images is left out. */
export interface FolderOptions {
  /** The folder of images. */
  readonly root: string;
  /** Share kept for testing where the folder has no test part; default 0.1. */
  readonly testShare?: number | undefined;
  /** Links that lead out of the folder are followed; default: they are passed over and counted. */
  readonly followLinks?: boolean | undefined;
  /** Most pixels of an image; larger ones are left out. Default 100,000,000. */
  readonly maxPixels?: number | undefined;
  /** Most scans of a progressive JPEG; default 100. */
  readonly maxScans?: number | undefined;
  /** Default: as many as compute. */
  readonly threads?: number | undefined;
}

export interface IndexDataOptions extends FolderOptions {
  /** Decode every image, which finds truncated and damaged ones too; `false`: headers alone. Default `true`. */
  readonly decode?: boolean | undefined;
}

/** Images of the two parts. */
export interface Counts {
  /** Training images. */
  readonly train: number;
  /** Test images. */
  readonly test: number;
}

/** What `data index` prints. */
export interface IndexDataDocument {
  /** The folder. */
  readonly root: string;
  /** How its classes are laid out. */
  readonly layout: string;
  /** Classes found. */
  readonly classes: number;
  /** Their names, in the order of their numbers. */
  readonly classNames: readonly string[];
  /** Images of the two parts. */
  readonly images: Counts;
  /** Images by file format. */
  readonly kinds: {
    /** JPEG files. */
    readonly jpeg: number;
    /** PNG files. */
    readonly png: number;
  };
  /** Images of one channel, with an opacity or without. */
  readonly grey: number;
  /** Of four channels: CMYK, YCCK or with an opacity. */
  readonly fourChannels: number;
  /** Turned by their EXIF orientation. */
  readonly turned: number;
  /** Bytes of all images. */
  readonly bytes: number;
  /** Median of the shorter sides, pixels as stored. */
  readonly medianShortSide: number;
  /** The index itself, and files looked at for it now. */
  readonly index: string;
  /** Files looked at now. */
  readonly scanned: number;
  /** Files that are no images, and why. */
  readonly leftOut: readonly FileProblem[];
  /** Images that are read although the decoder warns of them, as other tools do without a word. */
  readonly warnings: readonly FileProblem[];
  /** Lists the files of `leftOut` that could not be read; null where all could. */
  readonly problemsFile: string | null;
  /** What is to be known of the folder, a line each. */
  readonly notes: readonly string[];
}

function folderOf(options: IndexDataOptions, control: RunControl): Promise<Folder> {
  const settings = {
    testShare: options.testShare ?? IMAGE_DEFAULTS.testShare,
    followLinks: options.followLinks ?? IMAGE_DEFAULTS.followLinks,
    maxPixels: options.maxPixels ?? IMAGE_DEFAULTS.maxPixels,
    maxScans: options.maxScans ?? IMAGE_DEFAULTS.maxScans,
  };
  const threads = options.threads ?? loadCore().features().threads;
  return readFolder(options.root, { settings, threads, decode: options.decode ?? true, control });
}

const leftOutOf = ({ indexed, listing }: Folder): readonly FileProblem[] => [
  ...indexed.problems,
  ...listing.problems,
];

/** Indexes a folder of images, or brings its index up to date. @throws E_DATA, E_IMAGES, E_WRITE, E_ABORTED */
export async function indexData(
  options: IndexDataOptions,
  control: RunControl = {},
): Promise<IndexDataDocument> {
  return watched(control, (own) => indexedFolder(options, own));
}

async function indexedFolder(options: IndexDataOptions, control: RunControl): Promise<IndexDataDocument> {
  const folder = await folderOf(options, control);
  const { listing, indexed, train, test } = folder;
  const { kinds, channels, orientations, widths, heights, bytes } = indexed.table;
  const count = (values: Uint8Array, is: (value: number) => boolean): number => values.filter(is).length;
  const sides = widths.map((width, row) => Math.min(width, heights[row] ?? 0)).filter((side) => side > 0);
  return {
    root: listing.root,
    layout: listing.layout,
    classes: listing.classes.length,
    classNames: listing.classNames,
    images: { train: train.paths.length, test: test.paths.length },
    kinds: {
      jpeg: count(kinds, (kind) => kind === IMAGE_KINDS.jpeg),
      png: count(kinds, (kind) => kind === IMAGE_KINDS.png),
    },
    grey: count(channels, (number) => number === 1 || number === 2),
    fourChannels: count(channels, (number) => number === 4),
    turned: count(orientations, (orientation) => orientation > 1),
    bytes: bytes.reduce((sum, size) => sum + size, 0),
    medianShortSide: sides.sort()[Math.floor(sides.length / 2)] ?? 0,
    index: indexed.file,
    scanned: indexed.scanned,
    leftOut: leftOutOf(folder),
    warnings: indexed.warnings,
    problemsFile: indexed.problemsFile,
    notes: folder.notes,
  };
}

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
