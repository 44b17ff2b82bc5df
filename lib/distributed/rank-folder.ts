// The temporary folder of a rank that keeps nothing. It is a place (machine/files/place.ts), so one that a killed rank left is found and removed.
import { mkdir, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { placeIn, RECORD, removePlace, sweepPlaces } from '../machine/files/place.js';

/** How often the record is renewed. A place whose owner nobody can see is removed after a day without that. */
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
    // The next rank removes what is left.
    await removePlace(place).catch(() => {});
  }
}
