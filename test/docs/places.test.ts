// The steps of docs/contributing.md name exactly the files that name the example beside them, as scripts/places.mjs finds it.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../data/places.js';
import { codeSpans, pageOf } from './pages.js';

type Line = readonly [file: string, line: number, text: string];
// Plain JavaScript, without types of its own.
const {
  placesOf,
}: { placesOf: (kind: string, path: string) => Record<'sources' | 'tests', readonly Line[]> } = await import(
  join(ROOT, 'scripts', 'places.mjs')
);

/** By example, the files that its section of the page names. */
const SECTIONS = new Map(
  pageOf('docs/contributing.md')
    .split(/^###? /m)
    .flatMap((section): [string, readonly string[]][] => {
      const [, example] = /^Example: `([^`]+)`$/m.exec(section) ?? [];
      const files = codeSpans(section).filter((span) =>
        /^(lib|native|benchmarks|scripts|test)\/.*\.\w+$/.test(span),
      );
      return example === undefined ? [] : [[example, files]];
    }),
);

const filesOf = (lines: readonly Line[]): readonly string[] =>
  [...new Set(lines.map(([file]) => file))].sort();

test.each(['op', 'cost', 'rival', 'field'])(
  'the steps for a new %s name every file that names an existing one',
  (kind) => {
    const [example, named] = [...SECTIONS].find(([text]) => text.startsWith(`${kind} `)) ?? [];
    const { sources, tests } = placesOf(kind, example?.split(' ')[1] ?? '');
    const isTest = (file: string): boolean => file.startsWith('test/');
    expect(named?.filter((file) => !isTest(file)).sort()).toEqual(filesOf(sources));
    const found = filesOf(tests);
    expect(named?.filter(isTest).filter((file) => !found.includes(file))).toEqual([]);
  },
);

test('a kind or a name that is not there is refused with what was expected', () => {
  expect(() => placesOf('shape', 'avg_pool')).toThrow(
    'expected op, cost, rival or field and a name, found "shape"',
  );
  expect(() => placesOf('op', 'conv9d')).toThrow('expected a known op of lib/graph/ops.ts, found "conv9d"');
});
