// npm run site makes a site of docs/ and of the docstrings in which no link leads nowhere.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { inFolder, ROOT } from '../data/places.js';
import { pageOf } from './pages.js';

const run = promisify(execFile);

test('README.md lists every page of docs, once', () => {
  const rows = [...pageOf('README.md').matchAll(/^\| \[[^\]]+\]\(docs\/([\w-]+\.md)\)/gm)].map(
    ([, page]) => page,
  );
  const there = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  expect(rows.sort()).toEqual(there.sort());
});

function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(folder, path)).isFile(),
  );
}

interface SitePage {
  readonly path: string;
  /** What it links to and shows, as written. */
  readonly links: readonly string[];
  readonly anchors: ReadonlySet<string>;
}

function sitePage(folder: string, path: string): SitePage {
  const html = readFileSync(join(folder, path), 'utf8');
  const all = (pattern: RegExp): string[] => [...html.matchAll(pattern)].map(([, one = '']) => one);
  return { path, links: all(/\s(?:href|src)="([^"]*)"/g), anchors: new Set(all(/\sid="([^"]+)"/g)) };
}

/** Links and pictures of a page that lead to no file of the site, or to an anchor that is not there. */
function broken(page: SitePage, pages: ReadonlyMap<string, SitePage>, files: ReadonlySet<string>): string[] {
  return page.links.flatMap((link) => {
    if (link === '' || /^(https?:|data:)/.test(link)) return [];
    const [file = '', anchor = ''] = link.split('#').map(decodeURIComponent);
    const target = file === '' ? page.path : normalize(join(dirname(page.path), file));
    const hasAnchor = anchor === '' || (pages.get(target)?.anchors.has(anchor) ?? true);
    return files.has(target) && hasAnchor ? [] : [`${page.path}: ${link}`];
  });
}

test('the site builds, and every link, picture and anchor in it is there', { timeout: 1_200_000 }, () =>
  inFolder(async (folder) => {
    await run(process.execPath, ['scripts/site.mjs', '--out', folder], { cwd: ROOT });
    const files = filesUnder(folder);
    const own = files.filter((path) => path.endsWith('.html') && !path.startsWith('media'));
    const pages = new Map(own.map((path) => [path, sitePage(folder, path)]));
    expect(own).toContain(join('documents', 'quick-start.html'));
    expect(own).toContain(join('functions', 'API.grow.html'));
    const known = new Set(files);
    expect([...pages.values()].flatMap((page) => broken(page, pages, known))).toEqual([]);
  }),
);
