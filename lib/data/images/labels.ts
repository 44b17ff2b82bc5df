// Label lists give the classes of the images in one flat folder, as ImageNet, its copies and Tiny ImageNet have them.
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { reasonOf, SplitgrowError } from '../../errors.js';
import { readWhole } from '../../machine/files/text-file.js';
import { integer } from '../../statistics/format.js';
import { some } from './part-folders.js';
import { isWithin, type Walk } from './walk.js';

/** Gives the class folder of a file, by its name and by its position among all files, from 0; undefined where the list lacks it. */
export type ClassOf = (name: string, place: number) => string | undefined;

interface Given {
  readonly file: string;
  /** Lines that are not empty. */
  readonly lines: readonly string[];
  /** Class folders, in order. */
  readonly classes: readonly string[];
  /** The flat folder, and its images. */
  readonly folder: string;
  readonly names: readonly string[];
  /** Reads another list beside it: its lines, or null. */
  readonly beside: (name: string) => Promise<readonly string[] | null>;
  /** Is told what a reader of the results should know. */
  readonly notes: string[];
}

const stem = (name: string): string => basename(name, extname(name));

function refuse(file: string, problem: string): SplitgrowError {
  return new SplitgrowError('E_DATA', `${file}: ${problem}`);
}

function sameCount({ file, lines, names }: Given): void {
  if (lines.length === names.length) return;
  throw refuse(
    file,
    `expected a line for each of the ${names.length} images in the order of their names, found ${lines.length} lines`,
  );
}

/** The class folder of a class number; the first class has the number `first`. */
function numbered(text: string, names: readonly string[], first: number, file: string): string {
  const name = /^\d+$/.test(text) ? names[Number(text) - first] : undefined;
  if (name !== undefined) return name;
  throw refuse(
    file,
    `expected numbers of classes from ${first} to ${names.length - 1 + first}, found "${text}"`,
  );
}

/** The name of an image of the flat folder without its ending. @throws E_DATA for a path that leads out of that folder */
function imageIn({ file, folder }: Given, path: string): string {
  const plain = path.replaceAll('\\', '/');
  const leads = plain.startsWith('/') || plain.split('/').includes('..');
  const places = [folder, dirname(file)].map((from) => dirname(resolve(from, plain)));
  if (!leads || places.includes(folder)) return stem(plain);
  throw refuse(file, `expected names of images in ${folder}, found "${path}", which lies elsewhere`);
}

/** A map from names of files, without their endings, to classes. @throws E_DATA for a name that is given two classes */
function mapped(given: Given, pairs: Iterable<readonly [string, string]>): ClassOf {
  const classes = new Map<string, string>();
  for (const [path, label] of pairs) {
    const name = imageIn(given, path);
    const before = classes.get(name);
    if (before !== undefined && before !== label)
      throw refuse(given.file, `expected one class for each image, found ${before} and ${label} for ${name}`);
    classes.set(name, label);
  }
  const there = new Set(given.names.map(stem));
  const absent = [...classes.keys()].filter((name) => !there.has(name));
  if (absent.length > 0)
    given.notes.push(
      `${integer(absent.length)} of the ${integer(classes.size)} images that ${basename(given.file)} lists are not in ${given.folder}: ${some(absent)}`,
    );
  return (name) => classes.get(stem(name));
}

/** Tiny ImageNet's: name, synset, box. */
async function annotations(given: Given): Promise<ClassOf> {
  return mapped(
    given,
    given.lines.map((line) => line.split('\t')).map(([name = '', label = '']) => [name, label]),
  );
}

/** The Kaggle challenge's: `ImageId,PredictionString`, the synset first in the second. */
async function solution(given: Given): Promise<ClassOf> {
  const rows = given.lines.slice(1).map((line) => line.split(','));
  return mapped(
    given,
    rows.map(([name = '', boxes = '']) => [name, boxes.trim().split(' ')[0] ?? '']),
  );
}

/** A class a line, or a file's name and its class; classes as folders' names or as their numbers from 0. */
async function listed(given: Given): Promise<ClassOf> {
  const { file, lines, classes } = given;
  const known = new Set(classes);
  const hasNumbers = lines.every(
    (line) => !known.has(line.split(/\s+/).at(-1) ?? '') && /(^|\s)\d+$/.test(line),
  );
  const classIn = (text: string): string => (hasNumbers ? numbered(text, classes, 0, file) : text);
  if (lines.every((line) => /\s/.test(line))) {
    return mapped(
      given,
      lines.map((line) => {
        const at = line.search(/\s+\S+$/);
        return [line.slice(0, at), classIn(line.slice(at).trim())];
      }),
    );
  }
  sameCount(given);
  const inOrder = lines.map(classIn);
  return (_name, place) => inOrder[place];
}

/** First of ImageNet's synsets by name; the development kit's numbers follow another order. */
const FIRST_BY_NAME = 'n01440764';

/** The development kit's: a number from 1 a line, its synsets in synsets.txt. */
async function groundTruth(given: Given): Promise<ClassOf> {
  const { file, lines } = given;
  sameCount(given);
  const remedy =
    "a line for every synset in the development kit's own order (ILSVRC2012_ID in its meta.mat), so that line k names class k";
  const synsets = (await given.beside('synsets.txt'))?.map((line) => line.split(/\s/)[0] ?? '');
  if (synsets === undefined) throw refuse(file, `expected synsets.txt beside it, ${remedy}`);
  if (synsets[0] === FIRST_BY_NAME)
    throw refuse(file, `the synsets.txt beside it is in the order of names; expected ${remedy}`);
  const inOrder = lines.map((line) => numbered(line, synsets, 1, file));
  return (_name, place) => inOrder[place];
}

/** Names of label lists, the surest first, and how each is read. */
const LISTS: readonly (readonly [name: string, read: (given: Given) => Promise<ClassOf>])[] = [
  ['val_annotations.txt', annotations],
  ['LOC_val_solution.csv', solution],
  ['val_labels.txt', listed],
  ['val.txt', listed],
  ['imagenet_2012_validation_synset_labels.txt', listed],
  ['ILSVRC2012_validation_ground_truth.txt', groundTruth],
];

export const LIST_NAMES: readonly string[] = LISTS.map(([name]) => name);

/**
 * Lines of a list that are not empty, or null where there is none, or a link that leads where the walk may not go.
 * @throws E_DATA where it is no text file in UTF-8 of a sane size
 */
export async function readLines(file: string, walk: Walk | null = null): Promise<readonly string[] | null> {
  let text: string;
  try {
    if (walk !== null && !(await isWithin(walk, file))) {
      walk.passedOver.add(relative(walk.root, file));
      return null;
    }
    text = await readWhole(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw refuse(file, `expected a text file; ${reasonOf(error)}`);
  }
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

export interface LabelList {
  readonly file: string;
  readonly classOf: ClassOf;
}

/** The first label list in one of the folders, read; null where there is none. @throws E_DATA */
export async function findLabels(
  folders: readonly string[],
  { walk, ...images }: Pick<Given, 'classes' | 'folder' | 'names' | 'notes'> & { readonly walk: Walk },
): Promise<LabelList | null> {
  for (const [name, read] of LISTS) {
    for (const folder of folders) {
      const file = join(folder, name);
      const lines = await readLines(file, walk);
      if (lines === null) continue;
      const beside = (other: string): Promise<readonly string[] | null> =>
        readLines(join(folder, other), walk);
      return { file, classOf: await read({ file, lines, ...images, beside }) };
    }
  }
  return null;
}

/** Names of classes for people, from LOC_synset_mapping.txt or Tiny ImageNet's words.txt where there is one; else the folders'. */
export async function classNamesOf(
  folders: readonly string[],
  classes: readonly string[],
  walk: Walk,
): Promise<readonly string[]> {
  for (const name of ['LOC_synset_mapping.txt', 'words.txt']) {
    for (const folder of folders) {
      const lines = await readLines(join(folder, name), walk);
      if (lines === null) continue;
      const words = new Map(lines.map((line) => [line.split(/\s/)[0] ?? '', line.replace(/^\S+\s+/, '')]));
      return classes.map((folderName) => words.get(folderName) ?? folderName);
    }
  }
  return classes;
}
