// Links to the files of a package: pages of an index (PEP 503 as HTML, PEP 691 as JSON), pages and folders of links.
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { reasonOf } from '../../errors.js';
import { isRecord } from '../files/json.js';
import { type Client, PASSING, shown } from './http.js';
import type { PipSettings } from './pip-settings.js';

/** A file that a page or a folder has. */
export interface Link {
  readonly name: string;
  /** http, https or file. */
  readonly url: URL;
  /** The SHA-256 that the page states; null where it states none. */
  readonly sha256: string | null;
}

export interface Links {
  readonly links: readonly Link[];
  /** One line for each place that could not be read. */
  readonly faults: readonly string[];
}

const ACCEPT =
  'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.1, text/html;q=0.01';
const ATTEMPTS = 3;
const MOST_PAGE_BYTES = 1 << 26;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, ten, sixteen, name) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    return String.fromCodePoint(ten === undefined ? Number.parseInt(sixteen, 16) : Number(ten));
  });
}

function linkTo(url: URL, sha256: string | null): Link {
  const stated = /[#&]sha256=([0-9a-f]{64})/i.exec(url.hash)?.[1]?.toLowerCase() ?? null;
  const name = decodeURIComponent(basename(url.pathname));
  return { name, url: new URL(url.href.replace(/#.*$/s, '')), sha256: sha256 ?? stated };
}

/** The links of a page of HTML. */
export function linksOfHtml(text: string, address: URL): readonly Link[] {
  const hrefs = (tag: string): readonly string[] =>
    [...text.matchAll(new RegExp(`<${tag}\\b[^>]*?\\bhref\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'gi'))].map(
      ([, double, single]) => unescaped(double ?? single ?? ''),
    );
  const base = new URL(hrefs('base')[0] ?? '', address);
  return hrefs('a').flatMap((href) =>
    URL.canParse(href, base.href) ? [linkTo(new URL(href, base), null)] : [],
  );
}

/** The links of a page of JSON. */
export function linksOfJson(text: string, address: URL): readonly Link[] {
  const page: unknown = JSON.parse(text);
  const files = isRecord(page) && Array.isArray(page.files) ? (page.files as readonly unknown[]) : [];
  return files.flatMap((file) => {
    if (!isRecord(file) || typeof file.url !== 'string' || !URL.canParse(file.url, address.href)) return [];
    const sha256 = isRecord(file.hashes) ? file.hashes.sha256 : null;
    return [linkTo(new URL(file.url, address), typeof sha256 === 'string' ? sha256.toLowerCase() : null)];
  });
}

async function linksOfFile(url: URL): Promise<readonly Link[]> {
  const path = fileURLToPath(url);
  if ((await stat(path)).isDirectory()) {
    const names = await readdir(path);
    if (names.includes('index.html'))
      return linksOfFile(new URL('index.html', `${url.href.replace(/\/*$/, '')}/`));
    return names.map((name) => linkTo(pathToFileURL(`${path}/${name}`), null));
  }
  return /\.html?$/i.test(path) ? linksOfHtml(await readFile(path, 'utf8'), url) : [linkTo(url, null)];
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > MOST_PAGE_BYTES) throw new Error(`sends more than ${MOST_PAGE_BYTES} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The links of one page; none where the server has no such page. */
async function linksOfPage(
  client: Client,
  url: URL,
  signal: AbortSignal | undefined,
): Promise<readonly Link[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await client.get(url.href, { accept: ACCEPT, signal });
      try {
        if (answer.status === 404) return [];
        if (answer.status !== 200) {
          if (!PASSING.has(answer.status) || attempt >= ATTEMPTS) throw new Error(`HTTP ${answer.status}`);
        } else {
          const text = await textOf(answer.body);
          return /\bjson\b/.test(answer.type) ? linksOfJson(text, answer.url) : linksOfHtml(text, answer.url);
        }
      } finally {
        answer.drop();
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt >= ATTEMPTS || /^HTTP \d/.test(reasonOf(error))) throw error;
    }
    await sleep(1_000 * attempt, undefined, { signal });
  }
}

/** The name of a project as indexes write it (PEP 503). */
export function projectName(name: string): string {
  return name.replaceAll(/[-_.]+/g, '-').toLowerCase();
}

/** All links to files of a project: first those in files and folders, then those on pages, each in the order of pip's settings. */
export async function linksOf(
  project: string,
  settings: PipSettings,
  { client, signal }: { readonly client: Client; readonly signal?: AbortSignal | undefined },
): Promise<Links> {
  const pages = settings.indexes.map((index) => {
    const page = new URL(index);
    page.pathname = `${page.pathname.replace(/\/*$/, '')}/${projectName(project)}/`;
    return page;
  });
  const links: Link[] = [];
  const faults: string[] = [];
  const isFile = (url: URL): boolean => url.protocol === 'file:';
  const places = [...settings.links, ...pages];
  for (const place of [...places.filter(isFile), ...places.filter((url) => !isFile(url))]) {
    if (!settings.isTrusted(place)) {
      faults.push(`${shown(place.href)}: neither https nor one of pip's trusted hosts`);
      continue;
    }
    try {
      links.push(...(isFile(place) ? await linksOfFile(place) : await linksOfPage(client, place, signal)));
    } catch (error) {
      signal?.throwIfAborted();
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isMissing) faults.push(`${shown(place.href)}: ${reasonOf(error)}`);
    }
  }
  return { links, faults };
}
