// Twins: the two offspring of a neuron, and how far their weights have come apart.
import { row } from '../../graph/fields.js';
import type { NodeId } from '../../graph/ir.js';
import type { TensorMap } from '../../native/face.js';
import { layerWeight, lengthOf, rowsOf } from './neuron-weights.js';

/** Rows of one layer's weight: the neuron that was split and the copy that was appended. */
export interface TwinPair {
  readonly layer: NodeId;
  readonly neuron: number;
  readonly copy: number;
}

/** Relative L2 distance |a - b| / max(|a|, |b|) of the weights of twins; 0 for two zeros, 2 at most. */
export interface TwinsRecord {
  /** Pairs measured. */
  readonly pairs: number;
  /** Their mean distance. */
  readonly meanDistance: number;
  /** The least. */
  readonly minDistance: number;
}

/**
 * The pairs that a split makes. Copies are appended in the order of each producer's list. A neuron split twice is in two
 * pairs, and each of the layers tied in one group has its pairs.
 */
export function twinPairs(
  splits: Readonly<Record<NodeId, readonly number[]>>,
  widthsBefore: Readonly<Record<NodeId, number>>,
): readonly TwinPair[] {
  return Object.entries(splits).flatMap(([layer, neurons]) =>
    neurons.map((neuron, at) => ({ layer, neuron, copy: (row(widthsBefore, layer) ?? 0) + at })),
  );
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const apart = lengthOf(Array.from({ length: a.length }, (_, i) => (a[i] ?? 0) - (b[i] ?? 0)));
  return apart === 0 ? 0 : apart / Math.max(lengthOf(a), lengthOf(b));
}

/** Distances of all pairs in the tensors of a network, or null where there is no pair. */
export function twinsOf(pairs: readonly TwinPair[], weights: TensorMap): TwinsRecord | null {
  if (pairs.length === 0) return null;
  const layers = new Set(pairs.map(({ layer }) => layer));
  const rows = new Map([...layers].map((layer) => [layer, rowsOf(layerWeight(weights, layer))] as const));
  const distances = pairs.map(({ layer, neuron, copy }) => {
    const own = rows.get(layer) ?? [];
    return distance(own[neuron] ?? [], own[copy] ?? []);
  });
  const sum = distances.reduce((total, one) => total + one, 0);
  return {
    pairs: pairs.length,
    meanDistance: sum / pairs.length,
    minDistance: distances.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY),
  };
}
