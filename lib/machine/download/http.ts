// GET requests for large files, with redirects, proxies, ranges and timeouts. undici is loaded on first use.

import type { Dispatcher } from 'undici';
import { SplitgrowError } from '../../errors.js';
import type { Environment } from '../environment.js';
import { proxyAt, proxyFor } from './proxy.js';

export interface Answer {
  readonly status: number;
  /** The URL that answered, after all redirects. */
  readonly url: URL;
  /** The media type of the body, '' where the server does not say it. */
  readonly type: string;
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

export interface GetOptions {
  /** The first byte that is asked for; 0 where absent. */
  readonly from?: number;
  /** The last one; the file's last where absent. */
  readonly to?: number;
  /** Media types that are asked for. */
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Client extends AsyncDisposable {
  readonly get: (url: string, options: GetOptions) => Promise<Answer>;
}

/** User and password. */
export interface Login {
  readonly user: string;
  readonly password: string;
}

/** Where a client differs from the default. */
export interface ClientSettings {
  /** The proxy of every request. Absent: as the environment variables say. */
  readonly proxy?: string | null;
  /** The only authorities whose certificates are trusted, as PEM. Absent: those of Node.js. */
  readonly authorities?: readonly string[] | null;
  /** The client's own certificate and key, as PEM. */
  readonly certificate?: string | null;
  /** True for a URL whose server's certificate is not checked. */
  readonly isUnverified?: (url: URL) => boolean;
  /** User and password of a URL. Absent: those that the URL itself names. */
  readonly loginFor?: (url: URL) => Login | null;
  /** A transfer counts as broken when no byte comes for this long. */
  readonly silenceMs?: number | null;
}

const MOST_REDIRECTS = 8;
const CONNECT_MS = 20_000;
const SILENCE_MS = 60_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Status codes after which the same request may succeed a moment later. */
export const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

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

/** The URL for messages: without user and password. */
export function shown(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//');
}

function parseUrl(text: string, base?: string): URL {
  const url = URL.canParse(text, base) ? new URL(text, base) : null;
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new SplitgrowError('E_DOWNLOAD', `expected an http or https URL, found "${shown(text)}"`);
}

/** User and password that the URL itself names. The target of a redirect may name its own. */
function loginOf(url: URL): Login | null {
  if (url.username === '') return null;
  return { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
}

function headersFor(options: GetOptions, login: Login | null): Record<string, string> {
  const { from = 0, to, accept } = options;
  const basic = login && Buffer.from(`${login.user}:${login.password}`).toString('base64');
  return {
    'user-agent': 'splitgrow',
    // Asks for the bytes as they are stored. Without this a server may compress a .gz once more.
    'accept-encoding': 'identity',
    ...(accept === undefined ? {} : { accept }),
    ...(basic === null ? {} : { authorization: `Basic ${basic}` }),
    ...(from > 0 || to !== undefined ? { range: `bytes=${from}-${to ?? ''}` } : {}),
  };
}

/** Connection pools: one for each proxy, and separate ones for servers whose certificates are not checked. */
async function dispatchers(env: Environment, settings: ClientSettings) {
  const { Agent, ProxyAgent } = await import('undici');
  const silence = settings.silenceMs ?? SILENCE_MS;
  const timeouts = { headersTimeout: silence, bodyTimeout: silence };
  const pools = new Map<string, Dispatcher>();
  const make = (proxy: URL | null, isVerified: boolean): Dispatcher => {
    const { authorities, certificate } = settings;
    const tls = {
      ...(authorities && { ca: [...authorities] }),
      ...(certificate && { cert: certificate, key: certificate }),
      ...(!isVerified && { rejectUnauthorized: false }),
    };
    return proxy === null
      ? new Agent({ ...timeouts, connect: { timeout: CONNECT_MS, ...tls } })
      : new ProxyAgent({ ...timeouts, uri: proxy.href, proxyTunnel: false, requestTls: tls, proxyTls: tls });
  };
  return {
    poolFor: (url: URL): Dispatcher => {
      const proxy = settings.proxy ? proxyAt(settings.proxy, "pip's setting proxy") : proxyFor(url, env);
      const isVerified = settings.isUnverified?.(url) !== true;
      const key = `${isVerified} ${proxy?.href ?? ''}`;
      const pool = pools.get(key) ?? make(proxy, isVerified);
      pools.set(key, pool);
      return pool;
    },
    close: () => Promise.all([...pools.values()].map((pool) => pool.destroy())),
  };
}

/** A client. Its connections are closed when it is disposed of. */
export async function openClient(env: Environment, settings: ClientSettings = {}): Promise<Client> {
  const { request } = await import('undici');
  const { poolFor, close } = await dispatchers(env, settings);
  return {
    get: async (text, options) => {
      let url = parseUrl(text);
      for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
        const login = settings.loginFor === undefined ? loginOf(url) : settings.loginFor(url);
        const { statusCode, headers, body } = await request(new URL(url.pathname + url.search, url.origin), {
          dispatcher: poolFor(url),
          signal: options.signal,
          headers: headersFor(options, login),
        });
        // A body that is destroyed early reports an error here. Nobody needs it.
        body.on('error', () => undefined);
        const drop = (): void => void body.destroy();
        if (!REDIRECTS.has(statusCode) || typeof headers.location !== 'string') {
          return {
            status: statusCode,
            url,
            type: String(headers['content-type'] ?? ''),
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
      await close();
    },
  };
}
