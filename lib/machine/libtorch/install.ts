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

/** Beside what is counted: directories, and a file system's own needs. */
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

/** True for what unpacking wheels makes: packages, and what pip says of them. */
const isUnpacked = (name: string): boolean => /^(torch|nvidia)$|\.dist-info$/.test(name);

/** What is in the way is removed where it did not pass as a LibTorch, or is to be replaced; not so a folder of somebody else. @throws E_WRITE */
export async function refuseOthers(target: string): Promise<void> {
  const other = (await ifThere(readdir(target)))?.find((name) => !isUnpacked(name));
  if (other === undefined) return;
  throw new SplitgrowError(
    'E_WRITE',
    `${target}: expected nothing, or what an earlier set-up unpacked, found "${other}" in it; ` +
      'move it away, or set SPLITGROW_CACHE to another folder',
  );
}

/** Where a release is put, by whom and out of what. */
export interface InstallPlace {
  readonly target: string;
  readonly wheels: string;
  /** A folder of this process alone, on the disk of `target`; somebody else clears it. */
  readonly work: string;
}

/**
 * Puts a release into `target`, whole or not at all. Wheels stay in `wheels` until it is in place, so that the next attempt
 * goes on after a stop, a failure or a kill. The caller holds the lock of the cache. Throws E_LIBTORCH and E_WRITE.
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
