// One part of a folder of images: its files and their classes, by class folders or by a label list.
import { resolve } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { integer } from '../../statistics/format.js';
import { findLabels } from './labels.js';
import { some } from './part-folders.js';
import { identity, imagesBelow, type Walk } from './walk.js';

export interface ListedPart {
  /** Relative to the root. */
  readonly paths: readonly string[];
  readonly labels: Int32Array;
}

/** A listing in progress: the walk through the folder, where label lists may lie, and what was found so far. */
export interface Work {
  readonly walk: Walk;
  readonly lists: readonly string[];
  readonly notes: string[];
}

const under = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);
/** A name in one spelling: file systems store an accented letter as one character or as two. */
const alike = (name: string): string => name.normalize('NFC');

/** Numbers of classes by their folders' names. @throws E_DATA where two are written alike */
function numbersOf({ walk }: Work, part: string, classes: readonly string[]): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const [label, name] of classes.entries()) {
    if (numbers.has(alike(name))) {
      throw new SplitgrowError(
        'E_DATA',
        `${resolve(walk.root, part)}: expected class folders of different names, found ${name}/ twice, its accents in two Unicode forms (NFC and NFD); put their images into one folder`,
      );
    }
    numbers.set(alike(name), label);
  }
  return numbers;
}

/** Every image of class folders. Classes that are not in `known` are left out; with null all are listed. */
export async function classFolders(
  work: Work,
  part: string,
  names: readonly string[],
  known: readonly string[] | null,
): Promise<ListedPart & { readonly classes: readonly string[] }> {
  const { walk, notes } = work;
  const classes = known ?? names;
  const above = await Promise.all([walk.root, resolve(walk.root, part)].map(identity));
  const numbers = numbersOf(work, part, classes);
  const folders = new Map(names.map((name) => [alike(name), name]));
  const nearest = new Map(classes.map((name) => [alike(name).toLowerCase(), name]));
  for (const name of names.filter((one) => !numbers.has(alike(one)))) {
    const near = nearest.get(alike(name).toLowerCase());
    const remedy = near === undefined ? '' : `; the training class is called ${near}: rename one of them`;
    walk.problems.push({ path: under(part, name), reason: `a class that has no training images${remedy}` });
  }
  const paths: string[] = [];
  const labels: number[] = [];
  const empty: string[] = [];
  for (const [label, name] of classes.entries()) {
    const before = walk.paths.length;
    const folder = folders.get(alike(name));
    if (folder !== undefined) await imagesBelow(walk, under(part, folder), above);
    const own = walk.paths.splice(before);
    if (own.length === 0) empty.push(name);
    for (const path of own) {
      paths.push(path);
      labels.push(label);
    }
  }
  if (empty.length > 0 && empty.length < classes.length)
    notes.push(
      `${integer(empty.length)} of ${integer(classes.length)} classes have no images in ${part || 'the folder'}: ${some(empty)}`,
    );
  return { paths, labels: Int32Array.from(labels), classes };
}

/** The images of one flat folder, with classes from a label list. Null where it has no images or no list. */
export async function flatFolder(
  work: Work,
  part: string,
  names: readonly string[],
  { lists, classes }: { readonly lists: readonly string[]; readonly classes: readonly string[] },
): Promise<(ListedPart & { readonly list: string }) | null> {
  const { walk } = work;
  const folder = resolve(walk.root, part);
  const labelled =
    names.length === 0 ? null : await findLabels(lists, { classes, names, folder, walk, notes: work.notes });
  if (labelled === null) return null;
  const numbers = numbersOf(work, part, classes);
  const paths: string[] = [];
  const labels: number[] = [];
  names.forEach((name, place) => {
    const own = labelled.classOf(name, place);
    const label = own === undefined ? undefined : numbers.get(alike(own));
    const path = under(part, name);
    if (label === undefined) {
      const reason =
        own === undefined ? `has no label in ${labelled.file}` : `its class ${own} has no training images`;
      walk.problems.push({ path, reason });
      return;
    }
    paths.push(path);
    labels.push(label);
  });
  return { paths, labels: Int32Array.from(labels), list: labelled.file };
}
