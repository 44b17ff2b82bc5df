// The temporary folder in which a rank works that keeps nothing: with a record of its owner, so that one left by a kill is found and removed.

import { readFileSync, readlinkSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const PREFIX = 'splitgrow-rank-';
const RECORD_FILE = 'owner.json';
const FORMAT = 'splitgrow-rank/1';

const OWNER = z.object({
  format: z.literal(FORMAT),
  pid: z.int().positive(),
  /** Start of the process in ticks since boot: tells a reused number apart. */
  started: z.string(),
  /** Where numbers of processes mean the same: one boot of one machine, one container. */
  space: z.string().min(1),
});

/** Start of a process, or null where there is none of this number. */
function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold blanks; field 22 counts from before it.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** Empty where the system does not say it: then nothing is ever taken for left behind. */
function spaceOfProcesses(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return '';
  }
}

/** True for a folder of this user's with the record of a process that has ended. */
async function isLeft(folder: string, space: string): Promise<boolean> {
  try {
    const found = await lstat(folder);
    if (!found.isDirectory() || found.uid !== process.getuid?.()) return false;
    const text = await readFile(join(folder, RECORD_FILE), 'utf8');
    const owner = OWNER.parse(JSON.parse(text));
    return owner.space === space && startOf(owner.pid) !== owner.started;
  } catch {
    return false;
  }
}

/** Removes the folders that ranks left which were killed. */
export async function removeLeftFolders(): Promise<void> {
  const space = spaceOfProcesses();
  if (space === '') return;
  const names = await readdir(tmpdir()).catch(() => [] as string[]);
  for (const name of names.filter((one) => one.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    if (await isLeft(folder, space)) await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

/** Does `work` in an empty folder, which is removed afterwards. */
export async function inRankFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  await removeLeftFolders();
  const folder = await mkdtemp(join(tmpdir(), PREFIX));
  try {
    const owner: z.output<typeof OWNER> = {
      format: FORMAT,
      pid: process.pid,
      started: startOf(process.pid) ?? '',
      space: spaceOfProcesses() || 'unknown',
    };
    await writeFile(join(folder, RECORD_FILE), `${JSON.stringify(owner)}\n`);
    const inner = join(folder, 'run');
    await mkdir(inner);
    return await work(inner);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
