// A snapshot: a copy in JavaScript of all that a run needs to go on from a moment. It is written while the work goes on.

import type { Graph } from '../../graph/ir.js';
import type { TensorMap, TensorSet } from '../../native/face.js';
import { loadCore } from '../../native/load.js';
import { FILES, type Network } from '../../train/network.js';
import type { StateRecord } from './records.js';

/** The tensors that training keeps beside the weights, each set in a file of its name. An empty set has no file. */
export const SETS = ['momentum', 'average'] as const satisfies readonly TensorSet[];

export const fileOf = (set: TensorSet): string => `${set}.safetensors`;

/** What a moment within a stage needs besides the network; each is there only where it is needed. */
export const EXTRAS = {
  /** Sums of an epoch that has begun, and the state of each rank. */
  epoch: 'epoch.safetensors',
  /** Penalties of that epoch. They follow from the weights before it. */
  penalties: 'penalties.safetensors',
  /** Splitting indices, half computed or whole. */
  indices: 'indices.safetensors',
  /** Weights and statistics of the copy that the indices are computed of, where these drift. */
  drifted: 'drifted.safetensors',
} as const;
export type Extra = keyof typeof EXTRAS;
export type Extras = Readonly<Partial<Record<Extra, TensorMap>>>;

export interface Snapshot {
  readonly state: StateRecord;
  readonly graph: Graph;
  /** By file name. */
  readonly tensors: ReadonlyMap<string, TensorMap>;
}

/** A copy of the network as it is now. Nothing may be changing the network meanwhile. */
export function snapshotOf({ graph, handle }: Network, state: StateRecord, extras: Extras = {}): Snapshot {
  const weights = new Map(loadCore().readNetwork(handle, 'weights'));
  return {
    state,
    graph,
    tensors: new Map([
      [FILES.weights, weights],
      ...SETS.map((set) => [fileOf(set), new Map(loadCore().readNetwork(handle, set))] as const).filter(
        ([, set]) => set.size > 0,
      ),
      ...(Object.keys(EXTRAS) as Extra[]).flatMap((extra) => {
        const tensors = extras[extra];
        return tensors === undefined ? [] : [[EXTRAS[extra], tensors] as const];
      }),
    ]),
  };
}
