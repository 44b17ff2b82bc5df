// Which proxy a request takes, by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY. The same names in lower case count first.

import { SplitgrowError } from '../../errors.js';
import type { Environment } from '../environment.js';

const PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

function setting(env: Environment, name: string): string {
  return env[name.toLowerCase()] ?? env[name] ?? '';
}

/** True where an entry of NO_PROXY covers the URL: `host`, `.host` or `*.host`, each with or without `:port`. `host` also covers all names below it. */
function covers(entry: string, url: URL): boolean {
  if (entry === '*') return true;
  const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (port !== undefined && port !== (url.port || PORTS[url.protocol])) return false;
  const host = name.replace(/^\*?\./, '').toLowerCase();
  return host !== '' && (url.hostname === host || url.hostname.endsWith(`.${host}`));
}

/** The URL of a proxy that `name` gives. @throws E_ARGUMENT where it is no http or https proxy */
export function proxyAt(given: string, name: string): URL {
  const text = given.includes('://') ? given : `http://${given}`;
  const proxy = URL.canParse(text) ? new URL(text) : null;
  if (proxy !== null && proxy.protocol in PORTS) return proxy;
  throw new SplitgrowError(
    'E_ARGUMENT',
    `${name}: expected the URL of an http or https proxy, found "${text.replace(/\/\/[^/@]*@/, '//')}"`,
  );
}

/** The proxy of a URL by the variables, or null for none. @throws E_ARGUMENT where it is no http or https proxy */
export function proxyFor(url: URL, env: Environment): URL | null {
  const exceptions = setting(env, 'NO_PROXY').split(/[\s,]+/);
  if (exceptions.some((entry) => covers(entry, url))) return null;
  const scheme = url.protocol.slice(0, -1).toUpperCase();
  const given = setting(env, `${scheme}_PROXY`) || setting(env, 'ALL_PROXY');
  return given === '' ? null : proxyAt(given, `${scheme}_PROXY`);
}
