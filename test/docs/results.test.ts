import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../data/places.js';

// Plain JavaScript, without types of its own.
const script: { PAGE: string; KEPT: string; withTables: (text: string) => string } = await import(
  join(ROOT, 'scripts', 'results.mjs')
);
const text = readFileSync(script.PAGE, 'utf8');

test("every table of docs/results.md says what the kept figures' summaries say", () => {
  expect(script.withTables(text)).toBe(text);
});

test('every figure that is kept is in a table of the page', () => {
  const shown = [...text.matchAll(/<!-- cpu\/([\w,-]+) \w+ -->/g)].flatMap(([, ids = '']) => ids.split(','));
  expect([...new Set(shown)].sort()).toEqual(readdirSync(join(script.KEPT, 'cpu')).sort());
});
