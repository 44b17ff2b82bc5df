// The index of a folder of images. It holds what the headers of the images say, so that each is read once. It lies beside them or in the cache.
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, lstat, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { newId } from '../../machine/files/owner.js';
import { createCache } from '../../machine/libtorch/cache.js';
import type { ImageHeaders, TensorData } from '../../native/face.js';
import { readSafetensors, writeSafetensors } from '../safetensors.js';

/** One row a file; numbers as in ImageHeaders. */
export interface IndexTable extends Omit<ImageHeaders, 'problems' | 'warnings'> {
  readonly paths: readonly string[];
  /** Milliseconds since 1970. */
  readonly mtimes: Float64Array;
  /** 1 where the whole image was decoded, not the header alone. */
  readonly decoded: Uint8Array;
  /** By row: why a file is unreadable, or what the decoder warns of when it is readable. */
  readonly reasons: ReadonlyMap<number, string>;
}

export interface IndexLimits {
  readonly maxPixels: number;
  readonly maxScans: number;
}

/** Version 2 adds orientations of every number type and in XMP, and pictures that are read although the decoder warns. */
const VERSION = 2;
const NAME = '.splitgrow-index';
const ENDING = '.safetensors';

/** Where an index lies: in the folder itself, or in the cache if the folder cannot be written to. */
export async function indexPath(root: string): Promise<string> {
  const isWritable = await access(root, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (isWritable) return join(root, `${NAME}${ENDING}`);
  const digest = createHash('sha256').update(root).digest('hex').slice(0, 16);
  return join(await createCache(), 'indexes', `${digest}${ENDING}`);
}

/** The files beside an index: the list of bad files, the lock, and parts of an interrupted index. */
export const siblings = (index: string) => {
  const stem = index.slice(0, -ENDING.length);
  return {
    problems: `${stem}.problems.txt`,
    lock: `${stem}.lock`,
    newPart: () => `${stem}.part-${newId()}${ENDING}`,
    parts: async (): Promise<readonly string[]> => {
      const names = await readdir(dirname(stem)).catch(() => [] as string[]);
      return names
        .filter((name) => name.startsWith(`${basename(stem)}.part-`) && name.endsWith(ENDING))
        .sort()
        .map((name) => join(dirname(stem), name));
    },
  };
};

/** The columns that are arrays of numbers, with their types in the file. */
const COLUMNS = {
  bytes: { dtype: 'float64', of: Float64Array },
  mtimes: { dtype: 'float64', of: Float64Array },
  widths: { dtype: 'int32', of: Int32Array },
  heights: { dtype: 'int32', of: Int32Array },
  kinds: { dtype: 'uint8', of: Uint8Array },
  orientations: { dtype: 'uint8', of: Uint8Array },
  channels: { dtype: 'uint8', of: Uint8Array },
  decoded: { dtype: 'uint8', of: Uint8Array },
} as const;
type Column = keyof typeof COLUMNS;
const COLUMN_NAMES = Object.keys(COLUMNS) as readonly Column[];

/** An empty table for these paths. */
export function emptyTable(paths: readonly string[]): IndexTable & { readonly reasons: Map<number, string> } {
  const columns = Object.fromEntries(COLUMN_NAMES.map((name) => [name, new COLUMNS[name].of(paths.length)]));
  return { paths, reasons: new Map(), ...columns } as unknown as IndexTable & {
    reasons: Map<number, string>;
  };
}

/** Copies row `from` of one table to row `to` of another, without the path. */
export function copyRow(
  source: IndexTable,
  from: number,
  target: IndexTable & { readonly reasons: Map<number, string> },
  to: number,
): void {
  for (const name of COLUMN_NAMES) target[name][to] = source[name][from] ?? 0;
  const reason = source.reasons.get(from);
  if (reason !== undefined) target.reasons.set(to, reason);
}

/** Joins texts that contain no NUL. */
function packTexts(texts: readonly string[]): TensorData {
  const data = Buffer.from(texts.map((text) => `${text}\0`).join(''));
  return { dtype: 'uint8', shape: [data.length], data };
}

function unpackTexts(tensor: TensorData): readonly string[] {
  return new TextDecoder().decode(tensor.data).split('\0').slice(0, -1);
}

export async function writeIndex(
  path: string,
  table: IndexTable,
  { maxPixels, maxScans }: IndexLimits,
): Promise<void> {
  const tensors = new Map<string, TensorData>();
  for (const name of COLUMN_NAMES) {
    const values = table[name];
    const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    tensors.set(name, { dtype: COLUMNS[name].dtype, shape: [values.length], data });
  }
  const head = Float64Array.of(VERSION, maxPixels, maxScans);
  tensors.set('head', { dtype: 'float64', shape: [head.length], data: new Uint8Array(head.buffer) });
  tensors.set('paths', packTexts(table.paths));
  const bad = [...table.reasons];
  const rows = Int32Array.from(bad, ([row]) => row);
  tensors.set('bad', { dtype: 'int32', shape: [rows.length], data: new Uint8Array(rows.buffer) });
  tensors.set('reasons', packTexts(bad.map(([, reason]) => reason.replaceAll('\0', ' '))));
  await writeSafetensors(path, tensors);
}

/** Numbers of a tensor, aligned. */
function numbers<A>(tensor: TensorData, of: { new (buffer: ArrayBuffer): A }): A {
  return new of(tensor.data.slice().buffer as ArrayBuffer);
}

/** The index that was written under the same limits; null where there is none that can be used. */
export async function readIndex(path: string, limits: IndexLimits): Promise<IndexTable | null> {
  try {
    const tensors = await readSafetensors(path);
    const at = (name: string): TensorData => {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw new Error(`no ${name}`);
      return tensor;
    };
    const [version, maxPixels, maxScans] = numbers(at('head'), Float64Array);
    if (version !== VERSION || maxPixels !== limits.maxPixels || maxScans !== limits.maxScans) return null;
    const table = emptyTable(unpackTexts(at('paths')));
    for (const name of COLUMN_NAMES) {
      const { dtype, of } = COLUMNS[name];
      const tensor = at(name);
      if (tensor.dtype !== dtype || tensor.shape.join() !== String(table.paths.length)) return null;
      table[name].set(numbers<ArrayLike<number>>(tensor, of));
    }
    const reasons = unpackTexts(at('reasons'));
    numbers(at('bad'), Int32Array).forEach((row, i) => {
      table.reasons.set(row, reasons[i] ?? '');
    });
    return table;
  } catch {
    // The index is made anew. It holds nothing that is not in the images.
    return null;
  }
}

/** True for an index or a part of one, whatever its limits. Another file of that name belongs to somebody else. */
async function isIndex(path: string): Promise<boolean> {
  try {
    if (!(await lstat(path)).isFile()) return false;
    const tensors = await readSafetensors(path);
    return ['head', 'paths', 'reasons', ...COLUMN_NAMES].every((name) => tensors.has(name));
  } catch {
    return false;
  }
}

/** Removes parts whose rows are in the whole index. */
export async function removeParts(paths: readonly string[]): Promise<void> {
  for (const path of paths) if (await isIndex(path)) await rm(path, { force: true });
}
