// Verdicts at and around two standard errors: of 16 values with a deviation of 2, that is 1.
import { expect, test } from 'vitest';
import { type Relation, verdictOf } from '../../lib/statistics/verdict.js';

const CASES: readonly (readonly [relation: Relation, mean: number, sd: number | null, verdict: string])[] = [
  ['above', 1.1, 2, 'agrees'],
  ['above', 1, 2, 'undecided'],
  ['above', 0, 0, 'undecided'],
  ['above', -1, 2, 'undecided'],
  ['above', -1.1, 2, 'disagrees'],
  ['above', 9, null, 'undecided'],
  ['within', 5, 2, 'agrees'],
  ['within', 0, 0, 'agrees'],
  ['within', -1, 2, 'agrees'],
  ['within', -1.1, 2, 'disagrees'],
  ['within', 9, null, 'undecided'],
];

test.each(CASES)('"%s" with mean %d and deviation %s: %s', (relation, mean, sd, verdict) => {
  expect(verdictOf({ n: sd === null ? 1 : 16, mean, sd }, relation)).toBe(verdict);
});

test('without a difference nothing is decided', () => {
  expect(verdictOf(null, 'above')).toBe('undecided');
  expect(verdictOf(null, 'within')).toBe('undecided');
});
