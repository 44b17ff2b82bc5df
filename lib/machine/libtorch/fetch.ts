// Wheels on their way into the cache: downloaded by pip's settings, resumed, checked, unpacked.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import type { Environment } from '../environment.js';
import { makeFolder, writeFileAtomic } from '../files/atomic.js';
import { ifThere } from '../files/folder.js';
import { lastWords, python } from '../process/python.js';
import { FETCH, FETCH_EXIT } from './fetch-script.js';
import { REMEDIES, type Release, type Wheel } from './pinned.js';
import { MEMBERS, UNPACK } from './unpack-script.js';

/** Bytes done of the whole. */
type OnBytes = (done: number) => void;

export interface FetchOptions {
  readonly env?: Environment | undefined;
  readonly signal?: AbortSignal | undefined;
}

const KEPT = 'what was downloaded is kept';
const CHECK_INDEX = `check pip's index settings (python3 -I -m pip config list) and run: ${REMEDIES.setup}`;

function failed(what: string, reason: string, remedy: string): SplitgrowError {
  return new SplitgrowError('E_LIBTORCH', `${what}: ${reason}; ${remedy}`);
}

/** pip's options that choose the files of a release on any machine. */
function pipOptions({ python: version, platforms }: Release): readonly string[] {
  return [
    ...['--no-input', '--no-deps', '--no-cache-dir', '--disable-pip-version-check', '--only-binary=:all:'],
    ...['--python-version', version, '--implementation', 'cp', '--abi', `cp${version.replace('.', '')}`],
    ...platforms.flatMap((platform) => ['--platform', platform]),
  ];
}

function fetchError(code: number, errors: string): SplitgrowError {
  const words = lastWords(errors);
  if (code === FETCH_EXIT.noPip)
    return failed(
      'pip is missing',
      'python3 has no module pip',
      'install it, for example: sudo apt-get install python3-pip',
    );
  if (code === FETCH_EXIT.disk)
    return new SplitgrowError(
      'E_WRITE',
      `a wheel could not be written: ${words}; ${KEPT}; free some space, or set SPLITGROW_CACHE to a larger place, and run: ${REMEDIES.setup}`,
    );
  if (code === FETCH_EXIT.notInIndex) return failed('pip could not download LibTorch', words, CHECK_INDEX);
  return failed(
    'pip could not download LibTorch',
    words,
    `${KEPT}; check the network and run: ${REMEDIES.setup}`,
  );
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    (found) => found.size,
    () => -1,
  );
}

async function sha256(file: string, signal: AbortSignal | undefined, onBytes: OnBytes): Promise<string> {
  const hash = createHash('sha256');
  let done = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20, signal })) {
    hash.update(chunk);
    done += chunk.length;
    onBytes(done);
  }
  return hash.digest('hex');
}

/** What keeps `file` from being the wheel with exactly the pinned bytes; null where nothing does. */
export async function faultOfWheel(
  file: string,
  wheel: Wheel,
  signal?: AbortSignal,
  onBytes: OnBytes = () => {},
): Promise<string | null> {
  const size = await sizeOf(file);
  if (size < 0) return `there is no ${wheel.file}`;
  if (size !== wheel.bytes) return `${wheel.file} has ${size} bytes, expected ${wheel.bytes}`;
  const found = await sha256(file, signal, onBytes);
  if (found === wheel.sha256) return null;
  return `${wheel.file} has SHA-256 ${found}, not the pinned ${wheel.sha256}`;
}

/** In a folder for wheels that set-up made: what is in it by a wheel's name may be removed. */
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
    const size = Math.max(await sizeOf(join(folder, file)), await sizeOf(join(folder, `${file}.part`)), 0);
    missing += Math.max(0, bytes - size);
  }
  return missing;
}

/**
 * Downloads into `folder` what is missing of a release. Parts of earlier attempts are gone on with, whole wheels left
 * alone; nothing is checked yet. Throws E_LIBTORCH, or E_WRITE where the disk is full; then, and after an abort or a kill,
 * what came so far stays.
 */
export async function downloadWheels(
  release: Release,
  folder: string,
  options: FetchOptions,
  onBytes: OnBytes,
): Promise<void> {
  await makeWheelFolder(folder);
  const missing: Wheel[] = [];
  let there = 0;
  for (const wheel of release.wheels) {
    if ((await sizeOf(join(folder, wheel.file))) === wheel.bytes) there += wheel.bytes;
    else missing.push(wheel);
  }
  if (missing.length === 0) return;
  const job = { folder, options: pipOptions(release), wheels: missing };
  const done = new Map<number, number>();
  const { code, errors } = await python(FETCH, [JSON.stringify(job)], {
    ...options,
    onLine: (line) => {
      const [position, bytes] = line.split(' ').map(Number);
      if (position === undefined || bytes === undefined || !(position >= 0 && bytes >= 0)) return;
      done.set(position, bytes);
      onBytes(there + [...done.values()].reduce((sum, one) => sum + one, 0));
    },
  });
  if (code !== 0) throw fetchError(code, errors);
}

/** Compares every wheel with its pinned size and hash; one that differs is removed. Throws E_LIBTORCH. */
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

/** Removes the wheels of a release, and the folder where nothing else is in it; a folder that set-up did not make stays as it is. */
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

/** Unpacks what the release keeps of each wheel and syncs it; zipfile checks every member's CRC. */
export async function unpack(
  release: Release,
  place: { readonly wheels: string; readonly tree: string },
  options: FetchOptions,
  onBytes: OnBytes,
): Promise<void> {
  const pairs = release.wheels.flatMap((wheel) => [join(place.wheels, wheel.file), wheel.keep.join('|')]);
  const { code, errors } = await python(UNPACK, [place.tree, ...pairs], {
    ...options,
    onLine: (line) => onBytes(Number(line)),
  });
  if (code === 0) return;
  if (code === FETCH_EXIT.disk) throw fetchError(code, errors);
  throw failed('LibTorch could not be unpacked', lastWords(errors), `run: ${REMEDIES.setup}`);
}

/** Puts the members that `keep` (Python's expressions) names into `tree`, with little more than their own bytes. */
export async function pipMembers(
  wheels: readonly { readonly requirement: string; readonly keep: string }[],
  place: { readonly work: string; readonly tree: string },
  options: FetchOptions,
): Promise<void> {
  const pairs = wheels.flatMap(({ requirement, keep }) => [requirement, keep]);
  const { code, errors } = await python(MEMBERS, [place.tree, join(place.work, 'whole'), ...pairs], {
    ...options,
    env: { ...(options.env ?? process.env), TMPDIR: place.work },
  });
  if (code !== 0) throw failed('pip could not read headers', lastWords(errors), 'check the network');
}
