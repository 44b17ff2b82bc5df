// The flat program that C++ runs: ops on numbered slots, with every shape already decided.

import type { Initial } from './ir.js';

export interface ProgramParameter {
  /** `<node id>.<parameter>` */
  readonly name: string;
  readonly shape: readonly number[];
  readonly initial: Initial;
  readonly isTrained: boolean;
}

export interface Instruction {
  readonly id: string;
  /** Name of a row of the native op table (native/core/ops/ops.cc). */
  readonly op: string;
  /** Slots read; slot 0 is the input, instruction i writes slot i + 1. */
  readonly inputs: readonly number[];
  /** Numbers and names the native op needs (stride, padding, groups, eps, kind ...). */
  readonly attributes: Readonly<Record<string, number | string>>;
  readonly parameters: readonly ProgramParameter[];
}

/**
 * layer -> [batch_norm] -> [activation], whose output channels are the neurons
 * that have a splitting index. Members are slots; -1 where absent.
 */
export interface Chain {
  readonly id: string;
  readonly layer: number;
  readonly batchNorm: number;
  readonly activation: number;
  readonly neurons: number;
  /** Weights per neuron, bias not counted: (in / groups) * k * k. */
  readonly dimension: number;
}

export interface Program {
  readonly inputShape: readonly [number, number, number];
  readonly classes: number;
  readonly instructions: readonly Instruction[];
  /** Slot of the logits. */
  readonly output: number;
  readonly chains: readonly Chain[];
}

/**
 * How one tensor of the new network is made from the same tensor of the old one. Row j of axis 0 is
 * old[rows[j]] + epsilon * shift[j] * direction[rows[j]], without the second term where `shift` is null. Then column k of
 * axis 1 is column columns[k] times scales[k]. When channel 1 of 2 is split in the layer "a", which "b" reads:
 *
 *     a.weight  [2, 3] -> [3, 3]   rows [0, 1, 1], shift [0, 1, -1]
 *     a_bn.bias [2]    -> [3]      rows [0, 1, 1]
 *     b.weight  [5, 2] -> [5, 3]   columns [0, 1, 1], scales [1, 1/2, 1/2]
 */
export interface TensorSurgery {
  /** Name in both networks: `<node id>.<parameter>`. */
  readonly name: string;
  /** Source row of each new row of axis 0; null: unchanged. */
  readonly rows: Int32Array | null;
  /** Multiples of epsilon * direction added to each new row (weights of split layers only). */
  readonly shift: Float32Array | null;
  /** Node id whose directions `shift` refers to. */
  readonly direction: string | null;
  /** The share of its parent that each new row carries (1/2, 1/4 ...). Its momentum and its splitting index are multiplied by it. Null: all 1. */
  readonly rowShares: Float32Array | null;
  /** Source column of each new column of axis 1; null: unchanged. */
  readonly columns: Int32Array | null;
  /** Factor of each new column. */
  readonly scales: Float32Array | null;
  /** False: the step along the directions is gathered by `columns` but not multiplied by `scales`. Absent: true. */
  readonly scalesStep?: boolean;
}

/** What becomes of every tensor when a network grows or is pruned. */
export type Surgery = readonly TensorSurgery[];
