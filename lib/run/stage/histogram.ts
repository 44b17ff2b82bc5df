// Counts of splitting indices in bins of equal width, for the report.
import type { Histogram } from '../store/records.js';

const BINS = 30;

/** Bins from the least to the greatest value; the last one holds its upper edge too. */
export function histogramOf(values: readonly number[], bins = BINS): Histogram {
  const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const greatest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!(least < greatest))
    return { edges: values.length === 0 ? [0, 0] : [least, greatest], counts: [values.length] };
  const width = (greatest - least) / bins;
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    const bin = Math.min(bins - 1, Math.floor((value - least) / width));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { edges: [...Array.from({ length: bins }, (_, i) => least + i * width), greatest], counts };
}
