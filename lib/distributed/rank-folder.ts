// The temporary folder in which a rank works that keeps nothing: a place (disk/place.ts), so that one left by a kill is found and removed.
import { mkdir, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { placeIn, RECORD, removePlace, sweepPlaces } from '../machine/files/place.js';

/** Well within the day after which the place of an owner that nobody can see is removed. */
const RENEW_MS = 3600 * 1000;

/** Removes the folders that ranks left which were killed. Leftovers never end the work. */
export async function removeLeftFolders(): Promise<void> {
  await sweepPlaces(tmpdir()).catch(() => {});
}

/** Does `work` in an empty folder, which is removed afterwards. */
export async function inRankFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  await removeLeftFolders();
  const place = await placeIn(tmpdir());
  const timer = setInterval(() => {
    utimes(join(place, RECORD), new Date(), new Date()).catch(() => {});
  }, RENEW_MS);
  timer.unref();
  try {
    const folder = join(place, 'run');
    await mkdir(folder, { mode: 0o700 });
    return await work(folder);
  } finally {
    clearInterval(timer);
    // What stays is removed by the next rank.
    await removePlace(place).catch(() => {});
  }
}
