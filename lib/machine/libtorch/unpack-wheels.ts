// Takes the files that a release keeps out of its wheels: out of downloaded ones, or out of ones that stay on their server.
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf, SplitgrowError } from '../../errors.js';
import { syncTree } from '../files/atomic.js';
import { codeOf } from '../files/folder.js';
import { unzip, unzipByRanges } from '../files/zip.js';
import { run } from '../process/run.js';
import {
  CHECK_INDEX,
  type FetchOptions,
  FULL,
  faultOfWheel,
  fetchWheel,
  linksTo,
  notDownloaded,
  notWritten,
  type Shelf,
  withShelf,
} from './fetch.js';
import { REMEDIES, type Release, type Wheel } from './pinned.js';

/** A pattern that fits whole names. */
function wholeName(keep: readonly string[]): RegExp {
  return new RegExp(`^(?:${keep.join('|')})$`);
}

/** Syncs a tree. Uses the program `sync` where it works: with many small files it is much faster than one sync for each. */
async function syncFiles(tree: string, { env, signal }: FetchOptions): Promise<void> {
  const { fault } = await run('sync', ['-f', tree], { env, signal });
  if (fault !== null) await syncTree(tree);
}

/** Unpacks what the release keeps of each wheel, checks every member's CRC, and syncs the files. */
export async function unpack(
  release: Release,
  place: { readonly wheels: string; readonly tree: string },
  options: FetchOptions,
  onBytes: (done: number) => void,
): Promise<void> {
  let done = 0;
  const onPiece = (bytes: number): void => {
    done += bytes;
    onBytes(done);
  };
  try {
    for (const { file, keep } of release.wheels)
      await unzip(join(place.wheels, file), wholeName(keep), place.tree, { signal: options.signal, onPiece });
    await syncFiles(place.tree, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (FULL.includes(codeOf(error))) throw notWritten(error);
    throw new SplitgrowError(
      'E_LIBTORCH',
      `LibTorch could not be unpacked: ${reasonOf(error)}; run: ${REMEDIES.setup}`,
      { cause: error },
    );
  }
}

/** Takes members out of a wheel that stays on its server. Fails where the server sends no ranges. */
async function takeByRanges(wheel: Wheel, url: URL, tree: string, { client, signal }: Shelf): Promise<void> {
  const read = async (start: number, end: number): Promise<AsyncIterable<Uint8Array>> => {
    const answer = await client.get(url.href, { from: start, to: end - 1, signal });
    if (answer.status === 206 && answer.range?.start === start) return answer.body;
    answer.drop();
    throw new Error(`HTTP ${answer.status} for bytes ${start} to ${end - 1}`);
  };
  await unzipByRanges({ bytes: wheel.bytes, read }, wholeName(wheel.keep), tree, { signal });
}

/** Moves the files of one tree into another, where none has the name of another. */
export async function moveInto(from: string, to: string): Promise<void> {
  for (const name of await readdir(from, { recursive: true })) {
    const path = join(from, name);
    if ((await stat(path)).isDirectory()) await mkdir(join(to, name), { recursive: true });
    else await rename(path, join(to, name));
  }
}

/**
 * Puts the members that wheels keep into `tree`. Downloads little more than the members' own bytes. Where a server sends no
 * ranges, the whole wheel is downloaded into `work`.
 * @throws E_LIBTORCH, E_WRITE
 */
export async function fetchMembers(
  wheels: readonly Wheel[],
  { work, tree }: { readonly work: string; readonly tree: string },
  options: FetchOptions,
): Promise<void> {
  await withShelf(options, async (shelf) => {
    for (const [i, wheel] of wheels.entries()) {
      const taken = join(work, `members-${i}`);
      await mkdir(taken);
      const url = (await linksTo(wheel, shelf)).find((link) => link.url.protocol !== 'file:')?.url;
      const isTaken =
        url !== undefined &&
        (await takeByRanges(wheel, url, taken, shelf).then(
          () => true,
          () => false,
        ));
      options.signal?.throwIfAborted();
      if (!isTaken) {
        await rm(taken, { recursive: true });
        await mkdir(taken);
        const part = join(work, wheel.file);
        await fetchWheel(wheel, part, shelf, () => {});
        const fault = await faultOfWheel(part, wheel, options.signal);
        if (fault !== null) throw notDownloaded(fault, CHECK_INDEX);
        await unzip(part, wholeName(wheel.keep), taken, { signal: options.signal });
      }
      await moveInto(taken, tree);
    }
  });
}
