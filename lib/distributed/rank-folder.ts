// The temporary folder in which a rank works that keeps nothing: with a record of its owner, so that one left by a kill is found and removed.

import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lifeOf, newId, type Process, parseOwner, thisProcess } from '../disk/owner.js';

const PREFIX = 'splitgrow-rank-';
const RECORD_FILE = 'owner.json';

/** True for a folder of this user's with the record of a process that has ended. */
async function isLeft(folder: string, self: Process): Promise<boolean> {
  try {
    const found = await lstat(folder);
    if (!found.isDirectory() || found.uid !== process.getuid?.()) return false;
    const owner = parseOwner(await readFile(join(folder, RECORD_FILE), 'utf8'));
    return owner !== null && lifeOf(owner, self) === 'gone';
  } catch {
    return false;
  }
}

/** Removes the folders that ranks left which were killed. */
export async function removeLeftFolders(): Promise<void> {
  const self = thisProcess();
  const names = await readdir(tmpdir()).catch(() => [] as string[]);
  for (const name of names.filter((one) => one.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    if (await isLeft(folder, self)) await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

/** Does `work` in an empty folder, which is removed afterwards. */
export async function inRankFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  await removeLeftFolders();
  const folder = await mkdtemp(join(tmpdir(), PREFIX));
  try {
    await writeFile(join(folder, RECORD_FILE), `${JSON.stringify({ id: newId(), ...thisProcess() })}\n`);
    const inner = join(folder, 'run');
    await mkdir(inner);
    return await work(inner);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
