// Names of classes: made writable whatever a dataset calls them, and kept where a network grows or is pruned.
import { expect, test } from 'vitest';
import { parseGraph } from '../../lib/graph/check.js';
import { MAX_CLASS_NAME, withClasses, writableNames, wrongName } from '../../lib/graph/classes.js';
import { grow, widen } from '../../lib/graph/grow.js';
import { prune } from '../../lib/graph/prune.js';
import { atResolution } from '../../lib/rivals/networks/resolution-multiplier.js';
import { copy } from './example.js';

const TEN = [...'abcdefghij'];

test('names that may be written stay as they are', () => {
  const names = ['T-shirt/top', 'Ankle boot', 'écureuil', '松鼠', 'n01440764', '__proto__'];
  expect(writableNames(names)).toEqual(names);
});

test('names of any kind become unique lines of bearable length', () => {
  const long = 'x'.repeat(MAX_CLASS_NAME);
  const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
    [
      ['crane', 'ox', 'crane'],
      ['crane (0)', 'ox', 'crane (2)'],
    ],
    [
      ['a', 'a', 'a (0)'],
      ['a (0)', 'a (1)', 'a (0) (2)'],
    ],
    [
      ['a\tb\n', '', ' \u2028 '],
      ['a b', 'class 1', 'class 2'],
    ],
    [
      [`${long}1`, `${long}2`],
      [`${long.slice(4)} (0)`, `${long.slice(4)} (1)`],
    ],
  ];
  for (const [given, want] of cases) {
    const got = writableNames(given);
    expect(got).toEqual(want);
    expect(got.map(wrongName)).toEqual(got.map(() => undefined));
    expect(new Set(got).size).toBe(got.length);
  }
});

test('growth, pruning and widening keep the names and the shorter side', () => {
  const json = { ...copy(), input: { shape: [3, 32, 32], shortSide: 40 }, classes: TEN };
  const graph = parseGraph(json);
  const changed = [
    grow(graph, { splits: { stem: [0, 3] } }).graph,
    prune(graph, new Map([['stem', [0, 2]]])).graph,
    widen(graph, 'stem', 3),
  ];
  for (const one of changed) {
    expect(one.classes).toEqual(TEN);
    expect(one.input).toEqual(json.input);
    expect(parseGraph(JSON.parse(JSON.stringify(one)))).toEqual(one);
  }
});

test('fields are written in one order, wherever the names come from', () => {
  const { classes: _, ...bare } = parseGraph({ ...copy(), classes: TEN });
  const text = JSON.stringify(parseGraph({ ...copy(), classes: TEN }));
  expect(JSON.stringify(withClasses(bare, TEN))).toBe(text);
  expect(JSON.stringify(withClasses(withClasses(bare, TEN), undefined))).toBe(
    JSON.stringify(parseGraph(copy())),
  );
});

test('the shorter side goes with the resolution: the usual one stays usual, another keeps its share', () => {
  const at = (shortSide: number, resolution: number): number | undefined => {
    const input = { shape: [3, 224, 224] as const, shortSide };
    return atResolution({ ...parseGraph(copy()), input }, resolution).input.shortSide;
  };
  expect([at(256, 160), at(256, 100), at(232, 112), at(224, 96)]).toEqual([183, 114, 116, 96]);
  expect(atResolution(parseGraph(copy()), 16).input).not.toHaveProperty('shortSide');
});
