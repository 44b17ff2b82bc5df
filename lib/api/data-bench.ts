// data bench: how fast images come from a folder or a packed store, with no network behind.
import { stat } from 'node:fs/promises';
import { openImages } from '../data/images/load.js';
import { openFiles } from '../data/images/part.js';
import { IMAGE_DEFAULTS } from '../data/images/settings.js';
import { working } from '../data/images/working.js';
import type { RunControl } from '../native/events.js';
import type { ImageCore, ResizedCrop } from '../native/face.js';
import { loadImageCore } from '../native/load.js';
import { watched } from '../native/watched.js';

/** What `benchData` times. */
export interface BenchDataOptions {
  /** A folder of images or a packed store. */
  readonly path: string;
  /** Default 224. */
  readonly resolution?: number | undefined;
  /** Threads that decode; default: as many as compute. */
  readonly workers?: number | undefined;
  /** Images of a pass, at most; default 2000. */
  readonly images?: number | undefined;
  /** Images a minibatch; default 64. */
  readonly batch?: number | undefined;
  /** JPEGs are decoded at the scale that is needed; default true. */
  readonly scaledDecoding?: boolean | undefined;
}

/** One pass over images. */
export interface LoaderTiming {
  /** Images taken. */
  readonly images: number;
  /** Seconds that the pass took. */
  readonly seconds: number;
  /** Images a second of the pass. */
  readonly imagesPerSecond: number;
  /** Images over the seconds of all workers together. */
  readonly imagesPerWorkerSecond: number;
  /** Images over the processor time that the whole process took: what a core can do, on a busy machine too. */
  readonly imagesPerCoreSecond: number;
}

/** What `data bench` prints. */
export interface BenchDataDocument {
  /** The folder or the store. */
  readonly path: string;
  /** Pixels a side. */
  readonly resolution: number;
  /** Threads that decoded. */
  readonly workers: number;
  /** Whether JPEGs were decoded at the scale that is needed. */
  readonly scaledDecoding: boolean;
  /** Random resized crop and mirroring. */
  readonly train: LoaderTiming;
  /** One centre crop. */
  readonly evaluation: LoaderTiming;
}

const BENCH_IMAGES = 2000;
const BENCH_BATCH = 64;
const CROP: ResizedCrop = { leastArea: 0.08, leastRatio: 3 / 4, mostRatio: 4 / 3 };

type Swept = Awaited<ReturnType<ImageCore['sweepImages']>>;

/** Workers decode ahead of what is taken: they have their own count. */
function timing(
  { images, seconds, decoded, decodeSeconds }: Swept,
  { user, system }: NodeJS.CpuUsage,
): LoaderTiming {
  const per = (count: number, time: number): number => (time > 0 ? count / time : 0);
  return {
    ...{ images, seconds },
    imagesPerSecond: per(images, seconds),
    imagesPerWorkerSecond: per(decoded, decodeSeconds),
    imagesPerCoreSecond: per(decoded, (user + system) / 1e6),
  };
}

/**
 * Times the loader alone on training images, with no network: a pass to warm the file cache, then one each as in training
 * and as in evaluation. @throws E_DATA, E_FILE, E_IMAGES, E_ABORTED
 */
export async function benchData(
  options: BenchDataOptions,
  control: RunControl = {},
): Promise<BenchDataDocument> {
  return watched(control, (own) => timedLoader(options, own));
}

async function timedLoader(options: BenchDataOptions, control: RunControl): Promise<BenchDataDocument> {
  const core = loadImageCore();
  const resolution = options.resolution ?? IMAGE_DEFAULTS.resolution;
  const workers = options.workers ?? core.features().threads;
  const scaledDecoding = options.scaledDecoding ?? IMAGE_DEFAULTS.scaledDecoding;
  const isStore = (await stat(options.path).catch(() => null))?.isFile() === true;
  const settings = { ...IMAGE_DEFAULTS, resolution, workers, scaledDecoding };
  const { train, classes } = await openImages(
    isStore ? { store: options.path } : { root: options.path },
    settings,
    control,
  );
  const { mean, std } = settings;
  using data = openFiles(train, { mean, std, classes, device: 'cpu' });
  const batch = options.batch ?? BENCH_BATCH;
  const steps = Math.ceil(Math.min(options.images ?? BENCH_IMAGES, train.labels.length) / batch);
  const pass = async (isTraining: boolean): Promise<LoaderTiming> => {
    const before = process.cpuUsage();
    const swept = await working(control, 'bench', (progress, abort) =>
      core.sweepImages(
        data,
        {
          ...{ batch, steps, shuffle: true, flip: isTraining, seed: 0 },
          ...(isTraining ? { resizedCrop: CROP } : {}),
        },
        progress,
        abort,
      ),
    );
    return timing(swept, process.cpuUsage(before));
  };
  await pass(false);
  const [inTraining, inEvaluation] = [await pass(true), await pass(false)];
  return {
    path: options.path,
    resolution,
    workers,
    scaledDecoding,
    train: inTraining,
    evaluation: inEvaluation,
  };
}
