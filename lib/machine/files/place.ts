// Temporary folders of splitgrow. Each holds a record of its owner, so that the remains of a killed process can be told from files of others.
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, normalize } from 'node:path';
import { codeOf, ifThere } from './folder.js';
import { lifeOf, newId, type Owner, type Process, parseOwner, thisProcess } from './owner.js';

/**
 * A place is a folder with the record of its owner, owner.json. Its name holds the owner's id, which nobody can guess.
 *
 *     .splitgrow-<id>/owner.json        beside a file that is being written
 *     run.lock/<id>/owner.json          of a process that holds a lock, see lease.ts
 *     $TMPDIR/.splitgrow-<id>/run       the output of a rank that keeps nothing, see distributed/rank-folder.ts
 *
 * It holds whatever its owner writes temporarily. The record is written before anything else.
 */
export const RECORD = 'owner.json';
const PREFIX = '.splitgrow-';
const ID = /^[0-9a-f]{32}$/;
/** While a directory is being replaced, the old one lies in its job as `old`. This file says where it belongs. */
const TARGET = 'target.json';
/** A place whose owner cannot be seen from here is left alone for this long. */
const UNSEEN_MS = 24 * 3600 * 1000;

/** Flags that open a new file only: never an existing one, never through a link. */
export const NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Makes `folder` a place of this process; `isDurable`: its record outlasts a loss of power. */
export async function makePlace(folder: string, id: string, self: Process, isDurable = false): Promise<void> {
  await mkdir(folder);
  const handle = await open(join(folder, RECORD), NEW);
  try {
    await handle.writeFile(`${JSON.stringify({ id, ...self } satisfies Owner)}\n`);
    if (isDurable) await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A new place beside what is to be written into `folder`. @returns its path */
export async function placeIn(folder: string, self: Process = thisProcess()): Promise<string> {
  const id = newId();
  const place = join(folder, placeName(id));
  await makePlace(place, id, self);
  return place;
}

/** The owner of a place, from its record; null where the folder is no place of splitgrow. */
export async function ownerOf(place: string): Promise<Owner | null> {
  const name = basename(place);
  const id = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
  if (!ID.test(id)) return null;
  try {
    if (!(await lstat(place)).isDirectory()) return null;
    const record = join(place, RECORD);
    if (!(await lstat(record)).isFile()) return null;
    const owner = parseOwner(await readFile(record, 'utf8'));
    return owner?.id === id ? owner : null;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ESTALE'].includes(codeOf(error))) return null;
    throw error;
  }
}

/** Writes into a job which directory of `folder` is about to be replaced. */
export async function writeTarget(job: string, target: string): Promise<void> {
  const handle = await open(join(job, TARGET), NEW);
  try {
    await handle.writeFile(JSON.stringify({ target }));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Where the directory `old` of a job belongs, within the folder; null where it was not being replaced. */
async function targetOf(job: string): Promise<string | null> {
  const text = await ifThere(readFile(join(job, TARGET), 'utf8'));
  if (text === null) return null;
  try {
    const { target } = JSON.parse(text) as { readonly target?: unknown };
    if (typeof target !== 'string' || isAbsolute(target) || normalize(target).startsWith('..')) return null;
    return target;
  } catch {
    return null;
  }
}

/** Puts back the directories of `folder` that a kill left between the two renames of a replacement. */
async function putBack(place: string, folder: string): Promise<void> {
  for (const entry of await readdir(place, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const job = join(place, entry.name);
    if ((await ownerOf(job)) !== null) {
      await putBack(job, folder);
      continue;
    }
    const target = await targetOf(job);
    if (target === null || (await ifThere(lstat(join(job, 'old')))) === null) continue;
    if ((await ifThere(lstat(join(folder, target)))) !== null) continue;
    await rename(join(job, 'old'), join(folder, target));
  }
}

/** Removes a place. The record goes last, so that after a kill the rest still has an owner. */
export async function removePlace(place: string): Promise<void> {
  for (const name of await readdir(place))
    if (name !== RECORD) await rm(join(place, name), { recursive: true, force: true });
  await rm(join(place, RECORD), { force: true });
  await rmdir(place);
}

/** Removes a place whose owner is gone, with all that lies in it; `folder` is where it wrote. */
export async function clearPlace(place: string, folder: string): Promise<void> {
  await putBack(place, folder);
  await removePlace(place);
}

/** The name of a place beside what its owner writes. */
export const placeName = (id: string): string => `${PREFIX}${id}`;

/** Removes a place that is a day old and has an empty record or none: a kill came before the record was written, so nothing else is in it. */
async function removeEmpty(place: string): Promise<void> {
  const record = join(place, RECORD);
  const found = await lstat(place);
  if (!ID.test(basename(place).slice(PREFIX.length)) || !found.isDirectory()) return;
  if (Date.now() - found.mtimeMs < UNSEEN_MS) return;
  const names = await readdir(place);
  if (names.some((name) => name !== RECORD)) return;
  if (names.length > 0) {
    const inside = await lstat(record);
    if (!inside.isFile() || inside.size > 0) return;
    await rm(record, { force: true });
  }
  await rmdir(place);
}

/** True for a folder that another user made, as in /tmp. That user could replace it by a link while its files are removed. */
async function isOfAnother(place: string): Promise<boolean> {
  const found = await ifThere(lstat(place));
  return found === null || found.uid !== process.getuid?.();
}

/** Removes the places in `folder` that dead processes of this user left. Everything else there stays as it is. */
export async function sweepPlaces(folder: string, self: Process = thisProcess()): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(PREFIX));
  for (const place of names.map((name) => join(folder, name))) {
    if (await isOfAnother(place)) continue;
    const owner = await ownerOf(place);
    if (owner === null) {
      await removeEmpty(place).catch(() => {});
      continue;
    }
    const life = lifeOf(owner, self);
    if (life === 'alive') continue;
    if (life === 'unknown') {
      const found = await ifThere(stat(join(place, RECORD)));
      if (found === null || Date.now() - found.mtimeMs < UNSEEN_MS) continue;
    }
    await clearPlace(place, folder).catch((error: unknown) => {
      // Another process is removing it too, or a folder in it cannot be written to.
      if (!['ENOENT', 'ENOTEMPTY', 'EACCES', 'EPERM'].includes(codeOf(error))) throw error;
    });
  }
}
