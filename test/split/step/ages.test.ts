// Births of channels and entries, and factors on rates, counted by hand.
import { expect, test } from 'vitest';
import { type BirthNorms, channelBirths, normsBornAt, rateFactors } from '../../../lib/split/step/ages.js';
import { floats, graphOf, numbers, tensorOf } from '../../native/golden.js';

test('a channel was born at the first stage that had it, and a parent stays as old as it was', () => {
  expect([...channelBirths(6, [3, 4])]).toEqual([0, 0, 0, 1, 2, 2]);
  expect([...channelBirths(3, [])]).toEqual([0, 0, 0]);
  expect([...channelBirths(3, [3, 3])]).toEqual([0, 0, 0]);
});

/** At stage 2: b and c are tied, and the classifier reads 4 features of each channel. */
const GRAPH = graphOf(
  [2, 4, 4],
  [
    ['a', 'conv2d', 'input', { out: 3, kernel: 1 }],
    ['a_bn', 'batch_norm', 'a'],
    ['b', 'conv2d', 'a_bn', { out: 2, kernel: 1, bias: true }],
    ['c', 'conv2d', 'a_bn', { out: 2, kernel: 1 }],
    ['sum', 'add', ['b', 'c']],
    ['dw', 'depthwise_conv2d', 'sum', { kernel: 3, stride: 2 }],
    ['flat', 'flatten', 'dw'],
    ['out', 'linear', 'flat', { out: 2 }],
  ],
);
/** a had 1 channel, then 2; b and c had 1, then 2. */
const BEFORE = [
  { a: 1, b: 1, c: 1, out: 2 },
  { a: 2, b: 2, c: 2, out: 2 },
] as const;

test('an entry is born with the younger of its row and its column', () => {
  const births = [
    { beginning: { 'a.weight': 1, 'b.weight': 1, 'c.weight': 1, 'dw.weight': 1, 'out.weight': 1 } },
    {},
  ].map((one, k) => ({
    ...one,
    born: Object.fromEntries(['a', 'b', 'c', 'dw', 'out'].map((id) => [`${id}.weight`, [3, 5][k] ?? 0])),
  }));
  const factors = new Map(rateFactors(GRAPH, BEFORE, births));
  const of = (name: string) => [...numbers(tensorOf(factors, name))];
  // Rows of ages 0, 1, 2; the two columns read the input.
  expect(of('a.weight')).toEqual([1, 1, 3, 3, 5, 5]);
  // Rows 0, 1 by columns 0, 1, 2.
  expect(of('b.weight')).toEqual([1, 3, 5, 3, 3, 5]);
  expect(of('c.weight')).toEqual(of('b.weight'));
  expect(of('dw.weight')).toEqual([...new Array(9).fill(1), ...new Array(9).fill(3)]);
  expect(of('out.weight')).toEqual([1, 1, 1, 1, 3, 3, 3, 3, 1, 1, 1, 1, 3, 3, 3, 3]);
  // Batch norm, biases: the rate of all.
  expect([...factors.keys()].sort()).toEqual(['a.weight', 'b.weight', 'c.weight', 'dw.weight', 'out.weight']);
  for (const { dtype } of factors.values()) expect(dtype).toBe('float32');
});

test('a norm is that of the part born at its stage, over all rows and columns of it', () => {
  const weights = new Map([
    ['a.weight', floats([3, 2, 1, 1], (i) => i + 1)],
    ['b.weight', floats([2, 3, 1, 1], (i) => i + 1)],
  ]);
  const at = (stage: number) => normsBornAt(GRAPH, weights, BEFORE, stage);
  expect(at(0)).toEqual({ 'a.weight': Math.sqrt(1 + 4), 'b.weight': 1 });
  expect(at(1)).toEqual({ 'a.weight': 5, 'b.weight': Math.sqrt(4 + 16 + 25) });
  // What is there now and was not before is born now.
  expect(normsBornAt(GRAPH, weights, BEFORE)).toEqual(at(2));
  expect(at(2)).toEqual({ 'a.weight': Math.sqrt(25 + 36), 'b.weight': Math.sqrt(9 + 36) });
});

test('a factor is the ratio of the two norms, and 1 where either is 0 or nothing was born', () => {
  const births: readonly BirthNorms[] = [
    {
      beginning: { 'a.weight': 4, 'b.weight': 0, 'c.weight': 2, 'dw.weight': 2 },
      born: { 'a.weight': 1, 'b.weight': 1, 'c.weight': 0, 'dw.weight': 2 },
    },
    { born: { 'a.weight': 6, 'b.weight': 1, 'c.weight': 3 } },
  ];
  const factors = new Map(rateFactors(GRAPH, BEFORE, births));
  expect([...numbers(tensorOf(factors, 'a.weight'))]).toEqual([1, 1, 0.25, 0.25, 1.5, 1.5]);
  expect([...numbers(tensorOf(factors, 'c.weight'))]).toEqual([1, 1, 1.5, 1, 1, 1.5]);
  // All 1: b began at 0, dw's newborns are as long as its first weights, nothing is known of out.
  expect([...factors.keys()]).toEqual(['a.weight', 'c.weight']);
  expect(rateFactors(GRAPH, [], [])).toEqual([]);
});
