// Where datasets are kept: in one folder each, below SPLITGROW_DATA or in the cache.

import { join, resolve } from 'node:path';
import type { Environment } from '../../machine/environment.js';
import { cacheDirectory } from '../../machine/libtorch/cache.js';
import type { DataSource } from './sources.js';

/** The folder that holds one folder for each dataset: SPLITGROW_DATA, else `data` in the cache. */
export function dataDirectory(env: Environment = process.env): string {
  return env.SPLITGROW_DATA ? resolve(env.SPLITGROW_DATA) : join(cacheDirectory(env), 'data');
}

/** Where a dataset is put, and looked for, when no root is given. */
export function defaultRoot(name: string, env: Environment = process.env): string {
  return join(dataDirectory(env), name);
}

/** Where the files may lie below `root`: in the archive's own folder, or in `root` itself; the first is where they are put. */
export function placesIn(root: string, source: DataSource): readonly [string, ...string[]] {
  return source.archive === undefined ? [root] : [join(root, source.archive.folder), root];
}

/** The command that fetches a dataset. */
export function remedyFor(name: string): string {
  return `splitgrow data get ${name}`;
}
