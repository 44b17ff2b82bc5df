// Noise on the copies of split neurons: what breaks the symmetry where no direction does (the ablation of Net2Net's kind).
import { lower } from '../../graph/lower.js';
import type { Surgery, TensorSurgery } from '../../graph/program.js';
import { loadCore, type TensorData } from '../../native/core.js';
import { type Network, networkOf } from '../../train/network.js';
import { normals } from '../../train/seeds.js';
import { layerWeight, lengthOf, rowsOf, weightsOf } from './neuron-weights.js';

export interface Noise {
  /** Length of the noise, nearly, in lengths of the neuron's own weights. */
  readonly size: number;
  readonly seed: number;
}

/** 1 for rows of a grown tensor that are copies, 0 for others: every old row keeps its place, copies come behind. */
function copiesOf({ rows }: TensorSurgery): Float32Array {
  return Float32Array.from(rows ?? [], (source, at) => (source === at ? 0 : 1));
}

/** Noise for the copies among the rows, 0 for the others; `draw` gives standard normal numbers. */
function noiseOf(own: TensorData, isCopy: Float32Array, size: number, draw: () => number): TensorData {
  const rows = rowsOf(own);
  const d = rows[0]?.length ?? 0;
  const noise = new Float32Array(rows.length * d);
  rows.forEach((row, at) => {
    if (isCopy[at] !== 1) return;
    const deviation = (size * lengthOf(row)) / Math.sqrt(d);
    for (let i = 0; i < d; i += 1) noise[at * d + i] = deviation * draw();
  });
  return { dtype: 'float32', shape: [rows.length, d], data: new Uint8Array(noise.buffer) };
}

/**
 * The grown network with independent Gaussian noise of standard deviation size |theta| / sqrt(d) on each of the d own
 * weights of every copy; momentum and all else as it was. `surgery` is the one that it was grown by. The mean of
 * two offspring moves, so that the function changes in the first order of `size`, at random.
 */
export async function withNoise(network: Network, surgery: Surgery, { size, seed }: Noise): Promise<Network> {
  const weights = weightsOf(network);
  const draw = normals(seed);
  const noise = surgery.flatMap((one): readonly [string, TensorData][] =>
    one.direction === null
      ? []
      : [[one.direction, noiseOf(layerWeight(weights, one.direction), copiesOf(one), size, draw)]],
  );
  const core = loadCore();
  const directions = core.createDirections(noise, 'cpu');
  try {
    // Every tensor as it is, but that copies move by one noise.
    const still = surgery.map(
      (one): TensorSurgery => ({
        name: one.name,
        rows: null,
        shift: one.direction === null ? null : copiesOf(one),
        direction: one.direction,
        rowShares: null,
        columns: null,
        scales: null,
      }),
    );
    const handle = await core.rewrite(network.handle, lower(network.graph), still, directions, 1, 'keep');
    return networkOf(network.graph, handle);
  } finally {
    directions.dispose();
  }
}
