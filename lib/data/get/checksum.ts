// Sizes and checksums of files on disk, against what the table of sources says.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseStrictJson } from '../../machine/files/json.js';
import { readWhole } from '../../machine/files/text-file.js';
import { placesIn } from './places.js';
import { type DataSource, filesOf, type RemoteFile } from './sources.js';

export interface Checksums {
  readonly md5: string;
  readonly sha256: string;
}

const CHUNK = 1 << 20;

export async function checksumsOf(path: string, signal?: AbortSignal): Promise<Checksums> {
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK, signal })) {
    md5.update(chunk);
    sha256.update(chunk);
  }
  return { md5: md5.digest('hex'), sha256: sha256.digest('hex') };
}

/** Bytes of a file, or null where there is none. */
export async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    (found) => (found.isFile() ? found.size : null),
    () => null,
  );
}

/** What is not as the table says, or null: size, then both checksums. */
export async function faultOf(path: string, file: RemoteFile, signal?: AbortSignal): Promise<string | null> {
  const bytes = await sizeOf(path);
  if (bytes !== file.bytes) return `expected ${file.bytes} bytes, found ${bytes ?? 'no file'}`;
  const { md5, sha256 } = await checksumsOf(path, signal);
  if (sha256 !== file.sha256) return `expected SHA-256 ${file.sha256}, found ${sha256}`;
  return md5 === file.md5 ? null : `expected MD5 ${file.md5}, found ${md5}`;
}

/** Written beside what was unpacked from an archive whose checksum was right. */
export interface Receipt {
  readonly format: 'splitgrow-data/1';
  readonly name: string;
  readonly archive: { readonly file: string; readonly sha256: string };
  /** SHA-256 by file name. */
  readonly files: Readonly<Record<string, string>>;
}

export const RECEIPT_FILE = 'splitgrow-data.json';

/** The SHA-256 by file name that a receipt of this very archive states; empty without one. */
async function receiptIn(folder: string, source: DataSource): Promise<Readonly<Record<string, unknown>>> {
  try {
    const { archive, files } = parseStrictJson(await readWhole(join(folder, RECEIPT_FILE))) as Receipt;
    return archive.sha256 === source.files[0]?.sha256 && typeof files === 'object' ? files : {};
  } catch {
    return {};
  }
}

/** A file of a dataset on this machine. */
export interface FileState {
  /** Its name. */
  readonly file: string;
  /** On disk; null where it is missing. */
  readonly bytes: number | null;
  /** Whether it is there, whole and right. */
  readonly state: 'there' | 'missing' | 'wrong';
}

/** By size alone. */
export async function sizesIn(folder: string, source: DataSource): Promise<readonly FileState[]> {
  return Promise.all(
    filesOf(source).map(async ({ file, bytes: wanted }) => {
      const bytes = await sizeOf(join(folder, file));
      return { file, bytes, state: bytes === null ? 'missing' : bytes === wanted ? 'there' : 'wrong' };
    }),
  );
}

/** By size and checksum: the table's, or the one that was noted when a right archive was unpacked. */
export async function statesIn(
  folder: string,
  source: DataSource,
  signal?: AbortSignal,
): Promise<readonly FileState[]> {
  const noted = await receiptIn(folder, source);
  const states: FileState[] = [];
  for (const [i, found] of (await sizesIn(folder, source)).entries()) {
    if (found.state === 'there') {
      const { md5, sha256 } = await checksumsOf(join(folder, found.file), signal);
      const isRight = md5 === filesOf(source)[i]?.md5 || sha256 === noted[found.file];
      states.push(isRight ? found : { ...found, state: 'wrong' });
    } else states.push(found);
  }
  return states;
}

/** The place below `root` that has every file, right to the last bit; null where none has. */
export async function wholeIn(
  root: string,
  source: DataSource,
  signal?: AbortSignal,
): Promise<string | null> {
  for (const folder of placesIn(root, source)) {
    // Sizes first: they tell most incomplete folders without reading 180 MB.
    if ((await sizesIn(folder, source)).some(({ state }) => state !== 'there')) continue;
    if ((await statesIn(folder, source, signal)).every(({ state }) => state === 'there')) return folder;
  }
  return null;
}
