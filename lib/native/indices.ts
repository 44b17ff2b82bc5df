// The part of the core that computes splitting indices.
import type {
  AbortHandle,
  DatasetHandle,
  Device,
  DirectionsHandle,
  Handle,
  NetworkHandle,
  OnProgress,
  PauseHandle,
  TensorData,
  TensorEntries,
} from './core.js';
import type { ChainIndices, IndicesOptions, PauseReason } from './options.js';

/** Splitting indices that are being computed, to go on with. */
export type IndicesStateHandle = Handle<'indices-state'>;

export interface IndicesResult {
  readonly paused: null;
  readonly chains: readonly ChainIndices[];
  readonly directions: DirectionsHandle;
  /** Of all calls that worked on the state. */
  readonly seconds: number;
}
export interface IndicesPaused {
  readonly paused: PauseReason;
  readonly seconds: number;
}

export interface PausableIndicesOptions extends IndicesOptions {
  /** Once asked for, the call returns after the minibatch it is at; of several ranks, all after the same one. */
  readonly pause: PauseHandle;
  /** To be gone on with, and filled. */
  readonly state: IndicesStateHandle;
}

export interface IndexCore {
  indices(
    network: NetworkHandle,
    data: DatasetHandle,
    options: PausableIndicesOptions,
    progress: OnProgress | null,
    abort: AbortHandle | null,
  ): Promise<IndicesResult | IndicesPaused>;
  indices(
    network: NetworkHandle,
    data: DatasetHandle,
    options: IndicesOptions,
    progress: OnProgress | null,
    abort: AbortHandle | null,
  ): Promise<IndicesResult>;
  /** The state that `tensors` were read of, or a new one where there are none. E_RESUME where they do not fit. */
  createIndicesState(
    network: NetworkHandle,
    options: IndicesOptions,
    tensors: TensorEntries,
  ): Promise<IndicesStateHandle>;
  /**
   * All of a state. Sums of the exact method's sweep that take more than `bytes`, or are one rank's of several, are left
   * out: the sweep then begins anew. Empty where it cannot, because it moves running statistics (`trainedNorms`).
   */
  readIndicesState(
    network: NetworkHandle,
    options: IndicesOptions,
    state: IndicesStateHandle,
    bytes: number,
  ): [string, TensorData][];
  /** `<chain id>` -> float32 [neurons, dimension]. */
  readDirections(directions: DirectionsHandle): [string, TensorData][];
  createDirections(tensors: TensorEntries, device: Device): DirectionsHandle;
}
