// Compares sizes and checksums of files on disk with the table of sources.
import { join } from 'node:path';
import { checksumsOf, sizeOf } from '../../machine/files/digest.js';
import { parseStrictJson } from '../../machine/files/json.js';
import { readWhole } from '../../machine/files/text-file.js';
import { placesIn } from './places.js';
import { type DataSource, filesOf } from './sources.js';

/** Written beside what was unpacked from an archive whose checksum was right. */
export interface Receipt {
  readonly format: 'splitgrow-data/1';
  readonly name: string;
  readonly archive: { readonly file: string; readonly sha256: string };
  /** SHA-256 by file name. */
  readonly files: Readonly<Record<string, string>>;
}

export const RECEIPT_FILE = 'splitgrow-data.json';

/** The SHA-256 of each file, by name, from the receipt of this archive. Empty where there is no such receipt. */
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
  /** Its size on disk; null where it is missing. */
  readonly bytes: number | null;
  /** Whether it is there, whole and right. */
  readonly state: 'there' | 'missing' | 'wrong';
}

/** The states of a dataset's files, judged by size alone. */
export async function sizesIn(folder: string, source: DataSource): Promise<readonly FileState[]> {
  return Promise.all(
    filesOf(source).map(async ({ file, bytes: wanted }) => {
      const bytes = await sizeOf(join(folder, file));
      return { file, bytes, state: bytes === null ? 'missing' : bytes === wanted ? 'there' : 'wrong' };
    }),
  );
}

/** The states of a dataset's files, judged by size and checksum. The checksum is the table's, or the receipt's of an unpacked archive. */
export async function statesIn(
  folder: string,
  source: DataSource,
  signal?: AbortSignal,
): Promise<readonly FileState[]> {
  const noted = await receiptIn(folder, source);
  const states: FileState[] = [];
  for (const [i, found] of (await sizesIn(folder, source)).entries()) {
    if (found.state === 'there') {
      const { md5, sha256 } = await checksumsOf(join(folder, found.file), { signal });
      const isRight = md5 === filesOf(source)[i]?.md5 || sha256 === noted[found.file];
      states.push(isRight ? found : { ...found, state: 'wrong' });
    } else states.push(found);
  }
  return states;
}

/** The place below `root` that has every file with the right checksum; null where there is none. */
export async function wholeIn(
  root: string,
  source: DataSource,
  signal?: AbortSignal,
): Promise<string | null> {
  for (const folder of placesIn(root, source)) {
    // Sizes are compared first: most incomplete folders are found without reading 180 MB.
    if ((await sizesIn(folder, source)).some(({ state }) => state !== 'there')) continue;
    if ((await statesIn(folder, source, signal)).every(({ state }) => state === 'there')) return folder;
  }
  return null;
}
