// A local HTTP server that a test scripts, small .tar.gz archives written byte by byte, and tables of sources for both.

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import type { Archive, DataSource } from '../../../lib/data/get/sources.js';
import type { RemoteFile } from '../../../lib/machine/download/download.js';

export interface Seen {
  readonly url: string;
  readonly range: string | undefined;
  readonly headers: IncomingMessage['headers'];
}

export interface Local {
  readonly url: string;
  readonly port: number;
  /** Requests so far. */
  readonly seen: readonly Seen[];
  readonly server: Server;
}

export type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** Listens on a port of this machine until the test is over. `count` is 1 for the first request. */
export async function serve(handler: Handler): Promise<Local> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url ?? '', range: request.headers.range, headers: request.headers });
    handler(request, response, seen.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, port, seen, server };
}

/** Sends the bytes, or those from the Range on, as a proper server does. */
export function sendFile(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from >= bytes.byteLength) {
    response.writeHead(416).end();
    return;
  }
  const part = bytes.subarray(from);
  const range =
    from > 0 ? { 'content-range': `bytes ${from}-${bytes.byteLength - 1}/${bytes.byteLength}` } : {};
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': part.byteLength, ...range }).end(part);
}

export interface Breaking {
  readonly handler: (response: ServerResponse) => void;
  /** Ends the connection once so many bytes have been received. */
  readonly onBytes: (done: number) => void;
}

/** Promises all bytes, sends `count` of them, and breaks when these have arrived: not before, or the break may overtake them. */
export function breakAfter(bytes: Uint8Array, count: number): Breaking {
  let open: ServerResponse | null = null;
  return {
    handler: (response) => {
      open = response;
      response.writeHead(200, { 'content-length': bytes.byteLength });
      response.write(bytes.subarray(0, count));
    },
    onBytes: (done) => {
      if (done === count) open?.destroy();
    },
  };
}

export function remote(file: string, bytes: Uint8Array, urls: readonly string[]): RemoteFile {
  const hex = (name: string): string => createHash(name).update(bytes).digest('hex');
  return { file, bytes: bytes.byteLength, md5: hex('md5'), sha256: hex('sha256'), urls };
}

export interface TarEntry {
  readonly path: string;
  readonly bytes?: Uint8Array;
  /** POSIX type flag: 0 file, 1 link, 2 symbolic link, 3 device, 5 folder. */
  readonly type?: string;
  readonly link?: string;
  /** In the header, where it is not the length of the bytes. */
  readonly size?: number;
}

function tarHeader({ path, bytes, type = '0', link = '', size }: TarEntry): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, at: number, width: number): number =>
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at);
  header.write(path, 0, 100);
  octal(0o777, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size ?? bytes?.byteLength ?? 0, 124, 12);
  octal(0, 136, 12);
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
  header.write(link, 157, 100);
  header.write('ustar\0', 257);
  header.write('00', 263);
  // The sum of all bytes of the header, its own place read as blanks.
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return header;
}

/** A .tar.gz of these entries, as POSIX.1-1988 lays it out. */
export function tarGz(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const bytes = entry.bytes ?? new Uint8Array(0);
    return [tarHeader(entry), bytes, Buffer.alloc((512 - (bytes.byteLength % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

function bytesOf(seed: number, length: number): Buffer {
  // Not compressible, so that an archive of it takes several reads.
  const out = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    out[i] = state >>> 16;
  }
  return out;
}

export const FOLDER = 'tiny-bin';
export const TRAIN = bytesOf(1, 50_000);
export const TEST = bytesOf(2, 20_000);
const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

export const ARCHIVE: Archive = {
  folder: FOLDER,
  members: [
    { file: 'train.bin', bytes: TRAIN.byteLength, md5: md5(TRAIN) },
    { file: 'test.bin', bytes: TEST.byteLength, md5: md5(TEST) },
  ],
  texts: ['names.txt'],
};

/** What a right archive holds. */
export const ENTRIES: readonly TarEntry[] = [
  { path: `${FOLDER}/`, type: '5' },
  { path: `${FOLDER}/train.bin`, bytes: TRAIN },
  { path: `${FOLDER}/test.bin`, bytes: TEST },
  { path: `${FOLDER}/names.txt`, bytes: Buffer.from('one\ntwo\n') },
  { path: `${FOLDER}/other.txt`, bytes: Buffer.from('not in the table') },
];

export const PACKED = tarGz(ENTRIES);

/** A dataset of one archive. */
export function archived(packed: Uint8Array, urls: readonly string[]): DataSource {
  return { name: 'tiny', files: [remote('tiny.tar.gz', packed, urls)], archive: ARCHIVE };
}

export const FAST = { most: 3, pauseMs: 1 };
