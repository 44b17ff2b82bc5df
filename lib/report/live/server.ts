// The server of --watch: on this machine alone, with few connections and short time limits. No error of it reaches the run.
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SplitgrowError } from '../../errors.js';

export const HOST = '127.0.0.1';
const NAMES = [HOST, 'localhost'] as const;

/** Most connections at the same time: a share of the files that the process may open, because the run needs the others. */
const CONNECTIONS = { share: 1 / 8, least: 4, most: 48 };
/** Files that a process may open, where the system does not say. */
const FILES_OTHERWISE = 1024;
/** Milliseconds to wait for the headers of a request, for all of it, for the next one, and for a reader that takes nothing. */
const PATIENCE = { headers: 5_000, request: 10_000, next: 5_000, reader: 10_000, check: 1_000 };
/** Headers of a request; a browser's take some hundred bytes. */
const MOST_HEADERS = 8_192;

/** Files that this process may open. */
function mostFiles(): number {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return found === undefined ? FILES_OTHERWISE : Number(found);
  } catch {
    return FILES_OTHERWISE;
  }
}

/** How many connections are kept at the same time; further ones are closed at once. */
export function mostConnections(files: number = mostFiles()): number {
  const { share, least, most } = CONNECTIONS;
  return Math.max(least, Math.min(most, Math.floor(files * share)));
}

export function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`${text}\n`);
}

/** Whether a request names this machine. A foreign page that points its own host name to this machine (DNS rebinding) does not. */
function isOurs({ headers }: IncomingMessage, port: number): boolean {
  const hosts: readonly string[] = NAMES.flatMap((name) => [
    `${name}:${port}`,
    ...(port === 80 ? [name] : []),
  ]);
  return headers.host !== undefined && hosts.includes(headers.host.toLowerCase());
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const refused = (cause: NodeJS.ErrnoException): void => {
      const found = cause.code === 'EADDRINUSE' ? 'it is in use' : cause.message;
      reject(
        new SplitgrowError(
          'E_PORT',
          `--watch ${port}: expected a port of ${HOST} that can be served on; ${found}; choose another, or 0 for any free one`,
          { cause },
        ),
      );
    };
    server.once('error', refused);
    server.listen(port, HOST, () => {
      server.removeListener('error', refused);
      // Accepting failed, for want of files for example: the next connection may be taken.
      server.on('error', () => {});
      resolve((server.address() as AddressInfo).port);
    });
  });
}

interface WatchServer {
  readonly port: number;
  /** Ends every connection. Never rejects. */
  readonly close: () => Promise<void>;
}

/** What answers GET of a path. */
export type Ways = Readonly<Record<string, (response: ServerResponse) => void>>;

/**
 * Serves `ways` on 127.0.0.1 and nothing else.
 * @throws E_PORT where the port cannot be served on; 0 takes a free one
 */
export async function serve(ways: Ways, port: number): Promise<WatchServer> {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const url = request.url ?? '';
    const way = Object.hasOwn(ways, url) ? ways[url] : undefined;
    if (!isOurs(request, bound)) refuse(response, 403, 'only for this machine, by the address printed');
    else if (request.method !== 'GET') refuse(response, 405, 'only GET');
    else if (way === undefined) refuse(response, 404, 'only / is here');
    else way(response);
  };
  const server = createServer(
    {
      headersTimeout: PATIENCE.headers,
      requestTimeout: PATIENCE.request,
      keepAliveTimeout: PATIENCE.next,
      connectionsCheckingInterval: PATIENCE.check,
      maxHeaderSize: MOST_HEADERS,
    },
    (request, response) => {
      // The other end has gone away, and nothing is lost.
      for (const end of [request, response]) end.on('error', () => {});
      response.setTimeout(PATIENCE.reader, () => response.destroy());
      try {
        answer(request, response);
      } catch {
        response.destroy();
      }
    },
  );
  server.maxConnections = mostConnections();
  server.on('clientError', (_, socket) => socket.destroy());
  const bound = await listen(server, port);
  return {
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
