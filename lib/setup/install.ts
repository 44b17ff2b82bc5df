// setup(): fetches the pinned wheels with pip, checks their hashes, and unpacks LibTorch into the cache.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { SplitgrowError } from '../errors.js';
import { pipDownload, unpack } from './fetch.js';
import { cacheDirectory, type Environment, installDirectory, type LibTorch, locate } from './locate.js';
import { withLock } from './lock.js';
import { LIBTORCH_VERSION, RELEASES, REMEDIES, type Release, type Wheel } from './pinned.js';

export interface SetupProgress {
  readonly phase: 'wait' | 'download' | 'verify' | 'unpack';
  readonly message: string;
  /** Bytes done and in all; 0 of 0 while waiting. */
  readonly done: number;
  readonly total: number;
}

export interface SetupOptions {
  /** Not available yet. */
  readonly cuda?: boolean;
  /** Fetch into the cache even where a usable LibTorch is found elsewhere. */
  readonly force?: boolean;
  readonly onProgress?: (progress: SetupProgress) => void;
  readonly signal?: AbortSignal | undefined;
  readonly env?: Environment;
}

export interface SetupResult {
  readonly libtorch: LibTorch;
  /** False when it was there already. */
  readonly isNew: boolean;
}

/** The release for this machine. */
export function releaseHere(key = `${process.platform}-${process.arch}`): Release {
  const release = RELEASES[key];
  if (release) return release;
  throw new SplitgrowError(
    'E_LIBTORCH',
    `no LibTorch is pinned for ${key} (there is one for ${Object.keys(RELEASES).join(', ')}); ` +
      `install PyTorch ${LIBTORCH_VERSION} with: python3 -m pip install torch==${LIBTORCH_VERSION}`,
  );
}

async function sha256(file: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20, signal })) hash.update(chunk);
  return hash.digest('hex');
}

/** Throws unless `folder` holds the wheel with exactly the pinned bytes. */
export async function verifyWheel(folder: string, wheel: Wheel, signal?: AbortSignal): Promise<void> {
  const file = join(folder, wheel.file);
  const size = await stat(file).then(
    (found) => found.size,
    () => -1,
  );
  const problem =
    size < 0
      ? `pip did not leave ${wheel.file}`
      : size !== wheel.bytes
        ? `${wheel.file} has ${size} bytes, expected ${wheel.bytes}`
        : (await sha256(file, signal)) !== wheel.sha256
          ? `${wheel.file} does not have the pinned SHA-256 ${wheel.sha256}`
          : null;
  if (problem === null) return;
  throw new SplitgrowError(
    'E_LIBTORCH',
    `${problem}; nothing was installed; check pip's index settings (python3 -m pip config list) and run: ${REMEDIES.setup}`,
  );
}

/** Room for the wheels and for what is unpacked from them. */
async function requireSpace(folder: string, release: Release): Promise<void> {
  const needed = release.unpackedBytes + 2 * release.wheels.reduce((sum, wheel) => sum + wheel.bytes, 0);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= needed) return;
  throw new SplitgrowError(
    'E_WRITE',
    `${folder} has ${Math.floor(free / 1e6)} MB free, expected ${Math.ceil(needed / 1e6)} MB; ` +
      `free some, or set SPLITGROW_CACHE to a larger place and run: ${REMEDIES.setup}`,
  );
}

/** Downloads, checks and unpacks into a temporary folder, and renames it into place. */
async function install(cache: string, target: string, options: SetupOptions): Promise<void> {
  const release = releaseHere();
  // The lock is held: whatever is left of earlier attempts has no owner.
  for (const name of await readdir(cache)) {
    if (name.startsWith('.setup-')) await rm(join(cache, name), { recursive: true, force: true });
  }
  await requireSpace(cache, release);
  const work = await mkdtemp(join(cache, '.setup-'));
  try {
    const wheels = join(work, 'wheels');
    const tree = join(work, 'tree');
    await mkdir(wheels);
    await mkdir(tree);
    const total = release.wheels.reduce((sum, wheel) => sum + wheel.bytes, 0);
    await pipDownload(release, { work, wheels, signal: options.signal }, (done) =>
      options.onProgress?.({
        phase: 'download',
        message: `LibTorch ${LIBTORCH_VERSION}`,
        done: Math.min(done, total),
        total,
      }),
    );
    let checked = 0;
    for (const wheel of release.wheels) {
      options.onProgress?.({ phase: 'verify', message: wheel.requirement, done: checked, total });
      await verifyWheel(wheels, wheel, options.signal);
      checked += wheel.bytes;
    }
    await unpack(release, { wheels, tree, signal: options.signal }, (done) =>
      options.onProgress?.({
        phase: 'unpack',
        message: target,
        done: Math.min(done, release.unpackedBytes),
        total: release.unpackedBytes,
      }),
    );
    // What is in the way did not pass as a LibTorch, or was to be replaced.
    await rename(target, join(work, 'replaced')).catch(() => {});
    await rename(tree, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Makes LibTorch available: nothing to do where one is found, else fetched into the cache, once for all processes. */
export async function setup(options: SetupOptions = {}): Promise<SetupResult> {
  const env = options.env ?? process.env;
  if (options.cuda) {
    throw new SplitgrowError(
      'E_LIBTORCH',
      `setup --cuda is not available in this version; for a GPU install PyTorch ${LIBTORCH_VERSION} with: ` +
        `python3 -m pip install torch==${LIBTORCH_VERSION}`,
    );
  }
  const before = locate(env).found;
  if (before && !options.force) return { libtorch: before, isNew: false };

  const cache = cacheDirectory(env);
  const target = installDirectory(env);
  const inCache: Environment = { ...env, SPLITGROW_LIBTORCH: join(target, 'torch') };
  try {
    return await withLock(
      join(cache, 'setup.lock'),
      async () => {
        // Another process may have finished while this one waited.
        const meanwhile = locate(inCache).found;
        if (meanwhile && !options.force) return { libtorch: { ...meanwhile, source: 'cache' }, isNew: false };
        await install(cache, target, options);
        const { found, tried } = locate(inCache);
        if (!found)
          throw new SplitgrowError(
            'E_LIBTORCH',
            `LibTorch was unpacked but is not usable (${tried.join('; ')})`,
          );
        return { libtorch: { ...found, source: 'cache' }, isNew: true };
      },
      {
        signal: options.signal,
        onWait: (owner) =>
          options.onProgress?.({
            phase: 'wait',
            message: `waiting for process ${owner?.pid ?? 'unknown'}, which is setting up LibTorch`,
            done: 0,
            total: 0,
          }),
      },
    );
  } catch (error) {
    if (error instanceof SplitgrowError) throw error;
    if (options.signal?.aborted)
      throw new SplitgrowError('E_ABORTED', 'setup was aborted; nothing was installed', { cause: error });
    const reason = error instanceof Error ? error.message : String(error);
    throw new SplitgrowError('E_WRITE', `cannot set up LibTorch in ${cache}: ${reason}`, { cause: error });
  }
}
