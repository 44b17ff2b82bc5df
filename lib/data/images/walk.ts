// What lies below a folder of images: image files, told by their endings, and everything else with the reason.

import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { reasonOf } from '../../errors.js';

/** A file or folder that is left out. */
export interface FileProblem {
  /** Relative to the root of the dataset. */
  readonly path: string;
  /** Why it was left out. */
  readonly reason: string;
}

export interface Entry {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'neither';
}

/** How many files are not images, and the name of one. */
export interface Others {
  count: number;
  example: string;
}

/** A walk through a folder: where it may go, and what it has found. */
export interface Walk {
  /** Paths are relative to it. */
  readonly root: string;
  /** The real path that links may not leave; null: they may lead anywhere. */
  readonly inside: string | null;
  /** Images, in the order of folders and names. */
  readonly paths: string[];
  readonly problems: FileProblem[];
  readonly others: Others;
  /** Links that were followed, and links that lead out of the folder and were passed over; by path. */
  readonly followed: Set<string>;
  readonly passedOver: Set<string>;
  /** Entries by the path of their folder: some folders are asked about more than once, and problems are told once. */
  readonly known: Map<string, Promise<readonly Entry[]>>;
}

/** Folders inside a class folder; deeper ones are left out. */
const MOST_DEPTH = 8;
const IMAGE = /\.(jpe?g|jfif|png)$/i;
/** The character that Node.js puts in place of bytes that are not UTF-8. */
const NO_UTF8 = '\uFFFD';

/** A walk that begins at `root`; `whole` is the folder that was named, which may lie above. */
export async function startWalk(
  root: string,
  { whole, followLinks }: { readonly whole: string; readonly followLinks: boolean },
): Promise<Walk> {
  const inside = followLinks ? null : await realpath(whole).catch(() => whole);
  const found = { paths: [], problems: [], others: { count: 0, example: '' } };
  return { root, inside, ...found, followed: new Set(), passedOver: new Set(), known: new Map() };
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : Number(a.name > b.name);

/** Whether a path, links resolved, lies where the walk may go. @throws as realpath */
export async function isWithin({ inside }: Pick<Walk, 'inside'>, path: string): Promise<boolean> {
  if (inside === null) return true;
  const real = await realpath(path);
  return real === inside || real.startsWith(inside.endsWith(sep) ? inside : `${inside}${sep}`);
}

/** What an entry is; null where it is a link that leads out of the folder. */
async function kindOf(
  walk: Walk,
  at: string,
  entry: Dirent,
): Promise<Entry['kind'] | { readonly reason: string } | null> {
  if (entry.isDirectory()) return 'folder';
  if (entry.isFile()) return 'file';
  if (!entry.isSymbolicLink()) return 'neither';
  const path = join(walk.root, at);
  try {
    const target = await stat(path);
    if (!(await isWithin(walk, path))) {
      walk.passedOver.add(at);
      return null;
    }
    walk.followed.add(at);
    return target.isDirectory() ? 'folder' : target.isFile() ? 'file' : 'neither';
  } catch (error) {
    return { reason: `a link that leads nowhere: ${reasonOf(error)}` };
  }
}

/**
 * Entries of a folder in the order of their names, hidden ones left out; what cannot be used goes to `problems`, the folder
 * itself where it cannot be read. Links are followed inside the folder, and out of it where the walk may go there.
 */
export function entriesOf(walk: Walk, path: string): Promise<readonly Entry[]> {
  const entries = walk.known.get(path) ?? readEntries(walk, path);
  walk.known.set(path, entries);
  return entries;
}

async function readEntries(walk: Walk, path: string): Promise<readonly Entry[]> {
  const { root, problems } = walk;
  const entries: Entry[] = [];
  try {
    for (const entry of (await readdir(join(root, path), { withFileTypes: true })).sort(byName)) {
      const { name } = entry;
      if (name.startsWith('.')) continue;
      const at = join(path, name);
      const kind = await kindOf(walk, at, entry);
      if (kind === null) continue;
      if (name.includes(NO_UTF8)) problems.push({ path: at, reason: 'its name is not UTF-8; rename it' });
      else if (typeof kind === 'string') entries.push({ name, kind });
      else problems.push({ path: at, ...kind });
    }
  } catch (error) {
    problems.push({
      path: path === '' ? '.' : path,
      reason: `the folder cannot be read: ${reasonOf(error)}`,
    });
  }
  return entries;
}

export function isImageName(name: string): boolean {
  return IMAGE.test(name);
}

function noteOther({ others }: Walk, path: string): void {
  if (others.count === 0) others.example = path;
  others.count += 1;
}

/** The identity of a folder: device and number. A link to a folder above would lead in a circle. */
export async function identity(folder: string): Promise<string> {
  return stat(folder).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => folder,
  );
}

/** Adds the image files of a folder and of those inside it to the walk's; `above`: the identities of the folders that it lies in. */
export async function imagesBelow(
  walk: Walk,
  path: string,
  above: readonly string[],
  depth = 0,
): Promise<void> {
  const entries = await readEntries(walk, path);
  const here = entries.length === 0 ? '' : await identity(join(walk.root, path));
  if (above.includes(here)) {
    walk.problems.push({ path, reason: 'a link to a folder that it lies in' });
    return;
  }
  for (const { name, kind } of entries) {
    const at = join(path, name);
    if (kind === 'file' && isImageName(name)) walk.paths.push(at);
    else if (kind !== 'folder') noteOther(walk, at);
    else if (depth < MOST_DEPTH) await imagesBelow(walk, at, [...above, here], depth + 1);
    else walk.problems.push({ path: at, reason: `more than ${MOST_DEPTH} folders deep in its class` });
  }
}

/** Whether a folder or a folder inside it has an image, as deep as class folders are searched. */
export async function holdsImages(walk: Walk, path: string, above: readonly string[] = []): Promise<boolean> {
  // Problems go to another walk. A folder that is only asked about is not part of the dataset.
  const aside: Walk = { ...walk, problems: [], followed: new Set(), passedOver: new Set() };
  const entries = await readEntries(aside, path);
  if (entries.some(({ name, kind }) => kind === 'file' && isImageName(name))) return true;
  const here = await identity(join(walk.root, path));
  if (above.includes(here) || above.length > MOST_DEPTH) return false;
  for (const { name, kind } of entries) {
    if (kind === 'folder' && (await holdsImages(walk, join(path, name), [...above, here]))) return true;
  }
  return false;
}
