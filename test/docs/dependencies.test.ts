// docs/dependencies.md names every dependency of package.json with its exact version, and LibTorch as it is pinned.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LIBTORCH_VERSION, RELEASES } from '../../lib/machine/libtorch/pinned.js';
import { CUDA_HEADERS, CUDA_KIT } from '../../lib/machine/libtorch/pinned-cuda.js';
import { CUDA_RELEASES } from '../../lib/machine/libtorch/pinned-gpu.js';
import { ROOT } from '../data/places.js';
import { cellsOf, codeSpans, pageOf } from './pages.js';

const PAGE = pageOf('docs/dependencies.md');

function json(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as Record<string, unknown>;
}

/** name, version, licence of each row whose first cell is a package and whose fourth says why it is there. */
function rows(): readonly (readonly string[])[] {
  return PAGE.split('\n')
    .filter((line) => line.startsWith('`'))
    .map(cellsOf)
    .filter((cells) => cells.length === 4)
    .map(([name = '', version = '', licence = '', why = '']) => [
      codeSpans(name)[0] ?? '',
      version,
      licence,
      why,
    ]);
}

test('every dependency has a row with its version, and every row is a dependency', () => {
  const { dependencies, devDependencies } = json('package.json') as Record<string, Record<string, string>>;
  const wanted = Object.entries({ ...dependencies, ...devDependencies });
  expect(Object.fromEntries(rows().map(([name, version]) => [name, version]))).toEqual(
    Object.fromEntries(wanted),
  );
  expect(wanted.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

test('the licences are those that the installed packages state, and every row says why', () => {
  for (const [name = '', , licence, why = ''] of rows()) {
    expect(json(join('node_modules', name, 'package.json')).license, name).toBe(licence);
    expect(why.length, name).toBeGreaterThan(10);
  }
});

test('LibTorch and its wheels are named as they are pinned', () => {
  expect(PAGE).toContain(`**${LIBTORCH_VERSION}**`);
  for (const { requirement, bytes } of Object.values(RELEASES).flatMap(({ wheels }) => wheels)) {
    expect(PAGE).toContain(`\`${requirement}\` | ${(bytes / 1e6).toFixed(1)} |`);
  }
  const others = [...Object.values(CUDA_RELEASES), CUDA_KIT, CUDA_HEADERS].flatMap(({ wheels }) => [
    ...wheels,
  ]);
  for (const { requirement } of others) expect(PAGE).toContain(`\`${requirement}\``);
});
