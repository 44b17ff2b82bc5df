// How much each channel of a group matters: what Pruning (L1) and Pruning (Bn) rank by.
import { SplitgrowError } from '../../errors.js';
import type { GroupId } from '../../graph/channels.js';
import type { Graph } from '../../graph/ir.js';
import { lower } from '../../graph/lower.js';
import type { TensorMap } from '../../native/face.js';
import { gammaOf, normsBehindProducers, numbersOf, splittableGroups } from './norms.js';

/** One number of 0 or more a channel, by group; higher stays longer. */
export type Importance = ReadonlyMap<GroupId, Float64Array>;

/**
 * Pruning (L1) (Li et al. 2017): the sum of |W| over a neuron's own weights,
 * bias not counted, for every splittable group; tied producers' sums add up.
 * Comparable within a group only: use with `keepUniform`. Depthwise filters
 * have no say and follow their channels.
 *
 * @param weights Every tensor of the network, float32.
 * @throws E_WEIGHTS where a weight is missing or does not fit
 */
export function l1Importance(graph: Graph, weights: TensorMap): Importance {
  const dimensions = new Map(lower(graph).chains.map(({ id, dimension }) => [id, dimension] as const));
  return new Map(
    splittableGroups(graph).map(({ id, producers, neurons }) => {
      const sums = new Float64Array(neurons);
      for (const producer of producers) {
        const dimension = dimensions.get(producer) ?? 0;
        const weight = numbersOf(weights, `${producer}.weight`, neurons * dimension);
        for (const [i, w] of weight.entries()) {
          const neuron = Math.floor(i / dimension);
          sums[neuron] = (sums[neuron] ?? 0) + Math.abs(w);
        }
      }
      return [id, sums] as const;
    }),
  );
}

/**
 * Pruning (Bn) (network slimming, Liu et al. 2017): |gamma| of the batch norm
 * right behind the producer; of tied producers the largest. Groups with a
 * producer that has none are not in the map: Pruning (Bn) never prunes them.
 * Comparable over all groups: use with `keepGlobal`.
 *
 * @param weights Every tensor of the network, float32.
 * @throws E_ARGUMENT where no group is left; E_WEIGHTS where a scale is missing or does not fit
 */
export function bnImportance(graph: Graph, weights: TensorMap): Importance {
  const groups = normsBehindProducers(graph);
  if (groups.length === 0) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `pruning by batch norm: expected batch norms right behind the layers of "${graph.name}", found no group that has them; prune by L1`,
    );
  }
  return new Map(
    groups.map(({ group, norms }) => [group.id, largestScales(weights, norms, group.neurons)] as const),
  );
}

/** The largest |gamma| of each channel over some batch norms. */
export function largestScales(weights: TensorMap, norms: readonly string[], neurons: number): Float64Array {
  const most = new Float64Array(neurons);
  for (const norm of norms) {
    const gammas = numbersOf(weights, gammaOf(norm), neurons);
    for (const [i, gamma] of gammas.entries()) most[i] = Math.max(most[i] ?? 0, Math.abs(gamma));
  }
  return most;
}
