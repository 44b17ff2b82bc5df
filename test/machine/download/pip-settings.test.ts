// Where packages are looked for: pip's settings as its own command prints them, variables without pip, logins, trust, certificates.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { openClient } from '../../../lib/machine/download/http.js';
import { linksOf } from '../../../lib/machine/download/package-index.js';
import { parseNetrc, parsePipConfig, readPipSettings } from '../../../lib/machine/download/pip-settings.js';
import { serve } from '../../data/get/server.js';
import { failureOf, inFolder } from '../../data/places.js';
import { cleanEnv } from '../libtorch/made-up-wheels.js';

const hrefs = (urls: readonly URL[]): readonly string[] => urls.map(({ href }) => href);

test("of pip's sections the variables outweigh the command's, and these the global ones; texts are Python's", () => {
  const output = [
    ":env:.index-url='https://c/simple'",
    "download.index-url='https://b/simple'",
    "global.index-url='https://a/simple'",
    "global.extra-index-url='\\nhttps://d/simple\\nhttps://e/simple'",
    `global.cert="/it's/here.pem"`,
    "global.client-cert='caf\\xe9 \\u2713 \\\\'",
    "install.proxy='of another command'",
    'a line of something else',
  ].join('\n');
  expect(parsePipConfig(output)).toEqual({
    'index-url': 'https://c/simple',
    'extra-index-url': '\nhttps://d/simple\nhttps://e/simple',
    cert: "/it's/here.pem",
    'client-cert': 'café ✓ \\',
  });
});

test("pip's file is read by pip itself, and its variables count before it", () =>
  inFolder(async (folder) => {
    const config = join(folder, 'pip.conf');
    await writeFile(
      config,
      '[global]\nindex-url = https://file.example/simple\nextra-index-url =\n  https://one.example/s\n  https://two.example/s/\n' +
        'timeout = 7\n[download]\ntrusted-host = odd.example\n',
    );
    const env = cleanEnv(folder, {
      PIP_CONFIG_FILE: config,
      PIP_FIND_LINKS: `${folder} https://links.example/x.html`,
    });
    const settings = await readPipSettings(env);
    expect(hrefs(settings.indexes)).toEqual([
      'https://file.example/simple',
      'https://one.example/s',
      'https://two.example/s/',
    ]);
    expect(hrefs(settings.links)).toEqual([pathToFileURL(folder).href, 'https://links.example/x.html']);
    expect(settings.client.silenceMs).toBe(7_000);
    const trusted = [
      'http://odd.example/a',
      'https://any.example',
      'http://127.0.0.1:8/',
      'http://localhost/',
    ];
    expect(trusted.filter((url) => !settings.isTrusted(new URL(url)))).toEqual([]);
    expect(settings.isTrusted(new URL('http://any.example/'))).toBe(false);
    const outweighed = await readPipSettings({ ...env, PIP_INDEX_URL: 'https://variable.example/simple' });
    expect(hrefs(outweighed.indexes)[0]).toBe('https://variable.example/simple');
    const offline = await readPipSettings({ ...env, PIP_NO_INDEX: '1' });
    expect(offline.indexes).toEqual([]);
  }));

test('without python3 or without pip its variables count, and what is not set is as pip has it', () =>
  inFolder(async (folder) => {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    const env = cleanEnv(folder, { PATH: bin, PIP_EXTRA_INDEX_URL: 'https://more.example/simple' });
    const expected = ['https://pypi.org/simple', 'https://more.example/simple'];
    expect(hrefs((await readPipSettings(env)).indexes)).toEqual(expected);
    await writeFile(
      join(bin, 'python3'),
      '#!/bin/sh\necho "ImportError: No module named pip" >&2\nexit 1\n',
      {
        mode: 0o755,
      },
    );
    expect(hrefs((await readPipSettings(env)).indexes)).toEqual(expected);
  }));

test('a file that pip cannot read is an error, not another index', () =>
  inFolder(async (folder) => {
    const config = join(folder, 'pip.conf');
    await writeFile(config, 'index-url = https://no-section.example\n');
    expect(await failureOf(readPipSettings(cleanEnv(folder, { PIP_CONFIG_FILE: config })))).toMatch(
      /^E_LIBTORCH: pip's settings cannot be read: .*; mend what `python3 -I -m pip config list` says/,
    );
  }));

test('logins of URLs and of .netrc go to their own hosts alone', async () => {
  expect([...parseNetrc('machine a login u password p\nmachine b\n  login v\n  password q\n')]).toEqual([
    ['a', { user: 'u', password: 'p' }],
    ['b', { user: 'v', password: 'q' }],
  ]);
  await inFolder(async (folder) => {
    const netrc = join(folder, 'netrc');
    await writeFile(netrc, 'machine net.example login n password pw\n');
    const url = 'https://user:pass%40word@index.example/simple';
    const env = cleanEnv(folder, { PIP_INDEX_URL: url, NETRC: netrc });
    const { loginFor } = (await readPipSettings(env)).client;
    const of = (text: string) => loginFor?.(new URL(text)) ?? null;
    expect(of('https://index.example/files/a.whl')).toEqual({ user: 'user', password: 'pass@word' });
    expect(of('https://net.example/a.whl')).toEqual({ user: 'n', password: 'pw' });
    expect(of('https://other.example/a.whl')).toBeNull();
  });
});

test("an index's login is sent for its pages and files, and not to where they lead", () =>
  inFolder(async (folder) => {
    const other = await serve((_, response) => response.writeHead(200).end('x'));
    const index = await serve(({ url }, response) => {
      if (url === '/files/away')
        response.writeHead(302, { location: `http://localhost:${other.port}/x` }).end();
      else response.writeHead(200, { 'content-type': 'text/html' }).end('<a href="/files/a.whl">a</a>');
    });
    const url = new URL(index.url);
    const env = cleanEnv(folder, { PIP_INDEX_URL: `http://me:secret@${url.host}/simple` });
    const settings = await readPipSettings(env);
    await using client = await openClient(env, settings.client);
    const { links } = await linksOf('Some_Project', settings, { client });
    expect(links.map(({ name }) => name)).toEqual(['a.whl']);
    for (const path of ['files/a.whl', 'files/away']) (await client.get(`${index.url}${path}`, {})).drop();
    const sent = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    expect(index.seen.map((one) => [one.url, one.headers.authorization])).toEqual([
      ['/simple/some-project/', sent],
      ['/files/a.whl', sent],
      ['/files/away', sent],
    ]);
    expect(other.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  }));

test('a server with a certificate of its own is believed by cert or as a trusted host, and not otherwise', () =>
  inFolder(async (folder) => {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
        ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert],
      ],
      { stdio: 'ignore' },
    );
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<a href="a.whl">a</a>');
    });
    await new Promise<void>((ready) => server.listen(0, 'localhost', ready));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const look = async (more: Record<string, string>) => {
      const env = cleanEnv(folder, { PIP_INDEX_URL: `https://localhost:${port}/simple`, ...more });
      const settings = await readPipSettings(env);
      await using client = await openClient(env, settings.client);
      return await linksOf('a', settings, { client });
    };
    expect((await look({ PIP_CERT: cert })).links).toHaveLength(1);
    expect((await look({ PIP_TRUSTED_HOST: 'localhost' })).links).toHaveLength(1);
    expect((await look({ PIP_TRUSTED_HOST: `localhost:${port}` })).links).toHaveLength(1);
    const { links, faults } = await look({});
    expect(links).toEqual([]);
    expect(faults[0]).toMatch(/certificate/);
    expect(await failureOf(look({ PIP_CERT: join(folder, 'none.pem') }))).toMatch(
      /^E_LIBTORCH: pip's setting cert: expected certificates in .*none\.pem, found none/,
    );
  }));
