// predict: the likeliest classes of image files.
import { inMemory, partOfFiles, sortReadable } from '../data/images/named-files.js';
import { IMAGE_DEFAULTS, type ImageSettings } from '../data/images/settings.js';
import { toDevice } from '../data/part.js';
import { SplitgrowError } from '../errors.js';
import type { Graph } from '../graph/ir.js';
import { lower } from '../graph/lower.js';
import { NOWHERE, refuseAborted } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import type { Device } from '../native/face.js';
import { loadCore } from '../native/load.js';
import { withThreads } from '../native/threads.js';
import { watched } from '../native/watched.js';
import { isFiniteTensor, loadNetwork, type Network } from '../train/network.js';

/** Which images `predict` classifies, by which network. */
export interface PredictOptions {
  /** A network directory. */
  readonly network: string;
  /** JPEG and PNG files. */
  readonly images: readonly string[];
  /** Classes told of each image, the likeliest first; default 5, or all where there are fewer. */
  readonly top?: number | undefined;
  /** What the shorter side is brought to before the centre crop; default the network's own, else the side of its input. */
  readonly shortSide?: number | undefined;
  /** Decode JPEGs whole, as Pillow does, instead of letting the decoder shrink large ones; default false. */
  readonly exactDecode?: boolean | undefined;
  /** Most pixels of an image; default 100,000,000. */
  readonly maxPixels?: number | undefined;
  /** Most scans of a progressive JPEG; default 100. */
  readonly maxScans?: number | undefined;
  /** Default cpu. */
  readonly device?: Device | undefined;
  /** Threads of LibTorch and of decoding; default: as many as they choose. */
  readonly threads?: number | undefined;
}

/** A class that an image may be of. */
export interface PredictedClass {
  /** Its name; null where the network does not say. */
  readonly class: string | null;
  /** Its place among the logits, from 0. */
  readonly index: number;
  /** Softmax of the logits. */
  readonly probability: number;
}

/** What `predict` prints. */
export interface PredictDocument {
  /** In the order asked for, without those that cannot be read. */
  readonly images: readonly {
    /** As it was given. */
    readonly file: string;
    /** The likeliest first. */
    readonly top: readonly PredictedClass[];
  }[];
  /** Files that cannot be read, and why. */
  readonly problems: readonly {
    /** As it was given. */
    readonly file: string;
    /** What is wrong with it. */
    readonly reason: string;
  }[];
}

const TOP = 5;
/** Images a minibatch, as `eval` and `forward` have it. */
const BATCH = 256;

/** How the network is shown files. @throws E_ARGUMENT where it takes none, or the shorter side is less than its input's */
function settingsFor(
  { name, input }: Graph,
  { shortSide, threads, exactDecode = false, maxPixels, maxScans }: PredictOptions,
): ImageSettings {
  const [channels, height, width] = input.shape;
  if (height !== width || ![1, 3].includes(channels)) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `predict: expected a network of square images, grey or in colours, "${name}" takes [${input.shape.join(', ')}]; put the images into a batch file and use splitgrow forward`,
    );
  }
  const chosen = shortSide ?? input.shortSide ?? width;
  if (!Number.isInteger(chosen) || chosen < width) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `predict: expected a short side of at least the network's resolution, ${width}, got ${chosen}`,
    );
  }
  return {
    ...IMAGE_DEFAULTS,
    ...{ resolution: width, shortSide: chosen, workers: threads ?? null, scaledDecoding: !exactDecode },
    ...(maxPixels !== undefined && { maxPixels }),
    ...(maxScans !== undefined && { maxScans }),
  };
}

/** The `count` likeliest classes, of equal ones the first. */
function likeliest(
  logits: Float32Array,
  names: readonly string[] | undefined,
  count: number,
): readonly PredictedClass[] {
  const most = logits.reduce((best, value) => Math.max(best, value), Number.NEGATIVE_INFINITY);
  const shares = Array.from(logits, (value) => Math.exp(value - most));
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares
    .map((share, index) => ({ class: names?.[index] ?? null, index, probability: share / sum }))
    .sort((a, b) => (logits[b.index] ?? 0) - (logits[a.index] ?? 0))
    .slice(0, count);
}

/**
 * Logits of some files, [images, classes] row by row. A network that was trained on images in memory gets images in memory:
 * those of files are rounded once less when they are normalised, and the logits would differ from those of `eval`.
 */
async function logitsOf(
  { graph, handle }: Network,
  files: readonly string[],
  { settings, device }: { readonly settings: ImageSettings; readonly device: Device },
): Promise<Float32Array> {
  const part = partOfFiles(files, settings);
  const { shape, shortSide } = graph.input;
  const shown = shortSide !== undefined ? part : await inMemory(part, shape[0] === 1 ? 1 : 3);
  using data = toDevice(graph, shown, lower(graph).classes, device);
  const logits = await loadCore().forward(handle, data, { mode: 'eval', batch: BATCH });
  if (!isFiniteTensor(logits))
    throw new SplitgrowError(
      'E_NOT_FINITE',
      `predict: network "${graph.name}" gives logits that are not finite`,
    );
  return new Float32Array(logits.data.slice().buffer);
}

/**
 * Shows a network JPEG and PNG files as evaluation does: the shorter side to `shortSide`, the middle of the input's size, the
 * network's own mean and standard deviation (none: pixels / 255). Networks of one channel see the Rec. 601 luma. Files
 * that cannot be read are told in `problems`; the others are done.
 *
 * @throws E_ARGUMENT for no image, no square network of one channel or three, a short side below its input's; E_FILE,
 *   E_GRAPH_*, E_WEIGHTS, E_IMAGES, E_NOT_FINITE, E_ABORTED
 */
export async function predict(options: PredictOptions, control: RunControl = {}): Promise<PredictDocument> {
  const { images, top = TOP } = options;
  for (const [name, value] of Object.entries({ images: images.length, top })) {
    if (!Number.isInteger(value) || value < 1)
      throw new SplitgrowError('E_ARGUMENT', `predict: expected ${name} of at least one, got ${value}`);
  }
  return watched(control, (own) => withThreads(options.threads, () => predicted({ ...options, top }, own)));
}

async function predicted(
  options: PredictOptions & { readonly top: number },
  control: RunControl,
): Promise<PredictDocument> {
  const { images, top, device = 'cpu' } = options;
  using network = await loadNetwork(options.network, { device, control });
  const { graph } = network;
  const settings = settingsFor(graph, options);
  const { readable, problems } = await sortReadable(images, settings, control);
  const { classes } = lower(graph);
  const begun = performance.now();
  const done: PredictDocument['images'][number][] = [];
  for (let from = 0; from < readable.length; from += BATCH) {
    refuseAborted(control);
    const files = readable.slice(from, from + BATCH);
    const logits = await logitsOf(network, files, { settings, device });
    files.forEach((file, at) => {
      const own = logits.subarray(at * classes, (at + 1) * classes);
      done.push({ file, top: likeliest(own, graph.classes, top) });
    });
    const seconds = (performance.now() - begun) / 1000;
    const counts = { done: done.length, total: readable.length, images: done.length, seconds };
    control.onEvent?.({
      ...{ type: 'progress', phase: 'evaluate', ...NOWHERE },
      progress: { phase: 'evaluate', ...counts, loss: Number.NaN },
    });
  }
  return { images: done, problems: problems.map(({ path: file, reason }) => ({ file, reason })) };
}
