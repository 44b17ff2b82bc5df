// Layouts of image datasets: which files are for training and for testing, and the class of each.
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { otherKindOf } from '../../machine/files/file-kind.js';
import { integer } from '../../statistics/format.js';
import { classFolders, flatFolder, type ListedPart, type Work } from './class-folders.js';
import { classNamesOf, LIST_NAMES } from './labels.js';
import {
  type Reading,
  readTop,
  refusePartsWithin,
  roleOf,
  some,
  type TestPart,
  type TopFolder,
} from './part-folders.js';
import { IMAGE_DEFAULTS } from './settings.js';
import { keptForTesting } from './share.js';
import {
  type Entry,
  entriesOf,
  type FileProblem,
  holdsImages,
  isImageName,
  isWithin,
  startWalk,
  type Walk,
} from './walk.js';

export interface Listing {
  readonly root: string;
  /** How the folder is laid out, in words: which folders are read as which part. */
  readonly layout: string;
  /** Folders of the classes, in the order of their numbers; and their names for people. */
  readonly classes: readonly string[];
  readonly classNames: readonly string[];
  readonly train: ListedPart;
  readonly test: ListedPart;
  /** What is left out, and why. */
  readonly problems: readonly FileProblem[];
  /** What a reader of results should know. */
  readonly notes: readonly string[];
}

/** Which files of a folder are listed. */
export interface ListOptions {
  /** Share of the images that is kept for testing where no folder is for testing. */
  readonly testShare: number;
  /** Whether links that lead out of the folder are followed. By default they are counted and not followed. */
  readonly followLinks?: boolean | undefined;
  /** The folder that is used for testing. By default the one for validation, else the one for testing. */
  readonly testPart?: TestPart | undefined;
  /** How many classes must have images; default: two. */
  readonly leastClasses?: number | undefined;
}

/** Where the archives of the ImageNet challenge put the images. */
const CHALLENGE = 'ILSVRC/Data/CLS-LOC';

const NONE: ListedPart = { paths: [], labels: new Int32Array() };

const foldersIn = (entries: readonly Entry[]): readonly string[] =>
  entries.filter(({ kind }) => kind === 'folder').map(({ name }) => name);
const imagesIn = (entries: readonly Entry[]): readonly string[] =>
  entries.filter(({ name, kind }) => kind === 'file' && isImageName(name)).map(({ name }) => name);
interface Tested extends ListedPart {
  /** The part folder, and how its classes are told. */
  readonly part: string;
  readonly words: string;
}

/** The first part folder whose images have classes, by class folders or by a list. */
async function testPart(
  work: Work,
  parts: readonly string[],
  classes: readonly string[],
): Promise<Tested | null> {
  const { walk, lists } = work;
  for (const part of parts) {
    const entries = await entriesOf(walk, part);
    const folders = foldersIn(entries);
    const isInner = folders.join() === 'images';
    const inside = isInner ? `${part}/images` : part;
    const names = imagesIn(isInner ? await entriesOf(walk, inside) : entries);
    const places = [resolve(walk.root, part), ...lists];
    const flat = await flatFolder(work, inside, names, { lists: places, classes });
    if (flat !== null)
      return { ...flat, part, words: `${inside}/ with ${flat.list.slice(flat.list.lastIndexOf('/') + 1)}` };
    if (folders.length > 0 && names.length === 0)
      return {
        ...(await classFolders(work, part, folders, classes)),
        part,
        words: `class folders in ${part}/`,
      };
    if (names.length > 0)
      work.notes.push(
        `${part}/ was left alone: its ${integer(names.length)} images lie in no class folders, and no label list is there (${LIST_NAMES.join(', ')})`,
      );
  }
  return null;
}

/** The folder that holds the parts: the root itself, or the one inside the challenge's archive. */
async function startOf(given: string, followLinks: boolean): Promise<Walk> {
  const named = resolve(given);
  // The label lists of the challenge lie at the top of its archive, even if a folder inside it was named.
  const whole = named.endsWith(CHALLENGE) ? resolve(named, '../../..') : named;
  const inner = await startWalk(resolve(whole, CHALLENGE), { whole, followLinks });
  const isThere = await isWithin(inner, inner.root).catch(() => false);
  if (isThere && (await entriesOf(inner, '')).length > 0) return inner;
  return startWalk(named, { whole, followLinks });
}

interface Parts {
  readonly layout: string;
  readonly classes: readonly string[];
  readonly train: ListedPart;
  readonly test: ListedPart;
}

/** Class folders without parts: a share of their images is for testing. */
function shared(
  { notes }: Work,
  all: ListedPart & { readonly classes: readonly string[] },
  where: string,
  testShare: number,
): Parts {
  const isTest = keptForTesting(all, testShare);
  const pick = (wanted: number): ListedPart => ({
    paths: all.paths.filter((_, at) => isTest[at] === wanted),
    labels: all.labels.filter((_, at) => isTest[at] === wanted),
  });
  const [train, test] = [pick(0), pick(1)];
  const layout = `class folders in ${where}`;
  if (all.paths.length === 0) return { layout, classes: all.classes, train, test };
  notes.push(
    `there is no labelled folder for testing: ${integer(test.paths.length)} of ${integer(all.paths.length)} images (data.testShare ${testShare}, of every class alike and at least one of each that has two, always the same) are kept for it`,
  );
  const inAll = new Set(all.labels);
  const without = (part: ListedPart): readonly string[] => {
    const inPart = new Set(part.labels);
    return all.classes.filter((_, label) => inAll.has(label) && !inPart.has(label));
  };
  for (const [part, purpose] of [
    [test, 'testing'],
    [train, 'training'],
  ] as const) {
    const single = without(part);
    if (single.length > 0)
      notes.push(
        `${integer(single.length)} of ${integer(all.classes.length)} classes have one image and so none for ${purpose}: ${some(single)}`,
      );
  }
  return { layout, classes: all.classes, train, test };
}

/** Tells that a share other than the default has no effect, because a folder is for testing. */
function noteShare({ notes }: Work, { testShare }: ListOptions, part: string): void {
  if (testShare !== IMAGE_DEFAULTS.testShare)
    notes.push(`not used: data.testShare ${testShare} (--test-share); ${part}/ serves for testing`);
}

/** The folders at the top, each with what it holds. */
async function topOf({ walk }: Work): Promise<readonly TopFolder[]> {
  const names = foldersIn(await entriesOf(walk, ''));
  const hasParts = names.some((name) => roleOf(name) !== null);
  const holds = async (name: string): Promise<TopFolder['holds']> => {
    // If no folder has the name of a part, every folder is a class. Its content is seen when its images are listed.
    if (!hasParts) return 'images';
    if (roleOf(name) === null) return (await holdsImages(walk, name)) ? 'images' : 'nothing';
    const entries = await entriesOf(walk, name);
    const inner = foldersIn(entries);
    if (inner.length > 0 && inner.join() !== 'images') return 'folders';
    return inner.length > 0 || imagesIn(entries).length > 0 ? 'images' : 'nothing';
  };
  return Promise.all(names.map(async (name) => ({ name, role: roleOf(name), holds: await holds(name) })));
}

function noteUnused({ notes }: Work, { tests, others }: Reading, used: string | null): void {
  const left = tests.filter((name) => name !== used && !notes.some((one) => one.startsWith(`${name}/ was`)));
  if (left.length > 0)
    notes.push(`${some(left.map((name) => `${name}/`))} is not used, as ${used}/ serves for testing`);
  if (others.length > 0)
    notes.push(`${some(others.map((name) => `${name}/`))} is not used: it is no part whose name is known`);
}

/** Both parts, by the folders that are there. */
async function partsOf(work: Work, options: ListOptions): Promise<Parts> {
  const { walk, notes } = work;
  const reading = readTop(walk.root, await topOf(work), options.testPart);
  const { train, tests, classes } = reading;
  notes.push(...reading.notes);
  if (train === null) {
    const only = tests[0] ?? '';
    const test = await classFolders(work, only, foldersIn(await entriesOf(walk, only)), null);
    noteUnused(work, reading, only);
    noteShare(work, options, only);
    return { layout: `class folders in ${only}/ alone`, classes: test.classes, train: NONE, test };
  }
  if (train === '') {
    const all = await classFolders(work, '', classes, null);
    refusePartsWithin(walk.root, all.paths);
    return shared(work, all, 'the folder itself', options.testShare);
  }
  const all = await classFolders(work, train, foldersIn(await entriesOf(walk, train)), null);
  const test = await testPart(work, tests, all.classes);
  noteUnused(work, reading, test?.part ?? null);
  if (test !== null) {
    noteShare(work, options, test.part);
    return { layout: `class folders in ${train}/, ${test.words}`, classes: all.classes, train: all, test };
  }
  if (options.testPart !== undefined && tests.length > 0) {
    throw new SplitgrowError(
      'E_DATA',
      `${walk.root}: expected labelled images in ${tests.join('/, ')}/, found none; ${notes.join('; ')}`,
    );
  }
  return shared(work, all, `${train}/`, options.testShare);
}

/** The note about links. */
function noteLinks({ walk: { followed, passedOver }, notes }: Work): void {
  const named = (links: ReadonlySet<string>): string =>
    `${[...links][0] ?? ''}${links.size > 1 ? ' and others' : ''}`;
  if (passedOver.size > 0)
    notes.push(
      `${integer(passedOver.size)} links that lead out of the folder were passed over: ${named(passedOver)}; data.followLinks (--follow-links) follows them`,
    );
  if (followed.size > 0) notes.push(`${integer(followed.size)} links were followed: ${named(followed)}`);
}

/** With fewer classes there is nothing to learn. */
const LEAST_CLASSES = 2;
const EXPECTED =
  'expected class folders in train/ and val/ (or validation/, test/), a flat val/ with a label list beside it, or class folders alone, with .jpg, .jpeg or .png files in them';

/**
 * Finds the images of a dataset by its layout: class folders in train/ and val/ (or validation/, test/; names in any case), a
 * flat val/ with a label list, or class folders alone, of which `testShare` are kept for testing. No image is opened.
 *
 * @throws E_DATA where the folder is none of these, can be read in two ways, or a label list is malformed
 */
export async function listImages(given: string, options: ListOptions): Promise<Listing> {
  const isFile = await stat(given).then(
    (found) => found.isFile(),
    () => false,
  );
  if (isFile) {
    const kind = (await otherKindOf(given, 'text')) ?? 'it is a file';
    throw new SplitgrowError('E_DATA', `${given}: expected a folder of images; ${kind}; set data.root`);
  }
  const walk = await startOf(given, options.followLinks === true);
  const { root, problems, others } = walk;
  const lists = [
    ...new Set([root, resolve(given), ...(root.endsWith(CHALLENGE) ? [resolve(root, '../../..')] : [])]),
  ];
  const work: Work = { walk, lists, notes: [] };
  const parts = await partsOf(work, options);
  noteLinks(work);
  const { train, test } = parts;
  const withImages = new Set([train, test].flatMap(({ labels }) => [...new Set(labels)])).size;
  if (withImages < (options.leastClasses ?? LEAST_CLASSES)) {
    const first = problems[0];
    const found = `${integer(withImages)} classes with ${integer(train.paths.length + test.paths.length)} images`;
    const flat = imagesIn(await entriesOf(walk, '')).length;
    const why = [
      ...(first === undefined ? [] : [`${first.path}: ${first.reason}`]),
      ...(flat === 0 ? [] : [`${integer(flat)} images lie in the folder itself, in no class folder`]),
      ...work.notes,
    ];
    const because = why.length === 0 ? '' : ` (${why.join('; ')})`;
    throw new SplitgrowError('E_DATA', `${root}: ${EXPECTED}; found ${found}${because}; set data.root`);
  }
  if (others.count > 0)
    work.notes.push(
      `${integer(others.count)} files were passed over, being no .jpg, .jpeg or .png: ${others.example}${others.count > 1 ? ' and others' : ''}`,
    );
  return {
    root,
    ...parts,
    classNames: await classNamesOf(lists, parts.classes, walk),
    problems,
    notes: work.notes,
  };
}
