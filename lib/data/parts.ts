// One part (train or test) of a dataset whose images are in memory: building, checking, shortening, and pixel statistics.
import { type FileHandle, readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { reasonOf, SplitgrowError } from '../errors.js';
import { openFile } from '../machine/files/file.js';
import type { TensorData } from '../native/face.js';

export interface TensorPart {
  /** uint8 or float32 [N, C, H, W] */
  readonly images: TensorData;
  /** int64 [N] */
  readonly labels: TensorData;
}

/** Sizes of a tensor's axes, 0 where it has fewer. */
export function imageShape(images: TensorData): readonly [number, number, number, number] {
  const [n = 0, c = 0, h = 0, w = 0] = images.shape;
  return [n, c, h, w];
}

const SET_ROOT = 'set data.root to the folder that has it';

/** A file's bytes. Throws E_DATA that says what a missing file was expected for, and what to do. */
export async function readBytes(path: string, meaning: string, remedy = SET_ROOT): Promise<Uint8Array> {
  let handle: FileHandle | null = null;
  try {
    handle = await openFile(path);
    return await handle.readFile();
  } catch (error) {
    const reason = reasonOf(error);
    throw new SplitgrowError('E_DATA', `expected ${meaning} in ${path}: ${reason}; ${remedy}`, {
      cause: error,
    });
  } finally {
    await handle?.close();
  }
}

/** Names in a folder. */
export async function namesIn(folder: string, remedy = SET_ROOT): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const reason = reasonOf(error);
    throw new SplitgrowError(
      'E_DATA',
      `cannot read the folder ${folder} (in ${dirname(folder)}): ${reason}; ${remedy}`,
      { cause: error },
    );
  }
}

/** Labels as int64. Throws E_LABELS unless all are below `classes`. */
export function toLabels(
  values: Iterable<number>,
  count: number,
  options: { readonly classes: number; readonly where: string },
): TensorData {
  const labels = new BigInt64Array(count);
  let i = 0;
  for (const value of values) {
    if (!Number.isInteger(value) || value < 0 || value >= options.classes) {
      throw new SplitgrowError(
        'E_LABELS',
        `${options.where}: expected labels from 0 to ${options.classes - 1}, found ${value} at image ${i}`,
      );
    }
    labels[i++] = BigInt(value);
  }
  return { dtype: 'int64', shape: [count], data: new Uint8Array(labels.buffer) };
}

/** Images [from, to) of a part. */
export function slicePart(part: TensorPart, from: number, to: number): TensorPart {
  const [n, c, h, w] = imageShape(part.images);
  const bytes = part.images.data.byteLength / n;
  return {
    images: {
      ...part.images,
      shape: [to - from, c, h, w],
      data: part.images.data.subarray(from * bytes, to * bytes),
    },
    labels: { ...part.labels, shape: [to - from], data: part.labels.data.subarray(8 * from, 8 * to) },
  };
}

/**
 * Mean and standard deviation per channel of uint8 pixels / 255, exactly, from
 * counts of the 256 values. A channel of one value gets std 1, so that it
 * becomes 0. Float images give empty lists: they are used as they are.
 */
export function pixelStatistics(images: TensorData): { readonly mean: number[]; readonly std: number[] } {
  const mean: number[] = [];
  const std: number[] = [];
  if (images.dtype !== 'uint8') return { mean, std };
  const [n, channels, h, w] = imageShape(images);
  const plane = h * w;
  const total = n * plane;
  for (let c = 0; c < channels; c += 1) {
    const counts = new Float64Array(256);
    for (let i = 0; i < n; i += 1) {
      const start = (i * channels + c) * plane;
      for (let p = start; p < start + plane; p += 1) {
        const value = images.data[p] as number;
        counts[value] = (counts[value] as number) + 1;
      }
    }
    const average = counts.reduce((sum, count, value) => sum + count * value, 0) / total / 255;
    const variance =
      counts.reduce((sum, count, value) => sum + count * (value / 255 - average) ** 2, 0) / total;
    mean.push(average);
    std.push(Math.sqrt(variance) || 1);
  }
  return { mean, std };
}
