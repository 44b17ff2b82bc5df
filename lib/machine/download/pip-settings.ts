// Where to look for packages: pip's own settings, as `pip config list` prints them, or its variables PIP_* where pip is missing.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { rootCertificates } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { SplitgrowError } from '../../errors.js';
import type { Environment } from '../environment.js';
import { childPlace } from '../process/child.js';
import { pipCommand } from '../process/python.js';
import { run } from '../process/run.js';
import type { ClientSettings, Login } from './http.js';

export interface PipSettings {
  /** Each has one page for each project below it. */
  readonly indexes: readonly URL[];
  /** Pages, folders or files with links to packages. */
  readonly links: readonly URL[];
  /** True where links of this page may be used: it is https, a file, on this machine, or on a host that the user trusts. */
  readonly isTrusted: (url: URL) => boolean;
  readonly client: ClientSettings;
}

/** Settings of pip by name, such as `index-url`. */
type Settings = Readonly<Record<string, string>>;

const DEFAULT_INDEX = 'https://pypi.org/simple';
/** pip's sections. A setting of a later one replaces the same setting of an earlier one. */
const SECTIONS = ['global', 'download', ':env:'];
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
const SYSTEM_CERTIFICATES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];
const LIMIT_MS = 60_000;

/** A text as Python's repr() writes it. */
function unquoted(text: string): string {
  return text
    .replace(/^(['"])(.*)\1$/s, '$2')
    .replace(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|(.))/gi, (_, two, four, one) =>
      one === undefined ? String.fromCharCode(Number.parseInt(two ?? four, 16)) : (ESCAPES[one] ?? one),
    );
}

/** The settings in the output of `pip config list`, with one value for each name. */
export function parsePipConfig(output: string): Settings {
  const rows = output.split('\n').flatMap((line) => {
    const [, section = '', name = '', value = ''] = /^(:env:|[^.=]+)\.([^=]+)=(.*)$/.exec(line) ?? [];
    return SECTIONS.includes(section) ? [{ section, name, value: unquoted(value.trim()) }] : [];
  });
  rows.sort((a, b) => SECTIONS.indexOf(a.section) - SECTIONS.indexOf(b.section));
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}

/** The settings in pip's variables, for a machine without pip. */
function variablesOf(env: NodeJS.ProcessEnv): Settings {
  const entries = Object.entries(env).filter(([name, value]) => name.startsWith('PIP_') && value);
  return Object.fromEntries(
    entries.map(([name, value = '']) => [name.slice(4).toLowerCase().replaceAll('_', '-'), value]),
  );
}

async function settingsOf(env: Environment, signal: AbortSignal | undefined): Promise<Settings> {
  const options = { env, signal, timeoutMs: LIMIT_MS };
  const { code, fault, output, said } = await run('python3', pipCommand(['config', 'list']), options);
  if (fault === null) return parsePipConfig(output);
  // 127 also comes from a version manager's script that finds no Python.
  if (code === 127 || /No module named '?pip\b/.test(said)) return variablesOf(childPlace(env).env);
  throw new SplitgrowError(
    'E_LIBTORCH',
    `pip's settings cannot be read: ${fault}; mend what \`python3 -I -m pip config list\` says, or set PIP_CONFIG_FILE=/dev/null`,
  );
}

/** URLs of places. Each word of the text is a URL or a path. */
function urlsOf(text: string | undefined): readonly URL[] {
  const words = (text ?? '').split(/\s+/).filter((word) => word !== '');
  return words.map((word) => {
    if (/^[a-z]+:\/\//i.test(word) && URL.canParse(word)) return new URL(word);
    if (/^file:/i.test(word)) return new URL(word);
    return pathToFileURL(resolve(word.replace(/^~(?=\/|$)/, homedir())));
  });
}

function isTrue(text: string | undefined): boolean {
  return /^(1|true|yes|on|y|t)$/i.test(text ?? '');
}

/** The certificates in a file, or in all files of a folder. */
function certificatesIn(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [readFileSync(path, 'utf8')];
    return readdirSync(path).flatMap((name) => certificatesIn(join(path, name)));
  } catch {
    return [];
  }
}

/** The certificates that the user names, by the setting that pip asks first; else those of Node.js and of the system. */
function authorities(settings: Settings, env: Environment): readonly string[] {
  const named = settings.cert || env.REQUESTS_CA_BUNDLE || env.CURL_CA_BUNDLE;
  if (named) {
    const found = certificatesIn(named);
    if (found.length > 0) return found;
    throw new SplitgrowError(
      'E_LIBTORCH',
      `pip's setting cert: expected certificates in ${named}, found none`,
    );
  }
  const files = [env.SSL_CERT_FILE, env.NODE_EXTRA_CA_CERTS, ...SYSTEM_CERTIFICATES];
  return [...rootCertificates, ...files.flatMap((file) => (file ? certificatesIn(file) : []))];
}

/** User and password of each machine of a .netrc file. */
export function parseNetrc(text: string): ReadonlyMap<string, Login> {
  const words = text.split(/\s+/);
  const found = new Map<string, Login>();
  let [machine, login] = ['', ''];
  for (let i = 0; i + 1 < words.length; i += 1) {
    const [word, next = ''] = [words[i], words[i + 1]];
    if (word === 'machine') machine = next;
    else if (word === 'login') login = next;
    else if (word === 'password' && machine !== '') found.set(machine, { user: login, password: next });
    else continue;
    i += 1;
  }
  return found;
}

function netrcOf(env: Environment): ReadonlyMap<string, Login> {
  const file = env.NETRC || join(env.HOME || homedir(), '.netrc');
  try {
    return parseNetrc(readFileSync(file, 'utf8'));
  } catch {
    return new Map();
  }
}

function loginOf(url: URL): Login | null {
  if (url.username === '') return null;
  return { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
}

/** The rule of `isTrusted`. `trusted` lists hosts, each with or without a port. */
function trustOf(trusted: readonly string[]): (url: URL) => boolean {
  return (url) =>
    /^(https|file):$/.test(url.protocol) ||
    /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname) ||
    trusted.includes(url.hostname) ||
    trusted.includes(url.host);
}

/**
 * pip's settings for downloads. On a machine without pip only its variables count.
 * @throws E_LIBTORCH where pip cannot read its settings, E_ABORTED
 */
export async function readPipSettings(env: Environment, signal?: AbortSignal): Promise<PipSettings> {
  const settings = await settingsOf(env, signal);
  const named = isTrue(settings['no-index'])
    ? []
    : [...urlsOf(settings['index-url'] || DEFAULT_INDEX), ...urlsOf(settings['extra-index-url'])];
  const links = urlsOf(settings['find-links']);
  const trusted = (settings['trusted-host'] ?? '').split(/\s+/).filter((host) => host !== '');
  const netrc = netrcOf(env);
  const logins = new Map(
    [...named, ...links].flatMap((url) => {
      const login = loginOf(url);
      return login === null ? [] : [[url.host, login] as const];
    }),
  );
  const seconds = Number(settings.timeout ?? settings['default-timeout']);
  return {
    indexes: named,
    links,
    isTrusted: trustOf(trusted),
    client: {
      proxy: settings.proxy || null,
      authorities: authorities(settings, env),
      certificate: settings['client-cert'] ? readFileSync(settings['client-cert'], 'utf8') : null,
      isUnverified: (url) => trusted.includes(url.hostname) || trusted.includes(url.host),
      loginFor: (url) => loginOf(url) ?? logins.get(url.host) ?? netrc.get(url.hostname) ?? null,
      silenceMs: seconds > 0 ? seconds * 1000 : null,
    },
  };
}
