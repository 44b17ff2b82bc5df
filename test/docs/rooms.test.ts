// The tables of docs/architecture.md are the rooms that npm run check enforces, in their order, and the folders of native/core.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../data/places.js';
import { codeSpans, tableOf } from './pages.js';

// Plain JavaScript, without types of its own.
const { ROOMS }: { ROOMS: readonly string[] } = await import(join(ROOT, 'scripts', 'check-imports.mjs'));

const listed = (table: string): readonly string[] =>
  tableOf('docs/architecture.md', table).map(([cell = '']) => codeSpans(cell)[0] ?? '');

test('the table of rooms is the list that imports are checked by, in its order', () => {
  expect(listed('rooms')).toEqual(ROOMS);
});

test('every folder of native/core has a row, and every row a folder', () => {
  const folders = readdirSync(join(ROOT, 'native', 'core'), { withFileTypes: true });
  const names = folders.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  expect([...listed('native')].sort()).toEqual(names.sort());
});
