// setup(): makes LibTorch available. Does nothing where one is found; else fetches one, or uses the folder that the user names.

import { join, resolve } from 'node:path';
import { reasonOf, SplitgrowError } from '../../errors.js';
import type { Environment } from '../environment.js';
import { withLock } from '../files/lease.js';
import { requireMachine } from '../requirements.js';
import { wantedLibTorch } from './addon.js';
import { cacheDirectory, installDirectory, privateCache, wheelDirectory } from './cache.js';
import { type InstallOptions, install, releaseHere, type SetupProgress } from './install.js';
import { faultOf, hasCuda, type LibTorch, locate, versionOf } from './locate.js';
import { LIBTORCH_VERSION, REMEDIES, type Release } from './pinned.js';
import { forget, readRemembered, remember } from './remembered.js';
import { cudaRow, isOpened, type NotOpened, type Opened, tryLibTorch } from './trial.js';

export interface SetupOptions {
  /** With the CUDA libraries. */
  readonly cuda?: boolean;
  /** Fetch one into the cache and use it, even if a usable LibTorch is found elsewhere. */
  readonly force?: boolean;
  /** A folder with include/ and lib/: checked, opened, and used from now on. */
  readonly libtorch?: string | undefined;
  /** Forget what an earlier setup was told to use, before anything else. */
  readonly forget?: boolean;
  readonly onProgress?: (progress: SetupProgress) => void;
  readonly signal?: AbortSignal | undefined;
  readonly env?: Environment;
  /** Instead of the pinned one for this machine. */
  readonly release?: Release;
  /** How a LibTorch is opened; by default in a process of its own, with the addon. */
  readonly open?: (root: string, env: Environment) => Promise<Opened | NotOpened>;
}

/** What `setup` left. */
export interface SetupResult {
  /** The LibTorch that is used from now on. */
  readonly libtorch: LibTorch;
  /** False when it was there already. */
  readonly isNew: boolean;
  /** Whether it opens; null where that was not tried, because there is no addon yet or nothing is new. */
  readonly opens: boolean | null;
  /** Whether its CUDA half opens, and why not; null where it has none or that was not tried. */
  readonly cuda: {
    /** Whether it opens. */
    readonly opens: boolean;
    /** Why not; empty where it does. */
    readonly fault: string;
  } | null;
  /** What the user has to know besides. */
  readonly note: string | null;
}

type Trial = Pick<SetupResult, 'opens' | 'cuda'>;

const UNTRIED: Trial = { opens: null, cuda: null };

/** Opens `root`; throws E_LIBTORCH where it does not open. */
async function trial(root: string, env: Environment, options: SetupOptions): Promise<Trial> {
  options.onProgress?.({ phase: 'open', message: root, done: 0, total: 0 });
  const open = options.open ?? ((folder, where) => tryLibTorch(folder, where, { signal: options.signal }));
  const result = await open(root, env);
  if (isOpened(result)) {
    const row = cudaRow(result.trace);
    return { opens: true, cuda: row ? { opens: row.ok, fault: row.error } : null };
  }
  // The addon is compiled after LibTorch is there.
  if (result.code === 'E_ADDON') return UNTRIED;
  throw new SplitgrowError('E_LIBTORCH', `${root} is there but is not usable: ${result.why}`);
}

/** Makes sure that `root` is found from now on. @returns a note where a variable of the environment prevents that */
async function prefer(root: string, env: Environment): Promise<string | null> {
  const before = locate(env).found;
  if (before?.root === root) return null;
  await remember(root, env);
  const after = locate(env).found;
  if (after?.root === root) return null;
  const name = env.SPLITGROW_LIBTORCH ? 'SPLITGROW_LIBTORCH' : 'LIBTORCH';
  return `${name} is set and comes first: ${env[name]}; unset it to use ${root}`;
}

async function useFolder(folder: string, env: Environment, options: SetupOptions): Promise<SetupResult> {
  const root = resolve(folder);
  const { version } = wantedLibTorch();
  const fault = faultOf(root, version);
  if (fault !== null) {
    const inner = join(root, 'torch');
    const hint = faultOf(inner, version) === null ? `; did you mean ${inner}?` : '';
    throw new SplitgrowError(
      'E_LIBTORCH',
      `--libtorch: expected a folder with include/ and lib/ of LibTorch ${version}: ${fault}${hint}`,
    );
  }
  const tried = await trial(root, env, options);
  await remember(root, env);
  const note = await prefer(root, env);
  const libtorch: LibTorch = { root, version: versionOf(root) ?? version, source: 'remembered' };
  return { libtorch, isNew: false, ...tried, note };
}

/** Fetches into the cache, unless another process did so meanwhile. */
async function fetchOnce(env: Environment, options: SetupOptions): Promise<boolean> {
  const isCuda = options.cuda === true;
  const target = installDirectory(env, isCuda);
  const inner: InstallOptions = { env, signal: options.signal, onProgress: options.onProgress };
  await privateCache(env);
  return withLock(
    join(cacheDirectory(env), 'setup.lock'),
    async (work) => {
      const isThere = faultOf(join(target, 'torch')) === null;
      if (isThere && !options.force) return false;
      const place = { target, wheels: wheelDirectory(env), work };
      await install(options.release ?? releaseHere(isCuda), place, inner);
      const fault = faultOf(join(target, 'torch'));
      if (fault === null) return true;
      throw new SplitgrowError('E_LIBTORCH', `LibTorch was unpacked but is not usable (${fault})`);
    },
    {
      signal: options.signal,
      onWait: (owner) =>
        options.onProgress?.({
          phase: 'wait',
          message: `for process ${owner?.pid ?? 'unknown'}, which is setting up LibTorch`,
          done: 0,
          total: 0,
        }),
    },
  );
}

async function fetched(env: Environment, options: SetupOptions): Promise<SetupResult> {
  const root = join(installDirectory(env, options.cuda === true), 'torch');
  const isNew = await fetchOnce(env, options);
  const tried = await trial(root, env, options);
  const isAsked = options.cuda === true || options.force === true;
  const chosen = readRemembered(env);
  // A plain set-up gets here only if nothing else is found. An earlier choice, which is then of no use, must not come first.
  const note = isAsked || chosen !== null || env.SPLITGROW_LIBTORCH ? await prefer(root, env) : null;
  const libtorch: LibTorch = { root, version: versionOf(root) ?? LIBTORCH_VERSION, source: 'cache' };
  return { libtorch, isNew, ...tried, note };
}

/** Makes LibTorch available, once for all processes of this user. Throws E_MACHINE, E_LIBTORCH, E_WRITE, E_ABORTED. */
export async function setup(options: SetupOptions = {}): Promise<SetupResult> {
  const env = options.env ?? process.env;
  const { signal } = options;
  try {
    requireMachine();
    if (options.forget) await forget(env);
    if (options.libtorch !== undefined) return await useFolder(options.libtorch, env, options);
    const before = locate(env).found;
    const isEnough = before !== null && (!options.cuda || hasCuda(before.root));
    if (isEnough && !options.force) return { libtorch: before, isNew: false, ...UNTRIED, note: null };
    return await fetched(env, options);
  } catch (error) {
    if (signal?.aborted) {
      throw new SplitgrowError(
        'E_ABORTED',
        `setup was aborted; nothing was installed; what was downloaded is kept, and this goes on with it: ${REMEDIES.setup}`,
        { cause: error },
      );
    }
    if (error instanceof SplitgrowError) throw error;
    const reason = reasonOf(error);
    throw new SplitgrowError('E_WRITE', `cannot set up LibTorch in ${cacheDirectory(env)}: ${reason}`, {
      cause: error,
    });
  }
}
