// Where the cache is, which folders of it hold LibTorch, and who may write to it.

import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import type { Environment } from '../environment.js';
import { makeFolder } from '../files/folder.js';
import { LIBTORCH_VERSION } from './pinned.js';

/** The folder that setup fills and that every checkout and package shares. */
export function cacheDirectory(env: Environment = process.env): string {
  if (env.SPLITGROW_CACHE) return resolve(env.SPLITGROW_CACHE);
  const xdg = env.XDG_CACHE_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'splitgrow');
}

/** The folder of the CPU's LibTorch, or of the one with the CUDA libraries. It holds `torch` and `nvidia`. */
export function installDirectory(env: Environment = process.env, hasCuda = false): string {
  return join(cacheDirectory(env), `libtorch-${LIBTORCH_VERSION}${hasCuda ? '-cuda' : ''}`);
}

/** The folder for wheels that set-up has downloaded but not unpacked yet. */
export function wheelDirectory(env: Environment = process.env): string {
  return join(cacheDirectory(env), '.splitgrow-wheels');
}

/** The mode of the cache's folders: only this user may write there, because files in them are loaded as code. */
const PRIVATE = 0o700;
const OTHERS_WRITE = 0o002;
const GROUP_WRITES = 0o020;

/** Who else may write to the cache; null where there is no cache yet, or nobody. */
export function otherWriters(
  env: Environment = process.env,
): { readonly who: string; readonly isAnybody: boolean } | null {
  const [user, group] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  try {
    const { mode, uid, gid } = statSync(cacheDirectory(env));
    if ((mode & OTHERS_WRITE) !== 0) return { who: 'every user of this machine', isAnybody: true };
    // Many systems give each user a group of the same number, with nobody else in it.
    const isOwnGroup = gid === group && gid === user;
    if ((mode & GROUP_WRITES) !== 0 && !isOwnGroup) return { who: `its group (${gid})`, isAnybody: false };
    if (uid !== user && uid !== 0) return { who: `its owner (user ${uid})`, isAnybody: false };
    return null;
  } catch {
    return null;
  }
}

/** What to do so that nobody else can write to the cache. */
export function privateRemedy(env: Environment = process.env): string {
  return `chmod 700 ${cacheDirectory(env)}, or set SPLITGROW_CACHE to a folder of your own`;
}

/** Creates the cache and the missing folders above it, for this user alone. An existing cache keeps its mode. */
export async function createCache(env: Environment = process.env): Promise<string> {
  const cache = cacheDirectory(env);
  await makeFolder(cache, { mode: PRIVATE });
  return cache;
}

/** Creates the cache, if `path` lies in it. */
export async function createCacheOf(path: string, env: Environment = process.env): Promise<void> {
  if (resolve(path).startsWith(`${cacheDirectory(env)}${sep}`)) await createCache(env);
}

/**
 * Creates the cache for a caller that puts code there.
 * @throws E_WRITE where every user of the machine could put other code in its place
 */
export async function privateCache(env: Environment = process.env): Promise<string> {
  const cache = await createCache(env);
  const others = otherWriters(env);
  if (others?.isAnybody !== true) return cache;
  throw new SplitgrowError(
    'E_WRITE',
    `${cache}: expected a cache that this user alone writes to, found one that ${others.who} can write to; ` +
      `look at what is in it, then: ${privateRemedy(env)}`,
  );
}
