// What lies below a folder of images: image files by their endings, and everything that is none, with the reason.
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

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

/** Files that are no images: how many, and one of them. */
export interface Others {
  count: number;
  example: string;
}

export interface Found {
  /** Relative to the root, in the order of folders and names. */
  readonly paths: string[];
  readonly problems: FileProblem[];
  readonly others: Others;
}

/** Folders inside a class folder; deeper ones are left out. */
const MOST_DEPTH = 8;
const IMAGE = /\.(jpe?g|jfif|png)$/i;
/** What Node.js puts for bytes that are no UTF-8. */
const NO_UTF8 = '\uFFFD';

export function nothingFound(): Found {
  return { paths: [], problems: [], others: { count: 0, example: '' } };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : Number(a.name > b.name);

async function kindOf(folder: string, entry: Dirent): Promise<Entry['kind'] | { readonly reason: string }> {
  if (entry.isDirectory()) return 'folder';
  if (entry.isFile()) return 'file';
  if (!entry.isSymbolicLink()) return 'neither';
  try {
    const target = await stat(join(folder, entry.name));
    return target.isDirectory() ? 'folder' : target.isFile() ? 'file' : 'neither';
  } catch (error) {
    return { reason: `a link that leads nowhere: ${reasonOf(error)}` };
  }
}

/**
 * Entries of a folder in the order of their names, links followed, hidden ones left out; what cannot be used goes to
 * `problems`, the folder itself where it cannot be read.
 */
export async function entriesOf(
  root: string,
  path: string,
  problems: FileProblem[],
): Promise<readonly Entry[]> {
  const folder = join(root, path);
  const entries: Entry[] = [];
  try {
    for (const entry of (await readdir(folder, { withFileTypes: true })).sort(byName)) {
      const { name } = entry;
      if (name.startsWith('.')) continue;
      const at = join(path, name);
      const kind = await kindOf(folder, entry);
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

function noteOther({ others }: Found, path: string): void {
  if (others.count === 0) others.example = path;
  others.count += 1;
}

/** Folders by device and number: a link to one of those above would go round for ever. */
export async function identity(folder: string): Promise<string> {
  return stat(folder).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => folder,
  );
}

/** Adds the image files of a folder and of those inside it to `found`; `above`: the identities of the folders that it lies in. */
export async function imagesBelow(
  root: string,
  path: string,
  found: Found,
  above: readonly string[],
  depth = 0,
): Promise<void> {
  const entries = await entriesOf(root, path, found.problems);
  const here = entries.length === 0 ? '' : await identity(join(root, path));
  if (above.includes(here)) {
    found.problems.push({ path, reason: 'a link to a folder that it lies in' });
    return;
  }
  for (const { name, kind } of entries) {
    const at = join(path, name);
    if (kind === 'file' && isImageName(name)) found.paths.push(at);
    else if (kind !== 'folder') noteOther(found, at);
    else if (depth < MOST_DEPTH) await imagesBelow(root, at, found, [...above, here], depth + 1);
    else found.problems.push({ path: at, reason: `more than ${MOST_DEPTH} folders deep in its class` });
  }
}
