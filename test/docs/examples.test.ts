// Every code block of the documentation is of a known kind, and runs, parses, or says why it does not run.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { inFolder, ROOT } from '../data/places.js';
import { allBlocks, type Block, blocks } from './pages.js';
import { isRun, play, playground } from './playground.js';

const placeOf = ({ page, line }: Block): string => `${page}:${line}`;

/** What may stand above a block of each language; blocks of the last three are shown alone. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  js: ['run with', 'not run', 'prints', 'file'],
  ts: ['run with', 'not run', 'prints', 'file'],
  sh: ['run', 'run with', 'prints'],
  json: ['file', 'run with', 'part of'],
  python: ['not run', 'file'],
  yaml: ['not run'],
  text: [],
};

test('every code block is of a known kind, and the marks above it are known there', () => {
  const unknown = allBlocks().flatMap((block) => {
    const known = KINDS[block.language];
    if (known === undefined) return [`${placeOf(block)}: ${block.language || 'no language'}`];
    const strange = [...block.marks.keys()].filter((mark) => !known.includes(mark));
    return strange.map((mark) => `${placeOf(block)}: ${mark}`);
  });
  expect(unknown).toEqual([]);
});

test('a block that could run and is not run says why', () => {
  const silent = allBlocks().filter(({ language, marks }) =>
    ['python', 'yaml'].includes(language)
      ? (marks.get('not run') ?? '').length < 10
      : marks.has('not run') && (marks.get('not run') ?? '').length < 10,
  );
  expect(silent.map(placeOf)).toEqual([]);
});

test('the blocks that run are most of those of JavaScript and TypeScript', () => {
  const code = [...blocks('js'), ...blocks('ts')];
  expect(code.length).toBeGreaterThanOrEqual(5);
  expect(code.filter(isRun).length / code.length).toBeGreaterThan(0.8);
});

const STRICT: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'],
  typeRoots: [join(ROOT, 'node_modules', '@types')],
  types: ['node'],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
};

test('TypeScript blocks keep to the types that the package states', { timeout: 1_200_000 }, () =>
  inFolder(async (folder) => {
    await playground(folder);
    const files = blocks('ts').map((block, i) => ({ block, path: join(folder, `block-${i}.mts`) }));
    for (const { block, path } of files) writeFileSync(path, block.code);
    const program = ts.createProgram(
      files.map(({ path }) => path),
      STRICT,
    );
    const found = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
      const block = files.find(({ path }) => path === file?.fileName)?.block;
      return `${block ? placeOf(block) : file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
    expect(found).toEqual([]);
  }),
);

const played = allBlocks().filter((block) => isRun(block) || block.marks.has('file'));
const pagesPlayed = [...new Set(played.filter(isRun).map(({ page }) => page))];

test.each(pagesPlayed)('the code of %s runs, block after block', { timeout: 3_000_000 }, (page) =>
  inFolder(async (folder) => {
    await playground(folder);
    for (const block of played.filter((one) => one.page === page)) {
      const printed = await play(block, folder);
      const wanted = block.marks.get('prints');
      if (wanted !== undefined) expect(printed, placeOf(block)).toMatch(new RegExp(`^${wanted}$`));
    }
  }),
);
