// The tables of docs/architecture.md are the rooms that npm run check enforces, in their order, and the folders of native/core.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../data/places.js';
import { codeSpans, tableOf } from './pages.js';

// Plain JavaScript, without types of its own.
const { ROOMS, NATIVE_ROOMS }: Readonly<Record<string, readonly string[]>> = await import(
  join(ROOT, 'scripts', 'check-imports.mjs')
);

const listed = (table: string): readonly string[] =>
  tableOf('docs/architecture.md', table).map(([cell = '']) => codeSpans(cell)[0] ?? '');

test('the tables of rooms are the lists that imports and includes are checked by, in their order', () => {
  expect(listed('rooms')).toEqual(ROOMS);
  expect(listed('native')).toEqual(NATIVE_ROOMS);
});

test('every folder of native/core is a room', () => {
  const folders = readdirSync(join(ROOT, 'native', 'core'), { withFileTypes: true });
  const names = folders.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  expect(names.sort()).toEqual([...listed('native')].sort());
});
