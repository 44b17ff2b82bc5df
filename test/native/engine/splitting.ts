// Splitting indices of a start, and steps that show products of the splitting matrices.
import type { IndicesOptions } from '../../../lib/native/face.js';
import { core, datasetOf, networkOf, numbers, type Precision, weightsOf } from '../golden.js';
import type { Results, Start } from './agreement.js';

/** Indices, residuals and directions of every chain, and the running statistics that it leaves. */
export async function indicesOf(start: Start, dtype: Precision, options: IndicesOptions): Promise<Results> {
  const network = networkOf(start.graph, start.weights, { dtype });
  const data = datasetOf(start.batch, start.classes);
  const { chains, directions } = await core().indices(network, data, options, null, null);
  const found = new Map<string, Float64Array>();
  for (const { id, indices, residuals } of chains) {
    found.set(`indices of ${id}`, indices);
    found.set(`residuals of ${id}`, residuals);
  }
  for (const [id, tensor] of core().readDirections(directions))
    found.set(`directions of ${id}`, numbers(tensor));
  for (const [name, tensor] of weightsOf(network))
    if (name.includes('.running_')) found.set(name, numbers(tensor));
  for (const handle of [network, data, directions]) handle.dispose();
  return found;
}

/**
 * With alpha 1 the divisor of RMSprop is its epsilon alone. A step is then v - rate / epsilon * 2 (S v - (v' S v) v), and shows
 * all of S v.
 */
export const PLAIN_STEPS = { alpha: 1 } as const;
