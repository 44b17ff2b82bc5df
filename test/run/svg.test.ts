// Drawings of reports leave the vega of the program around them as it is.
import { expect, test } from 'vitest';
import { drawSvg } from '../../lib/report/page/svg.js';

const SPEC = {
  data: {
    values: [
      { a: 'first label', b: 1 },
      { a: 'second label', b: 2 },
    ],
  },
  mark: 'bar',
  encoding: { x: { field: 'b', type: 'quantitative' }, y: { field: 'a', type: 'nominal' } },
} as const;

test('vega measures texts as before while reports are drawn and after, two at a time as well', async () => {
  const { textMetrics } = (await import('vega')) as unknown as {
    readonly textMetrics: { width: (item: { readonly fontSize: number }, text: string) => number };
  };
  const before = textMetrics.width;
  const measured = before({ fontSize: 10 }, 'WWWW');
  const alone = await drawSvg(SPEC as never, { id: 'x', label: 'a drawing' });
  expect(textMetrics.width).toBe(before);
  const drawings = [1, 2].map(() => drawSvg(SPEC as never, { id: 'x', label: 'a drawing' }));
  const during: number[] = [];
  for (let i = 0; i < 20; i += 1) {
    during.push(textMetrics.width({ fontSize: 10 }, 'WWWW'));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(new Set(during)).toEqual(new Set([measured]));
  expect(await Promise.all(drawings)).toEqual([alone, alone]);
  expect(textMetrics.width).toBe(before);
});
