// The comparison of this folder tells results apart that differ by more than roundings.
import { expect, test } from 'vitest';
import { assertAgree, type Results, resultsOf } from './agreement.js';
import { kinkDistance } from './kinks.js';
import { around, startOf } from './nets.js';

const GRAPH = around(
  5,
  [4, 5],
  [
    ['norm', 'batch_norm', 'before'],
    ['act', 'activation', 'norm', { kind: 'relu' }],
  ],
);

test('a value that is off by a thousandth, of another sign, or NaN is refused in every result', async () => {
  const results = await resultsOf(startOf(GRAPH, 16, 1), 'float64');
  assertAgree(results, results, 'as they are');
  expect(results.size).toBe(12);
  for (const [name, values] of results) {
    // A gradient that is 0 may be off by as much as roundings of all others are.
    if (name === 'gradient of before.bias') continue;
    for (const change of [(x: number) => 1.001 * x, (x: number) => -x, () => Number.NaN]) {
      const changed: Results = new Map([...results, [name, values.map(change)]]);
      expect(() => assertAgree(changed, results, 'changed'), name).toThrow(`changed: ${name} is off by`);
    }
  }
  const fewer = new Map([...results].slice(1));
  expect(() => assertAgree(fewer, results, 'fewer')).toThrow();
});

test('the distance from a kink is that of the value that is nearest to one', async () => {
  const start = startOf(around(2, [1, 2], [['act', 'activation', 'before', { kind: 'relu6' }]]), 3, 1);
  const { weights, batch } = start;
  const [weight, bias] = ['before.weight', 'before.bias'].map((name) => weights.get(name)?.data ?? []);
  const pixels = new Float32Array((batch.get('images')?.data ?? new Uint8Array()).slice().buffer);
  const values = [0, 1, 2].flatMap((image) =>
    [0, 1].flatMap((channel) =>
      [0, 1].map((x) =>
        [0, 1].reduce(
          (sum, from) => sum + (weight?.[2 * channel + from] ?? 0) * (pixels[4 * image + 2 * from + x] ?? 0),
          bias?.[channel] ?? 0,
        ),
      ),
    ),
  );
  const nearest = Math.min(...values.flatMap((x) => [Math.abs(x), Math.abs(x - 6)]));
  const size = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
  expect(await kinkDistance(start, 'train')).toBeCloseTo(nearest / size, 12);
});
