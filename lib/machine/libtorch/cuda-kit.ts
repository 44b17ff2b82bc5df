// The tools that native/cuda is compiled with: fetched once into the cache and checked by their hashes.

import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import type { Environment } from '../environment.js';
import { ifThere } from '../files/folder.js';
import { withLock } from '../files/lease.js';
import { cacheDirectory, privateCache } from './cache.js';
import { downloadWheels, removeWheels, verifyWheels } from './fetch.js';
import { refuseOthers } from './install.js';
import { CUDA_HEADERS, CUDA_KIT, KIT_VERSION } from './pinned-cuda.js';
import { fetchMembers, moveInto, unpack } from './unpack-wheels.js';

export interface CudaKit {
  readonly nvcc: string;
  readonly include: readonly string[];
}

export interface KitOptions {
  readonly env?: Environment;
  readonly signal?: AbortSignal;
  readonly onProgress?: (message: string) => void;
}

export function kitDirectory(env: Environment = process.env): string {
  return join(cacheDirectory(env), `cuda-kit-${KIT_VERSION}`);
}

/** The kit in the cache; null where it has not been fetched. */
export async function findKit(env: Environment = process.env): Promise<CudaKit | null> {
  const root = join(kitDirectory(env), 'nvidia');
  const nvcc = join(root, 'cu13', 'bin', 'nvcc');
  const isThere = await stat(nvcc).then(
    (found) => found.isFile(),
    () => false,
  );
  return isThere ? { nvcc, include: [join(root, 'cu13', 'include'), join(root, 'nccl', 'include')] } : null;
}

/** SHA-256 over name and bytes of every file below `folder`, by name. */
async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const path = join(folder, name);
    if (!(await stat(path)).isFile()) continue;
    hash
      .update(`${name}\0`)
      .update(await readFile(path))
      .update('\0');
  }
  return hash.digest('hex');
}

async function fetchInto(
  cache: string,
  { target, work }: { readonly target: string; readonly work: string },
  options: KitOptions,
): Promise<void> {
  const say = options.onProgress ?? (() => {});
  // Not the folder of LibTorch's wheels: another lock guards that one. Complete wheels stay there after a stop.
  const wheels = join(cache, '.splitgrow-wheels-cuda-kit');
  await refuseOthers(target);
  const [tree, headers] = ['tree', 'headers'].map((name) => join(work, name)) as [string, string];
  for (const folder of [tree, headers]) await mkdir(folder);
  const total = CUDA_KIT.wheels.reduce((sum, wheel) => sum + wheel.bytes, 0);
  await downloadWheels(CUDA_KIT, wheels, options, (done) =>
    say(
      `downloading ${Math.floor((100 * Math.min(done, total)) / total)} % of ${Math.round(total / 1e6)} MB`,
    ),
  );
  await verifyWheels(CUDA_KIT, wheels, options, () => {});
  say('unpacking');
  await unpack(CUDA_KIT, { wheels, tree }, options, () => {});
  say('reading headers');
  await fetchMembers(CUDA_HEADERS.wheels, { work, tree: headers }, options);
  const found = await digestOf(headers);
  if (found !== CUDA_HEADERS.sha256)
    throw new SplitgrowError(
      'E_LIBTORCH',
      `the headers of NVIDIA's libraries have SHA-256 ${found}, expected ${CUDA_HEADERS.sha256}; nothing was installed`,
    );
  await moveInto(headers, tree);
  const bin = join(tree, 'nvidia', 'cu13', 'bin');
  const programs = (await readdir(bin)).filter((name) => !/\.profile$|^crt$/.test(name));
  for (const path of [...programs.map((name) => join(bin, name)), join(bin, '..', 'nvvm', 'bin', 'cicc')])
    await chmod(path, 0o755);
  await refuseOthers(target);
  await ifThere(rename(target, join(work, 'replaced')));
  await rename(tree, target);
  await removeWheels(CUDA_KIT, wheels);
}

/** The kit from the cache. Fetches it where there is none; one process at a time. Throws E_LIBTORCH. */
export async function requireKit(options: KitOptions = {}): Promise<CudaKit> {
  const env = options.env ?? process.env;
  const cache = await privateCache(env);
  return withLock(
    join(cache, 'cuda-kit.lock'),
    async (work) => {
      const before = await findKit(env);
      if (before) return before;
      await fetchInto(cache, { target: kitDirectory(env), work }, options);
      const kit = await findKit(env);
      if (kit) return kit;
      throw new SplitgrowError('E_LIBTORCH', `${kitDirectory(env)} was filled but holds no nvcc`);
    },
    {
      signal: options.signal,
      onWait: () => options.onProgress?.('waiting for another process that fetches it'),
    },
  );
}
