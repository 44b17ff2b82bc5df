// One lock for everything: a folder that its owner renews, checked before each write, released by its owner alone.
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
  /** A folder of the owner's alone: a rename out of it fails from the moment on at which the lock is another's. */
  readonly place: string;
  /** @throws E_OUTPUT where the lock was taken over, or its folder was removed, moved or replaced */
  readonly check: () => Promise<void>;
  /** Gives the lock back; nothing happens where it is lost. */
  readonly release: () => Promise<void>;
}

export interface LeaseOptions {
  /** Aborting ends the wait: rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told once that another process holds the lock; what it throws ends the wait. */
  readonly onBusy?: ((owner: Owner) => void) | undefined;
  /** Told once that nobody here can see whether the owner lives. */
  readonly onWatch?: ((owner: Owner, seconds: number) => void) | undefined;
  /** Told, between two writes, that the lock is lost. */
  readonly onLost?: ((error: SplitgrowError) => void) | undefined;
  /** For tests: other times, and another process than this one. */
  readonly times?: Partial<LeaseTimes> | undefined;
  readonly self?: Process | undefined;
}

/** Locks that guard all that this thread writes below their folders. */
const guards = new Set<Lease>();

/** Those for a file at `path`, the innermost folder first. */
export function guardsOf(path: string): readonly Lease[] {
  const target = resolve(path);
  return [...guards]
    .filter(({ folder }) => target.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`))
    .sort((a, b) => b.folder.length - a.folder.length);
}

/** Before a write to `path`. @throws E_OUTPUT where a lock above it is lost */
export async function checkGuards(path: string): Promise<void> {
  for (const guard of guardsOf(path)) await guard.check();
}

async function lostError({ file, id }: Claim, { leaseMs }: LeaseTimes): Promise<SplitgrowError> {
  const folder = dirname(file);
  // What is no lock of splitgrow lies in a folder that took the place of this one.
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
    // A full disk or a server that is away for a moment does not end the work: only a lock that is not there does.
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
      // The name holds the owner's id: nothing happens where the lock is another's by now.
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
 * Locks `file`, a name in a folder that is made where it is missing. A lock whose owner is gone is taken over at once; one
 * whose owner nobody here can see, once it has not been renewed for a minute. What a killed owner left half written is
 * removed, and a directory that it was replacing is put back.
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
    // Open until the lock is given back or the thread ends: other threads of the process see it.
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

/** Locks `file` for all that this thread writes below the folder it lies in: atomic.ts asks before each write. */
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
 * Runs `work` while this thread holds `file`; the lock is gone afterwards, also after an error. `work` is told a folder of
 * its own, on the disk of `file`, which is cleared with the lock: after a kill by the next holder.
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
