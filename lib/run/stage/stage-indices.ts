// The splitting indices of a stage. Checkpoints keep them half done and done, so that a killed run goes on from there.
import { isSplitgrowError } from '../../errors.js';
import type { GroupId } from '../../graph/channels.js';
import { note } from '../../native/control.js';
import type { DatasetHandle, TensorEntries } from '../../native/face.js';
import { loadCore } from '../../native/load.js';
import { scope } from '../../native/scope.js';
import {
  computeIndices,
  groupIndices,
  type Indices,
  type IndicesRequest,
} from '../../split/indices/indices.js';
import { indicesOfTensors, indicesTensors, keptIndices } from '../../split/indices/resumable.js';
import { copyOf } from '../../split/step/offspring.js';
import { createNetwork, type Network } from '../../train/network.js';
import { seedOf } from '../../train/seeds.js';
import type { StateRecord } from '../store/records.js';
import { type Extras, SETS, snapshotOf } from '../store/snapshot.js';
import { type SnapshotWriter, stopped } from '../store/snapshot-writer.js';
import type { Session } from './session.js';

/** A stage that is to be split: where it stands, and who keeps it. */
export interface KeptStage {
  readonly network: Network;
  readonly state: StateRecord;
  readonly extras: Extras;
  readonly snapshots: SnapshotWriter;
}

/** Indices of a stage, and the network to grow: the given one, or a copy with other running statistics. */
export interface StageIndices extends Disposable {
  readonly network: Network;
  readonly indices: Indices;
  readonly groups: ReadonlyMap<GroupId, Float64Array>;
}

/** Indices by `method` over the stage's images. A copy of the network is used where depthwise batch norms run in training mode. With `kept`, checkpoints keep them. */
export async function stageIndices(
  session: Session,
  network: Network,
  stage: number,
  method: IndicesRequest['method'],
  kept: KeptStage | null = null,
): Promise<StageIndices> {
  const { spec, control } = session;
  const { data: index, images } = session.index(method);
  const { splitting, seed } = spec;
  const drifts = splitting.depthwiseBatchNorm === 'train';
  const copy = drifts ? ((kept && driftedCopy(kept, session)) ?? (await copyOf(network))) : null;
  const used = copy ?? network;
  using made = scope();
  if (copy !== null) made.use(copy);
  const request = { ...splitting, method, images, seed: seedOf('indices', seed, stage) };
  const where = { stage, epoch: 0, epochs: 1 };
  const indices = made.use(
    kept === null
      ? await computeIndices(used, index, request, { control, where })
      : await stageIndicesKept(session, kept, used, index, request),
  );
  const layers = new Map(indices.chains.map(({ id, indices: values }) => [id, values] as const));
  const groups = groupIndices(used.graph, layers);
  const { [Symbol.dispose]: dispose } = made.move();
  return { network: used, indices, groups, [Symbol.dispose]: dispose };
}

/** Seconds that indices have taken in earlier processes. */
export function secondsBefore({ within }: StateRecord): number {
  return within === undefined || within.phase === 'fit' ? 0 : within.seconds;
}

/** The copy whose statistics drift, as it was kept; null where none was. */
function driftedCopy({ network, extras }: KeptStage, { spec }: Session): Network | null {
  const weights = extras.drifted;
  if (weights === undefined) return null;
  const copy = createNetwork(network.graph, { seed: 0, device: spec.device, weights });
  try {
    for (const set of SETS) {
      const tensors = loadCore().readNetwork(network.handle, set);
      if (tensors.length > 0) loadCore().writeNetwork(copy.handle, set, tensors);
    }
    return copy;
  } catch (error) {
    copy[Symbol.dispose]();
    throw error;
  }
}

/** The indices of `used`, which is the stage's network or a copy of it whose running statistics drift. */
async function stageIndicesKept(
  session: Session,
  stage: KeptStage,
  used: Network,
  data: DatasetHandle,
  request: IndicesRequest,
): Promise<Indices> {
  const { spec, control } = session;
  const { network, state, extras, snapshots } = stage;
  const begunAt = performance.now();
  const within = state.within?.phase === 'fit' ? undefined : state.within;
  let pauses = within?.done ?? 0;
  const { stage: at, epoch, epochs } = state;
  // With other threads the matrices are cut in another way, and an earlier version kept less. A copy that has drifted is of no
  // use to begin anew with.
  const noteAnew = (error: unknown): void => {
    const isOther = isSplitgrowError(error) && error.code === 'E_RESUME' && used === network;
    if (!isOther) throw error;
    note(control, at, 'indices', `WARNING: the indices are computed anew: ${error.message}`);
  };
  const isWhole = within?.phase === 'grow' && extras.indices !== undefined;
  if (isWhole) {
    try {
      return indicesOfTensors(used, request.method, extras.indices, spec.device);
    } catch (error) {
      noteAnew(error);
    }
  }
  const offer = (phase: 'indices' | 'grow', tensors: TensorEntries): Promise<void> => {
    const seconds = secondsBefore(state) + (performance.now() - begunAt) / 1000;
    const drifted = used === network ? {} : { drifted: weightsOf(used) };
    const kept = { indices: new Map(tensors), ...drifted };
    const position = { stage: at, epoch, epochs, within: { phase, done: pauses, seconds } };
    return snapshots.offer(snapshotOf(network, position, kept));
  };
  const compute = (begun: TensorEntries): Promise<Indices> =>
    keptIndices(
      used,
      data,
      request,
      { control, where: { stage: at, epoch: 0, epochs: 1 } },
      {
        pauses: snapshots,
        begun,
        mostBytes: spec.checkpoint.indicesBytes,
        onPause: async (tensors, why) => {
          pauses += 1;
          if (tensors.length > 0) await offer('indices', tensors);
          if (why === 'checkpoint') return;
          await snapshots.settle();
          const anew = tensors.length > 0 ? '' : ' (the sweep under way begins anew)';
          throw stopped(`within the splitting indices of stage ${at}${anew}`);
        },
      },
    );
  const begun = isWhole ? [] : [...(extras.indices ?? [])];
  const indices = await compute(begun).catch((error: unknown) => {
    noteAnew(error);
    return compute([]);
  });
  try {
    await offer('grow', [...indicesTensors(indices)]);
    return indices;
  } catch (error) {
    indices[Symbol.dispose]();
    throw error;
  }
}

function weightsOf({ handle }: Network) {
  return new Map(loadCore().readNetwork(handle, 'weights'));
}
