// L1 penalties on parameters while a network is fitted: sparsity training.
import type { TensorEntries } from '../native/face.js';
import type { Network } from './network.js';

/** The penalties of an epoch (from 0, within its stage), asked for before it begins, of the network as it stands. */
export type Penalties = (network: Network, epoch: number) => TensorEntries;

/** Coefficients of vectors, by parameter, as `TrainOptions.penalties` takes them. */
export function penaltyTensors(coefficients: ReadonlyMap<string, Float32Array>): TensorEntries {
  return [...coefficients].map(([name, values]) => {
    const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return [name, { dtype: 'float32', shape: [values.length], data }];
  });
}
