// The LibTorch that the user chose by setup --libtorch DIR, --cuda or --force. A file in the cache keeps the choice.

import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Environment } from '../environment.js';
import { writeFileAtomic } from '../files/atomic.js';
import { cacheDirectory, privateCache } from './cache.js';

const FORMAT = 'splitgrow-libtorch/1';

/** Path of the file that holds the choice. */
export function rememberedFile(env: Environment = process.env): string {
  return join(cacheDirectory(env), 'libtorch.json');
}

/** What the file says: a folder, nothing (null), or what is wrong with the file. */
export type Remembered = { readonly root: string } | { readonly fault: string } | null;

export function readRemembered(env: Environment = process.env): Remembered {
  const file = rememberedFile(env);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return isAbsent ? null : { fault: `${file} cannot be read` };
  }
  try {
    const value: unknown = JSON.parse(text);
    const { format, root } = value as { format?: unknown; root?: unknown };
    if (format === FORMAT && typeof root === 'string' && isAbsolute(root)) return { root };
  } catch {
    // Falls through to the fault.
  }
  return { fault: `${file} is not of format ${FORMAT}` };
}

/** From now on `root` (absolute) is found before Python's PyTorch and the cache. Throws E_WRITE. */
export async function remember(root: string, env: Environment = process.env): Promise<void> {
  await privateCache(env);
  await writeFileAtomic(rememberedFile(env), `${JSON.stringify({ format: FORMAT, root })}\n`);
}

export async function forget(env: Environment = process.env): Promise<void> {
  await rm(rememberedFile(env), { force: true });
}
