// What a paired difference says of a claim.
import type { Spread } from './spread.js';

export type Relation = 'above' | 'within';
export type Verdict = 'agrees' | 'disagrees' | 'undecided';

/**
 * `above`: agrees or disagrees where the mean difference is more than one standard deviation from zero.
 * `within`: agrees where it is no more than one standard deviation below zero.
 * Undecided for fewer than two seeds, which have no spread.
 */
export function verdictOf(difference: Spread | null, relation: Relation): Verdict {
  if (difference === null || difference.sd === null) return 'undecided';
  const { mean, sd } = difference;
  if (relation === 'within') return mean >= -sd ? 'agrees' : 'disagrees';
  if (Math.abs(mean) <= sd) return 'undecided';
  return mean > 0 ? 'agrees' : 'disagrees';
}
