// Links to packages: pages of HTML and JSON, folders and files, broken and missing places.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { openClient } from '../../../lib/machine/download/http.js';
import {
  type Links,
  linksOf,
  linksOfHtml,
  linksOfJson,
} from '../../../lib/machine/download/package-index.js';
import type { PipSettings } from '../../../lib/machine/download/pip-settings.js';
import { type Handler, serve } from '../../data/get/server.js';
import { inFolder } from '../../data/places.js';

const SHA = 'ab'.repeat(32);
const PAGE = new URL('https://host.example/simple/a/');

const told = (links: Links['links']) => links.map(({ name, url, sha256 }) => [name, url.href, sha256]);

/** What is found in these places, all of which are trusted. */
async function found(
  indexes: readonly string[],
  links: readonly string[] = [],
  project = 'a',
): Promise<Links> {
  const settings: PipSettings = {
    indexes: indexes.map((url) => new URL(url)),
    links: links.map((url) => new URL(url)),
    isTrusted: (url) => url.hostname !== 'untrusted.example',
    client: {},
  };
  await using client = await openClient({});
  return await linksOf(project, settings, { client });
}

test('links of HTML are read with either quotes, entities, hashes and a base', () => {
  const html = `<!DOCTYPE html><HTML><body><h1>a</h1>
    <a href="../../files/a-1.whl#sha256=${SHA.toUpperCase()}" data-requires-python="&gt;=3">a-1.whl</a>
    <A class=x HREF='https://else.example/a%2Bcpu-1.whl?x=1&amp;y=2'>a</A>
    <a name="no link"></a><link href="not-a-link.css"><a href="http://[bad">bad</a></body></HTML>`;
  expect(told(linksOfHtml(html, PAGE))).toEqual([
    ['a-1.whl', 'https://host.example/files/a-1.whl', SHA],
    ['a+cpu-1.whl', 'https://else.example/a%2Bcpu-1.whl?x=1&y=2', null],
  ]);
  const based = linksOfHtml('<base href="https://base.example/x/"><a href="a.whl">a</a>', PAGE);
  expect(told(based)).toEqual([['a.whl', 'https://base.example/x/a.whl', null]]);
});

test('links of JSON are read with their hashes; what is no link is passed over', () => {
  const files = [
    { filename: 'a-1.whl', url: '/files/a-1.whl', hashes: { sha256: SHA } },
    { filename: 'a-2.whl', url: 'https://else.example/a-2.whl', hashes: {} },
    { filename: 'a-3.whl' },
    7,
  ];
  expect(told(linksOfJson(JSON.stringify({ meta: { 'api-version': '1.0' }, files }), PAGE))).toEqual([
    ['a-1.whl', 'https://host.example/files/a-1.whl', SHA],
    ['a-2.whl', 'https://else.example/a-2.whl', null],
  ]);
  expect(linksOfJson('[]', PAGE)).toEqual([]);
});

test('the page of a project is asked for by its normal name, and relative links count from where it led', async () => {
  const handler: Handler = ({ url, headers }, response) => {
    if (url?.startsWith('/old/')) response.writeHead(301, { location: `/new/${url.slice(5)}` }).end();
    else {
      expect(headers.accept).toMatch(/^application\/vnd\.pypi\.simple\.v1\+json,/);
      const type = 'application/vnd.pypi.simple.v1+json';
      response.writeHead(200, { 'content-type': type }).end('{"files":[{"url":"a.whl","hashes":{}}]}');
    }
  };
  const local = await serve(handler);
  const { links } = await found([`${local.url}old/`], [], 'My.Odd__Name');
  expect(local.seen.map(({ url }) => url)).toEqual(['/old/my-odd-name/', '/new/my-odd-name/']);
  expect(links.map(({ url }) => url.href)).toEqual([`${local.url}new/my-odd-name/a.whl`]);
});

test('files come first; a page that is missing is no fault, one that is refused or not trusted is told', () =>
  inFolder(async (folder) => {
    await mkdir(join(folder, 'wheels'));
    await writeFile(join(folder, 'wheels', 'a-1.whl'), '');
    await writeFile(join(folder, 'page.html'), '<a href="wheels/a-2.whl">2</a>');
    const local = await serve(({ url }, response) => {
      if (url?.startsWith('/there/')) response.writeHead(200).end('<a href="a-3.whl">3</a>');
      else response.writeHead(url?.startsWith('/none/') ? 404 : 403).end();
    });
    const { links, faults } = await found(
      [`${local.url}there`, `${local.url}none`, `${local.url}refused`, 'http://untrusted.example/simple'],
      [
        pathToFileURL(join(folder, 'wheels')).href,
        pathToFileURL(join(folder, 'page.html')).href,
        pathToFileURL(join(folder, 'nowhere')).href,
      ],
    );
    expect(links.map(({ name }) => name)).toEqual(['a-1.whl', 'a-2.whl', 'a-3.whl']);
    expect(faults).toEqual([
      expect.stringMatching(/refused\/a\/: HTTP 403$/),
      expect.stringMatching(
        /^http:\/\/untrusted\.example\/simple\/a\/: neither https nor one of pip's trusted hosts$/,
      ),
    ]);
  }));

test('a page that fails for a moment is asked for again', async () => {
  const local = await serve((_, response, count) => {
    if (count === 1) response.writeHead(503).end();
    else response.writeHead(200).end('<a href="a.whl">a</a>');
  });
  expect((await found([local.url])).links).toHaveLength(1);
  expect(local.seen).toHaveLength(2);
});
