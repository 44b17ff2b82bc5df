// Unpacks a .tar.gz safely: only files that the table names, none larger than the table says, no links, and nothing outside the target folder.

import { createReadStream } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { isSplitgrowError, reasonOf, SplitgrowError } from '../../errors.js';
import { sizeOf } from '../../machine/files/digest.js';
import type { Archive } from './sources.js';

/** No name list or readme is larger. */
const TEXT_BYTES = 1 << 16;
/** Room for headers, padding, and texts that are not kept. */
const SLACK_BYTES = 1 << 20;
const FILES: readonly string[] = ['File', 'OldFile', 'ContiguousFile'];
const MODE = 0o644;

function refusal(path: string, problem: string): SplitgrowError {
  return new SplitgrowError(
    'E_DOWNLOAD',
    `${path}: ${problem}; nothing was unpacked; this is not the official archive`,
  );
}

interface Entry {
  readonly path: string;
  readonly type: string;
  readonly size: number;
}

/** Why an entry must not be in an archive of data, or null. */
function faultOfEntry({ path, type, size }: Entry, archive: Archive, limit: number): string | null {
  if (/^([/\\]|[A-Za-z]:)/.test(path) || path.split(/[/\\]/).includes('..') || path.includes('\0'))
    return `the entry ${JSON.stringify(path)} leads out of the folder`;
  if (type === 'Directory') return null;
  if (!FILES.includes(type))
    return `expected files and folders, found ${JSON.stringify(path)} of type ${type}`;
  if (size > limit) return `${JSON.stringify(path)} has ${size} bytes, more than the ${limit} of all files`;
  const member = archive.members.find(
    ({ file }) => posix.join(archive.folder, file) === posix.normalize(path),
  );
  if (member !== undefined && size !== member.bytes)
    return `${JSON.stringify(path)} has ${size} bytes, expected ${member.bytes}`;
  return null;
}

/** Passes bytes on, up to a limit. */
function atMost(limit: number, path: string): Transform {
  let passed = 0;
  return new Transform({
    transform(chunk: Uint8Array, _, done) {
      passed += chunk.byteLength;
      if (passed > limit) done(refusal(path, `it unpacks to more than ${limit} bytes`));
      else done(null, chunk);
    },
  });
}

/**
 * Unpacks the members and texts of the archive at `path` into `target`, which
 * must be an empty folder.
 * @throws E_DOWNLOAD for an entry that is no plain file or folder, leads out of
 * the folder or has another size than the table's, for more bytes than all
 * files together, for a missing member, and for what is no .tar.gz
 */
export async function unpack(
  path: string,
  target: string,
  archive: Archive,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onBytes?: ((done: number) => void) | undefined;
  } = {},
): Promise<void> {
  const { extract } = await import('tar');
  const inner = join(target, archive.folder);
  const kept = [...archive.members.map(({ file }) => file), ...archive.texts];
  const wanted = new Set(kept.map((file) => posix.join(archive.folder, file)));
  const limit = archive.members.reduce((sum, { bytes }) => sum + bytes, SLACK_BYTES);
  const seen = new Set<string>();
  let problem: SplitgrowError | null = null;
  let unpacked = 0;
  const isTaken = (entry: Entry): boolean => {
    const name = posix.normalize(entry.path);
    const fault = seen.has(name)
      ? `it has ${JSON.stringify(name)} twice`
      : faultOfEntry(entry, archive, limit);
    if (fault !== null) problem ??= refusal(path, fault);
    if (problem !== null || entry.type === 'Directory' || !wanted.has(name)) return false;
    if (archive.texts.includes(posix.basename(name)) && entry.size > TEXT_BYTES) return false;
    seen.add(name);
    unpacked += entry.size;
    options.onBytes?.(unpacked);
    return true;
  };
  await mkdir(inner);
  try {
    await pipeline(
      createReadStream(path),
      createGunzip(),
      atMost(limit, path),
      extract({
        cwd: target,
        strict: true,
        preserveOwner: false,
        noMtime: true,
        filter: (_, entry) => isTaken(entry as unknown as Entry),
      }),
      { signal: options.signal },
    );
  } catch (error) {
    options.signal?.throwIfAborted();
    if (isSplitgrowError(error)) throw error;
    throw problem ?? refusal(path, `it is no whole .tar.gz (${reasonOf(error)})`);
  }
  if (problem !== null) throw problem;
  for (const { file, bytes } of archive.members) {
    const found = await sizeOf(join(inner, file));
    if (found !== bytes)
      throw refusal(path, `expected ${file} of ${bytes} bytes in it, found ${found ?? 'none'}`);
  }
  for (const file of await readdir(inner)) {
    await chmod(join(inner, file), MODE);
    await rename(join(inner, file), join(target, file));
  }
  await rm(inner, { recursive: true });
}
