// Weights of single neurons: a neuron is a row of its layer's weight tensor, bias not counted. And steps in proportion to their length.
import { SplitgrowError } from '../../errors.js';
import type { NodeId } from '../../graph/ir.js';
import type { DirectionsHandle, TensorData, TensorMap } from '../../native/face.js';
import { loadCore } from '../../native/load.js';
import type { Network } from '../../train/network.js';

/** The numbers of a float tensor, row-major. */
export function floatsOf({ dtype, data }: TensorData): Float32Array | Float64Array {
  const bytes = data.slice().buffer;
  return dtype === 'float64' ? new Float64Array(bytes) : new Float32Array(bytes);
}

/** A network's tensors by name, on the JavaScript side. */
export function weightsOf(network: Network): TensorMap {
  return new Map(loadCore().readNetwork(network.handle, 'weights'));
}

/** `<layer>.weight`: a row a neuron. @throws E_INTERNAL where there is none */
export function layerWeight(weights: TensorMap, layer: NodeId): TensorData {
  const found = weights.get(`${layer}.weight`);
  if (found !== undefined) return found;
  throw new SplitgrowError('E_INTERNAL', `weights: expected "${layer}.weight", found no such tensor`);
}

/** Rows of axis 0. */
export function rowsOf(tensor: TensorData): readonly (Float32Array | Float64Array)[] {
  const values = floatsOf(tensor);
  const rows = tensor.shape[0] ?? 0;
  const size = rows === 0 ? 0 : values.length / rows;
  return Array.from({ length: rows }, (_, i) => values.subarray(i * size, (i + 1) * size));
}

/** L2 length. */
export function lengthOf(row: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < row.length; i += 1) sum += (row[i] ?? 0) ** 2;
  return Math.sqrt(sum);
}

/** Directions whose rows are as long as the weights of their neurons, and those lengths by layer. */
export interface RelativeDirections {
  /** To be disposed of. */
  readonly directions: DirectionsHandle;
  readonly lengths: ReadonlyMap<NodeId, Float64Array>;
}

/**
 * |theta| v for every unit direction v. Behind batch norm only the direction of theta counts for the function, so that
 * an epsilon in proportion to |theta| means the same at every neuron. Departs: the paper has one epsilon for all.
 */
export function relativeDirections(network: Network, directions: DirectionsHandle): RelativeDirections {
  const core = loadCore();
  const weights = weightsOf(network);
  const lengths = new Map<NodeId, Float64Array>();
  const scaled = core.readDirections(directions).map(([layer, tensor]) => {
    const found = Float64Array.from(rowsOf(layerWeight(weights, layer)), lengthOf);
    lengths.set(layer, found);
    return [layer, timesRows(tensor, found)] as const;
  });
  // They stay in host memory. Growth copies them to the network's device.
  return { directions: core.createDirections(scaled, 'cpu'), lengths };
}

/** A tensor with each row of axis 0 times its factor. */
export function timesRows(tensor: TensorData, factors: ArrayLike<number>): TensorData {
  const values = floatsOf(tensor);
  const size = values.length / Math.max(1, tensor.shape[0] ?? 1);
  const scaled = values.map((value, i) => value * (factors[Math.floor(i / size)] ?? 0));
  return { ...tensor, data: new Uint8Array(scaled.buffer) };
}
