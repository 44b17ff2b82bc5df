// The published schema files are those of the code, and the package has them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  experimentInputText,
  INPUT_TYPES,
  SCHEMA_FOLDER,
  SCHEMAS,
  schemaText,
} from '../../../../lib/run/spec/schema/files.js';
import { ROOT } from '../../../data/places.js';

test('schema/ is what `node scripts/schemas.mjs` writes', () => {
  expect(readdirSync(SCHEMA_FOLDER).sort()).toEqual(Object.keys(SCHEMAS).sort());
  for (const [name, make] of Object.entries(SCHEMAS))
    expect(readFileSync(join(SCHEMA_FOLDER, name), 'utf8') === schemaText(make()), name).toBe(true);
});

test('the types of an experiment are what the script writes from its schema', () => {
  expect(readFileSync(join(ROOT, INPUT_TYPES), 'utf8') === experimentInputText()).toBe(true);
});

test('the package exports them', () => {
  const { files, exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly files: readonly string[];
    readonly exports: Readonly<Record<string, unknown>>;
  };
  expect(files).toContain('schema');
  expect(exports['./schema/*']).toBe('./schema/*');
});
