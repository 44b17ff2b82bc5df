// Verdicts at and around one standard deviation.
import { expect, test } from 'vitest';
import { type Relation, verdictOf } from '../../lib/statistics/verdict.js';

const CASES: readonly (readonly [relation: Relation, mean: number, sd: number | null, verdict: string])[] = [
  ['above', 1.1, 1, 'agrees'],
  ['above', 1, 1, 'undecided'],
  ['above', 0, 0, 'undecided'],
  ['above', -1, 1, 'undecided'],
  ['above', -1.1, 1, 'disagrees'],
  ['above', 9, null, 'undecided'],
  ['within', 5, 1, 'agrees'],
  ['within', 0, 0, 'agrees'],
  ['within', -1, 1, 'agrees'],
  ['within', -1.1, 1, 'disagrees'],
  ['within', 9, null, 'undecided'],
];

test.each(CASES)('"%s" with mean %d and deviation %s: %s', (relation, mean, sd, verdict) => {
  expect(verdictOf({ n: sd === null ? 1 : 3, mean, sd }, relation)).toBe(verdict);
});

test('without a difference nothing is decided', () => {
  expect(verdictOf(null, 'above')).toBe('undecided');
  expect(verdictOf(null, 'within')).toBe('undecided');
});
