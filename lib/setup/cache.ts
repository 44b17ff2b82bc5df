// Where the cache is, and which folders of it hold LibTorch.
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { LIBTORCH_VERSION } from './pinned.js';

export type Environment = Readonly<Record<string, string | undefined>>;

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

/** Wheels that a set-up downloaded and did not come to unpack. */
export function wheelDirectory(env: Environment = process.env): string {
  return join(cacheDirectory(env), 'wheels');
}
