// How alike two orders and two sets are: Spearman's rank correlation, and the overlap of what was chosen.
import { SplitgrowError } from '../errors.js';

/** Rank of every value, from 1; equal values share the mean of their ranks. */
export function averageRanks(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    const value = values[order[from] ?? 0];
    let to = from + 1;
    while (to < order.length && values[order[to] ?? 0] === value) to += 1;
    for (const i of order.slice(from, to)) ranks[i] = (from + 1 + to) / 2;
    from = to;
  }
  return ranks;
}

/**
 * Spearman's rank correlation: Pearson's of the average ranks. Null where it has no meaning: fewer than two values, or
 * all of one list equal.
 *
 * @throws E_ARGUMENT for lists of different lengths, E_NOT_FINITE for a value that is no number.
 */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  const n = a.length;
  if (n !== b.length) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `rank correlation: expected two lists of one length, got ${n} and ${b.length}`,
    );
  }
  const bad = [...Array.from(a), ...Array.from(b)].find((value) => Number.isNaN(value));
  if (bad !== undefined)
    throw new SplitgrowError('E_NOT_FINITE', 'rank correlation: a value is not a number');
  const mean = (n + 1) / 2;
  const [x, y] = [averageRanks(a), averageRanks(b)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < n; i += 1) {
    const [dx, dy] = [(x[i] ?? 0) - mean, (y[i] ?? 0) - mean];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx === 0 || yy === 0 ? null : xy / Math.sqrt(xx * yy);
}

/** |A and B| / |A or B|; 1 for two empty sets. */
export function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const both = [...a].filter((one) => b.has(one)).length;
  const either = a.size + b.size - both;
  return either === 0 ? 1 : both / either;
}
