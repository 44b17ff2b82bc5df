// Noise on the copies of split neurons, as in Net2Net: an ablation, in which noise tells the copies apart and no direction does.
import { lower } from '../../graph/lower.js';
import type { Surgery, TensorSurgery } from '../../graph/program.js';
import type { TensorData } from '../../native/face.js';
import { loadCore } from '../../native/load.js';
import { type Network, networkOf } from '../../train/network.js';
import { normals } from '../../train/seeds.js';
import { layerWeight, lengthOf, rowsOf, weightsOf } from './neuron-weights.js';

export interface Noise {
  /** Expected length of the noise, as a share of the length |theta| of the neuron's weights. */
  readonly size: number;
  readonly seed: number;
}

/** 1 for rows of a grown tensor that are copies, 0 for others. Old rows keep their places, copies come after them. */
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
 * The grown network with Gaussian noise on the d weights of every copy, of standard deviation size |theta| / sqrt(d).
 * Momentum and everything else stay. `surgery` is the one that grew the network. Noise moves the mean of the two
 * offspring, so the function changes in the first order of `size`.
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
    // Tensors keep their shape. Copies move by one times their noise, everything else stays.
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
