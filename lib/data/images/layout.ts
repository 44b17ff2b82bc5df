// Layouts of image datasets: which files are for training and for testing, and the class of each.
import { resolve } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { integer } from '../../format.js';
import { classNamesOf, findLabels, LIST_NAMES } from './labels.js';
import { keptForTesting } from './share.js';
import {
  type Entry,
  entriesOf,
  type FileProblem,
  type Found,
  identity,
  imagesBelow,
  isImageName,
  nothingFound,
} from './walk.js';

export interface ListedPart {
  /** Relative to the root. */
  readonly paths: readonly string[];
  readonly labels: Int32Array;
}

export interface Listing {
  readonly root: string;
  /** How the folder is laid out, in words. */
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

const TRAIN = ['train', 'training'];
const TEST = ['val', 'validation', 'valid', 'test'];
/** Where the archives of the ImageNet challenge put the images. */
const CHALLENGE = 'ILSVRC/Data/CLS-LOC';
const MOST_NAMED = 5;

function some(names: readonly string[]): string {
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return `${names.slice(0, MOST_NAMED).join(', ')}${more}`;
}

const NONE: ListedPart = { paths: [], labels: new Int32Array() };

/** What is being listed: the root, and what turned up so far. */
interface Work {
  readonly root: string;
  readonly found: Found;
  readonly notes: string[];
}

const foldersIn = (entries: readonly Entry[]): readonly string[] =>
  entries.filter(({ kind }) => kind === 'folder').map(({ name }) => name);
const imagesIn = (entries: readonly Entry[]): readonly string[] =>
  entries.filter(({ name, kind }) => kind === 'file' && isImageName(name)).map(({ name }) => name);
const under = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

/** Every image of class folders. Classes that are not `known` are left out; null: all are. */
async function classFolders(
  { root, found, notes }: Work,
  part: string,
  names: readonly string[],
  known: readonly string[] | null,
): Promise<ListedPart & { readonly classes: readonly string[] }> {
  const classes = known ?? names;
  const above = await Promise.all([root, resolve(root, part)].map(identity));
  const number = new Map(classes.map((name, label) => [name, label]));
  const strange = names.filter((name) => !number.has(name));
  for (const name of strange)
    found.problems.push({ path: under(part, name), reason: 'a class that has no training images' });
  const paths: string[] = [];
  const labels: number[] = [];
  const empty: string[] = [];
  for (const name of classes) {
    const before = found.paths.length;
    if (names.includes(name)) await imagesBelow(root, under(part, name), found, above);
    const own = found.paths.splice(before);
    if (own.length === 0) empty.push(name);
    for (const path of own) {
      paths.push(path);
      labels.push(number.get(name) ?? -1);
    }
  }
  if (empty.length > 0 && empty.length < classes.length)
    notes.push(
      `${integer(empty.length)} of ${integer(classes.length)} classes have no images in ${part || 'the folder'}: ${some(empty)}`,
    );
  return { paths, labels: Int32Array.from(labels), classes };
}

/** Images of one flat folder, their classes from a label list. Null where it holds none, or no list is there. */
async function flatFolder(
  { found }: Work,
  part: string,
  names: readonly string[],
  { lists, classes }: { readonly lists: readonly string[]; readonly classes: readonly string[] },
): Promise<(ListedPart & { readonly list: string }) | null> {
  const labelled = names.length === 0 ? null : await findLabels(lists, { classes, images: names.length });
  if (labelled === null) return null;
  const number = new Map(classes.map((name, label) => [name, label]));
  const paths: string[] = [];
  const labels: number[] = [];
  names.forEach((name, place) => {
    const own = labelled.classOf(name, place);
    const label = own === undefined ? undefined : number.get(own);
    const path = under(part, name);
    if (label === undefined) {
      const reason =
        own === undefined ? `has no label in ${labelled.file}` : `its class ${own} has no training images`;
      found.problems.push({ path, reason });
      return;
    }
    paths.push(path);
    labels.push(label);
  });
  return { paths, labels: Int32Array.from(labels), list: labelled.file };
}

/** The first part folder whose images have classes, by class folders or by a list. */
async function testPart(
  work: Work,
  parts: readonly string[],
  classes: readonly string[],
  lists: readonly string[],
): Promise<(ListedPart & { readonly words: string }) | null> {
  const { root, found } = work;
  for (const part of parts) {
    const entries = await entriesOf(root, part, found.problems);
    const folders = foldersIn(entries);
    const isInner = folders.join() === 'images';
    const inside = isInner ? `${part}/images` : part;
    const names = imagesIn(isInner ? await entriesOf(root, inside, found.problems) : entries);
    const places = [resolve(root, part), ...lists];
    const flat = await flatFolder(work, inside, names, { lists: places, classes });
    if (flat !== null)
      return { ...flat, words: `${inside}/ with ${flat.list.slice(flat.list.lastIndexOf('/') + 1)}` };
    if (folders.length > 0 && names.length === 0)
      return { ...(await classFolders(work, part, folders, classes)), words: `class folders in ${part}/` };
    if (names.length > 0)
      work.notes.push(
        `${part}/ was left alone: its ${integer(names.length)} images lie in no class folders, and no label list is there (${LIST_NAMES.join(', ')})`,
      );
  }
  return null;
}

/** The folder that holds the parts: the root itself, or the one inside the challenge's archive. */
async function baseOf(given: string): Promise<string> {
  const inner = resolve(given, CHALLENGE);
  return (await entriesOf(inner, '', [])).length > 0 ? inner : resolve(given);
}

interface Parts {
  readonly layout: string;
  readonly classes: readonly string[];
  readonly train: ListedPart;
  readonly test: ListedPart;
}

/** Class folders alone: a share of them is for testing. */
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
  const test = pick(1);
  notes.push(
    `there is no labelled folder for testing: ${integer(test.paths.length)} of ${integer(all.paths.length)} images (data.testShare ${testShare}, of every class alike, always the same) are kept for it`,
  );
  return { layout: `class folders in ${where}`, classes: all.classes, train: pick(0), test };
}

/** Both parts, by the folders that are there. */
async function partsOf(work: Work, lists: readonly string[], testShare: number): Promise<Parts> {
  const { root, found } = work;
  const top = foldersIn(await entriesOf(root, '', found.problems));
  const tests = TEST.filter((name) => top.includes(name));
  const train = TRAIN.find((name) => top.includes(name));
  const names = train === undefined ? [] : foldersIn(await entriesOf(root, train, found.problems));
  if (train !== undefined && names.length > 0) {
    const all = await classFolders(work, train, names, null);
    const test = await testPart(work, tests, all.classes, lists);
    if (test === null) return shared(work, all, `${train}/`, testShare);
    return { layout: `class folders in ${train}/, ${test.words}`, classes: all.classes, train: all, test };
  }
  const [only] = tests;
  if (only !== undefined && top.every((name) => TEST.includes(name) || TRAIN.includes(name))) {
    const test = await classFolders(work, only, foldersIn(await entriesOf(root, only, found.problems)), null);
    return { layout: `class folders in ${only}/ alone`, classes: test.classes, train: NONE, test };
  }
  return shared(work, await classFolders(work, '', top, null), 'the folder itself', testShare);
}

const EXPECTED =
  'expected class folders in train/ and val/ (or validation/, test/), a flat val/ with a label list beside it, or class folders alone, with .jpg, .jpeg or .png files in them';

/**
 * Finds the images of a dataset by its layout: class folders in train/ and val/ (or validation/, test/), a flat val/ with
 * a label list, or class folders alone, of which `testShare` are kept for testing. No image is opened.
 *
 * @throws E_DATA where the folder is none of these, or a label list is malformed
 */
export async function listImages(
  given: string,
  { testShare }: { readonly testShare: number },
): Promise<Listing> {
  const root = await baseOf(given);
  const work: Work = { root, found: nothingFound(), notes: [] };
  const lists = [
    ...new Set([root, resolve(given), ...(root.endsWith(CHALLENGE) ? [resolve(root, '../../..')] : [])]),
  ];
  const parts = await partsOf(work, lists, testShare);
  const { problems, others } = work.found;
  if (parts.train.paths.length + parts.test.paths.length === 0 || parts.classes.length < 2) {
    const first = problems[0];
    const found = `${integer(parts.classes.length)} classes with ${integer(parts.train.paths.length + parts.test.paths.length)} images`;
    const why = first === undefined ? '' : ` (${first.path}: ${first.reason})`;
    throw new SplitgrowError('E_DATA', `${root}: ${EXPECTED}; found ${found}${why}; set data.root`);
  }
  if (others.count > 0)
    work.notes.push(
      `${integer(others.count)} files were passed over, being no .jpg, .jpeg or .png: ${others.example}${others.count > 1 ? ' and others' : ''}`,
    );
  return {
    root,
    ...parts,
    classNames: await classNamesOf(lists, parts.classes),
    problems,
    notes: work.notes,
  };
}
