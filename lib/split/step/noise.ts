// Noise on weights after growth: on the copies alone, as in Net2Net, or on all neurons before a batch norm, as in shrink and perturb.
import type { NodeId } from '../../graph/ir.js';
import { lower } from '../../graph/lower.js';
import { opOf } from '../../graph/ops.js';
import type { Surgery, TensorSurgery } from '../../graph/program.js';
import type { TensorData } from '../../native/face.js';
import { loadCore } from '../../native/load.js';
import { type Network, networkOf } from '../../train/network.js';
import { normals } from '../../train/seeds.js';
import { layerWeight, lengthOf, rowsOf, weightsOf } from './neuron-weights.js';
import { normedNodes } from './rescale.js';

export interface Noise {
  /** Expected length of the noise, as a share of the length |theta| of the neuron's weights. */
  readonly size: number;
  readonly seed: number;
}

/** Which rows of a layer's weight tensor are moved: 1, and 0 for the others. */
type Moved = readonly [layer: NodeId, rows: Float32Array];

/** Noise for the rows that move, 0 for the others; `draw` gives standard normal numbers. */
function noiseOf(own: TensorData, moves: Float32Array, size: number, draw: () => number): TensorData {
  const rows = rowsOf(own);
  const d = rows[0]?.length ?? 0;
  const noise = new Float32Array(rows.length * d);
  rows.forEach((row, at) => {
    if (moves[at] !== 1) return;
    const deviation = (size * lengthOf(row)) / Math.sqrt(d);
    for (let i = 0; i < d; i += 1) noise[at * d + i] = deviation * draw();
  });
  return { dtype: 'float32', shape: [rows.length, d], data: new Uint8Array(noise.buffer) };
}

/** The network with Gaussian noise on some rows; momentum and everything else stay. */
async function movedBy(network: Network, moved: readonly Moved[], { size, seed }: Noise): Promise<Network> {
  const weights = weightsOf(network);
  const draw = normals(seed);
  const core = loadCore();
  const directions = core.createDirections(
    moved.map(([layer, rows]) => [layer, noiseOf(layerWeight(weights, layer), rows, size, draw)] as const),
    'cpu',
  );
  try {
    const shifts = new Map<string, { readonly layer: NodeId; readonly rows: Float32Array }>(
      moved.map(([layer, rows]) => [`${layer}.weight`, { layer, rows }]),
    );
    // Tensors keep their shape. What moves does so by one times its noise, everything else stays.
    const still = [...weights.keys()].map((name): TensorSurgery => {
      const shift = shifts.get(name);
      return {
        name,
        rows: null,
        shift: shift?.rows ?? null,
        direction: shift?.layer ?? null,
        rowShares: null,
        columns: null,
        scales: null,
      };
    });
    const handle = await core.rewrite(network.handle, lower(network.graph), still, directions, 1, 'keep');
    return networkOf(network.graph, handle);
  } finally {
    directions.dispose();
  }
}

/** 1 for rows of a grown tensor that are copies, 0 for others. Old rows keep their places, copies come after them. */
function copiesOf({ rows }: TensorSurgery): Float32Array {
  return Float32Array.from(rows ?? [], (source, at) => (source === at ? 0 : 1));
}

/**
 * The grown network with Gaussian noise on the d weights of every copy, of standard deviation size |theta| / sqrt(d): an
 * ablation, in which noise tells the copies apart and no direction does. Momentum and everything else stay. `surgery` is
 * the one that grew the network. Noise moves the mean of the two offspring, so the function changes in the first order of
 * `size`.
 */
export function withNoise(network: Network, surgery: Surgery, noise: Noise): Promise<Network> {
  const moved = surgery.flatMap((one): readonly Moved[] =>
    one.direction === null ? [] : [[one.direction, copiesOf(one)]],
  );
  return movedBy(network, moved, noise);
}

/**
 * The network with the same noise on every neuron and depthwise filter that a batch norm reads, old ones too: the
 * perturbing half of Ash and Adams 2020, who take 0.01. Departs: their deviation is the same for all weights; ours follows
 * each neuron's length, because before a batch norm only the direction counts. Batch norm's statistics stay.
 */
export function withPerturbed(network: Network, noise: Noise): Promise<Network> {
  const weights = weightsOf(network);
  const moved = normedNodes(network.graph).flatMap(({ node }): readonly Moved[] => {
    const weight = weights.get(`${node.id}.weight`);
    // A batch norm that another one reads has scales, and no neurons.
    if (weight === undefined || opOf(node).chain === 'batch_norm') return [];
    return [[node.id, new Float32Array(weight.shape[0] ?? 0).fill(1)]];
  });
  return movedBy(network, moved, noise);
}
