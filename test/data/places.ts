// Where tests find data sets that do not ship with the package, and a folder of their own to write in.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** SPLITGROW_TEST_DATA, or shared/data beside the checkout. */
const DATA = process.env.SPLITGROW_TEST_DATA ?? join(ROOT, '..', 'shared', 'data');

/** The folder of a data set and why its tests are skipped, or '' where it is there. */
export function dataFolder(name: string): { readonly folder: string; readonly reason: string } {
  const folder = join(DATA, name);
  const reason = existsSync(folder) ? '' : ` (skipped: no ${name} in SPLITGROW_TEST_DATA or ../shared/data)`;
  return { folder, reason };
}

/** Runs `work` with a new folder that is gone afterwards. */
export async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'splitgrow-'));
  try {
    await work(folder);
  } catch (error) {
    // Processes that still write to the folder must not hide what failed.
    await rm(folder, { recursive: true, force: true }).catch(() => {});
    throw error;
  }
  await rm(folder, { recursive: true, force: true });
}

/** The SplitgrowError that `promise` must reject with, as `CODE: message`. */
export async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'no error';
}
