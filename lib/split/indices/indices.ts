// Splitting indices of every chain of a network, and of every channel group.
import { SplitgrowError } from '../../errors.js';
import { type ChannelGroup, channelGroups, type GroupId } from '../../graph/channels.js';
import type { Graph, NodeId } from '../../graph/ir.js';
import { lower } from '../../graph/lower.js';
import { depthwiseNorms } from '../../graph/readers.js';
import { NOWHERE, type Place, underControl } from '../../native/control.js';
import type { RunControl } from '../../native/events.js';
import type {
  ChainIndices,
  DatasetHandle,
  DirectionsHandle,
  IndexMethod,
  IndicesOptions,
  IndicesResult,
} from '../../native/face.js';
import { loadCore } from '../../native/load.js';
import type { Network } from '../../train/network.js';
import { chooseMethods, keptOf } from './auto.js';
import { type IndexSettings, type Method, mostEpochsOf } from './settings.js';

/** Splitting indices of one chain `layer -> [batch_norm] -> [activation]`, in memory and in stage.json. */
export interface ChainRecord {
  /** Id of the layer. */
  readonly id: string;
  /** How its indices were computed. */
  readonly method: IndexMethod;
  /** Its neurons. */
  readonly neurons: number;
  /** Weights per neuron. */
  readonly dimension: number;
  /** Smallest eigenvalue of the splitting matrix of each. */
  readonly indices: readonly number[];
  /** |S v - lambda v| of each neuron. */
  readonly residuals: readonly number[];
  /** Epochs of the descent, or passes of lobpcg, that it took; 0: exact; absent in records of older versions. */
  readonly epochs?: number;
  /** Neurons whose residual is above `splitting.tolerance`; absent in records of older versions. */
  readonly above?: number;
}

export interface IndicesRequest extends IndexSettings {
  /** Images of the dataset: what the cost model of `auto` needs. */
  readonly images: number;
  readonly seed: number;
  readonly shuffle?: boolean;
  /** S v by the literal auxiliary activation instead of the closed form. */
  readonly auxiliary?: boolean;
}

export interface Indices extends Disposable {
  readonly method: Method;
  readonly seconds: number;
  readonly chains: readonly Required<ChainRecord>[];
  readonly directions: DirectionsHandle;
}

/** The largest minibatch of at most `most` that cuts the images into nearly equal ones, because each counts the same in the descent. */
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
    passes,
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
      ? chooseMethods(network.graph, {
          ...{ images, passes, memoryLimit, identityCurvature },
          kept: keptOf(network, request),
        })
      : chains.map(() => method);
  const { epsilon: rmsEpsilon, decayFirst = rmsprop.decayEvery, ...descent } = rmsprop;
  return {
    ...{
      methods,
      batch,
      epochs,
      mostEpochs: mostEpochsOf(request),
      tolerance: request.tolerance,
      passes,
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
  return {
    method,
    chains: chains.map(({ indices, residuals, ...chain }) => ({
      ...chain,
      indices: [...indices],
      residuals: [...residuals],
    })),
    directions,
    seconds,
    [Symbol.dispose]: () => directions.dispose(),
  };
}

/** How a computation is told of and stopped. */
export interface IndicesControl {
  readonly control?: RunControl;
  readonly where?: Omit<Place, 'phase'>;
}

/**
 * Splitting indices over `data`, and the directions, to be disposed of. `depthwiseBatchNorm: "train"` changes the
 * network's running statistics.
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

/**
 * Splitting index of every neuron of every splittable group: the sum over the tied producers.
 *
 * @param layers Per layer one index a neuron; layers of frozen groups are ignored.
 * @throws E_ARGUMENT where a layer is missing or of another width, E_NOT_FINITE for an index that is no number.
 */
export function groupIndices(
  graph: Graph,
  layers: ReadonlyMap<NodeId, ArrayLike<number>>,
): ReadonlyMap<GroupId, Float64Array> {
  const splittable = channelGroups(graph).filter(({ isSplittable }) => isSplittable);
  return new Map(splittable.map((group) => [group.id, summedIndices(group, layers)] as const));
}

/** Per neuron of a group the sum over its producers. @throws as `groupIndices` */
export function summedIndices(
  { producers, neurons }: ChannelGroup,
  layers: ReadonlyMap<NodeId, ArrayLike<number>>,
): Float64Array {
  const sum = new Float64Array(neurons);
  for (const id of producers) {
    const indices = layers.get(id);
    if (indices?.length !== neurons) {
      throw new SplitgrowError(
        'E_ARGUMENT',
        `"${id}" needs ${neurons} splitting indices, got ${indices?.length ?? 'none'}`,
      );
    }
    for (const [i, before] of sum.entries()) sum[i] = before + (indices[i] ?? 0);
  }
  const bad = sum.findIndex((index) => !Number.isFinite(index));
  if (bad >= 0)
    throw new SplitgrowError(
      'E_NOT_FINITE',
      `the splitting index of neuron ${bad} of "${producers.join('", "')}" is not finite`,
    );
  return sum;
}
