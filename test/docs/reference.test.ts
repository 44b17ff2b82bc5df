// docs/reference.md is what scripts/reference.mjs makes of schema/, the command table, the presets and the error codes.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../data/places.js';
import { codeSpans, pageOf, tableOf } from './pages.js';

test('every generated table of the reference is current', async () => {
  // Plain JavaScript, without types of its own.
  const script: { PAGE: string; withTables: (text: string) => string } = await import(
    join(ROOT, 'scripts', 'reference.mjs')
  );
  const text = readFileSync(script.PAGE, 'utf8');
  expect(script.withTables(text), 'node scripts/reference.mjs').toBe(text);
});

/** Parameters with PyTorch's names and shapes, by hand. */
const PARAMETERS: Readonly<Record<string, string>> = {
  conv2d: '`weight` [out, in/groups, k, k], `bias` [out]',
  depthwise_conv2d: '`weight` [c, 1, k, k], `bias` [c]',
  linear: '`weight` [out, in], `bias` [out]',
  batch_norm: '`weight` [c], `bias` [c], `running_mean` [c], `running_var` [c]',
};

test('the reference gives the parameters of every op with their shapes', () => {
  const listed = tableOf('docs/reference.md', 'ops').map(([op = '', , parameters = '']) => [
    codeSpans(op)[0] ?? '',
    parameters,
  ]);
  expect(Object.fromEntries(listed.filter(([, parameters]) => parameters !== ''))).toEqual(PARAMETERS);
});

/** What splitgrow sets for a process that it starts itself, and names of the C++ build. */
const INTERNAL: ReadonlySet<string> = new Set([
  'SPLITGROW_LAUNCHED',
  'SPLITGROW_CUDA_ARCHITECTURES',
  'SPLITGROW_CUDA_INCLUDE',
  'SPLITGROW_NVCC',
  'SPLITGROW_ISA',
]);

function variablesIn(folder: string): readonly string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => /\.(ts|cc|h)$/.test(name))
    .flatMap((name) => readFileSync(join(ROOT, folder, name), 'utf8').match(/\bSPLITGROW_[A-Z_]+\b/g) ?? []);
}

test('every environment variable that lib and the core know is in the reference', () => {
  const listed = new Set(codeSpans(pageOf('docs/reference.md').split('## Environment variables')[1] ?? ''));
  const known = [...new Set(['lib', 'native/core'].flatMap(variablesIn))].filter(
    (name) => !INTERNAL.has(name),
  );
  expect(known.length).toBeGreaterThan(8);
  expect(known.filter((name) => !listed.has(name))).toEqual([]);
});
