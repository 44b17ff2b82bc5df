// The ratios that the benchmark of the engine reports, from rows of times by hand.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TimesRow } from '../../benchmarks/engine-targets.mjs';
import { ROOT } from '../data/places.js';

const { ratioOf }: typeof import('../../benchmarks/engine-targets.mjs') = await import(
  join(ROOT, 'benchmarks', 'engine-targets.mjs')
);

/** A row whose rounds have these medians; means are ten times as long. */
function row(program: string, medians: readonly number[], more: Partial<TimesRow> = {}): TimesRow {
  const rounds = medians.map((medianMs) => ({ medianMs, meanMs: 10 * medianMs }));
  return {
    ...{ program, isPyTorch: program !== 'ours', network: 'seed', threads: 1, isBusy: false, step: 'train' },
    rounds,
    ...more,
  };
}
const AT = { network: 'seed', threads: 1, step: 'train', over: 'train' };

test('a ratio is that to the fastest other program, round by round', () => {
  const times = [row('ours', [2, 3, 8]), row('slow', [9, 9, 9]), row('fast', [4, 4, 8])];
  expect(ratioOf(times, 'ours', AT)).toEqual({
    ...{ found: 0.75, least: 0.5, most: 1, best: 'fast' },
    ...{ oursMs: 3, bestMs: 4 },
  });
});

test('other networks, threads, steps and busy rounds are left alone', () => {
  const others = [{ network: 'x4' }, { threads: 2 }, { step: 'single' }, { isBusy: true }];
  const times = [row('ours', [2]), row('theirs', [4]), ...others.map((more) => row('other', [1], more))];
  expect(ratioOf(times, 'ours', AT)).toMatchObject({ found: 0.5, best: 'theirs' });
});

test('beside busy processes the means are compared', () => {
  const rounds = [{ medianMs: 1, meanMs: 6 }];
  const times = [row('ours', [], { isBusy: true, rounds }), row('theirs', [2], { isBusy: true })];
  expect(ratioOf(times, 'ours', { ...AT, isBusy: true })).toMatchObject({ found: 6 / 20 });
});

test('there is no ratio where either was not measured', () => {
  expect(ratioOf([row('ours', [2])], 'ours', AT)).toBeNull();
  expect(ratioOf([row('theirs', [2])], 'ours', AT)).toBeNull();
});
