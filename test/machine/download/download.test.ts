// Downloads against a local server: what breaks goes on, what is wrong is refused, and what came is kept.

import { link, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { byHand } from '../../../lib/data/get/work.js';
import { type Attempts, download } from '../../../lib/machine/download/download.js';
import { openClient } from '../../../lib/machine/download/http.js';
import type { Environment } from '../../../lib/machine/environment.js';
import {
  TRAIN as BYTES,
  breakAfter,
  FAST,
  type Handler,
  remote,
  sendFile,
  serve,
} from '../../data/get/server.js';
import { failureOf, inFolder } from '../../data/places.js';

interface Case {
  readonly folder: string;
  readonly part: string;
  readonly urls: readonly string[];
  readonly signal?: AbortSignal;
  readonly attempts?: Attempts;
  readonly env?: Environment;
  readonly onBytes?: (done: number) => void;
  readonly notes?: string[];
}

async function run({ folder, part, urls, env = {}, notes, ...options }: Case): Promise<void> {
  await using client = await openClient(env);
  const file = remote('tiny.bin', BYTES, urls);
  await download(file, part, byHand({ root: folder, command: 'splitgrow data get tiny' }, file), {
    attempts: FAST,
    ...options,
    client,
    onNote: (text) => notes?.push(text),
  });
}

/** Serves by `handler`, downloads, and hands on what is in the .part. */
async function downloaded(
  handler: Handler,
  { before, ...options }: Partial<Case> & { readonly before?: Uint8Array } = {},
): Promise<{
  readonly bytes: Buffer | null;
  readonly ranges: (string | undefined)[];
  readonly said: string;
}> {
  let result: { bytes: Buffer | null; ranges: (string | undefined)[]; said: string } | null = null;
  await inFolder(async (folder) => {
    const local = await serve(handler);
    const part = join(folder, '.splitgrow-tiny.bin.part');
    if (before !== undefined) await writeFile(part, before);
    const said = await failureOf(run({ folder, part, urls: [`${local.url}tiny.bin`], ...options }));
    const bytes = await readFile(part).catch(() => null);
    result = { bytes, ranges: local.seen.map(({ range }) => range), said };
  });
  return result ?? { bytes: null, ranges: [], said: 'nothing ran' };
}

test('a right file arrives with one request', async () => {
  const got = await downloaded((request, response) => sendFile(request, response, BYTES));
  expect(got).toEqual({ bytes: BYTES, ranges: [undefined], said: 'no error' });
});

test('a transfer that breaks goes on from the byte where it broke', async () => {
  const notes: string[] = [];
  const { handler, onBytes } = breakAfter(BYTES, 20_000);
  const got = await downloaded(
    (request, response, count) => {
      if (count === 1) handler(response);
      else sendFile(request, response, BYTES);
    },
    { notes, onBytes },
  );
  expect(got).toEqual({ bytes: BYTES, ranges: [undefined, 'bytes=20000-'], said: 'no error' });
  expect(notes).toHaveLength(1);
});

test('what an earlier process left is not downloaded again', async () => {
  const got = await downloaded((request, response) => sendFile(request, response, BYTES), {
    before: BYTES.subarray(0, 49_999),
  });
  expect(got).toEqual({ bytes: BYTES, ranges: ['bytes=49999-'], said: 'no error' });
});

test('a server that ignores Range starts the file anew', async () => {
  const got = await downloaded(
    (_, response) => response.writeHead(200, { 'content-length': BYTES.byteLength }).end(BYTES),
    { before: Buffer.alloc(20_000, 7) },
  );
  expect(got).toEqual({ bytes: BYTES, ranges: ['bytes=20000-'], said: 'no error' });
});

test('a rest of other bytes is thrown away once, and the file taken whole', async () => {
  const got = await downloaded((request, response) => sendFile(request, response, BYTES), {
    before: Buffer.alloc(20_000, 7),
  });
  expect(got).toEqual({ bytes: BYTES, ranges: ['bytes=20000-', undefined], said: 'no error' });
});

test('a rest that is longer than the file is thrown away', async () => {
  const got = await downloaded((request, response) => sendFile(request, response, BYTES), {
    before: Buffer.alloc(BYTES.byteLength + 1),
  });
  expect(got).toEqual({ bytes: BYTES, ranges: [undefined], said: 'no error' });
});

test.each([
  ['from another place on', { 'content-range': `bytes 5-49999/50000` }],
  ['with no Content-Range', {}],
])('a 206 %s is not appended', async (_, headers) => {
  const got = await downloaded(
    (request, response) => {
      if (request.headers.range === undefined) sendFile(request, response, BYTES);
      else response.writeHead(206, headers).end(BYTES.subarray(5));
    },
    { before: BYTES.subarray(0, 20_000) },
  );
  expect(got).toEqual({ bytes: BYTES, ranges: ['bytes=20000-', undefined], said: 'no error' });
});

test('a 416 starts the file anew', async () => {
  const got = await downloaded(
    (request, response) => {
      if (request.headers.range === undefined) sendFile(request, response, BYTES);
      else response.writeHead(416).end();
    },
    { before: BYTES.subarray(0, 20_000) },
  );
  expect(got).toEqual({ bytes: BYTES, ranges: ['bytes=20000-', undefined], said: 'no error' });
});

test('a Content-Length that is not the table’s is refused before a byte is written', async () => {
  const got = await downloaded((_, response) =>
    response.writeHead(200, { 'content-length': 10 }).end('login page'),
  );
  expect(got.said).toMatch(/^E_DOWNLOAD: no server gave tiny\.bin .*expected 50000 bytes, the server has 10/);
  expect([got.bytes, got.ranges]).toEqual([null, [undefined]]);
});

test('a range of a file of another length is refused', async () => {
  const got = await downloaded(
    (_, response) => response.writeHead(206, { 'content-range': 'bytes 20000-59999/60000' }).end('x'),
    { before: BYTES.subarray(0, 20_000) },
  );
  expect(got.said).toMatch(/^E_DOWNLOAD: .*expected 50000 bytes, the server has 60000/);
});

test('a body without a length that goes on too long is cut off and refused', async () => {
  const got = await downloaded((_, response) => {
    response.writeHead(200);
    response.write(BYTES);
    response.end(BYTES);
  });
  expect(got.said).toMatch(/^E_DOWNLOAD: .*sends more than the 50000 bytes expected/);
  expect(got.bytes?.byteLength ?? 0).toBeLessThanOrEqual(BYTES.byteLength);
  expect(got.ranges).toHaveLength(1);
});

test('a body without a length that ends too early goes on', async () => {
  const got = await downloaded((request, response, count) => {
    if (count === 1) response.writeHead(200).end(BYTES.subarray(0, 30_000));
    else sendFile(request, response, BYTES);
  });
  expect(got).toEqual({ bytes: BYTES, ranges: [undefined, 'bytes=30000-'], said: 'no error' });
});

test('other bytes of the right length are refused by their checksum, and removed', async () => {
  const other = Buffer.from(BYTES);
  other[49_999] = (other[49_999] ?? 0) ^ 1;
  const got = await downloaded((request, response) => sendFile(request, response, other));
  expect(got.said).toMatch(/^E_DOWNLOAD: .*expected SHA-256 [0-9a-f]{64}, found [0-9a-f]{64}/);
  expect([got.bytes, got.ranges]).toEqual([null, [undefined]]);
});

test('a 404 is not asked for again, and the error says what to do by hand', async () => {
  const got = await downloaded((_, response) => response.writeHead(404).end('no'));
  expect(got.ranges).toHaveLength(1);
  expect(got.said).toMatch(
    /^E_DOWNLOAD: no server gave tiny\.bin \(http:\/\/127\.0\.0\.1:\d+\/tiny\.bin: HTTP 404\); name another server with --mirror URL or SPLITGROW_DATA_MIRROR, a proxy with HTTPS_PROXY, or put tiny\.bin \(50000 bytes, MD5 [0-9a-f]{32}\) into .* by hand; then run: splitgrow data get tiny$/,
  );
});

test('a 503 is asked for again, after as long as the server says', async () => {
  const got = await downloaded((request, response, count) => {
    if (count === 1) response.writeHead(503, { 'retry-after': '0' }).end();
    else sendFile(request, response, BYTES);
  });
  expect([got.ranges.length, got.said]).toEqual([2, 'no error']);
});

test('a server that always breaks is given up after so many attempts without a byte, and what came is kept', async () => {
  const { handler, onBytes } = breakAfter(BYTES, 20_000);
  const got = await downloaded(
    (request, response) => {
      if (request.headers.range === undefined) handler(response);
      else response.destroy();
    },
    { onBytes },
  );
  expect(got.ranges).toEqual([undefined, 'bytes=20000-', 'bytes=20000-', 'bytes=20000-']);
  expect(got.said).toMatch(/^E_DOWNLOAD: no server gave/);
  expect(got.bytes).toEqual(BYTES.subarray(0, 20_000));
});

test('where nothing listens, the error asks whether the machine is offline and says where to put the file', () =>
  inFolder(async (folder) => {
    // A port that was free a moment ago.
    const gone = await serve(() => undefined);
    await new Promise((resolve) => gone.server.close(resolve));
    const said = await failureOf(run({ folder, part: join(folder, 'p'), urls: [`${gone.url}tiny.bin`] }));
    expect(said).toMatch(
      /^E_DOWNLOAD: cannot reach a server that has tiny\.bin; is this machine offline\? \(.*ECONNREFUSED.*\); name another server .* put tiny\.bin .*by hand/,
    );
    expect(said).toContain(`into ${folder} by hand`);
  }));

test('the second URL is asked where the first has not the file', () =>
  inFolder(async (folder) => {
    const local = await serve((request, response) => {
      if (request.url === '/b') sendFile(request, response, BYTES);
      else response.writeHead(404).end();
    });
    const part = join(folder, 'p');
    await run({ folder, part, urls: [`${local.url}a`, `${local.url}b`] });
    expect(await readFile(part)).toEqual(BYTES);
    expect(local.seen.map(({ url }) => url)).toEqual(['/a', '/b']);
  }));

test('redirects are followed with the Range, and a circle of them ends', () =>
  inFolder(async (folder) => {
    const local = await serve((request, response) => {
      if (request.url === '/real') sendFile(request, response, BYTES);
      else response.writeHead(302, { location: request.url === '/circle' ? '/circle' : '/real' }).end();
    });
    const part = join(folder, 'p');
    await writeFile(part, BYTES.subarray(0, 10));
    await run({ folder, part, urls: [`${local.url}start`] });
    expect(local.seen.map(({ url, range }) => [url, range])).toEqual([
      ['/start', 'bytes=10-'],
      ['/real', 'bytes=10-'],
    ]);
    const other = join(folder, 'q');
    expect(await failureOf(run({ folder, part: other, urls: [`${local.url}circle`] }))).toMatch(
      /^E_DOWNLOAD: .*more than 8 redirects/,
    );
  }));

test('a redirect to another scheme is refused', async () => {
  const got = await downloaded((_, response) =>
    response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
  );
  expect(got.said).toMatch(/^E_DOWNLOAD: .*expected an http or https URL, found "file:/);
});

test('a name and password in a URL are sent as such and never shown', () =>
  inFolder(async (folder) => {
    const local = await serve((_, response) => response.writeHead(401).end());
    const url = local.url.replace('//', '//us%20er:se%2Fcret@');
    const said = await failureOf(run({ folder, part: join(folder, 'p'), urls: [url] }));
    expect(local.seen[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('us er:se/cret').toString('base64')}`,
    );
    expect(said).toMatch(/HTTP 401/);
    expect(said).not.toMatch(/cret/);
  }));

test('an abort keeps what came', async () => {
  const controller = new AbortController();
  const got = inFolder(async (folder) => {
    const part = join(folder, 'p');
    const local = await serve((_, response) => {
      response.writeHead(200, { 'content-length': BYTES.byteLength });
      // Half of it, and then nothing more.
      response.write(BYTES.subarray(0, 25_000));
    });
    const running = run({
      folder,
      part,
      urls: [`${local.url}x`],
      signal: controller.signal,
      onBytes: (done) => done === 25_000 && controller.abort(),
    });
    await expect(running).rejects.toThrow(/abort/i);
    expect(await readFile(part)).toEqual(BYTES.subarray(0, 25_000));
  });
  await got;
});

test('a disk that cannot be written is no break of the line: nothing is tried again', () =>
  inFolder(async (folder) => {
    const local = await serve((request, response) => sendFile(request, response, BYTES));
    await mkdir(join(folder, 'p'));
    await expect(run({ folder, part: join(folder, 'p'), urls: [`${local.url}x`] })).rejects.toThrow(/EISDIR/);
    expect(local.seen).toHaveLength(1);
  }));

test.each(['symbolic', 'hard'])(
  'a %s link under the name of the part is refused, and what it leads to stays',
  (kind) =>
    inFolder(async (folder) => {
      const local = await serve((request, response) => sendFile(request, response, BYTES));
      const [part, other] = [join(folder, 'p'), join(folder, 'other')];
      await writeFile(other, 'of somebody');
      if (kind === 'hard') await link(other, part);
      else await symlink(other, part);
      expect(await failureOf(run({ folder, part, urls: [`${local.url}tiny.bin`] }))).toMatch(
        /^E_WRITE: .*found a /,
      );
      expect(await readFile(other, 'utf8')).toBe('of somebody');
    }),
);
