// LICENCES.md is what scripts/licences.mjs makes of the installed packages, and every licence is allowed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../data/places.js';

const { isAllowed, licences, PAGE }: typeof import('../../scripts/licences.mjs') = await import(
  join(ROOT, 'scripts', 'licences.mjs')
);

test('every package that is installed with splitgrow has an allowed licence, and the page lists them', async () => {
  const { page, refused } = await licences();
  expect(refused).toEqual([]);
  expect(readFileSync(PAGE, 'utf8'), 'npm run licences').toBe(page);
});

test('one allowed alternative is enough; others, and several at once, are refused', () => {
  expect(['MIT', '(GPL-3.0 OR MIT)', 'Apache-2.0'].map(isAllowed)).toEqual([true, true, true]);
  expect(['GPL-3.0', 'MIT AND GPL-3.0', 'UNKNOWN', 'constructor', ''].map(isAllowed)).toEqual(
    Array(5).fill(false),
  );
});
