// The one lock: a folder that its owner renews. It is checked before each write, and only its owner releases it.
import { type FileHandle, open, rename, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SplitgrowError } from '../../errors.js';
import {
  type Claim,
  claimOf,
  type Found,
  GONE,
  type LeaseTimes,
  lifeOfOwner,
  look,
  recordOf,
  renew,
  TIMES,
  take,
  takeAway,
  watchOf,
} from './claim.js';
import { codeOf, makeFolder, writeError } from './folder.js';
import { type Owner, ownerText, type Process, thisProcess } from './owner.js';
import { clearPlace, placeName, removePlace, sweepPlaces } from './place.js';

/** A lock that this thread holds. */
export interface Lease {
  readonly id: string;
  /** The folder that the lock lies in. */
  readonly folder: string;
  /** A folder of the owner alone. A rename out of it fails as soon as another process has the lock. */
  readonly place: string;
  /** @throws E_OUTPUT where the lock was taken over, or its folder was removed, moved or replaced */
  readonly check: () => Promise<void>;
  /** Gives the lock back. Does nothing where it is lost. */
  readonly release: () => Promise<void>;
}

export interface LeaseOptions {
  /** Aborting ends the wait: rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called once when another process holds the lock. An error that it throws ends the wait. */
  readonly onBusy?: ((owner: Owner) => void) | undefined;
  /** Called once when this process cannot see whether the owner lives. */
  readonly onWatch?: ((owner: Owner, seconds: number) => void) | undefined;
  /** Called between two writes when the lock is lost. */
  readonly onLost?: ((error: SplitgrowError) => void) | undefined;
  /** For tests: other times, and another process than this one. */
  readonly times?: Partial<LeaseTimes> | undefined;
  readonly self?: Process | undefined;
}

/** Locks that guard all that this thread writes below their folders. */
const guards = new Set<Lease>();

/** The locks that guard a file at `path`, the innermost folder first. */
export function guardsOf(path: string): readonly Lease[] {
  const target = resolve(path);
  return [...guards]
    .filter(({ folder }) => target.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`))
    .sort((a, b) => b.folder.length - a.folder.length);
}

/** To be called before a write to `path`. @throws E_OUTPUT where a lock above it is lost */
export async function checkGuards(path: string): Promise<void> {
  for (const guard of guardsOf(path)) await guard.check();
}

async function lostError({ file, id }: Claim, { leaseMs }: LeaseTimes): Promise<SplitgrowError> {
  const folder = dirname(file);
  // Where something else has the lock's name, another folder has taken the place of this one.
  const found = await look(file).catch(() => null);
  const isTaken = found !== null && found.owner.id !== id;
  const reason = isTaken
    ? `${ownerText(found.owner)} took it over, for this run had not renewed its lock for ${leaseMs / 1000} s`
    : `its lock, ${file}, was gone: the folder was removed, moved or replaced while this run wrote to it`;
  const remedy = isTaken
    ? 'wait for that process, or end it and run the same command again'
    : 'put the folder back if it was moved, and run the same command again';
  return new SplitgrowError('E_OUTPUT', `output ${folder}: ${reason}; nothing more was written; ${remedy}`);
}

/** Waits for the lock and takes it. */
async function acquire(claim: Claim, options: LeaseOptions, times: LeaseTimes): Promise<void> {
  const { file, self } = claim;
  const watch = watchOf(claim, times);
  let [isBusy, isWatched] = [false, false];
  const tellBusy = ({ owner }: Found): void => {
    if (!isBusy) options.onBusy?.(owner);
    isBusy = true;
  };
  for (;;) {
    options.signal?.throwIfAborted();
    if (await take(claim)) return;
    const found = await look(file);
    if (found === null) continue;
    let life = await lifeOfOwner(found, self);
    if (life === 'unknown') {
      if (!isWatched) options.onWatch?.(found.owner, Math.ceil(times.leaseMs / 1000));
      isWatched = true;
      life = await watch.see(found);
    }
    if (life === 'alive') tellBusy(found);
    if (life === 'gone') await takeAway(claim, found);
    else await sleep(times.pollMs, undefined, { signal: options.signal });
  }
}

function held(claim: Claim, handle: FileHandle, { onLost }: LeaseOptions, times: LeaseTimes): Lease {
  const record = recordOf(claim, true);
  const place = dirname(record);
  let lost: SplitgrowError | null = null;
  let isReleased = false;
  const refuse = async (error: unknown): Promise<void> => {
    if (isReleased || !GONE.includes(codeOf(error))) return;
    if (lost !== null) return;
    lost = await lostError(claim, times);
    onLost?.(lost);
  };
  let renewing: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    // A full disk, or a server that is away for a moment, does not end the work. Only a missing lock does.
    renewing = renew(record, claim.id, claim.self).catch(refuse);
  }, times.renewMs);
  timer.unref();
  const lease: Lease = {
    id: claim.id,
    folder: dirname(claim.file),
    place,
    check: async () => {
      await stat(record).catch(async (error: unknown) => {
        await refuse(error);
        throw lost ?? writeError(record, error);
      });
      if (lost !== null) throw lost;
    },
    release: async () => {
      if (isReleased) return;
      isReleased = true;
      clearInterval(timer);
      guards.delete(lease);
      await renewing;
      await handle.close().catch(() => {});
      // The name holds the owner's id. So nothing happens where another process has the lock by now.
      const aside = join(lease.folder, placeName(claim.id));
      await rename(place, aside)
        .then(() => removePlace(aside))
        .catch(() => {});
      await rmdir(claim.file).catch(() => {});
    },
  };
  return lease;
}

/**
 * Locks `file`. Its folder is made where it is missing. A lock whose owner is gone is taken over at once. A lock whose owner
 * cannot be seen from here is taken over when it has not been renewed for a minute. Files that a killed owner left half
 * written are removed, and a directory that it was replacing is put back.
 * @throws E_WRITE, E_RESUME where something else has the lock's name, and what `onBusy` throws
 */
export async function leaseOf(path: string, options: LeaseOptions = {}): Promise<Lease> {
  const file = resolve(path);
  const folder = dirname(file);
  const self = options.self ?? thisProcess();
  const times = { ...TIMES, ...options.times };
  let claim: Claim | null = null;
  let handle: FileHandle | null = null;
  let lease: Lease | null = null;
  try {
    await makeFolder(folder);
    claim = await claimOf(file, self);
    // Stays open until the lock is given back or the thread ends. Other threads of this process see that.
    handle = await open(recordOf(claim, false), 'r');
    await acquire(claim, options, times);
    lease = held(claim, handle, options, times);
    await clearPlace(claim.place, folder);
    await sweepPlaces(folder, self);
    return lease;
  } catch (error) {
    await lease?.release();
    await handle?.close().catch(() => {});
    if (claim !== null) await removePlace(claim.place).catch(() => {});
    if (options.signal?.aborted === true) throw error;
    throw writeError(file, error);
  }
}

/** Locks `file` for everything that this thread writes below its folder: atomic.ts asks before each write. */
export async function guardOf(path: string, options: LeaseOptions = {}): Promise<Lease> {
  const lease = await leaseOf(path, options);
  guards.add(lease);
  return lease;
}

export interface LockOptions extends Pick<LeaseOptions, 'times' | 'self'> {
  readonly signal?: AbortSignal | undefined;
  /** Called once, when another process holds the lock, or may hold it. */
  readonly onWait?: (owner: Owner) => void;
}

/**
 * Runs `work` while this thread holds the lock `file`, which is released afterwards, also after an error. `work` gets a folder
 * for itself, on the disk of `file`. The folder is removed with the lock; after a kill, the next holder removes it.
 * @throws E_ABORTED while waiting; E_WRITE; E_RESUME where something else has the lock's name
 */
export async function withLock<T>(
  file: string,
  work: (place: string) => Promise<T>,
  { signal, onWait, times, self }: LockOptions = {},
): Promise<T> {
  let hasWaited = false;
  const wait = (owner: Owner): void => {
    if (!hasWaited) onWait?.(owner);
    hasWaited = true;
  };
  const lease = await leaseOf(file, { signal, times, self, onBusy: wait, onWatch: wait }).catch((error) => {
    if (signal?.aborted !== true) throw error;
    throw new SplitgrowError('E_ABORTED', `waiting for ${file} was aborted`, { cause: error });
  });
  try {
    return await work(lease.place);
  } finally {
    await lease.release();
  }
}
