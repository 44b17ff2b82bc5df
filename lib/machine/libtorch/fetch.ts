// Wheels on their way into the cache: found by pip's settings, downloaded with resumption, checked; unpack-wheels.ts unpacks them.
import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isSplitgrowError, reasonOf, SplitgrowError } from '../../errors.js';
import { DiskError, download } from '../download/download.js';
import { type Client, openClient } from '../download/http.js';
import { type Link, linksOf } from '../download/package-index.js';
import { type PipSettings, readPipSettings } from '../download/pip-settings.js';
import type { Environment } from '../environment.js';
import { makeFolder, writeFileAtomic } from '../files/atomic.js';
import { digestOf, sizeOf } from '../files/digest.js';
import { refuseLink } from '../files/file.js';
import { codeOf, ifThere } from '../files/folder.js';
import { REMEDIES, type Release, type Wheel } from './pinned.js';

/** Bytes done of the whole. */
type OnBytes = (done: number) => void;

export interface FetchOptions {
  readonly env?: Environment | undefined;
  readonly signal?: AbortSignal | undefined;
}

const KEPT = 'what was downloaded is kept';
export const CHECK_INDEX = `check pip's index settings (python3 -I -m pip config list) and run: ${REMEDIES.setup}`;
const CHECK_NETWORK = `${KEPT}; check the network and run: ${REMEDIES.setup}`;
/** What the system says where a disk or a quota is full. */
export const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];

export function notDownloaded(reason: string, remedy: string): SplitgrowError {
  return new SplitgrowError('E_LIBTORCH', `LibTorch could not be downloaded: ${reason}; ${remedy}`);
}

export function notWritten(error: unknown): SplitgrowError {
  return new SplitgrowError(
    'E_WRITE',
    `a wheel could not be written: ${reasonOf(error)}; ${KEPT}; free some space, or set SPLITGROW_CACHE to a larger place, and run: ${REMEDIES.setup}`,
    { cause: error },
  );
}

/** How `file` differs from the pinned wheel, in size or SHA-256; null where it does not. */
export async function faultOfWheel(
  file: string,
  wheel: Wheel,
  signal?: AbortSignal,
  onBytes: OnBytes = () => {},
): Promise<string | null> {
  const size = await sizeOf(file);
  if (size === null) return `there is no ${wheel.file}`;
  if (size !== wheel.bytes) return `${wheel.file} has ${size} bytes, expected ${wheel.bytes}`;
  const { sha256 } = await digestOf(file, { signal, onBytes });
  if (sha256 === wheel.sha256) return null;
  return `${wheel.file} has SHA-256 ${sha256}, not the pinned ${wheel.sha256}`;
}

/** A file in each folder for wheels that set-up made. Wheels in such a folder may be removed. */
const RECORD = 'splitgrow-wheels.json';

async function isOurs(folder: string): Promise<boolean> {
  return (await ifThere(lstat(join(folder, RECORD))))?.isFile() === true;
}

async function makeWheelFolder(folder: string): Promise<void> {
  if ((await ifThere(lstat(folder))) !== null) return;
  await makeFolder(folder);
  await writeFileAtomic(join(folder, RECORD), '{"format":"splitgrow-wheels/1"}\n');
}

/** Bytes of a release that are still to be downloaded into `folder`. */
export async function missingBytes(release: Release, folder: string): Promise<number> {
  let missing = 0;
  for (const { file, bytes } of release.wheels) {
    const sizes = [await sizeOf(join(folder, file)), await sizeOf(join(folder, `${file}.part`))];
    missing += Math.max(0, bytes - Math.max(sizes[0] ?? 0, sizes[1] ?? 0));
  }
  return missing;
}

/** Where packages are looked for, and a client that asks there. */
export interface Shelf {
  readonly settings: PipSettings;
  readonly client: Client;
  readonly signal: AbortSignal | undefined;
}

/** Links to a wheel: first those with the pinned SHA-256, then those with its name and no SHA-256. Throws E_LIBTORCH where there is none. */
export async function linksTo(wheel: Wheel, { settings, client, signal }: Shelf): Promise<readonly Link[]> {
  const project = wheel.requirement.split('==')[0] ?? '';
  const { links, faults } = await linksOf(project, settings, { client, signal });
  const pinned = links.filter(({ sha256 }) => sha256 === wheel.sha256);
  const unstated = links.filter(({ name, sha256 }) => sha256 === null && name === wheel.file);
  if (pinned.length + unstated.length > 0) return [...pinned, ...unstated];
  if (faults.length > 0) throw notDownloaded(faults.join('; '), CHECK_NETWORK);
  const isOther = links.some(({ name }) => name === wheel.file);
  throw notDownloaded(
    `pip's index has no ${wheel.file}${isOther ? ` with SHA-256 ${wheel.sha256}` : ''}`,
    CHECK_INDEX,
  );
}

async function copyWheel(
  from: URL,
  part: string,
  signal: AbortSignal | undefined,
  onBytes: OnBytes,
): Promise<void> {
  await refuseLink(part);
  await pipeline(
    createReadStream(from, { highWaterMark: 1 << 20 }),
    // Counted inside the pipeline: a listener outside it would start the reading before anything writes.
    async function* (chunks: AsyncIterable<Buffer>) {
      let done = 0;
      for await (const chunk of chunks) {
        done += chunk.length;
        onBytes(done);
        yield chunk;
      }
    },
    createWriteStream(part),
    { signal },
  );
}

/** Downloads a wheel to `<file>.part`. Only its size is compared. */
export async function fetchWheel(wheel: Wheel, part: string, shelf: Shelf, onBytes: OnBytes): Promise<void> {
  const { client, signal } = shelf;
  if ((await sizeOf(part)) === wheel.bytes) return;
  const links = await linksTo(wheel, shelf);
  try {
    const local = links.find(({ url }) => url.protocol === 'file:');
    if (local !== undefined) return await copyWheel(local.url, part, signal, onBytes);
    const urls = links.map(({ url }) => url.href);
    const { file, bytes } = wheel;
    await download({ file, bytes, urls }, part, CHECK_NETWORK, { client, signal, onBytes });
  } catch (error) {
    signal?.throwIfAborted();
    if (isSplitgrowError(error) && error.code === 'E_DOWNLOAD')
      throw new SplitgrowError('E_LIBTORCH', `LibTorch could not be downloaded: ${error.message}`, {
        cause: error,
      });
    if (error instanceof DiskError || FULL.includes(codeOf(error))) throw notWritten(error);
    throw error;
  }
}

export async function withShelf<T>(
  { env, signal }: FetchOptions,
  work: (shelf: Shelf) => Promise<T>,
): Promise<T> {
  const variables = env ?? process.env;
  const settings = await readPipSettings(variables, signal);
  await using client = await openClient(variables, settings.client);
  return await work({ settings, client, signal });
}

/**
 * Downloads the missing wheels of a release into `folder`. Continues parts of earlier attempts, and leaves complete wheels
 * alone. Nothing is checked yet. After an error, an abort or a kill, everything that was downloaded stays.
 * @throws E_LIBTORCH, or E_WRITE where the disk is full
 */
export async function downloadWheels(
  release: Release,
  folder: string,
  options: FetchOptions,
  onBytes: OnBytes,
): Promise<void> {
  await makeWheelFolder(folder);
  const missing: Wheel[] = [];
  let before = 0;
  for (const wheel of release.wheels) {
    if ((await sizeOf(join(folder, wheel.file))) === wheel.bytes) before += wheel.bytes;
    else missing.push(wheel);
  }
  if (missing.length === 0) return;
  await withShelf(options, async (shelf) => {
    for (const wheel of missing) {
      await fetchWheel(wheel, join(folder, `${wheel.file}.part`), shelf, (done) => onBytes(before + done));
      before += wheel.bytes;
      onBytes(before);
    }
  });
}

/** Compares every wheel with its pinned size and hash, and removes one that differs. Throws E_LIBTORCH. */
export async function verifyWheels(
  release: Release,
  folder: string,
  options: FetchOptions,
  onBytes: OnBytes,
): Promise<void> {
  let before = 0;
  for (const wheel of release.wheels) {
    const file = join(folder, wheel.file);
    const path = (await sizeOf(file)) === wheel.bytes ? file : `${file}.part`;
    const fault = await faultOfWheel(path, wheel, options.signal, (done) => onBytes(before + done));
    if (fault !== null) {
      const remedy = (await isOurs(folder)) ? '' : `remove ${path}; `;
      if (remedy === '') await rm(path, { force: true });
      throw new SplitgrowError('E_LIBTORCH', `${fault}; nothing was installed; ${remedy}${CHECK_INDEX}`);
    }
    if (path !== file) await rename(path, file);
    before += wheel.bytes;
  }
}

/** Removes the wheels of a release, and the folder if it is empty then. A folder that set-up did not make stays as it is. */
export async function removeWheels(release: Release, folder: string): Promise<void> {
  if (!(await isOurs(folder))) return;
  for (const { file } of release.wheels) {
    await rm(join(folder, file), { force: true });
    await rm(join(folder, `${file}.part`), { force: true });
  }
  if ((await readdir(folder)).some((name) => name !== RECORD)) return;
  await rm(join(folder, RECORD), { force: true });
  await rmdir(folder).catch(() => {});
}
