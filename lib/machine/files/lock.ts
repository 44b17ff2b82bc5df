// A lock between processes: waits for a living holder, takes over from a dead one.

import { SplitgrowError } from '../../errors.js';
import { type LeaseOptions, leaseOf } from './lease.js';
import type { Owner } from './owner.js';

export type { Owner } from './owner.js';

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
