// What the package says of itself: a reference in which nothing is undocumented, and types without `any`.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { ROOT } from '../data/places.js';

const run = promisify(execFile);

test('every exported symbol, member and type of a signature is documented, and every link leads somewhere', async () => {
  const typedoc = join(ROOT, 'node_modules', 'typedoc', 'bin', 'typedoc');
  // typedoc.json makes its validation's warnings errors.
  const said = await run(process.execPath, [typedoc, '--emit', 'none'], { cwd: ROOT }).catch(
    (error: { readonly stderr?: string; readonly stdout?: string }) => error,
  );
  expect(stripVTControlCharacters(`${said.stdout ?? ''}${said.stderr ?? ''}`).trim()).toBe('');
}, 1_200_000);

/** Declarations that index.d.ts reaches by relative imports. */
function declarations(): readonly string[] {
  const found = new Set<string>();
  const visit = (file: string): void => {
    if (found.has(file)) return;
    found.add(file);
    for (const { fileName } of ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles) {
      if (!fileName.startsWith('.')) continue;
      const next = resolve(dirname(file), fileName.replace(/\.js$/, '.d.ts'));
      if (existsSync(next)) visit(next);
    }
  };
  visit(join(ROOT, 'dist', 'index.d.ts'));
  return [...found];
}

test('no declaration that the package exports says `any`', () => {
  const files = declarations();
  expect(files.length).toBeGreaterThan(40);
  const places: string[] = [];
  for (const file of files) {
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022);
    const visit = (node: ts.Node): void => {
      if (node.kind === ts.SyntaxKind.AnyKeyword) {
        const { line } = source.getLineAndCharacterOfPosition(node.pos);
        places.push(`${file}:${line + 1}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  expect(places).toEqual([]);
});
