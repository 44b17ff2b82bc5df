// Splitting indices that are kept on the way: paused, told as tensors, and gone on with; and whole ones as tensors.
import { SplitgrowError } from '../../errors.js';
import { lower } from '../../graph/lower.js';
import { NOWHERE, type Pauses, underPauses } from '../../native/control.js';
import type {
  DatasetHandle,
  Device,
  IndexMethod,
  IndicesStateHandle,
  PauseReason,
  TensorData,
  TensorEntries,
  TensorMap,
} from '../../native/face.js';
import { loadCore } from '../../native/load.js';
import type { Network } from '../../train/network.js';
import {
  checkedIndices,
  type Indices,
  type IndicesControl,
  type IndicesRequest,
  indicesOptions,
} from './indices.js';

export interface Keeping {
  readonly pauses: Pauses;
  /** What an earlier pause told; empty: begin. */
  readonly begun: TensorEntries;
  /** Bytes that half-summed matrices may take; above, their sweep begins anew when it is gone on with. */
  readonly mostBytes: number;
  /** Keeps the tensors (none: they cannot be kept here), and throws where that is all that was wanted. */
  readonly onPause: (tensors: TensorEntries, why: PauseReason) => Promise<void>;
}

/** As computeIndices, to the same bits. @throws E_NOT_FINITE, E_RESUME where `begun` does not fit, what `onPause` throws */
export async function keptIndices(
  network: Network,
  data: DatasetHandle,
  request: IndicesRequest,
  { control = {}, where = NOWHERE }: IndicesControl,
  { pauses, begun, mostBytes, onPause }: Keeping,
): Promise<Indices> {
  const core = loadCore();
  const options = indicesOptions(network, request);
  using state: IndicesStateHandle = await core.createIndicesState(network.handle, options, begun);
  for (;;) {
    const result = await underPauses(
      control,
      { ...where, phase: 'indices' },
      pauses,
      (progress, abort, pause) =>
        core.indices(network.handle, data, { ...options, pause, state }, progress, abort),
    );
    if (result.paused === null) return checkedIndices(request.method, result);
    await onPause(core.readIndicesState(network.handle, options, state, mostBytes), result.paused);
  }
}

/** By their numbers in a checkpoint. */
const NUMBERED: readonly IndexMethod[] = ['exact', 'rayleigh', 'lobpcg'];

function doubles(values: readonly number[]): TensorData {
  const data = new Uint8Array(Float64Array.from(values).buffer);
  return { dtype: 'float64', shape: [values.length], data };
}

/** Of each chain `indices:<id>`, `residuals:<id>`, `directions:<id>`, `method:<id>` and `descent:<id>` (epochs or passes, neurons above the tolerance). */
export function indicesTensors({ chains, directions, seconds }: Indices): TensorMap {
  const method = (name: IndexMethod): TensorData => ({
    dtype: 'uint8',
    shape: [1],
    data: Uint8Array.of(NUMBERED.indexOf(name)),
  });
  return new Map([
    ['seconds', doubles([seconds])],
    ...chains.flatMap((chain) => [
      [`indices:${chain.id}`, doubles(chain.indices)] as const,
      [`residuals:${chain.id}`, doubles(chain.residuals)] as const,
      [`method:${chain.id}`, method(chain.method)] as const,
      [`descent:${chain.id}`, doubles([chain.epochs, chain.above])] as const,
    ]),
    ...loadCore()
      .readDirections(directions)
      .map(([id, tensor]) => [`directions:${id}`, tensor] as const),
  ]);
}

/** The indices that such tensors were made of. @throws E_RESUME where they are not this network's */
export function indicesOfTensors(
  { graph }: Network,
  method: IndicesRequest['method'],
  tensors: TensorMap,
  device: Device,
): Indices {
  const take = (name: string): TensorData => {
    const found = tensors.get(name);
    if (found !== undefined) return found;
    throw new SplitgrowError(
      'E_RESUME',
      `indices: expected "${name}" in the checkpoint, found none: another version of splitgrow wrote it; go on with that version, or remove the checkpoint`,
    );
  };
  const numbers = (name: string): Float64Array => new Float64Array(take(name).data.slice().buffer);
  const { chains } = lower(graph);
  const directions = chains.map(({ id }) => [id, take(`directions:${id}`)] as const);
  return checkedIndices(method, {
    chains: chains.map(({ id, neurons, dimension }) => {
      const [epochs = 0, above = 0] = numbers(`descent:${id}`);
      return {
        ...{ id, neurons, dimension, epochs, above },
        method: NUMBERED[take(`method:${id}`).data[0] ?? 0] ?? 'exact',
        indices: numbers(`indices:${id}`),
        residuals: numbers(`residuals:${id}`),
      };
    }),
    directions: loadCore().createDirections(directions, device),
    seconds: numbers('seconds')[0] ?? 0,
  });
}
