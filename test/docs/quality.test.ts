// docs/contributing.md says what the gates recorded, and names scripts that are there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../data/places.js';

const { PAGE, withResults }: typeof import('../../scripts/quality.mjs') = await import(
  join(ROOT, 'scripts', 'quality.mjs')
);

test('every recorded result of docs/contributing.md is that of its file', () => {
  const text = readFileSync(PAGE, 'utf8');
  expect(text.match(/<!-- \/ -->/g)?.length).toBe(6);
  expect(withResults(text), 'node scripts/quality.mjs').toBe(text);
});
