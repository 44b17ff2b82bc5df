// What a paired difference says of a claim.
import { type Spread, standardError } from './spread.js';

export type Relation = 'above' | 'within';
export type Verdict = 'agrees' | 'disagrees' | 'undecided';

/**
 * `above`: agrees or disagrees where the mean difference is more than two of its standard errors from zero.
 * `within`: agrees where it is no more than two below zero.
 * Undecided for fewer than two seeds, which have no spread.
 */
export function verdictOf(difference: Spread | null, relation: Relation): Verdict {
  const error = difference === null ? null : standardError(difference);
  if (difference === null || error === null) return 'undecided';
  const { mean } = difference;
  if (relation === 'within') return mean >= -2 * error ? 'agrees' : 'disagrees';
  if (Math.abs(mean) <= 2 * error) return 'undecided';
  return mean > 0 ? 'agrees' : 'disagrees';
}
