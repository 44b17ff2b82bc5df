// build(): compiles the addon against a LibTorch of this machine, tries it, and puts it where it is found.

import { constants } from 'node:fs';
import { access, copyFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import type { Environment } from '../environment.js';
import { makeFolder, writeDirectoryAtomic, writeError, writeFileAtomic } from '../files/atomic.js';
import { ifThere } from '../files/folder.js';
import { withLock } from '../files/lease.js';
import { requireMachine } from '../requirements.js';
import { packageVersion } from '../version.js';
import { type AddonRecord, RECORD_FILE, ROOT } from './addon.js';
import { privateCache } from './cache.js';
import { ADDON_FILES, compile, LOG_FILE, requireTools } from './compile.js';
import { CUDA_FILE, compileCuda, cudaTools } from './compile-cuda.js';
import { faultOf, locate, versionOf } from './locate.js';
import { LIBTORCH_VERSION, REMEDIES } from './pinned.js';
import { isOpened, tryToOpen } from './trial.js';

/** How far compiling is. */
export interface BuildProgress {
  /** Waiting for another process, fetching tools, configuring, compiling, trying the addon. */
  readonly phase: 'wait' | 'fetch' | 'configure' | 'compile' | 'try';
  /** What is being worked on. */
  readonly message: string;
  /** Files compiled and in all, or percent of 100; 0 of 0 where neither is known. */
  readonly done: number;
  /** In all. */
  readonly total: number;
}

export interface BuildOptions {
  /** Folder with include/ and lib/, of any release; by default the one that is found, of the pinned release. */
  readonly libtorch?: string | undefined;
  /** With the CUDA library. */
  readonly cuda?: boolean;
  /** Folder for the addon; by default SPLITGROW_ADDON or the package's build/Release. Afterwards it holds only what was built. */
  readonly out?: string | undefined;
  readonly onProgress?: (progress: BuildProgress) => void;
  readonly signal?: AbortSignal | undefined;
  readonly env?: Environment;
  /** Makes the files of the addon in a folder; by default with compilers. */
  readonly make?: (libtorch: string, work: string) => Promise<readonly string[]>;
}

/** What `build` made. */
export interface BuildResult {
  /** Holds the addon now. */
  readonly folder: string;
  /** What the addon was compiled against, and needs from now on. */
  readonly libtorch: {
    /** Its folder. */
    readonly root: string;
    /** Its version. */
    readonly version: string;
  };
  /** Libraries of the addon. */
  readonly files: readonly {
    /** File name in `folder`. */
    readonly name: string;
    /** Its size. */
    readonly bytes: number;
  }[];
  /** Time that it took. */
  readonly seconds: number;
  /** What the user has to know besides. */
  readonly note: string | null;
}

type LibTorchHere = BuildResult['libtorch'];

/** The LibTorch to compile against. Throws E_LIBTORCH. */
function libtorchFor(given: string | undefined, env: Environment): LibTorchHere {
  if (given === undefined) {
    const { found, tried } = locate(env);
    if (found) return found;
    throw new SplitgrowError(
      'E_LIBTORCH',
      `expected LibTorch ${LIBTORCH_VERSION} to compile against, found none (${tried.join('; ')}); ` +
        `run: ${REMEDIES.setup}, or name one of any release: ${REMEDIES.build} --libtorch DIR`,
    );
  }
  const root = resolve(given);
  const version = versionOf(root);
  const fault = faultOf(root, version?.split('+')[0]);
  if (fault === null && version !== null) return { root, version };
  throw new SplitgrowError(
    'E_LIBTORCH',
    `--libtorch: expected a folder with include/ and lib/ of LibTorch: ${fault}`,
  );
}

/** Files that a folder for the addon may hold before it is replaced. */
const OURS: ReadonlySet<string> = new Set([...ADDON_FILES, CUDA_FILE, RECORD_FILE]);

/** Checks, before minutes of compiling, that `folder` can be written and holds nothing else. Throws E_WRITE. */
async function requireFolder(folder: string): Promise<void> {
  try {
    await makeFolder(dirname(folder));
    await access(dirname(folder), constants.W_OK);
  } catch (error) {
    throw new SplitgrowError(
      'E_WRITE',
      `${writeError(folder, error).message}; or compile into a folder of yours and name it from then on: ` +
        `${REMEDIES.build} --out DIR, SPLITGROW_ADDON=DIR`,
      { cause: error },
    );
  }
  const names = await readdir(folder).catch(() => []);
  const other = names.find((name) => !OURS.has(name));
  if (other !== undefined)
    throw new SplitgrowError(
      'E_WRITE',
      `expected ${folder} to hold an addon or nothing, found ${other} in it; choose another folder with --out`,
    );
}

function report(
  options: BuildOptions,
  what: string,
): (step: 'configure' | 'compile', done: number, total: number) => void {
  return (step, done, total) => options.onProgress?.({ phase: step, message: what, done, total });
}

/** A file in each folder that a build made to compile in. Such a folder may be removed with all that is in it. */
const WORK_RECORD = 'splitgrow-build.json';

/** Makes an empty folder to compile in. Removes what a killed build left there; refuses a folder of somebody else. @throws E_WRITE */
async function makeWork(work: string): Promise<void> {
  const names = await ifThere(readdir(work));
  if (names !== null && names.length > 0 && !names.includes(WORK_RECORD))
    throw new SplitgrowError(
      'E_WRITE',
      `${work}: expected nothing, or what an earlier build left, found "${names[0]}" in it; move it away, or set SPLITGROW_CACHE to another folder`,
    );
  await rm(work, { recursive: true, force: true });
  await makeFolder(work);
  await writeFileAtomic(join(work, WORK_RECORD), '{"format":"splitgrow-build/1"}\n');
}

/** Compiles in `work`. @returns the paths of what was made */
async function make(
  libtorch: string,
  { work, log }: { readonly work: string; readonly log: string },
  options: BuildOptions,
): Promise<readonly string[]> {
  const { signal } = options;
  const out = join(work, 'addon');
  await compile({ libtorch, out, log, target: 'addon', signal, onProgress: report(options, 'the addon') });
  const made = ADDON_FILES.map((name) => join(out, 'Release', name));
  if (options.cuda !== true) return made;
  const onProgress = (message: string) =>
    options.onProgress?.({ phase: 'fetch', message, done: 0, total: 0 });
  const tools = await cudaTools({ libtorch, signal, onProgress });
  const folder = join(work, 'cuda');
  const { path } = await compileCuda(tools, {
    libtorch,
    out: folder,
    log,
    signal,
    onProgress: report(options, 'the CUDA library'),
  });
  return [...made, path];
}

/** Fills `folder` with the files and the record, and opens the addon there in another process. Throws E_BUILD. */
async function place(
  folder: string,
  made: readonly string[],
  libtorch: LibTorchHere,
  env: Environment,
): Promise<void> {
  for (const path of made) await copyFile(path, join(folder, basename(path)));
  const { root, version } = libtorch;
  const record: AddonRecord = {
    format: 'splitgrow-addon/1',
    splitgrow: packageVersion(),
    libtorch: { version, root },
  };
  await writeFile(join(folder, RECORD_FILE), `${JSON.stringify(record, null, 2)}\n`);
  const result = await tryToOpen({ ...env, SPLITGROW_ADDON: folder, SPLITGROW_LIBTORCH: root });
  if (!isOpened(result))
    throw new SplitgrowError('E_BUILD', `the addon was compiled but does not work: ${result.why}`);
}

/**
 * Compiles the addon, tries it, and replaces the old one. After a failure or a kill, the old one is still there.
 * @throws E_MACHINE, E_LIBTORCH, E_BUILD, E_WRITE, E_ABORTED
 */
export async function build(options: BuildOptions = {}): Promise<BuildResult> {
  const start = performance.now();
  const env = options.env ?? process.env;
  requireMachine();
  const libtorch = libtorchFor(options.libtorch, env);
  const folder = resolve(options.out ?? (env.SPLITGROW_ADDON || join(ROOT, 'build', 'Release')));
  await requireFolder(folder);
  if (options.make === undefined) await requireTools();
  const cache = await privateCache(env);
  // Always the same folder, so that a compiler cache such as ccache finds its earlier results.
  const work = join(cache, '.splitgrow-build');
  // The log lies beside that folder, because the folder is removed after a failure too.
  const log = join(cache, LOG_FILE);
  return withLock(
    join(cache, 'build.lock'),
    async () => {
      await makeWork(work);
      try {
        const made = await (options.make?.(libtorch.root, work) ??
          make(libtorch.root, { work, log }, options));
        options.onProgress?.({ phase: 'try', message: 'the addon', done: 0, total: 0 });
        if (options.signal?.aborted)
          throw new SplitgrowError('E_ABORTED', 'build was aborted; nothing was replaced');
        await writeDirectoryAtomic(folder, (temporary) => place(temporary, made, libtorch, env), {
          ours: [...OURS],
        });
      } finally {
        await rm(work, { recursive: true, force: true });
      }
      const names = (await readdir(folder)).filter((name) => name !== RECORD_FILE).sort();
      const files = await Promise.all(
        names.map(async (name) => ({ name, bytes: (await stat(join(folder, name))).size })),
      );
      const isFound = folder === resolve(env.SPLITGROW_ADDON || join(ROOT, 'build', 'Release'));
      return {
        folder,
        libtorch: { root: libtorch.root, version: libtorch.version },
        files,
        seconds: (performance.now() - start) / 1000,
        note: isFound ? null : `to use it, set SPLITGROW_ADDON=${folder}`,
      };
    },
    {
      signal: options.signal,
      onWait: (owner) =>
        options.onProgress?.({
          phase: 'wait',
          message: `for process ${owner?.pid ?? 'unknown'}, which is compiling`,
          done: 0,
          total: 0,
        }),
    },
  );
}
