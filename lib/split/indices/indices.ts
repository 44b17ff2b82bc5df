// Splitting indices of every chain of a network, and of every channel group.
import { SplitgrowError } from '../../errors.js';
import { lower } from '../../graph/lower.js';
import { depthwiseNorms } from '../../graph/readers.js';
import { NOWHERE, type Place, underControl } from '../../native/control.js';
import {
  type ChainIndices,
  type DatasetHandle,
  type DirectionsHandle,
  type IndexMethod,
  type IndicesOptions,
  type IndicesResult,
  loadCore,
} from '../../native/core.js';
import type { RunControl } from '../../native/events.js';
import type { Network } from '../../train/network.js';
import { chooseMethods } from './auto.js';
import { type IndexSettings, mostEpochsOf } from './settings.js';

export { INDEX_DEFAULTS, type IndexSettings } from './settings.js';

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

/** Rayleigh epochs that let the descent converge on few images: at least 2,000 steps. */
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

/** What the native call is asked for. @throws E_ARGUMENT where the most epochs are fewer than the epochs */
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
  const { epsilon: rmsEpsilon, decayFirst = rmsprop.decayEvery, ...descent } = rmsprop;
  return {
    ...{
      methods,
      batch,
      epochs,
      mostEpochs: mostEpochsOf(request),
      tolerance: request.tolerance,
      learningRate,
      ...descent,
      rmsEpsilon,
      reluBeta,
      identityCurvature,
      seed,
      memoryLimit,
      decayFirst,
      trainedNorms: request.depthwiseBatchNorm === 'train' ? depthwiseNorms(network.graph) : [],
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
