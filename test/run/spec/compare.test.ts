import { expect, test } from 'vitest';
import { parseExperiment } from '../../../lib/run/spec/spec.js';
import { messageOf } from '../../reference.js';

const LEAST = { name: 'x', network: { preset: 'mobilenet_cifar10' }, data: { name: 'cifar10' } };
const parse = (compare: unknown) => parseExperiment({ ...LEAST, compare }).compare;

test('a name alone is its entry with every default, held against the last network', () => {
  expect(parse(['width-multiplier', 'prune-bn'])).toEqual([
    { method: 'width-multiplier', at: 'last', equal: 'compute', learningRate: null },
    {
      ...{ method: 'prune-bn', at: 'last', base: 'widest', baseMultiplier: 2 },
      ...{ equal: 'compute', learningRate: null },
      ...{ pretrainEpochs: null, epochs: null, strength: 1e-4 },
    },
  ]);
});

test("MorphNet's strengths are the paper's five", () => {
  for (const method of ['morphnet', 'morphnet-authors']) {
    expect(parse([method])).toEqual([
      {
        ...{ method, at: 'last', equal: 'compute', learningRate: null },
        ...{ base: 'widest', baseMultiplier: 2, pretrainEpochs: null },
        ...{ lambdas: [1e-8, 5e-8, 1e-9, 5e-9, 1e-10], threshold: 1e-2 },
      },
    ]);
  }
});

test('a widest base has a multiplier, a grown one none', () => {
  const multipliers = (given: object) =>
    ['resolution-multiplier', 'prune-l1', 'prune-bn', 'morphnet', 'morphnet-authors'].map((method) => {
      const [entry] = parse([{ method, ...given }]);
      return entry !== undefined && 'baseMultiplier' in entry ? entry.baseMultiplier : 'none';
    });
  expect(multipliers({})).toEqual([1, 2, 2, 2, 2]);
  expect(multipliers({ base: 'widest', targets: [9] })).toEqual([1, 2, 2, 2, 2]);
  expect(multipliers({ baseMultiplier: 3, at: 'stages' })).toEqual([3, 3, 3, 3, 3]);
  expect(multipliers({ base: 'grown' })).toEqual(Array(5).fill('none'));
});

test('an experiment that was written with its defaults is read as the same', () => {
  const spec = parseExperiment({
    ...LEAST,
    compare: [
      ...['scratch', { method: 'retrain', at: 'stages' }, { method: 'prune-l1', targets: [9, 7] }],
      ...['prune-bn', { method: 'morphnet', base: 'grown' }],
    ],
  });
  expect(parseExperiment(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
});

test('an option is set by its place in the list', () => {
  const entry = { method: 'prune-bn', strength: 1e-5 };
  const { compare } = parseExperiment({ ...LEAST, compare: [entry] }, ['compare.0.at=stages']);
  expect(compare).toMatchObject([{ ...entry, at: 'stages' }]);
});

const WRONG: readonly (readonly [claim: string, compare: unknown, says: RegExp])[] = [
  ['an unknown method names the nearest', ['prune-bm'], /^compare\.0\.method: .*"prune-bm".*"prune-bn"/],
  ['so does one in an entry', [{ method: 'morfnet' }], /^compare\.0\.method: .*"morphnet"/],
  [
    'an unknown option names the nearest',
    [{ method: 'prune-bn', strenght: 1 }],
    /^compare\.0\.strenght: unknown field; did you mean "strength"/,
  ],
  [
    "another method's option",
    ['scratch', { method: 'retrain', lambdas: [1] }],
    /^compare\.1\.lambdas: unknown/,
  ],
  ['an unknown place', [{ method: 'scratch', at: 'end' }], /^compare\.0\.at: expected one of last, stages/],
  ['an unknown base', [{ method: 'morphnet', base: 'wide' }], /^compare\.0\.base: .*"widest"/],
  [
    'places and targets together',
    [{ method: 'prune-l1', at: 'last', targets: [1] }],
    /^compare\.0\.targets: expected either/,
  ],
  [
    'targets for grown architectures',
    [{ method: 'scratch', targets: [1] }],
    /^compare\.0\.targets: expected only with methods that need no grown network/,
  ],
  ['no target', [{ method: 'prune-l1', targets: [] }], /^compare\.0\.targets/],
  ['a base below the target', [{ method: 'prune-l1', baseMultiplier: 0.5 }], /^compare\.0\.baseMultiplier/],
  [
    'a multiplier of a grown base',
    ['scratch', { method: 'prune-bn', base: 'grown', baseMultiplier: 2 }],
    /^compare\.1\.baseMultiplier: expected only with base widest.*, got 2/,
  ],
  [
    'the same at lower resolution',
    [{ method: 'resolution-multiplier', base: 'grown', baseMultiplier: 1, at: 'stages' }],
    /^compare\.0\.baseMultiplier: expected only with base widest/,
  ],
  [
    'multiply-adds at equal epochs',
    [{ method: 'prune-l1', equal: 'epochs', compute: 1e9 }],
    /^compare\.0\.compute: expected only with equal compute/,
  ],
  ['no multiply-adds', [{ method: 'prune-l1', compute: 0 }], /^compare\.0\.compute/],
  ['an unknown share', [{ method: 'scratch', equal: 'epoch' }], /^compare\.0\.equal: .*"epochs"/],
  ['a negative rate', [{ method: 'scratch', learningRate: -1 }], /^compare\.0\.learningRate/],
  ['a number', [3], /^compare\.0: expected/],
  ['no list', 'scratch', /^compare: expected a list/],
];
test.each(WRONG)('%s: refused, naming the field', (_claim, compare, says) => {
  expect(messageOf(() => parse(compare))).toMatch(says);
});
