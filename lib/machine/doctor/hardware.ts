// doctor's rows on the machine itself: Node.js, system, processor, memory, disks.

import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, freemem, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { Environment } from '../environment.js';
import { cacheDirectory, otherWriters, privateRemedy, wheelDirectory } from '../libtorch/cache.js';
import { missingBytes } from '../libtorch/fetch.js';
import { LIBTORCH_VERSION, RELEASES } from '../libtorch/pinned.js';
import { relativeLists } from '../process/child.js';
import { cpuFlagsOf, isAtLeast, machineFaults, thisMachine } from '../requirements.js';
import { type Finding, missing, ok, warning } from './finding.js';

const NODE_FLOOR = '20.17';
/** The processor's features that change speed, as /proc/cpuinfo names them. */
const CPU_FLAGS = ['avx2', 'fma', 'avx512f', 'avx512_bf16', 'amx_tile', 'amx_bf16'];
const LEAST_MEMORY = 2e9;
const LEAST_DISK = 1e9;

function gigabytes(value: number): string {
  return `${(value / 1e9).toFixed(1)} GB`;
}

export function nodeFinding(version: string = process.versions.node): Finding {
  if (isAtLeast(version, NODE_FLOOR)) return ok('Node.js', version);
  return missing('Node.js', version, `install Node.js ${NODE_FLOOR} or newer`);
}

/** One row for each fault that keeps splitgrow from running here. Without faults, one row that names the platform. */
export function platformFindings(): readonly Finding[] {
  const faults = machineFaults();
  if (faults.length > 0)
    return faults.map(({ what, expected, found, remedy }) =>
      missing(what, `${found}; expected ${expected}`, remedy),
    );
  const key = `${process.platform}-${process.arch}`;
  const found = `${key}, kernel ${release()}, glibc ${thisMachine().glibc}`;
  if (RELEASES[key]) return [ok('platform', found)];
  const served = Object.keys(RELEASES).join(', ');
  const remedy = `setup serves ${served}; elsewhere: python3 -m pip install torch==${LIBTORCH_VERSION}`;
  return [warning('platform', found, remedy)];
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The processor, read from the text of /proc/cpuinfo. */
export interface Processor {
  readonly model: string;
  /** Physical cores; 0 where the file does not say. */
  readonly cores: number;
  readonly features: readonly string[];
}

export function readProcessor(cpuinfo: string): Processor {
  const all = (pattern: RegExp): string[] => [...cpuinfo.matchAll(pattern)].map((match) => match[1] ?? '');
  const packages = all(/^physical id\s*:\s*(\d+)$/gm);
  const ids = all(/^core id\s*:\s*(\d+)$/gm);
  const flags = new Set(cpuFlagsOf(cpuinfo));
  return {
    model: all(/^model name\s*:\s*(.+)$/gm)[0] ?? process.arch,
    cores: new Set(ids.map((id, i) => `${packages[i]}:${id}`)).size,
    features: CPU_FLAGS.filter((flag) => flags.has(flag)),
  };
}

/** CPUs that a container's quota grants, or null where there is none. `text` is cgroup v2's cpu.max. */
export function quotaOf(text: string): number | null {
  const [quota, period] = text.trim().split(/\s+/).map(Number);
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : null;
}

export function processorFinding(): Finding {
  const { model, cores, features } = readProcessor(textOf('/proc/cpuinfo'));
  const threads = availableParallelism();
  const counts = [
    cores > 0 ? `${cores} cores` : '',
    `${cpus().length} threads`,
    threads < cpus().length ? `${threads} of them for this process` : '',
  ].filter((part) => part !== '');
  const found = [model, counts.join(', '), features.join(' ')].filter((part) => part !== '').join('; ');
  const quota = quotaOf(textOf('/sys/fs/cgroup/cpu.max'));
  if (quota === null || quota >= threads) return ok('CPU', found);
  const limit = `${found}; a container's quota of ${quota.toFixed(1)}`;
  return warning(
    'CPU',
    limit,
    `more threads than that slow each other down: --threads ${Math.max(1, Math.floor(quota))}`,
  );
}

export function memoryFinding(): Finding {
  const limit = process.constrainedMemory();
  const isLimited = limit > 0 && limit < totalmem();
  const total = isLimited ? limit : totalmem();
  const found = `${gigabytes(total)}${isLimited ? " (a container's limit)" : ''}, ${gigabytes(Math.min(freemem(), total))} free`;
  if (total >= LEAST_MEMORY) return ok('memory', found);
  return warning(
    'memory',
    found,
    'runs need 1 to 2 GB beside the system: smaller fit.batch, fewer splitting.images',
  );
}

function freeBytes(path: string): number {
  let folder = path;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Whether the cache is this user's alone, and has room for what is still to be fetched. */
export async function cacheFinding(env: Environment, isSetUp: boolean): Promise<Finding> {
  const cache = cacheDirectory(env);
  const free = freeBytes(cache);
  const pinned = RELEASES[`${process.platform}-${process.arch}`];
  const needed = pinned ? pinned.unpackedBytes + (await missingBytes(pinned, wheelDirectory(env))) : 0;
  const found = `${cache}, ${gigabytes(free)} free`;
  const others = otherWriters(env);
  if (others !== null && (isSetUp || free >= needed))
    return warning(
      'cache',
      `${found}; ${others.who} can write to it, and what is in it is run`,
      privateRemedy(env),
    );
  if (isSetUp || free >= needed) return ok('cache', found);
  return missing(
    'cache',
    found,
    `free ${gigabytes(needed - free)} more, or set SPLITGROW_CACHE to a larger place`,
  );
}

/** Checks the lists of folders in which programs and libraries are looked for. None of them should include the working folder. */
export function searchPathsFinding(env: Environment): Finding {
  const name = 'search paths';
  const lists = relativeLists(env);
  if (lists.length === 0) return ok(name, 'none leads to the working folder');
  const found = lists.map(
    ([variable, entries]) =>
      `${variable} has ${entries.map((entry) => (entry === '' ? 'an empty entry' : entry)).join(', ')}`,
  );
  return warning(
    name,
    `${found.join('; ')}, which means the working folder: splitgrow leaves it out, other programs do not`,
    `write folders as absolute paths in ${lists.map(([variable]) => variable).join(', ')}`,
  );
}

export function workingFolderFinding(folder: string = process.cwd()): Finding {
  const name = 'working folder';
  const found = `${folder}, ${gigabytes(freeBytes(folder))} free`;
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    return warning(
      name,
      `${folder} is not writable`,
      'start in another folder, or give output and --out elsewhere',
    );
  }
  if (freeBytes(folder) >= LEAST_DISK) return ok(name, found);
  return warning(
    name,
    found,
    'runs keep networks and checkpoints here: free some space, or set output elsewhere',
  );
}

/** True for an addon that came with the package. */
export function isPrebuilt(addon: string): boolean {
  return addon.includes(join('/', 'prebuilds', '/'));
}
