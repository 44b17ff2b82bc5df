// Image files that a user named: which of them can be read, and their pixels as evaluation shows them to the network.
import { resolve } from 'node:path';
import { NOWHERE, note, underControl } from '../../native/control.js';
import type { RunControl } from '../../native/events.js';
import { loadCore, loadImageCore } from '../../native/load.js';
import type { TensorPart } from '../parts.js';
import { countedWords, WARNED } from './loader-notes.js';
import { type ImagePart, openFiles } from './part.js';
import type { ImageSettings } from './settings.js';
import type { FileProblem } from './walk.js';
import { withKinds } from './what-it-is.js';

/** The files as a part of a dataset; their labels are 0. */
export function partOfFiles(files: readonly string[], settings: ImageSettings): ImagePart {
  const labels = new Int32Array(files.length);
  const paths = files.map((file) => resolve(file).slice(1));
  return { source: { files: { root: '/', paths, labels } }, labels, settings };
}

/** Decodes every file: those that a network can be shown, and why not the others. @throws E_IMAGES, E_ABORTED */
export async function sortReadable(
  files: readonly string[],
  settings: ImageSettings,
  control: RunControl,
): Promise<{ readonly readable: readonly string[]; readonly problems: readonly FileProblem[] }> {
  const { source } = partOfFiles(files, settings);
  if (!('files' in source)) return { readable: files, problems: [] };
  const { maxPixels, maxScans, workers } = settings;
  const core = loadImageCore();
  const threads = workers ?? core.features().threads;
  const found = await underControl(control, { ...NOWHERE, phase: 'load' }, (progress, abort) =>
    core.scanImages(
      source.files,
      { maxPixels, maxScans, threads, decode: true },
      progress && ((scan) => progress({ ...scan, loss: Number.NaN })),
      abort,
    ),
  );
  const [warned] = found.warnings;
  if (warned !== undefined) {
    const first = `${files[warned.index] ?? ''}: ${warned.reason}`;
    note(control, 0, 'load', countedWords(WARNED, found.warnings.length, first));
  }
  const { root, paths } = source.files;
  const told = await withKinds(found.problems, root, paths, files);
  const reasons = new Map(told.map(({ index, reason }) => [index, reason]));
  return {
    readable: files.filter((_, at) => !reasons.has(at)),
    problems: files.flatMap((path, at) => {
      const reason = reasons.get(at);
      return reason === undefined ? [] : [{ path, reason }];
    }),
  };
}

/**
 * The images in memory: uint8 [N, channels, R, R] of evaluation; one channel is luma.
 * @throws E_DATA naming a file that is no longer readable
 */
export async function inMemory(part: ImagePart, channels: 1 | 3): Promise<TensorPart> {
  const { settings, labels } = part;
  const { resolution } = settings;
  const [count, size] = [labels.length, channels * resolution ** 2];
  const [mean, std] = [0, 1].map((value) => new Array<number>(channels).fill(value));
  using files = openFiles(part, { mean: mean ?? [], std: std ?? [], classes: 1, device: 'cpu' });
  const pixels = new Uint8Array(count * size);
  const put = async (index: number): Promise<void> => {
    const image = await loadCore().imageAt(files, index);
    pixels.set(image.data, index * size);
  };
  const step = settings.workers ?? loadCore().features().threads;
  for (let from = 0; from < count; from += step)
    await Promise.all(Array.from({ length: Math.min(step, count - from) }, (_, i) => put(from + i)));
  return {
    images: { dtype: 'uint8', shape: [count, channels, resolution, resolution], data: pixels },
    labels: { dtype: 'int64', shape: [count], data: new Uint8Array(8 * count) },
  };
}
