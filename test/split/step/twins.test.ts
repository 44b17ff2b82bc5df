import { expect, test } from 'vitest';
import { twinPairs, twinsOf } from '../../../lib/split/step/twins.js';
import { floats } from '../../native/golden.js';
import { randomOf } from '../../reference.js';

test('copies stand behind the layer in the order of its list, and a neuron split twice is in two pairs', () => {
  expect(twinPairs({ a: [1, 0, 1], b: [2] }, { a: 4, b: 3, c: 9 })).toEqual([
    { layer: 'a', neuron: 1, copy: 4 },
    { layer: 'a', neuron: 0, copy: 5 },
    { layer: 'a', neuron: 1, copy: 6 },
    { layer: 'b', neuron: 2, copy: 3 },
  ]);
});

test('distances are |a - b| / max(|a|, |b|), counted by hand', () => {
  const rows = [
    [3, 4],
    [0, 0],
    [6, 8],
    [0, 0],
    [-3, -4],
  ].flat();
  const weights = new Map([['a.weight', floats([5, 2, 1, 1], (i) => rows[i] ?? 0)]]);
  const distance = (neuron: number, copy: number) =>
    twinsOf([{ layer: 'a', neuron, copy }], weights)?.meanDistance;
  expect([distance(0, 2), distance(0, 1), distance(1, 3), distance(0, 4)]).toEqual([0.5, 1, 0, 2]);
  expect(twinsOf(twinPairs({ a: [0, 1] }, { a: 2 }), weights)).toEqual({
    pairs: 2,
    meanDistance: 0.25,
    minDistance: 0,
  });
  expect(twinsOf([], weights)).toBeNull();
});

test('distances of random layers equal those by brute force', () => {
  const random = randomOf(11);
  const shapes: Readonly<Record<string, readonly [number, number]>> = { a: [7, 9], b: [5, 4] };
  const weights = new Map(
    Object.entries(shapes).map(([id, shape]) => [`${id}.weight`, floats(shape, () => random() * 2 - 1)]),
  );
  const at = (id: string, row: number, i: number): number => {
    const { data } = weights.get(`${id}.weight`) ?? { data: new Uint8Array() };
    return new DataView(data.buffer).getFloat32(4 * (row * (shapes[id]?.[1] ?? 0) + i), true);
  };
  const splits = { a: [3, 1], b: [0, 0] };
  let [sum, least] = [0, Number.POSITIVE_INFINITY];
  for (const [id, neuron, copy, size] of [
    ['a', 3, 5, 9],
    ['a', 1, 6, 9],
    ['b', 0, 3, 4],
    ['b', 0, 4, 4],
  ] as const) {
    let [apart, one, other] = [0, 0, 0];
    for (let i = 0; i < size; i += 1) {
      apart += (at(id, neuron, i) - at(id, copy, i)) ** 2;
      one += at(id, neuron, i) ** 2;
      other += at(id, copy, i) ** 2;
    }
    const distance = Math.sqrt(apart / Math.max(one, other));
    sum += distance / 4;
    least = Math.min(least, distance);
  }
  const found = twinsOf(twinPairs(splits, { a: 5, b: 3 }), weights);
  expect(found?.pairs).toBe(4);
  expect(found?.meanDistance).toBeCloseTo(sum, 12);
  expect(found?.minDistance).toBeCloseTo(least, 12);
});
