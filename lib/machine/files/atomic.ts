// Writes files and directories so that each is either complete or absent: written in a temporary folder, synced, then renamed.
import { lstat, mkdir, open, readdir, realpath, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { writeFully } from './file.js';
import { ifThere, makeFolder, writeError } from './folder.js';
import { checkGuards, guardsOf } from './lease.js';
import { NEW, placeIn, removePlace, sweepPlaces, writeTarget } from './place.js';

export { makeFolder, writeError } from './folder.js';

/** Syncs a directory, so that the names in it outlast a loss of power. */
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

/** Refuses a target that is a device or a pipe: the rename would replace it. As root that could be /dev/null. */
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
  /** An empty folder for this write alone, on the same disk as its target. */
  readonly job: string;
  /** The path in target.json is relative to this folder. */
  readonly folder: string;
}

/**
 * Runs `work` with a temporary folder in which `target` is prepared. Below a run's folder, the temporary folder lies in the
 * place of the run's lock: after a kill the next run clears it, and a rename out of it fails when the lock is lost.
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
    // Fails where the run's folder is gone: that folder is never made again.
    await mkdir(job);
    if (guard !== undefined) await makeFolder(dirname(target), { below: guard.folder });
    await work({ job, folder });
  } catch (error) {
    // If the lock was lost meanwhile, that error says more than the rename that failed.
    await checkGuards(target);
    throw error;
  } finally {
    if (guard === undefined) await removePlace(place).catch(() => {});
    else await rm(job, { recursive: true, force: true }).catch(() => {});
  }
}

/** Writes a file. A reader sees all of the old bytes or all of the new ones, also after a loss of power. @throws E_WRITE, E_OUTPUT */
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

/** The first path in `old` that has no file or folder of the same name in `made`: somebody else put it there. Null where there is none. */
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
   * What happens where the directory holds files of others. `refuse`: an error. `keep`: they stay, and the new files are put
   * beside them one by one; a kill may then leave only some of the new files, which the reader must notice.
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

/** The error that names what keeps a directory from being replaced. */
export function othersError(target: string, other: string): SplitgrowError {
  return new SplitgrowError(
    'E_WRITE',
    `cannot write ${target}: expected a new name, or a directory with nothing in it but what would be replaced, found "${other}" in it; ` +
      'move that away or choose another name',
  );
}

/**
 * Writes a directory that is either complete or absent: `fill` writes into a temporary one, which is synced and renamed. An
 * existing directory is replaced where it holds only files of the same names (see `others`). After a kill between the two
 * renames, the old directory lies in the writer's folder; the next writer puts it back.
 * @throws E_WRITE, E_OUTPUT
 */
export async function writeDirectoryAtomic(
  path: string,
  fill: (temporary: string) => Promise<void>,
  { ours = [], others = 'refuse' }: DirectoryOptions = {},
): Promise<void> {
  let target = resolve(path);
  try {
    // A symbolic link stays; the directory that it points to is replaced.
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
 * Renames a damaged file to `damaged-<name>`, or to the next such name that is free. The user may want to look at it.
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

/** Removes these files of a directory, and then the directory if it is empty. */
export async function removeFiles(directory: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(directory, basename(name)), { force: true });
  await rmdir(directory).catch(() => {});
}
