// Which picks become new neurons, by hand.
import { expect, test } from 'vitest';
import { divided } from '../../../lib/split/choose/insertion.js';
import type { PickRecord } from '../../../lib/split/choose/knapsack.js';

const pick = (group: string, neuron: number, ratio: number): PickRecord => ({
  ...{ group, neuron, ratio, index: ratio * 10, costs: { macs: 10 } },
});
const PICKS = [pick('a', 0, -4), pick('a', 1, -3), pick('b', 0, -2), pick('a', 2, -1)];

test('the worst for their cost become new neurons, and of an odd number the best is split', () => {
  const { split, inserted, instead } = divided(PICKS, { kind: 'pairs', share: 0.75 });
  expect(split).toEqual([PICKS[0], PICKS[2]]);
  expect([...inserted]).toEqual([['a', 2]]);
  expect(instead).toEqual([{ group: 'b', neurons: 1, because: 'one is left of a pair' }]);
});

test('every pick is split or new: all counts add up for every share', () => {
  for (let share = 0; share <= 1; share += 0.05) {
    const { split, inserted, instead } = divided(PICKS, { kind: 'pairs', share });
    const count = [...inserted.values()].reduce((sum, one) => sum + one, 0);
    const kept = instead.reduce((sum, { neurons }) => sum + neurons, 0);
    expect(split.length + count).toBe(PICKS.length);
    expect(count + kept).toBe(Math.round(share * PICKS.length));
    expect([...inserted.values()].every((one) => one % 2 === 0)).toBe(true);
  }
});

test('a group without room is split instead, with the reason, and singles need no second', () => {
  const room = (group: string) =>
    group === 'a' ? { most: 1, because: 'full' } : { most: 0, because: 'none' };
  const { split, inserted, instead } = divided(PICKS, { kind: 'gradmax', share: 1 }, room);
  expect([...inserted]).toEqual([['a', 1]]);
  expect(split).toEqual(PICKS.slice(0, 3));
  expect(instead).toEqual([
    { group: 'a', neurons: 2, because: 'full' },
    { group: 'b', neurons: 1, because: 'none' },
  ]);
});

test('of equal ones those chosen later are new; none or a share of 0 leaves all', () => {
  const equal = [0, 1, 2, 3].map((neuron) => pick('a', neuron, -1));
  expect(divided(equal, { kind: 'pairs', share: 0.5 }).split).toEqual(equal.slice(0, 2));
  expect(divided(equal, { kind: 'none', share: 1 })).toMatchObject({ split: equal, instead: [] });
  expect(divided(equal, { kind: 'pairs', share: 0 }).split).toEqual(equal);
});
