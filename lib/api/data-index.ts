// data index: what lies in a folder of images.
import { type Folder, readFolder } from '../data/images/load.js';
import { IMAGE_DEFAULTS } from '../data/images/settings.js';
import type { FileProblem } from '../data/images/walk.js';
import type { RunControl } from '../native/events.js';
import { IMAGE_KINDS } from '../native/face.js';
import { loadCore } from '../native/load.js';
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

/** The folder, indexed. */
export function folderOf(options: IndexDataOptions, control: RunControl): Promise<Folder> {
  const settings = {
    testShare: options.testShare ?? IMAGE_DEFAULTS.testShare,
    followLinks: options.followLinks ?? IMAGE_DEFAULTS.followLinks,
    maxPixels: options.maxPixels ?? IMAGE_DEFAULTS.maxPixels,
    maxScans: options.maxScans ?? IMAGE_DEFAULTS.maxScans,
  };
  const threads = options.threads ?? loadCore().features().threads;
  return readFolder(options.root, { settings, threads, decode: options.decode ?? true, control });
}

/** Files that are no images, and why. */
export const leftOutOf = ({ indexed, listing }: Folder): readonly FileProblem[] => [
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
