// evaluate: top-1, top-5 and loss of a network on a part of a dataset, the test images unless another is asked for.
import { labelsOf } from '../data/cifar.js';
import { type Dataset, loadDataset, refuseEmpty } from '../data/dataset.js';
import { matchClasses } from '../data/match-classes.js';
import { countOf, type Part, toDevice } from '../data/part.js';
import { resizedDataset } from '../data/resize.js';
import { SplitgrowError } from '../errors.js';
import { lower } from '../graph/lower.js';
import { note } from '../native/control.js';
import type { RunControl } from '../native/events.js';
import type { Device } from '../native/face.js';
import { withThreads } from '../native/threads.js';
import { watched } from '../native/watched.js';
import type { DataSpec } from '../run/spec/experiment.js';
import { refuseMisfit } from '../run/stage/start.js';
import { evaluateNetwork } from '../train/fit.js';
import { loadNetwork, type Network } from '../train/network.js';

/** Which network `evaluate` runs, on which test images. */
export interface EvaluateOptions {
  /** A network directory. */
  readonly network: string;
  /** The `data` part of an experiment. */
  readonly data: DataSpec;
  /** The images: `test` or `val` (of image files the folder of that part), `train`, or `all`, training and test images; default the test images that training has. */
  readonly part?: EvaluatedPart | undefined;
  /** Images a minibatch; default 256. */
  readonly batch?: number | undefined;
  /** Resizes the images to the network's resolution, as for the resolution multiplier; default false. Images in files are always cropped to it. */
  readonly resize?: boolean | undefined;
  /** Of images in files: their shorter side before the centre crop; default the network's own, else 256 / 224 of its resolution. */
  readonly shortSide?: number | undefined;
  /** Default cpu. */
  readonly device?: Device | undefined;
  /** Threads of LibTorch; default: as many as it chooses. */
  readonly threads?: number | undefined;
}
/** Images that `eval` can measure on. */
export type EvaluatedPart = 'train' | 'val' | 'test' | 'all';

/** What `eval` prints. */
export interface EvaluateDocument {
  /** Per cent. */
  readonly top1: number;
  /** Top-5 accuracy in per cent. */
  readonly top5: number;
  /** Mean cross-entropy. */
  readonly loss: number;
  /** Images that were looked at, those that could be read. */
  readonly images: number;
  /** Images left out because they could not be read; absent where all could. */
  readonly skipped?: number;
  /** Which images these are; `test` unless another part was asked for. */
  readonly part: EvaluatedPart;
  /** What is to be known of them: how the folder was read, how classes were matched; a line each. */
  readonly notes: readonly string[];
}

const BATCH = 256;

type Data = EvaluateOptions['data'];

/** The data as evaluation reads it: of cifar100 the labels that the network has classes for, of a folder the part asked for. @throws E_USAGE where it has no such part */
function dataFor(data: Data, part: EvaluatedPart | undefined, classes: number): Data {
  const isFolder = 'scaledDecoding' in data && data.store === undefined;
  if (isFolder && (part === 'val' || part === 'test')) return { ...data, testPart: part };
  if (part === 'val') {
    throw new SplitgrowError(
      'E_USAGE',
      'part: expected val only with a folder of images; this data has the parts train and test, and all of them',
    );
  }
  const isOpen = 'cropPadding' in data && 'name' in data && data.labels === undefined;
  if (!isOpen || data.name !== 'cifar100') return data;
  const labels = labelsOf(classes);
  return labels === undefined ? data : { ...data, labels };
}

/** The images at the network's square resolution: files are cropped to it, others are resized where that is asked for. */
async function fitted(
  { graph }: Network,
  { options, control }: { readonly options: EvaluateOptions; readonly control: RunControl },
): Promise<Dataset> {
  const [, height, width] = graph.input.shape;
  const { shortSide } = options;
  const data = dataFor(options.data, options.part, lower(graph).classes);
  if (!('scaledDecoding' in data)) {
    if (shortSide !== undefined)
      throw new SplitgrowError(
        'E_USAGE',
        'short side: expected only with imagenet or image-folder; leave it out',
      );
    const whole = await loadDataset(data, control);
    return options.resize === true && height === width ? resizedDataset(whole, width, { control }) : whole;
  }
  if (shortSide !== undefined && shortSide < width) {
    throw new SplitgrowError(
      'E_USAGE',
      `short side: expected at least the network's resolution, ${width}, got ${shortSide}`,
    );
  }
  const chosen = shortSide ?? data.shortSide ?? graph.input.shortSide ?? null;
  // A single folder is a class where its name is held against the network's.
  const leastClasses = graph.classes !== undefined && data.classesBy !== 'number' ? 1 : undefined;
  return loadDataset({ ...data, resolution: width, shortSide: chosen, leastClasses }, control);
}

/** The images of the part, in as many pieces as lie apart. */
function piecesOf(data: Dataset, part: EvaluatedPart | undefined): readonly Part[] {
  if (part !== 'all') {
    const name = part === 'train' ? 'train' : 'test';
    refuseEmpty(data, name);
    return [data[name]];
  }
  const pieces = [data.train, data.test].filter((one) => countOf(one) > 0);
  if (pieces.length === 0) refuseEmpty(data, 'test');
  return pieces;
}

/** Only classes of images that are looked at have to be the network's. */
function only(data: Dataset, pieces: readonly Part[]): Dataset {
  const [first = data.test, last = first] = pieces;
  return { ...data, train: first, test: last };
}

/** Labels are matched with the network's classes by name; pixels are normalised by the network's own mean and std. */
export async function evaluate(
  options: EvaluateOptions,
  control: RunControl = {},
): Promise<EvaluateDocument> {
  return watched(control, (own) => withThreads(options.threads, () => evaluated(options, own)));
}

async function evaluated(options: EvaluateOptions, control: RunControl): Promise<EvaluateDocument> {
  const device = options.device ?? 'cpu';
  using network = await loadNetwork(options.network, { device, control });
  const { graph } = network;
  const whole = await fitted(network, { options, control });
  const pieces = piecesOf(whole, options.part);
  const { data, notes } = matchClasses(graph, only(whole, pieces));
  for (const text of notes) note(control, 0, 'load', text);
  refuseMisfit(graph, data);
  const sums = { top1: 0, top5: 0, loss: 0, images: 0 };
  let skipped = 0;
  for (const piece of pieces.length > 1 ? [data.train, data.test] : [data.test]) {
    using images = toDevice(graph, piece, lower(graph).classes, device);
    const found = await evaluateNetwork(network, images, { batch: options.batch ?? BATCH, control });
    const share = found.images / (sums.images + found.images);
    for (const name of ['top1', 'top5', 'loss'] as const)
      sums[name] = share === 1 ? found[name] : sums[name] + share * (found[name] - sums[name]);
    sums.images += found.images;
    skipped += found.skipped;
  }
  const told = whole.note === undefined ? notes : [whole.note, ...notes];
  return { ...sums, ...(skipped > 0 && { skipped }), part: options.part ?? 'test', notes: told };
}
