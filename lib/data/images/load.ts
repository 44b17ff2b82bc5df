// Datasets whose images are files: found by their layout and indexed, or read from a packed store.
import { basename } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { refuseAborted } from '../../native/control.js';
import type { RunControl } from '../../native/events.js';
import { loadCore, loadImageCore } from '../../native/load.js';
import { integer } from '../../statistics/format.js';
import { defaultRoot } from '../get/places.js';
import type { DataSpec, Source } from '../source.js';
import type { ListedPart } from './class-folders.js';
import { type Indexed, indexImages, type Scan } from './index-images.js';
import { type Listing, listImages } from './layout.js';
import type { ImagePart } from './part.js';
import { some } from './part-folders.js';
import { IMAGE_DEFAULTS, type ImageSettings, shortSideOf } from './settings.js';
import { openingStore } from './what-it-is.js';

/** Classes of ImageNet's challenge. */
const IMAGENET_CLASSES = 1000;
/** Names of the parts of a packed store. */
export const STORE_PARTS = { train: 'train', test: 'test' } as const;

/** A folder whose files have been found and indexed. */
export interface Folder {
  readonly listing: Listing;
  readonly indexed: Indexed;
  /** Both parts, without files that cannot be used. */
  readonly train: ListedPart;
  readonly test: ListedPart;
  /** What a reader of results should know of its parts and classes. */
  readonly notes: readonly string[];
}

/** Tells which classes have no readable image left in a part. */
function lostClasses(
  { classNames }: Listing,
  listed: ListedPart,
  left: ListedPart,
  purpose: string,
): readonly string[] {
  const [before, after] = [new Set(listed.labels), new Set(left.labels)];
  const names = classNames.filter((_, label) => before.has(label) && !after.has(label));
  if (names.length === 0) return [];
  return [
    `${integer(names.length)} of ${integer(classNames.length)} classes have no image left for ${purpose}, as their files cannot be read: ${some(names)}`,
  ];
}

/** Lists and indexes a folder. @throws E_DATA, E_ABORTED, E_WRITE, E_IMAGES */
export async function readFolder(
  root: string,
  {
    settings,
    decode = false,
    threads,
    control = {},
    scan,
  }: {
    readonly settings: Pick<
      ImageSettings,
      'testShare' | 'maxPixels' | 'maxScans' | 'followLinks' | 'testPart' | 'leastClasses'
    >;
    readonly decode?: boolean;
    readonly threads: number;
    readonly control?: RunControl;
    readonly scan?: Scan | undefined;
  },
): Promise<Folder> {
  refuseAborted(control);
  const { maxPixels, maxScans } = settings;
  const listing = await listImages(root, settings);
  const paths = [...listing.train.paths, ...listing.test.paths];
  const options = { maxPixels, maxScans, threads, decode };
  const indexed = await indexImages(listing.root, paths, options, { control, ...(scan && { scan }) });
  const { kinds } = indexed.table;
  const good = ({ paths: all, labels }: ListedPart, from: number): ListedPart => {
    const isGood = (_: unknown, at: number): boolean => kinds[from + at] !== 0;
    return { paths: all.filter(isGood), labels: labels.filter(isGood) };
  };
  const [train, test] = [good(listing.train, 0), good(listing.test, listing.train.paths.length)];
  return {
    ...{ listing, indexed, train, test },
    notes: [
      ...listing.notes,
      ...lostClasses(listing, listing.train, train, 'training'),
      ...lostClasses(listing, listing.test, test, 'testing'),
    ],
  };
}

/** What a run and the reader of its report should know about a folder; nothing where all is well. */
export function notesOf({ listing, indexed, notes }: Folder): readonly string[] {
  const bad = [...indexed.problems, ...listing.problems];
  const [first] = bad;
  if (first === undefined) return notes;
  const where = indexed.problemsFile === null ? '' : `, all of them in ${indexed.problemsFile}`;
  const which = `${first.path} (${first.reason})${bad.length > 1 ? ` and ${integer(bad.length - 1)} more${where}` : ''}`;
  return [...notes, `${integer(bad.length)} files or folders are left out: ${which}`];
}

/** A dataset whose both parts are files. */
interface Images extends Source {
  readonly train: ImagePart;
  readonly test: ImagePart;
}

async function fromFolder(root: string, settings: ImageSettings, control: RunControl): Promise<Images> {
  const threads = settings.workers ?? loadCore().features().threads;
  const folder = await readFolder(root, { settings, threads, control });
  const { listing } = folder;
  const partOf = ({ paths, labels }: ListedPart): ImagePart => ({
    source: { files: { root: listing.root, paths, labels } },
    ...{ labels, settings },
  });
  const counts = `${integer(folder.train.paths.length)} images for training, ${integer(folder.test.paths.length)} for testing, ${integer(listing.classes.length)} classes`;
  return {
    train: partOf(folder.train),
    test: partOf(folder.test),
    classes: listing.classes.length,
    classNames: listing.classNames,
    note: [`${listing.layout}: ${counts}`, ...notesOf(folder)].join('; '),
  };
}

async function fromStore(store: string, settings: ImageSettings): Promise<Images> {
  const core = loadImageCore();
  const { parts, classNames, shortSide } = await openingStore(store, () => core.readStore(store));
  const partOf = (part: string): ImagePart => ({
    source: { store, part },
    labels: parts.some(({ name }) => name === part) ? core.readStoreLabels(store, part) : new Int32Array(),
    settings,
  });
  const wanted = shortSideOf(settings);
  const isSmall = shortSide !== null && shortSide < wanted;
  return {
    train: partOf(STORE_PARTS.train),
    test: partOf(STORE_PARTS.test),
    classes: classNames.length,
    classNames,
    note: isSmall
      ? `${basename(store)} holds images whose shorter side is ${shortSide} pixels at most, and ${wanted} are asked for: they are made larger`
      : undefined,
  };
}

/** The images of a store, or of a folder. @throws E_DATA, E_FILE, E_IMAGES, E_ABORTED, E_WRITE */
export async function openImages(
  where: { readonly store: string } | { readonly root: string },
  settings: ImageSettings,
  control: RunControl,
): Promise<Images> {
  return 'store' in where ? fromStore(where.store, settings) : fromFolder(where.root, settings, control);
}

/** @throws E_DATA where there is neither folder nor store, or no image in it; E_FILE, E_IMAGES, E_ABORTED */
export async function loadImages(spec: DataSpec, control: RunControl): Promise<Source> {
  const settings: ImageSettings = { ...IMAGE_DEFAULTS, ...spec };
  const name = spec.name ?? '';
  const root = spec.root ?? (name === 'imagenet' ? defaultRoot(name) : undefined);
  if (spec.store === undefined && root === undefined) {
    throw new SplitgrowError(
      'E_DATA',
      `${name}: expected data.root, a folder of images, or data.store, a store made by \`splitgrow data pack\`; got neither`,
    );
  }
  const where = spec.store === undefined ? { root: root ?? '' } : { store: spec.store };
  const found = await openImages(where, settings, control);
  const isPart = name === 'imagenet' && found.classes !== IMAGENET_CLASSES;
  const size = `${integer(found.classes)} of ImageNet's ${integer(IMAGENET_CLASSES)} classes are there`;
  const notes = [found.note, isPart ? size : undefined].filter((one) => one !== undefined);
  return { ...found, note: notes.length > 0 ? notes.join('; ') : undefined };
}
