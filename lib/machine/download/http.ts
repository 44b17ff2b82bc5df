// GET requests for large files: redirects, proxies, ranges and timeouts; undici is loaded on first use.

import type { Dispatcher } from 'undici';
import { SplitgrowError } from '../../errors.js';
import type { Environment } from '../environment.js';
import { proxyFor } from './proxy.js';

export interface Answer {
  readonly status: number;
  /** Bytes of this body, where the server says so. */
  readonly length: number | null;
  /** What Content-Range says of a 206: the first byte, and the bytes of the whole file. */
  readonly range: { readonly start: number; readonly total: number | null } | null;
  /** Seconds that the server asks to wait. */
  readonly retryAfter: number | null;
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the transfer, whatever is left of it. */
  readonly drop: () => void;
}

export interface Client extends AsyncDisposable {
  readonly get: (
    url: string,
    options: { readonly from: number; readonly signal?: AbortSignal | undefined },
  ) => Promise<Answer>;
}

const MOST_REDIRECTS = 8;
const CONNECT_MS = 20_000;
/** Without a byte for so long a transfer counts as broken. */
const SILENCE_MS = 60_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

type Headers = Readonly<Record<string, string | string[] | undefined>>;

function wholeNumber(value: string | string[] | undefined): number | null {
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : null;
}

function rangeOf(headers: Headers): Answer['range'] {
  const found = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(String(headers['content-range'] ?? ''));
  return found === null
    ? null
    : { start: Number(found[1]), total: found[2] === '*' ? null : Number(found[2]) };
}

/** Without user and password. */
export function shown(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//');
}

function parseUrl(text: string, base?: string): URL {
  const url = URL.canParse(text, base) ? new URL(text, base) : null;
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new SplitgrowError('E_DOWNLOAD', `expected an http or https URL, found "${shown(text)}"`);
}

/** User and password of a URL as a header; of a redirect's target too, where it names them itself. */
function authorization(url: URL): Record<string, string> {
  if (url.username === '') return {};
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** A client whose connections end with it. */
export async function openClient(env: Environment): Promise<Client> {
  const { Agent, ProxyAgent, request } = await import('undici');
  const timeouts = { headersTimeout: SILENCE_MS, bodyTimeout: SILENCE_MS };
  const dispatchers = new Map<string, Dispatcher>();
  const dispatcherFor = (url: URL): Dispatcher => {
    const proxy = proxyFor(url, env);
    const key = proxy?.href ?? '';
    const made =
      dispatchers.get(key) ??
      (proxy === null
        ? new Agent({ ...timeouts, connect: { timeout: CONNECT_MS } })
        : new ProxyAgent({ ...timeouts, uri: proxy.href, proxyTunnel: false }));
    dispatchers.set(key, made);
    return made;
  };
  return {
    get: async (text, { from, signal }) => {
      let url = parseUrl(text);
      for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
        const { statusCode, headers, body } = await request(new URL(url.pathname + url.search, url.origin), {
          dispatcher: dispatcherFor(url),
          signal,
          headers: {
            'user-agent': 'splitgrow',
            // The bytes as they are stored: a server may offer to pack a .gz once more.
            'accept-encoding': 'identity',
            ...authorization(url),
            ...(from > 0 ? { range: `bytes=${from}-` } : {}),
          },
        });
        // A body that is destroyed early reports it here.
        body.on('error', () => undefined);
        const drop = (): void => void body.destroy();
        if (!REDIRECTS.has(statusCode) || typeof headers.location !== 'string') {
          return {
            status: statusCode,
            length: wholeNumber(headers['content-length']),
            range: rangeOf(headers),
            retryAfter: wholeNumber(headers['retry-after']),
            body,
            drop,
          };
        }
        drop();
        url = parseUrl(headers.location, url.href);
      }
      throw new SplitgrowError('E_DOWNLOAD', `${shown(text)}: more than ${MOST_REDIRECTS} redirects`);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
    },
  };
}
