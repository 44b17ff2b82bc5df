// A lock file between processes: waits for a living holder, takes over from a dead one.
import { readFileSync } from 'node:fs';
import { mkdir, open, readFile, stat, unlink, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SplitgrowError } from '../errors.js';

export interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Start of the process in ticks since boot: tells a reused pid apart. */
  readonly started: string;
}

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once, when another process holds the lock. */
  readonly onWait?: (owner: Owner | null) => void;
  readonly pollMs?: number;
}

/** A holder touches its lock this often ... */
const BEAT_MS = 5_000;
/** ... so a lock of another machine, or with nothing readable in it, that is older than this has no holder. */
const DEAD_MS = 60_000;
/** A takeover is a few file operations; an older guard was left by a killed process. */
const GUARD_MS = 10_000;

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Start time of a process of this machine, or null when it is gone. */
function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold blanks; field 22 counts from before it.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function parse(text: string): Owner | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
    const { pid, host, started } = value as Record<string, unknown>;
    if (typeof pid !== 'number' || typeof host !== 'string' || typeof started !== 'string') return null;
    return { pid, host, started };
  } catch {
    return null;
  }
}

async function createExclusively(file: string, text: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    try {
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw new SplitgrowError(
      'E_WRITE',
      `cannot create the lock ${file}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

interface Seen {
  readonly text: string;
  readonly owner: Owner | null;
  readonly isStale: boolean;
}

/** What the lock file says, or null when there is none any more. */
async function look(file: string): Promise<Seen | null> {
  try {
    const text = await readFile(file, 'utf8');
    const age = Date.now() - (await stat(file)).mtimeMs;
    const owner = parse(text);
    const isStale =
      owner !== null && owner.host === hostname() ? startOf(owner.pid) !== owner.started : age > DEAD_MS;
    return { text, owner, isStale };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Removes a stale lock; the guard keeps two that saw it stale from removing each other's new one. */
async function removeStale(file: string, seen: Seen): Promise<void> {
  const guard = `${file}.takeover`;
  if (!(await createExclusively(guard, ''))) {
    const age = await stat(guard).then(
      (found) => Date.now() - found.mtimeMs,
      () => 0,
    );
    if (age > GUARD_MS) await unlink(guard).catch(() => {});
    return;
  }
  try {
    const now = await look(file);
    if (now?.isStale && now.text === seen.text) await unlink(file).catch(() => {});
  } finally {
    await unlink(guard).catch(() => {});
  }
}

async function acquire(file: string, mine: string, options: LockOptions): Promise<void> {
  let hasWaited = false;
  for (;;) {
    options.signal?.throwIfAborted();
    if (await createExclusively(file, mine)) return;
    const seen = await look(file);
    if (seen === null) continue;
    if (seen.isStale) {
      await removeStale(file, seen);
      if ((await look(file)) === null) continue;
    } else if (!hasWaited) {
      hasWaited = true;
      options.onWait?.(seen.owner);
    }
    await sleep(options.pollMs ?? 300, undefined, { signal: options.signal });
  }
}

/** Runs `work` while this process holds `file`; the lock is gone afterwards, also after an error. */
export async function withLock<T>(
  file: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const owner: Owner = { pid: process.pid, host: hostname(), started: startOf(process.pid) ?? '' };
  // Two locks of one process differ too, so that each removes only its own.
  const mine = JSON.stringify({ ...owner, nonce: crypto.randomUUID() });
  await mkdir(dirname(file), { recursive: true });
  try {
    await acquire(file, mine, options);
  } catch (error) {
    if (options.signal?.aborted)
      throw new SplitgrowError('E_ABORTED', `waiting for ${file} was aborted`, { cause: error });
    throw error;
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => {});
  }, BEAT_MS);
  beat.unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    const text = await readFile(file, 'utf8').catch(() => '');
    if (text === mine) await unlink(file).catch(() => {});
  }
}
