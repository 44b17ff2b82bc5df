// Starts programs of the machine. They run and load nothing from the user's working folder, and they end when this process ends.

import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { delimiter, dirname, isAbsolute, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../environment.js';
import { endingWithThisProcess } from './guardian.js';

/** The working folder of programs: a folder of this package. */
export const CHILD_FOLDER = dirname(fileURLToPath(import.meta.url));

/** Used where PATH is not set: what POSIX systems use then, without the working folder. */
const PATH_OTHERWISE = '/usr/local/bin:/usr/bin:/bin';

/** Lists of folders or libraries. An empty or relative entry in them means the working folder. */
const LISTS: readonly string[] = [
  ...['PATH', 'LD_LIBRARY_PATH', 'LD_PRELOAD', 'LD_AUDIT', 'PYTHONPATH'],
  ...['CPATH', 'C_INCLUDE_PATH', 'CPLUS_INCLUDE_PATH', 'LIBRARY_PATH', 'COMPILER_PATH', 'PKG_CONFIG_PATH'],
];

/** Variables that name code which a program loads before its own. */
const DROPPED: readonly string[] = ['NODE_OPTIONS', 'NODE_PATH', 'OLDPWD'];

/** Settings of the user that name files and folders. A relative path counts from the user's working folder. */
const PLACES: readonly string[] = [
  ...['SPLITGROW_CACHE', 'SPLITGROW_LIBTORCH', 'LIBTORCH', 'SPLITGROW_ADDON', 'SPLITGROW_TURBOJPEG'],
  ...['PIP_CONFIG_FILE', 'PIP_FIND_LINKS', 'PIP_CERT', 'PIP_CLIENT_CERT', 'PIP_CONSTRAINT'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'NETRC', 'TMPDIR'],
];

function entriesOf(name: string, list: string): readonly string[] {
  return list.split(name === 'LD_PRELOAD' ? /[:\s]+/ : ':');
}

/** Each list in `env` that has entries which mean the working folder, with those entries. */
export function relativeLists(env: Environment): readonly (readonly [string, readonly string[]])[] {
  return LISTS.map((name) => {
    const entries = env[name] ? entriesOf(name, env[name]) : [];
    return [name, entries.filter((entry) => !isAbsolute(entry))] as const;
  }).filter(([, entries]) => entries.length > 0);
}

/** Settings of pip that name several places with blanks between them. */
const SEVERAL: readonly string[] = ['PIP_FIND_LINKS', 'PIP_CONSTRAINT'];

/** The value of a setting with its relative paths made absolute, from the user's working folder. URLs stay as they are. */
function absolute(name: string, value: string): string {
  const words = SEVERAL.includes(name) ? value.trim().split(/\s+/) : [value];
  return words.map((word) => (/^([a-z+]+:|~)/i.test(word) ? word : resolve(word))).join(' ');
}

/** Working folder and environment variables for a program. */
export function childPlace(env: Environment = process.env): {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
} {
  const inner: NodeJS.ProcessEnv = { ...env };
  for (const name of DROPPED) delete inner[name];
  for (const name of LISTS) {
    const list = inner[name];
    if (list === undefined) continue;
    const kept = entriesOf(name, list).filter((entry) => isAbsolute(entry));
    if (kept.length > 0) inner[name] = kept.join(delimiter);
    else delete inner[name];
  }
  for (const name of PLACES) if (inner[name]) inner[name] = absolute(name, inner[name]);
  inner.PATH ??= PATH_OTHERWISE;
  inner.PWD = CHILD_FOLDER;
  return { cwd: CHILD_FOLDER, env: inner };
}

export interface StartOptions {
  readonly env?: Environment | undefined;
  /** A folder of this package; by default CHILD_FOLDER. */
  readonly cwd?: string | undefined;
}

export type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Starts a program in its own process group. The group ends when this process ends, for whatever reason. */
export function startChild(
  command: string,
  parameters: readonly string[],
  { env, cwd }: StartOptions = {},
): Child {
  const place = childPlace(env);
  return endingWithThisProcess(() =>
    spawn(command, parameters, {
      ...place,
      ...(cwd !== undefined && { cwd, env: { ...place.env, PWD: cwd } }),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}

/** Sends a signal to a program and to all that it started. */
export function endChild({ pid }: Pick<Child, 'pid'>, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has just ended.
  }
}

/** Standard output of a short program. Throws where it fails or takes longer than `timeout` milliseconds. */
export function outputOf(
  command: string,
  parameters: readonly string[],
  { env, timeout }: { readonly env: Environment; readonly timeout: number },
): string {
  return execFileSync(command, parameters, {
    ...childPlace(env),
    encoding: 'utf8',
    timeout,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}
