// One claim on a lock: what the lock says, whether its owner lives, and how it is taken over.
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, readlink, rename, rmdir, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { codeOf } from './folder.js';
import { isProcess, type Life, lifeOf, newId, type Owner, type Process, parseOwner } from './owner.js';
import { makePlace, ownerOf, placeIn, RECORD, removePlace } from './place.js';

/** How a lease is kept and judged, in milliseconds. */
export interface LeaseTimes {
  /** Its owner renews it this often. */
  readonly renewMs: number;
  /** A lease is free when it was not renewed for this long ... */
  readonly leaseMs: number;
  /** ... and was watched for this long. So a clock that jumps does not make an owner look dead. */
  readonly watchMs: number;
  /** The pause between two looks at the lock. */
  readonly pollMs: number;
}

export const TIMES: LeaseTimes = { renewMs: 3_000, leaseMs: 60_000, watchMs: 10_000, pollMs: 300 };

/**
 * A lock is a folder that holds one place, which belongs to its owner (see place.ts):
 *
 *     run.lock/<id>/owner.json
 *
 * The owner changes by single renames. Of several processes that try, one succeeds and the others fail:
 *
 * - A lock is taken by renaming a filled folder to `run.lock`. That fails where `run.lock` is not empty.
 * - A lock is taken away from a dead owner by renaming `run.lock/<id>`. That fails where `<id>` is no longer its owner.
 */
export interface Claim {
  readonly file: string;
  readonly id: string;
  readonly self: Process;
  /** The place of the process that wants the lock. It lies beside the lock. */
  readonly place: string;
}

/** What a lock says. */
export interface Found {
  /** The owner's place; null where an earlier version wrote the lock as a file. */
  readonly place: string | null;
  readonly owner: Owner;
  /** Changes whenever the owner renews the lease. */
  readonly renewed: string;
  /** By the clock of the file system that the lock is on. */
  readonly renewedMs: number;
}

/** The error for something that has the lock's name but is no lock. It is left as it is. */
function foreign(file: string, what: string): SplitgrowError {
  return new SplitgrowError(
    'E_RESUME',
    `${file}: expected a lock that splitgrow wrote, found ${what}; move it away, or choose another folder`,
  );
}

/** Error codes that mean: there is no such file. */
export const GONE: readonly string[] = ['ENOENT', 'ENOTDIR', 'ESTALE'];

/** Reads a lock that an earlier version wrote, one file of JSON; null where a folder has taken its name since. */
async function lookAtFile(file: string): Promise<Found | null> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const found = await handle.stat({ bigint: true });
    // Another process took the lock over between the look at its kind and now.
    if (!found.isFile()) return null;
    const text = await handle.readFile('utf8');
    const owner = parseOwner(text);
    // A file that a crash of the machine cut short: its owner cannot be known.
    const torn: Owner = { id: '', pid: 0, host: 'unknown', started: null, kernel: '?', namespace: null };
    if (owner === null && !text.startsWith('{"pid":')) throw foreign(file, 'another file');
    return {
      place: null,
      owner: owner ?? torn,
      renewed: String(found.mtimeNs),
      renewedMs: Number(found.mtimeMs),
    };
  } finally {
    await handle.close();
  }
}

/** The lock as it is now; null where there is none. @throws E_RESUME where something else has its name */
export async function look(file: string): Promise<Found | null> {
  try {
    const found = await lstat(file);
    if (found.isFile()) return await lookAtFile(file);
    if (!found.isDirectory()) throw foreign(file, 'neither file nor folder');
    const names = await readdir(file);
    for (const name of names) {
      const place = join(file, name);
      const owner = await ownerOf(place);
      if (owner === null) continue;
      const { mtimeMs, mtimeNs } = await stat(join(place, RECORD), { bigint: true });
      return { place, owner, renewed: `${name} ${mtimeNs}`, renewedMs: Number(mtimeMs) };
    }
    const other = names[0];
    // It may have been released since its names were read.
    if (other === undefined || (await lstat(join(file, other)).catch(() => null)) === null) return null;
    throw foreign(file, `"${other}" in it`);
  } catch (error) {
    if (GONE.includes(codeOf(error))) return null;
    throw error;
  }
}

/** True where a thread of this process has the record of a place open. The holder of a lock keeps it open until its thread ends. */
async function isOpenHere(id: string): Promise<boolean> {
  const files = await readdir('/proc/self/fd').catch(() => null);
  // Without /proc, only renewals show whether the thread lives.
  if (files === null) return true;
  const links = await Promise.all(files.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return links.some((link) => link.includes(`/${id}/${RECORD}`));
}

/** Whether the owner of a lock lives. Where the owner is this process, the thread counts: a Worker may have been terminated. */
export async function lifeOfOwner({ owner }: Found, self: Process): Promise<Life> {
  const life = lifeOf(owner, self);
  if (life !== 'alive' || owner.id === '' || !isProcess(owner, self)) return life;
  return (await isOpenHere(owner.id)) ? 'alive' : 'gone';
}

/** A new claim on `file`, a lock in a folder that exists. */
export async function claimOf(file: string, self: Process): Promise<Claim> {
  const place = await placeIn(dirname(file), self);
  const id = newId();
  try {
    await mkdir(join(place, 'lock'));
    await makePlace(join(place, 'lock', id), id, self, true);
  } catch (error) {
    await removePlace(place).catch(() => {});
    throw error;
  }
  return { file, id, self, place };
}

/** The record of a claim, before and after it got its lock. */
export const recordOf = (claim: Claim, isHeld: boolean): string =>
  join(isHeld ? claim.file : join(claim.place, 'lock'), claim.id, RECORD);

/** Takes a lock that is free. @returns false where it is not */
export async function take({ file, place }: Claim): Promise<boolean> {
  try {
    await rename(join(place, 'lock'), file);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(codeOf(error))) return false;
    throw error;
  }
}

/** Takes a lock away from an owner that is gone, and moves what the owner left to the claim's place. Does nothing where another process was faster. */
export async function takeAway({ file, place }: Claim, found: Found): Promise<void> {
  try {
    // Only an earlier version wrote its lock as a file. The locks of today are folders, which unlink() does not remove.
    if (found.place === null) await unlink(file);
    else await rename(found.place, join(place, basename(found.place)));
  } catch (error) {
    if (![...GONE, 'EISDIR', 'EPERM'].includes(codeOf(error))) throw error;
  }
  // Some file systems cannot rename a folder onto another one, even if that is empty.
  await rmdir(file).catch(() => {});
}

/**
 * Renews the record of a lease: writes the same bytes again, so that the file system's own clock dates it.
 * Fails with ENOENT where the record is not there any more.
 * @returns when that was, in milliseconds by the file system's clock
 */
export async function renew(record: string, id: string, self: Process): Promise<number> {
  const handle = await open(record, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    const bytes = Buffer.from(`${JSON.stringify({ id, ...self } satisfies Owner)}\n`);
    // Written in place, so that a reader sees the whole record at any moment.
    await handle.write(bytes, 0, bytes.length, 0);
    return (await handle.stat()).mtimeMs;
  } finally {
    await handle.close();
  }
}

/** Watches a lock whose owner nobody here can see. */
export interface Watch {
  /** Told what the lock says now. @returns `alive` once a renewal was seen, `gone` once there was none for long enough */
  readonly see: (found: Found) => Promise<Life>;
}

export function watchOf(claim: Claim, times: LeaseTimes): Watch {
  let first: { readonly renewed: string; readonly at: number } | null = null;
  return {
    see: async ({ owner, renewed, renewedMs }) => {
      if (first !== null && first.renewed !== renewed) {
        // The lease of another owner: watching starts again.
        const isSameOwner = first.renewed.split(' ')[0] === owner.id;
        first = { renewed, at: performance.now() };
        return isSameOwner ? 'alive' : 'unknown';
      }
      first ??= { renewed, at: performance.now() };
      const watched = performance.now() - first.at;
      if (watched >= times.leaseMs) return 'gone';
      if (watched < times.watchMs) return 'unknown';
      // Both times are the file system's: the clock of another machine may differ from this one's.
      const now = await renew(recordOf(claim, false), claim.id, claim.self);
      return now - renewedMs > times.leaseMs ? 'gone' : 'unknown';
    },
  };
}
