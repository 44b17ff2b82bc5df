// Links of the documentation lead somewhere, headings included.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../data/places.js';
import { pages } from './pages.js';

/** GitHub's anchors of a page's headings. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} (.+)$/gm)];
  return new Set(
    headings.map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function linksOf(text: string): readonly string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
}

test('every relative link leads to a file of the repository, and its anchor to a heading', () => {
  const broken: string[] = [];
  for (const { path, text } of pages()) {
    for (const link of linksOf(text)) {
      if (/^https?:/.test(link)) continue;
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : normalize(join(dirname(path), file));
      const place = join(ROOT, target);
      const isThere = existsSync(place) && statSync(place).isFile();
      const isFine = isThere && (anchor === undefined || anchorsOf(readFileSync(place, 'utf8')).has(anchor));
      if (!isFine) broken.push(`${path}: ${link}`);
    }
  }
  expect(broken).toEqual([]);
});

test('files and folders named in the architecture exist', () => {
  const text = pages().find(({ path }) => path === 'docs/architecture.md')?.text ?? '';
  const named = [...text.matchAll(/`((?:lib|native|scripts|benchmarks|test)\/[\w./-]*\w)`/g)].map(
    (match) => match[1] ?? '',
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
