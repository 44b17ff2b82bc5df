// Fetches a release into the cache: downloads, checks, unpacks beside the target, and renames it into place.

import { mkdir, readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import type { Environment } from '../environment.js';
import { ifThere, requireSpace } from '../files/folder.js';
import { downloadWheels, missingBytes, removeWheels, verifyWheels } from './fetch.js';
import { LIBTORCH_VERSION, RELEASES, REMEDIES, type Release } from './pinned.js';
import { CUDA_RELEASES } from './pinned-gpu.js';
import { unpack } from './unpack-wheels.js';

/** How far set-up is. */
export interface SetupProgress {
  /** Waiting for another process, downloading, checking hashes, unpacking, opening. */
  readonly phase: 'wait' | 'download' | 'verify' | 'unpack' | 'open';
  /** A file, or what there is to say. */
  readonly message: string;
  /** Bytes done and in all; 0 of 0 where there is nothing to count. */
  readonly done: number;
  /** Bytes in all. */
  readonly total: number;
}

export interface InstallOptions {
  readonly env: Environment;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: SetupProgress) => void) | undefined;
}

/** Room for what is not counted: directories, and what a file system needs for itself. */
const SPARE_BYTES = 50_000_000;

/** The release for a machine. Throws E_LIBTORCH where none is pinned for it. */
export function releaseHere(hasCuda = false, key = `${process.platform}-${process.arch}`): Release {
  const release = (hasCuda ? CUDA_RELEASES : RELEASES)[key];
  if (release) return release;
  throw new SplitgrowError(
    'E_LIBTORCH',
    `no LibTorch is pinned for ${key} (there is one for ${Object.keys(RELEASES).join(', ')}); ` +
      `install PyTorch ${LIBTORCH_VERSION} with: python3 -m pip install torch==${LIBTORCH_VERSION}`,
  );
}

/** Bytes of all wheels of a release. */
export function wheelBytes(release: Release): number {
  return release.wheels.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** True for the name of a folder that unpacking makes: a package, or the metadata of one. */
const isUnpacked = (name: string): boolean => /^(torch|nvidia)$|\.dist-info$/.test(name);

/** Refuses a target folder of somebody else. A folder that set-up unpacked may be replaced. @throws E_WRITE */
export async function refuseOthers(target: string): Promise<void> {
  const other = (await ifThere(readdir(target)))?.find((name) => !isUnpacked(name));
  if (other === undefined) return;
  throw new SplitgrowError(
    'E_WRITE',
    `${target}: expected nothing, or what an earlier set-up unpacked, found "${other}" in it; ` +
      'move it away, or set SPLITGROW_CACHE to another folder',
  );
}

/** The folders that installing a release uses. */
export interface InstallPlace {
  readonly target: string;
  readonly wheels: string;
  /** A folder of this process alone, on the disk of `target`; somebody else clears it. */
  readonly work: string;
}

/**
 * Installs a release in `target`, which is then complete or unchanged. Wheels stay in `wheels` until it is in place, so that
 * the next attempt can continue after a stop, a failure or a kill. The caller holds the lock of the cache.
 * @throws E_LIBTORCH, E_WRITE
 */
export async function install(
  release: Release,
  { target, wheels, work }: InstallPlace,
  options: InstallOptions,
): Promise<void> {
  const total = wheelBytes(release);
  const tell = (phase: SetupProgress['phase'], message: string, done: number, of: number): void =>
    options.onProgress?.({ phase, message, done: Math.min(done, of), total: of });
  await refuseOthers(target);
  // Room for the wheels that are missing and for what is unpacked.
  const needed = release.unpackedBytes + (await missingBytes(release, wheels)) + SPARE_BYTES;
  await requireSpace(
    dirname(target),
    needed,
    `free some, or set SPLITGROW_CACHE to a larger place and run: ${REMEDIES.setup}`,
  );
  const what = `LibTorch ${LIBTORCH_VERSION}`;
  tell('download', what, total - (await missingBytes(release, wheels)), total);
  await downloadWheels(release, wheels, options, (done) => tell('download', what, done, total));
  await verifyWheels(release, wheels, options, (done) =>
    tell('verify', 'SHA-256 of the wheels', done, total),
  );
  const tree = join(work, 'tree');
  await mkdir(tree);
  const { unpackedBytes } = release;
  await unpack(release, { wheels, tree }, options, (done) => tell('unpack', target, done, unpackedBytes));
  await refuseOthers(target);
  await ifThere(rename(target, join(work, 'replaced')));
  await rename(tree, target);
  await removeWheels(release, wheels);
}
