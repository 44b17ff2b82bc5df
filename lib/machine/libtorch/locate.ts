// Finds LibTorch: the one that the environment names, the one that set-up was told to use, the active Python's, or the cache's.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import type { Environment } from '../environment.js';
import { outputOf } from '../process/child.js';
import { TORCH_COMMAND } from '../process/python.js';
import { PINNED, releaseOf, type Wanted, wantedLibTorch } from './addon.js';
import { installDirectory } from './cache.js';
import { CUDA_MAJOR, LIBTORCH_VERSION, REMEDIES } from './pinned.js';
import { readRemembered } from './remembered.js';

/** A LibTorch on this machine. */
export interface LibTorch {
  /** Holds include/ and lib/. */
  readonly root: string;
  /** As the files say it, for example 2.11.0+cu130. */
  readonly version: string;
  /** `remembered`: setup was told of it; `build`: the one that the addon here was compiled against. */
  readonly source: 'environment' | 'remembered' | 'build' | 'python' | 'cache';
}

export interface Located {
  readonly found: LibTorch | null;
  /** Every place looked at without success, with the reason. */
  readonly tried: readonly string[];
}

const PYTHON_TIMEOUT_MS = 10_000;

/** The version that the files of `root` state, or null. */
export function versionOf(root: string): string | null {
  const python = join(root, 'version.py');
  const plain = join(root, 'build-version');
  try {
    if (existsSync(python))
      return /^__version__\s*=\s*['"]([^'"]+)['"]/m.exec(readFileSync(python, 'utf8'))?.[1] ?? null;
    if (existsSync(plain)) return readFileSync(plain, 'utf8').trim() || null;
  } catch {
    // An unreadable file states no version.
  }
  return null;
}

/** null when `root` is a LibTorch of the release `wanted`, else what is wrong with it. */
export function faultOf(root: string, wanted: string = LIBTORCH_VERSION): string | null {
  if (!existsSync(root) || !statSync(root).isDirectory()) return `${root}: no such directory`;
  const missing = ['lib/libtorch_cpu.so', 'lib/libc10.so', 'include'].filter(
    (f) => !existsSync(join(root, f)),
  );
  if (missing.length > 0) return `${root}: no ${missing.join(', no ')}`;
  const version = versionOf(root);
  if (version === null) return `${root}: no version.py or build-version that states a version`;
  if (releaseOf(version) !== wanted) return `${root}: holds version ${version}`;
  return null;
}

/** torch's folder in the active python3, without importing it. */
function pythonTorch(env: Environment): string | null {
  try {
    const origin = outputOf('python3', TORCH_COMMAND, { env, timeout: PYTHON_TIMEOUT_MS }).trim();
    return origin === '' ? null : dirname(origin);
  } catch {
    return null;
  }
}

/** Whether a LibTorch has its CUDA half. */
export function hasCuda(root: string): boolean {
  return existsSync(join(root, 'lib', 'libtorch_cuda.so'));
}

/**
 * The first usable LibTorch of: SPLITGROW_LIBTORCH (decides alone when it is set), LIBTORCH, the one that setup was told
 * to remember, the one that the addon was compiled against, PyTorch of the active python3, the cache. Asking python3
 * starts a process; that takes little time compared with opening LibTorch. An addon that was compiled here needs
 * `wantedLibTorch()`; the default of `wanted` is the pinned release.
 */
export function locate(env: Environment = process.env, wanted: Wanted = PINNED): Located {
  const tried: string[] = [];
  const accept = (root: string, source: LibTorch['source'], label: string): LibTorch | null => {
    const fault = faultOf(root, wanted.version);
    if (fault === null) return { root, version: versionOf(root) ?? wanted.version, source };
    tried.push(`${label}: ${fault}`);
    return null;
  };
  const environment = (name: 'SPLITGROW_LIBTORCH' | 'LIBTORCH'): LibTorch | null =>
    env[name] ? accept(resolve(env[name]), 'environment', name) : null;
  const remembered = (): LibTorch | null => {
    const chosen = readRemembered(env);
    if (chosen === null) return null;
    if ('root' in chosen) return accept(chosen.root, 'remembered', 'remembered by setup');
    tried.push(`remembered by setup: ${chosen.fault}`);
    return null;
  };
  const compiledAgainst = (): LibTorch | null =>
    wanted.root === null ? null : accept(wanted.root, 'build', 'the one that the addon was compiled against');
  const python = (): LibTorch | null => {
    const root = pythonTorch(env);
    if (root !== null) return accept(root, 'python', 'python3');
    tried.push('python3: no PyTorch in it');
    return null;
  };
  const cached = (): LibTorch | null => {
    const [cpu, cuda] = [false, true].map((isCuda) => installDirectory(env, isCuda)) as [string, string];
    const withCuda = existsSync(cuda) ? accept(join(cuda, 'torch'), 'cache', 'cache') : null;
    return withCuda ?? accept(join(cpu, 'torch'), 'cache', 'cache');
  };
  const found = env.SPLITGROW_LIBTORCH
    ? environment('SPLITGROW_LIBTORCH')
    : (environment('LIBTORCH') ?? remembered() ?? compiledAgainst() ?? python() ?? cached());
  return { found, tried };
}

/** What helps where no LibTorch of `version` was found. */
function remedyFor(version: string, env: Environment): string {
  if (version !== LIBTORCH_VERSION)
    return `the addon here was compiled for LibTorch ${version}: point SPLITGROW_LIBTORCH to one, or compile anew with: ${REMEDIES.build}`;
  return env.SPLITGROW_LIBTORCH
    ? `point SPLITGROW_LIBTORCH to a LibTorch ${version}, or unset it and run: ${REMEDIES.setup}`
    : `run: ${REMEDIES.setup}`;
}

/** As requireLibTorch, with the places that were passed over. */
export function requireLocated(env: Environment = process.env): Located & { readonly found: LibTorch } {
  const wanted = wantedLibTorch();
  const { found, tried } = locate(env, wanted);
  if (found) return { found, tried };
  throw new SplitgrowError(
    'E_LIBTORCH',
    `expected LibTorch ${wanted.version}, found none (${tried.join('; ')}); ${remedyFor(wanted.version, env)}`,
  );
}

/** The LibTorch that the addon here needs, or an E_LIBTORCH that says where it was looked for and what to run. */
export function requireLibTorch(env: Environment = process.env): LibTorch {
  return requireLocated(env).found;
}

/** Names in a folder, sorted; none where there is no such folder. */
function namesIn(folder: string): readonly string[] {
  return existsSync(folder) && statSync(folder).isDirectory() ? readdirSync(folder).sort() : [];
}

/**
 * The libraries to open before the core, in order (each needs the ones before
 * it). Those that are not beside LibTorch are left to the system's search.
 */
export function preloadOrder(
  torch: LibTorch,
): readonly { readonly path: string; readonly isNeeded: boolean }[] {
  const lib = join(torch.root, 'lib');
  const nvidia = join(dirname(torch.root), 'nvidia');
  const folders = [lib, ...namesIn(nvidia).map((name) => join(nvidia, name, 'lib'))];
  // The pinned release's CUDA comes first. An addon that was compiled against another release may need another CUDA.
  const find = (name: string, pinned: string): string => {
    const found = folders.flatMap((folder) =>
      namesIn(folder)
        .filter((file) => file.startsWith(`${name}.`))
        .map((file) => join(folder, file)),
    );
    return found.find((path) => path.endsWith(`/${pinned}`)) ?? found[0] ?? pinned;
  };
  // A LibTorch without CUDA needs none of NVIDIA's libraries. If one is missing that is needed, opening libtorch_cpu fails and says so.
  const order = [
    { path: find('libcudart.so', `libcudart.so.${CUDA_MAJOR}`), isNeeded: false },
    { path: find('libcupti.so', `libcupti.so.${CUDA_MAJOR}`), isNeeded: false },
    { path: find('libgomp.so', 'libgomp.so.1'), isNeeded: false },
    { path: join(lib, 'libc10.so'), isNeeded: true },
    { path: join(lib, 'libtorch_cpu.so'), isNeeded: true },
  ];
  const cuda = join(lib, 'libtorch_cuda.so');
  return existsSync(cuda) ? [...order, { path: cuda, isNeeded: false }] : order;
}
