// Makes folders that a user named, and says what is in the way.
import { lstat, mkdir, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { reasonOf, SplitgrowError } from '../../errors.js';

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space and run again',
  EDQUOT: 'the disk quota is used up; free some space and run again',
  EFBIG: 'the file would be larger than this system allows',
  EACCES: 'no permission; choose a place that you may write to',
  EPERM: 'no permission; choose a place that you may write to',
  EROFS: 'the file system is read-only; choose another place',
  ENOENT: 'no such folder is there or can be made; choose another place',
  ENOTDIR: 'a part of the path is not a directory; choose another place',
  EISDIR: 'a directory is in the way; choose another name',
  EEXIST: 'a file is in the way; choose another name',
  ELOOP: 'a symbolic link is in the way; remove it or choose another name',
  ENAMETOOLONG: 'the name is too long; choose a shorter one',
};

/** The code of a Node error, or ''. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** What went wrong as E_WRITE, with what helps. */
export function writeError(target: string, error: unknown): SplitgrowError {
  if (error instanceof SplitgrowError) return error;
  const reason = reasonOf(error);
  return new SplitgrowError(
    'E_WRITE',
    `cannot write ${target}: ${HINTS[codeOf(error)] ?? 'see the reason'} (${reason})`,
    { cause: error },
  );
}

/** `value` of a promise, or null where there is no such file. */
export async function ifThere<T>(promise: Promise<T>): Promise<T | null> {
  return promise.catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  });
}

/** True for a directory, also behind a link; false where nothing is there. @throws E_WRITE for anything else */
async function isFolder(path: string): Promise<boolean> {
  const found = await ifThere(stat(path));
  if (found?.isDirectory() === true) return true;
  const fault =
    found !== null
      ? 'a file'
      : (await ifThere(lstat(path))) === null
        ? null
        : 'a symbolic link that leads nowhere';
  if (fault === null) return false;
  throw new SplitgrowError(
    'E_WRITE',
    `cannot write ${path}: expected a directory or a new name, found ${fault}; choose another name`,
  );
}

export interface FolderOptions {
  /** Permissions of each folder that is made, before the umask. */
  readonly mode?: number;
  /** A folder that is never made itself. Where it is missing, nothing is made below it. */
  readonly below?: string;
}

/**
 * Makes a folder and the missing ones above it. Node's own recursive mkdir never returns on a file system that takes no
 * folders, such as /proc. `mode`: rights of what is made. @throws E_WRITE
 */
export async function makeFolder(path: string, { mode = 0o777, below }: FolderOptions = {}): Promise<void> {
  const target = resolve(path);
  try {
    const missing: string[] = [];
    for (let at = target; at !== below && !(await isFolder(at)); at = dirname(at)) missing.push(at);
    for (const folder of missing.reverse()) {
      await mkdir(folder, { mode }).catch(async (error: unknown) => {
        // Another process may have made it meanwhile.
        if (codeOf(error) !== 'EEXIST' || !(await isFolder(folder))) throw error;
      });
    }
  } catch (error) {
    throw writeError(target, error);
  }
}

/** @throws E_WRITE, with `remedy` at the end, where the disk of `folder` has less than `needed` bytes free */
export async function requireSpace(folder: string, needed: number, remedy: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= needed) return;
  throw new SplitgrowError(
    'E_WRITE',
    `${folder} has ${Math.floor(free / 1e6)} MB free, expected ${Math.ceil(needed / 1e6)} MB; ${remedy}`,
  );
}
