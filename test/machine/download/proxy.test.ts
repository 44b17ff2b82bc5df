// Proxies: which one a URL takes by the environment, and that a request really goes through it.

import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openClient } from '../../../lib/machine/download/http.js';
import { proxyFor } from '../../../lib/machine/download/proxy.js';
import type { Environment } from '../../../lib/machine/environment.js';
import { sendFile, serve, TEST } from '../../data/get/server.js';
import { failureOf } from '../../data/places.js';

const P = 'http://proxy.example:3128/';

test.each<readonly [string, string, Environment, string | null]>([
  ['https by HTTPS_PROXY', 'https://a.example/x', { HTTPS_PROXY: P }, P],
  ['http by HTTP_PROXY', 'http://a.example/x', { HTTP_PROXY: P }, P],
  ['http not by HTTPS_PROXY', 'http://a.example/x', { HTTPS_PROXY: P }, null],
  ['either by ALL_PROXY', 'https://a.example/x', { all_proxy: P }, P],
  ['lower case first', 'https://a.example/x', { https_proxy: P, HTTPS_PROXY: 'http://other.example' }, P],
  ['lower case that is empty: none', 'https://a.example/x', { https_proxy: '', HTTPS_PROXY: P }, null],
  ['a proxy without a scheme', 'https://a.example/x', { HTTPS_PROXY: 'proxy.example:3128' }, P],
  ['none', 'https://a.example/x', {}, null],
  ['NO_PROXY: the host', 'https://a.example/x', { HTTPS_PROXY: P, NO_PROXY: 'b.example, a.example' }, null],
  ['NO_PROXY: a domain', 'https://x.a.example/x', { HTTPS_PROXY: P, no_proxy: 'a.example' }, null],
  [
    'NO_PROXY: a domain with a dot',
    'https://x.a.example/x',
    { HTTPS_PROXY: P, no_proxy: '.a.example' },
    null,
  ],
  [
    'NO_PROXY: a domain with a star',
    'https://x.a.example/',
    { HTTPS_PROXY: P, no_proxy: '*.a.example' },
    null,
  ],
  ['NO_PROXY: only whole names', 'https://aa.example/x', { HTTPS_PROXY: P, NO_PROXY: 'a.example' }, P],
  ['NO_PROXY: everything', 'https://a.example/x', { HTTPS_PROXY: P, NO_PROXY: '*' }, null],
  ['NO_PROXY: the port', 'https://a.example/x', { HTTPS_PROXY: P, NO_PROXY: 'a.example:443' }, null],
  ['NO_PROXY: another port', 'https://a.example/x', { HTTPS_PROXY: P, NO_PROXY: 'a.example:8443' }, P],
])('%s', (_, url, env, proxy) => {
  expect(proxyFor(new URL(url), env)?.href ?? null).toBe(proxy);
});

test('a proxy of another kind is refused without showing its password', () => {
  expect(() =>
    proxyFor(new URL('https://a.example'), { HTTPS_PROXY: 'socks5://u:secret@p.example:1' }),
  ).toThrow('HTTPS_PROXY: expected the URL of an http or https proxy, found "socks5://p.example:1"');
});

interface Proxy {
  readonly url: string;
  readonly requests: string[];
  readonly tunnels: string[];
  readonly authorization: (string | undefined)[];
}

/** A forwarding proxy that counts; it opens no tunnel. */
async function startProxy(): Promise<Proxy> {
  const requests: string[] = [];
  const tunnels: string[] = [];
  const authorization: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    authorization.push(request.headers['proxy-authorization']);
    const onward = forward(request.url ?? '', { headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.writeHead(502).end());
    onward.end();
  });
  server.on('connect', (request, socket) => {
    tunnels.push(request.url ?? '');
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests, tunnels, authorization };
}

async function bytesBy(url: string, env: Environment): Promise<Buffer> {
  await using client = await openClient(env);
  const answer = await client.get(url, { from: 0 });
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('an http request goes through the proxy as a whole URL, with the proxy’s name and password', async () => {
  const local = await serve((request, response) => sendFile(request, response, TEST));
  const proxy = await startProxy();
  const env = { HTTP_PROXY: proxy.url.replace('//', '//user:pass@') };
  expect(await bytesBy(`${local.url}x`, env)).toEqual(TEST);
  expect(proxy.requests).toEqual([`${local.url}x`]);
  expect(proxy.authorization).toEqual([`Basic ${Buffer.from('user:pass').toString('base64')}`]);
  expect(local.seen).toHaveLength(1);
});

test('NO_PROXY keeps the proxy out', async () => {
  const local = await serve((request, response) => sendFile(request, response, TEST));
  const proxy = await startProxy();
  expect(await bytesBy(`${local.url}x`, { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' })).toEqual(TEST);
  expect(proxy.requests).toEqual([]);
});

test('an https request asks the proxy for a tunnel, and a refusal fails it', async () => {
  const proxy = await startProxy();
  const env = { HTTPS_PROXY: proxy.url };
  await expect(bytesBy('https://data.example/x', env)).rejects.toThrow(/403/);
  expect(proxy.tunnels).toEqual(['data.example:443']);
});

test('no request is made of a URL that is not http', async () => {
  await using client = await openClient({});
  expect(await failureOf(client.get('ftp://a.example/x', { from: 0 }))).toMatch(
    /^E_DOWNLOAD: expected an http/,
  );
});
