// The largest number that still fits, where what fits ends at some point.

/** Halvings of an interval: finer than any width can tell apart. */
const HALVINGS = 50;

/** The largest number from `low`, which fits, to `high`, up to a share of 2^-50 of the interval. */
export function largestReal(low: number, high: number, fits: (at: number) => boolean): number {
  if (fits(high)) return high;
  let [best, over] = [low, high];
  for (let i = 0; i < HALVINGS; i += 1) {
    const middle = (best + over) / 2;
    if (fits(middle)) best = middle;
    else over = middle;
  }
  return best;
}

/** The least integer from `low` to `high`, which fits, from which on all fit. */
export function leastInteger(low: number, high: number, fits: (at: number) => boolean): number {
  let [over, best] = [low - 1, high];
  while (best - over > 1) {
    const middle = Math.floor((over + best) / 2);
    if (fits(middle)) best = middle;
    else over = middle;
  }
  return best;
}
