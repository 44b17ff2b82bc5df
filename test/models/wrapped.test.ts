// State dicts of other programs: prefixes of wrappers and counters go, expected names stay.
import { expect, test } from 'vitest';
import { unwrapped } from '../../lib/models/wrapped.js';

const EXPECTED = new Set(['stem.weight', 'stem_bn.weight', 'fc.weight']);
const NAMES = [...EXPECTED];

function of(names: readonly string[]) {
  const { tensors, changes, counters } = unwrapped(new Map(names.map((name) => [name, name])), EXPECTED);
  return { names: [...tensors.keys()], changes, counters };
}

test.each(['module.', 'model.', 'state_dict.', '_orig_mod.', 'module.model.net.', 'backbone.0.'])(
  'the prefix %s is left out, and told',
  (prefix) => {
    const found = of(NAMES.map((name) => prefix + name));
    expect(found.names).toEqual(NAMES);
    expect(found.changes).toHaveLength(1);
  },
);

test('a wrapper between modules is left out', () => {
  expect(of(['module.stem._orig_mod.weight', 'module.stem_bn.weight', 'module.fc.weight']).names).toEqual(
    NAMES,
  );
});

test('counters of batch norms are left out and counted', () => {
  expect(of([...NAMES, 'stem_bn.num_batches_tracked'])).toEqual({ names: NAMES, changes: [], counters: 1 });
});

test('names that are as expected stay, and nothing is told', () => {
  expect(of(NAMES)).toEqual({ names: NAMES, changes: [], counters: 0 });
});

test('an expected name that ends in num_batches_tracked, or begins with a wrapper, stays', () => {
  const expected = new Set(['module.weight', 'x.num_batches_tracked']);
  const given = new Map([...expected].map((name) => [name, 0]));
  expect([...unwrapped(given, expected).tensors.keys()]).toEqual([...expected]);
});

test('of two wrapped copies none is chosen: the names are left for the check to refuse', () => {
  const both = ['model.', 'model_ema.'].flatMap((prefix) => NAMES.map((name) => prefix + name));
  expect(of(both)).toEqual({ names: both, changes: [], counters: 0 });
});

test('what is not wrapped beside what is keeps its name', () => {
  const found = of([...NAMES.map((name) => `model.${name}`), 'loss.weight']);
  expect(found.names).toEqual([...NAMES, 'loss.weight']);
});
