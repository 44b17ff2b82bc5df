// Which process owns something on disk, and whether that process still lives.
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process as a lock or a temporary folder names it. */
export interface Owner {
  /** Random, so that nobody can guess it. A file whose name holds this id was made by its owner. */
  readonly id: string;
  readonly pid: number;
  readonly host: string;
  /** Start of the process in clock ticks since boot. It tells apart two processes that had the same pid. Null where it is unknown. */
  readonly started: string | null;
  /** Boot id of the kernel that it runs on; null in records of earlier versions, and where the system does not tell. */
  readonly kernel: string | null;
  /** Namespace of its pid. Without it, the same pid in two containers would look like one process. */
  readonly namespace: string | null;
}

/** A process without an id. */
export type Process = Omit<Owner, 'id'>;

/** `unknown`: the process may run on another machine or in another container, and cannot be seen from here. */
export type Life = 'alive' | 'gone' | 'unknown';

function textOf(read: () => string): string | null {
  try {
    return read().trim();
  } catch {
    return null;
  }
}

interface Stat {
  readonly state: string;
  readonly started: string | null;
}

/** Fields 3 and 22 of /proc/<pid>/stat; null where it cannot be read. */
function statOf(pid: number | 'self'): Stat | null {
  const stat = textOf(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (stat === null) return null;
  // The name, in parentheses, may hold blanks. So the fields are counted from the end of the name.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', started: fields[19] ?? null };
}

/** This process. */
export function thisProcess(): Process {
  return {
    pid: process.pid,
    host: hostname(),
    started: statOf('self')?.started ?? null,
    kernel: textOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    namespace: textOf(() => readlinkSync('/proc/self/ns/pid')),
  };
}

/** 32 hexadecimal digits. */
export function newId(): string {
  return crypto.randomUUID().replaceAll('-', '');
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

/** The owner that a record names; records of earlier versions have no id, kernel and namespace. Null where the text is none. */
export function parseOwner(text: string): Owner | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { id, pid, host, started, kernel, namespace } = value as Record<string, unknown>;
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid < 1 || !isString(host)) return null;
  return {
    id: isString(id) ? id : '',
    pid,
    host,
    started: isString(started) ? started : null,
    kernel: isString(kernel) ? kernel : null,
    namespace: isString(namespace) ? namespace : null,
  };
}

/** True where the pids of that process mean the same as here. A record of an earlier version names only the host. */
function isSeenFrom(owner: Process, self: Process): boolean {
  if (owner.kernel === null) return owner.host === self.host;
  return owner.kernel === self.kernel && owner.namespace !== null && owner.namespace === self.namespace;
}

/** True where the owner is the process `self`, in any of its threads. */
export function isProcess(owner: Process, self: Process): boolean {
  return isSeenFrom(owner, self) && owner.pid === self.pid && owner.started === self.started;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
  return true;
}

/** Whether a process still lives, as far as `self` can see. */
export function lifeOf(owner: Process, self: Process): Life {
  if (!isSeenFrom(owner, self)) return 'unknown';
  if (owner.pid === self.pid) return owner.started === self.started ? 'alive' : 'gone';
  if (!exists(owner.pid)) return 'gone';
  // In a container that sees the /proc of its host, this pid names another process.
  if (textOf(() => readlinkSync('/proc/self')) !== String(self.pid)) return 'unknown';
  const stat = statOf(owner.pid);
  if (stat === null) return 'unknown';
  // The process has been killed, but its parent has not asked for its exit code yet.
  if (stat.state === 'Z' || stat.state === 'X') return 'gone';
  return owner.started === null || owner.started === stat.started ? 'alive' : 'gone';
}

/** "process 12 on box" */
export function ownerText({ pid, host }: Process): string {
  return `process ${pid} on ${host}`;
}
