// One run at a time in an output folder: a lock file that names its process, taken over when that process is gone.
import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { SplitgrowError } from '../errors.js';

const FILE = 'run.lock';

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Start of the process in clock ticks since boot, where the system tells: a number that is used again is not taken for its old owner. */
  readonly started: string | null;
}

/** Folders that this very process has locked. */
const held = new Set<string>();

/** Field 22 of /proc/<pid>/stat; null where there is none. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function isAlive(owner: Owner): boolean {
  if (owner.host !== hostname()) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return owner.started === null || owner.started === startOf(owner.pid);
}

function parseOwner(text: string): Owner | null {
  try {
    const value = JSON.parse(text) as Partial<Owner> | null;
    if (typeof value?.pid !== 'number' || typeof value.host !== 'string') return null;
    return { pid: value.pid, host: value.host, started: value.started ?? null };
  } catch {
    return null;
  }
}

/** Puts aside a lock whose owner is gone. Of two processes that try, one finds it moved already. */
async function putAside(file: string, text: string): Promise<void> {
  const aside = `${file}.${process.pid}.stale`;
  try {
    await rename(file, aside);
    // Another process may have taken the lock over since it was read: then it gets its own back.
    if ((await readFile(aside, 'utf8')) !== text) await link(aside, file).catch(() => undefined);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

/** Writes the whole lock at once: a reader never sees half of it. @returns false where there is one */
async function claim(file: string, text: string): Promise<boolean> {
  const own = `${file}.${process.pid}.own`;
  await writeFile(own, text);
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    await rm(own, { force: true });
  }
}

function refusal(directory: string, file: string, owner: Owner): SplitgrowError {
  return new SplitgrowError(
    'E_RESUME',
    `output ${directory}: another run is using it (process ${owner.pid} on ${owner.host}); ` +
      `wait for it, choose another output, or remove ${file} if it is gone`,
  );
}

/** Locks an output folder that exists. @returns what releases it. @throws E_RESUME while another run holds it */
export async function lockOutput(directory: string): Promise<() => Promise<void>> {
  const file = join(resolve(directory), FILE);
  const own: Owner = { pid: process.pid, host: hostname(), started: startOf(process.pid) };
  if (held.has(file)) throw refusal(directory, file, own);
  held.add(file);
  try {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      if (await claim(file, JSON.stringify(own))) {
        return async () => {
          held.delete(file);
          await rm(file, { force: true });
        };
      }
      const text = await readFile(file, 'utf8').catch(() => null);
      if (text === null) continue;
      const owner = parseOwner(text);
      if (owner !== null && isAlive(owner)) throw refusal(directory, file, owner);
      await putAside(file, text);
    }
    throw new SplitgrowError(
      'E_RESUME',
      `output ${directory}: ${file} keeps coming back; another run starts at the same moment`,
    );
  } catch (error) {
    held.delete(file);
    throw error;
  }
}
