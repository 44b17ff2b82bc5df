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
  {
    control = {},
    where = NOWHERE,
  }: { readonly control?: RunControl; readonly where?: Omit<Place, 'phase'> } = {},
): Promise<Indices> {
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
  const options = {
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
  const result = await underControl(control, { ...where, phase: 'indices' }, (progress, abort) =>
    loadCore().indices(network.handle, data, options, progress, abort),
  );
  try {
    result.chains.forEach(refuseNotFinite);
  } catch (error) {
    result.directions.dispose();
    throw error;
  }
  return { method, ...result, [Symbol.dispose]: () => result.directions.dispose() };
}
