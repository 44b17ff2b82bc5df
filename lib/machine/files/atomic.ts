// Files and directories that appear whole or not at all: written in a folder of the writer's own, fsync, rename.
import { lstat, mkdir, open, readdir, realpath, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { writeFully } from './file.js';
import { ifThere, makeFolder, writeError } from './folder.js';
import { checkGuards, guardsOf } from './lease.js';
import { NEW, placeIn, removePlace, sweepPlaces, writeTarget } from './place.js';

export { makeFolder, writeError } from './folder.js';

/** Makes directory entries durable. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Syncs every file and directory below `path`, and `path` itself. */
export async function syncTree(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) await syncTree(child);
    else if (entry.isFile()) await syncDirectory(child);
  }
  await syncDirectory(path);
}

/** The rename would put a file in the place of a device, /dev/null too where root writes, or of a pipe that others wait at. */
async function refuseDevice(target: string): Promise<void> {
  const found = await ifThere(stat(target));
  if (found === null || found.isFile() || found.isDirectory()) return;
  throw new SplitgrowError(
    'E_WRITE',
    `cannot write ${target}: expected a file or a new name, found a pipe or device; choose another name`,
  );
}

let jobs = 0;

interface Job {
  /** An empty folder of this write alone, on the disk of its target. */
  readonly job: string;
  /** The folder that a path in target.json counts from. */
  readonly folder: string;
}

/**
 * Runs `work` with a folder to prepare `target` in, which is gone afterwards. Below the folder of a run it is in the place of
 * the run's lock: after a kill the next run clears it, and a rename out of it fails once the lock is lost.
 */
async function prepared(target: string, work: (job: Job) => Promise<void>): Promise<void> {
  const [guard] = guardsOf(target);
  await checkGuards(target);
  if (guard === undefined) await makeFolder(dirname(target));
  const folder = guard?.folder ?? dirname(target);
  if (guard === undefined) await sweepPlaces(folder);
  const place = guard?.place ?? (await placeIn(folder));
  const job = join(place, String(jobs++));
  try {
    // Fails where a guarded folder is gone: it is never made anew.
    await mkdir(job);
    if (guard !== undefined) await makeFolder(dirname(target), { below: guard.folder });
    await work({ job, folder });
  } catch (error) {
    // A lock that was lost meanwhile says more than the rename that failed.
    await checkGuards(target);
    throw error;
  } finally {
    if (guard === undefined) await removePlace(place).catch(() => {});
    else await rm(job, { recursive: true, force: true }).catch(() => {});
  }
}

/** Writes a file so that readers, and a machine that loses power, see the old bytes or the new ones. @throws E_WRITE, E_OUTPUT */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array | readonly Uint8Array[],
): Promise<void> {
  const target = resolve(path);
  const chunks = typeof data === 'string' ? [Buffer.from(data)] : data instanceof Uint8Array ? [data] : data;
  try {
    await refuseDevice(target);
    await prepared(target, async ({ job }) => {
      const made = join(job, 'new');
      const handle = await open(made, NEW);
      try {
        for (const chunk of chunks) await writeFully(handle, chunk);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await checkGuards(target);
      await rename(made, target);
      await syncDirectory(dirname(target));
    });
  } catch (error) {
    throw writeError(target, error);
  }
}

/** What `old` holds that is no file or folder of the same name in `made`: somebody else put it there. Null where there is nothing. */
async function othersIn(
  old: string,
  made: string,
  ours: readonly string[],
  within = '',
): Promise<string | null> {
  for (const entry of await readdir(join(old, within), { withFileTypes: true })) {
    const path = join(within, entry.name);
    const now = await ifThere(lstat(join(made, path)));
    if (entry.isFile() && (now?.isFile() === true || ours.includes(path))) continue;
    if (!entry.isDirectory() || now?.isDirectory() !== true) return path;
    const other = await othersIn(old, made, ours, path);
    if (other !== null) return other;
  }
  return null;
}

/** How a directory is replaced. */
export interface DirectoryOptions {
  /** Files beside the new ones that an earlier call may have written. */
  readonly ours?: readonly string[];
  /**
   * What becomes of a directory that holds files of others: refused, or they stay, and the new files are put beside them one
   * by one. The second is for readers that notice a directory which a kill left half new.
   */
  readonly others?: 'refuse' | 'keep';
}

/** Puts the files of one directory into another. */
async function putInto(target: string, made: string): Promise<void> {
  for (const name of await readdir(made)) {
    const path = join(target, name);
    const found = await ifThere(lstat(path));
    if (found !== null && !found.isFile()) throw othersError(target, name);
    await rename(join(made, name), path);
  }
  await syncDirectory(target);
}

/** Names what keeps a directory from being replaced. */
export function othersError(target: string, other: string): SplitgrowError {
  return new SplitgrowError(
    'E_WRITE',
    `cannot write ${target}: expected a new name, or a directory with nothing in it but what would be replaced, found "${other}" in it; ` +
      'move that away or choose another name',
  );
}

/**
 * Makes a directory whole or not at all: `fill` writes into a temporary one, which is synced and renamed. A directory that
 * exists is replaced where it holds nothing but files of the same names (see `others`); a kill between the two renames leaves the old one
 * in the writer's folder, from which the next writer puts it back.
 * @throws E_WRITE, E_OUTPUT
 */
export async function writeDirectoryAtomic(
  path: string,
  fill: (temporary: string) => Promise<void>,
  { ours = [], others = 'refuse' }: DirectoryOptions = {},
): Promise<void> {
  let target = resolve(path);
  try {
    // A link stays, and what it leads to is replaced.
    if ((await ifThere(lstat(target)))?.isSymbolicLink() === true) target = await realpath(target);
    await prepared(target, async ({ job, folder }) => {
      const [made, old] = [join(job, 'new'), join(job, 'old')];
      await mkdir(made);
      await fill(made);
      await syncTree(made);
      const isThere = (await ifThere(readdir(target))) !== null;
      if (isThere) {
        const other = await othersIn(target, made, ours);
        if (other !== null && others === 'refuse') throw othersError(target, other);
        await checkGuards(target);
        if (other !== null) return await putInto(target, made);
        await writeTarget(job, relative(folder, target));
      }
      await checkGuards(target);
      if (isThere) await rename(target, old);
      try {
        await rename(made, target);
      } catch (error) {
        if (isThere) await rename(old, target);
        throw error;
      }
      await syncDirectory(dirname(target));
    });
  } catch (error) {
    throw writeError(target, error);
  }
}

/**
 * Renames what is damaged to `damaged-<name>`, or to the next such name that is free: its user may want to look at it.
 * @returns the new path; null where nothing is there
 */
export async function setAside(path: string): Promise<string | null> {
  const folder = dirname(path);
  const names = await readdir(folder);
  if (!names.includes(basename(path))) return null;
  const first = `damaged-${basename(path)}`;
  let name = first;
  for (let count = 2; names.includes(name); count += 1) name = `${first}-${count}`;
  const aside = join(folder, name);
  await checkGuards(aside);
  await rename(path, aside);
  await syncDirectory(folder);
  return aside;
}

/** Removes files of a directory, and the directory where nothing else is in it. */
export async function removeFiles(directory: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(directory, basename(name)), { force: true });
  await rmdir(directory).catch(() => {});
}
