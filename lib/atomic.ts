// Files and directories that appear whole or not at all: temporary name, fsync, rename.
import { readFileSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SplitgrowError } from './errors.js';
import { writeFully } from './file.js';

/** Temporary siblings of `target` are named `.<name>.tmp-<pid>-<random>`; a replaced directory is kept as `.<name>.old`. */
function temporaryName(target: string): string {
  return join(dirname(target), `.${basename(target)}.tmp-${process.pid}-${crypto.randomUUID().slice(0, 8)}`);
}

function replacedName(target: string): string {
  return join(dirname(target), `.${basename(target)}.old`);
}

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space and run again',
  EDQUOT: 'the disk quota is used up; free some space and run again',
  EFBIG: 'the file would be larger than this system allows',
  EACCES: 'no permission; choose a place that you may write to',
  EPERM: 'no permission; choose a place that you may write to',
  EROFS: 'the file system is read-only; choose another place',
  ENOTDIR: 'a part of the path is not a directory; choose another place',
  EISDIR: 'a directory is in the way; choose another name',
  EEXIST: 'a file is in the way; choose another name',
};

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** What went wrong as E_WRITE, with what helps. */
export function writeError(target: string, error: unknown): SplitgrowError {
  if (error instanceof SplitgrowError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new SplitgrowError(
    'E_WRITE',
    `cannot write ${target}: ${HINTS[codeOf(error)] ?? 'see the reason'} (${reason})`,
    {
      cause: error,
    },
  );
}

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
async function syncTree(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) await syncTree(child);
    else if (entry.isFile()) await syncDirectory(child);
  }
  await syncDirectory(path);
}

function isRunning(pid: number): boolean {
  try {
    readFileSync(`/proc/${pid}/stat`);
    return true;
  } catch {
    return false;
  }
}

/** Removes temporary siblings of `target` whose process is gone. */
async function removeLeftovers(target: string): Promise<void> {
  const prefix = `.${basename(target)}.tmp-`;
  for (const name of await readdir(dirname(target))) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    if (!Number.isNaN(pid) && !isRunning(pid))
      await rm(join(dirname(target), name), { recursive: true, force: true });
  }
}

/** The rename would put a file in the place of a device, /dev/null too where root writes, or of a pipe that others wait at. */
async function refuseDevice(target: string): Promise<void> {
  const found = await stat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found === null || found.isFile() || found.isDirectory()) return;
  throw new SplitgrowError(
    'E_WRITE',
    `cannot write ${target}: expected a file or a new name, found a pipe or device; choose another name`,
  );
}

/** Writes a file so that readers, and a machine that loses power, see the old bytes or the new ones. */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array | readonly Uint8Array[],
): Promise<void> {
  const target = resolve(path);
  const temporary = temporaryName(target);
  const chunks = typeof data === 'string' ? [Buffer.from(data)] : data instanceof Uint8Array ? [data] : data;
  try {
    await mkdir(dirname(target), { recursive: true });
    await removeLeftovers(target);
    await refuseDevice(target);
    const handle = await open(temporary, 'wx');
    try {
      for (const chunk of chunks) await writeFully(handle, chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
    await syncDirectory(dirname(target));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw writeError(target, error);
  }
}

/**
 * Undoes a replacement that was cut off between its two renames: puts the old
 * directory back when there is no new one. Call before reading a directory
 * that may have been replaced by a process that was killed.
 */
export async function recoverDirectory(path: string): Promise<void> {
  const target = resolve(path);
  const replaced = replacedName(target);
  const names = await readdir(dirname(target)).catch(() => [] as string[]);
  if (!names.includes(basename(replaced))) return;
  try {
    if (names.includes(basename(target))) await rm(replaced, { recursive: true, force: true });
    else await rename(replaced, target);
    await syncDirectory(dirname(target));
  } catch (error) {
    throw writeError(target, error);
  }
}

/**
 * Makes a directory whole or not at all: `fill` writes into a temporary one,
 * which is synced and renamed. A directory that exists is replaced, after
 * which recoverDirectory() mends a crash between the two renames.
 */
export async function writeDirectoryAtomic(
  path: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  const target = resolve(path);
  const temporary = temporaryName(target);
  const replaced = replacedName(target);
  try {
    await mkdir(dirname(target), { recursive: true });
    await recoverDirectory(target);
    await removeLeftovers(target);
    await mkdir(temporary);
    await fill(temporary);
    await syncTree(temporary);
    const isThere = await readdir(target).then(
      () => true,
      (error) => {
        if (codeOf(error) === 'ENOENT') return false;
        throw error;
      },
    );
    if (isThere) await rename(target, replaced);
    try {
      await rename(temporary, target);
    } catch (error) {
      if (isThere) await rename(replaced, target);
      throw error;
    }
    await syncDirectory(dirname(target));
    if (isThere) await rm(replaced, { recursive: true, force: true });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw writeError(target, error);
  }
}
