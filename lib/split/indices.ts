// Splitting indices of every chain of a network, and of every channel group.
import { SplitgrowError } from '../errors.js';
import type { RunControl } from '../events.js';
import { lower } from '../graph/lower.js';
import { depthwiseNorms } from '../graph/readers.js';
import {
  type ChainIndices,
  type DatasetHandle,
  type DirectionsHandle,
  type IndexMethod,
  type IndicesOptions,
  type IndicesResult,
  loadCore,
} from '../native.js';
import type { Network } from '../network.js';
import { NOWHERE, type Place, underControl } from '../train/control.js';
import { chooseMethods } from './auto.js';

/** How indices are computed; the fields of `splitting` in an experiment. */
export interface IndexSettings {
  readonly method: IndexMethod | 'auto';
  readonly batch: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly rmsprop: {
    readonly alpha: number;
    readonly momentum: number;
    readonly epsilon: number;
    readonly decayFactor: number;
    readonly decayEvery: number;
    readonly decayFirst?: number | undefined;
  };
  readonly reluBeta: number;
  readonly identityCurvature: number;
  readonly memoryLimit: number;
  /**
   * `train`, as in the authors' code: batch norms behind depthwise convolutions take the minibatch's statistics, the
   * loss's derivative goes through them, and the network's running statistics drift. Chains' own are in evaluation mode.
   */
  readonly depthwiseBatchNorm: 'eval' | 'train';
}

/** The paper's settings (section 4). */
export const PAPER: IndexSettings = {
  method: 'rayleigh',
  batch: 64,
  epochs: 10,
  learningRate: 1e-3,
  rmsprop: { alpha: 0.99, momentum: 0, epsilon: 1e-8, decayFactor: 1, decayEvery: 2 },
  reluBeta: 3,
  identityCurvature: 0,
  memoryLimit: 2 ** 30,
  depthwiseBatchNorm: 'eval',
};

export interface IndicesRequest extends IndexSettings {
  /** Images of the dataset: what the cost model of `auto` needs. */
  readonly images: number;
  readonly seed: number;
  readonly shuffle?: boolean;
  /** S v by the literal auxiliary activation instead of the closed form. */
  readonly auxiliary?: boolean;
}

export interface Indices extends Disposable {
  readonly method: IndexMethod | 'auto';
  readonly seconds: number;
  readonly chains: readonly ChainIndices[];
  readonly directions: DirectionsHandle;
}

/** The largest minibatch of at most `most` that divides the images into equal ones, or nearly: each counts the same in the descent. */
export function evenBatch(images: number, most: number): number {
  return Math.ceil(images / Math.ceil(images / most));
}

/** Rayleigh epochs that let the descent converge on few images: at least 2,000 steps (1,600 come within 0.5 % on most neurons). */
export function enoughEpochs(images: number, batch: number): number {
  return Math.max(10, Math.ceil(2000 / Math.ceil(images / batch)));
}

function refuseNotFinite({ id, indices }: ChainIndices): void {
  const at = indices.findIndex((index) => !Number.isFinite(index));
  if (at >= 0) {
    throw new SplitgrowError(
      'E_NOT_FINITE',
      `indices: neuron ${at} of "${id}" has index ${indices[at]}; the network has diverged`,
    );
  }
}

/** What the native call is asked for. */
export function indicesOptions(network: Network, request: IndicesRequest): IndicesOptions {
  const {
    method,
    batch,
    epochs,
    learningRate,
    rmsprop,
    reluBeta,
    identityCurvature,
    memoryLimit,
    images,
    seed,
  } = request;
  const { chains } = lower(network.graph);
  const methods =
    method === 'auto'
      ? chooseMethods(network.graph, { images, epochs, memoryLimit, identityCurvature })
      : chains.map(() => method);
  const { epsilon: rmsEpsilon, decayFirst, ...descent } = rmsprop;
  return {
    ...{
      methods,
      batch,
      epochs,
      learningRate,
      ...descent,
      rmsEpsilon,
      reluBeta,
      identityCurvature,
      seed,
      memoryLimit,
      ...(decayFirst === undefined ? {} : { decayFirst }),
      ...(request.depthwiseBatchNorm === 'train' ? { trainedNorms: depthwiseNorms(network.graph) } : {}),
    },
    shuffle: request.shuffle ?? true,
    auxiliary: request.auxiliary ?? false,
  };
}

/** A native result, its indices all finite. @throws E_NOT_FINITE */
export function checkedIndices(
  method: IndexSettings['method'],
  { chains, directions, seconds }: Pick<IndicesResult, 'chains' | 'directions' | 'seconds'>,
): Indices {
  try {
    chains.forEach(refuseNotFinite);
  } catch (error) {
    directions.dispose();
    throw error;
  }
  return { method, chains, directions, seconds, [Symbol.dispose]: () => directions.dispose() };
}

/** How a computation is told of and stopped. */
export interface IndicesControl {
  readonly control?: RunControl;
  readonly where?: Omit<Place, 'phase'>;
}

/**
 * Splitting indices over `data`, and the directions, to be disposed of. With `depthwiseBatchNorm: "train"` the network's
 * running statistics are other ones afterwards.
 *
 * @throws E_NOT_FINITE
 */
export async function computeIndices(
  network: Network,
  data: DatasetHandle,
  request: IndicesRequest,
  { control = {}, where = NOWHERE }: IndicesControl = {},
): Promise<Indices> {
  const options = indicesOptions(network, request);
  const result = await underControl(control, { ...where, phase: 'indices' }, (progress, abort) =>
    loadCore().indices(network.handle, data, options, progress, abort),
  );
  return checkedIndices(request.method, result);
}
