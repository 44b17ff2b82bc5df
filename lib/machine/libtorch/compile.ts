// Compiles the addon with cmake-js: checks the tools, configures, builds, and reports the compiler's errors.
import { createRequire } from 'node:module';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { writeFileAtomic } from '../files/atomic.js';
import { run } from '../process/run.js';
import { isAtLeast } from '../requirements.js';
import { ROOT } from './addon.js';

const require = createRequire(import.meta.url);

/** The thin loader, which Node.js opens, and the library that computes. */
export const ADDON_FILES = ['splitgrow.node', 'splitgrow_core.so'] as const;

/** The oldest CMake that CMakeLists.txt takes. */
export const CMAKE_FLOOR = '3.18';
/** The file that a failure leaves. */
export const LOG_FILE = 'splitgrow-build.log';
/** The memory that one compiler takes with LibTorch's headers, roughly. */
const BYTES_A_JOB = 1.5e9;
const SHOWN_ERRORS = 3;

export interface CompileOptions {
  /** LibTorch: the folder with include/ and lib/. */
  readonly libtorch: string;
  /** CMake's build folder; the files are made in its folder Release. */
  readonly out: string;
  /** A target of CMakeLists.txt; all of them where it is left out. */
  readonly target?: string;
  /** Further variables of CMakeLists.txt. */
  readonly definitions?: Readonly<Record<string, string>>;
  /** Where a failure leaves all that the tools said; by default a file in `out`. */
  readonly log?: string | undefined;
  readonly onProgress?: ((step: 'configure' | 'compile', done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Tool {
  readonly name: string;
  readonly command: string;
  readonly floor?: string;
  readonly install: string;
}

function tools(env: NodeJS.ProcessEnv): readonly Tool[] {
  return [
    {
      name: 'a C++20 compiler',
      // It may have arguments, as in "ccache g++".
      command: (env.CXX || 'c++').trim().split(/\s+/)[0] ?? 'c++',
      install: 'install one, for example: sudo apt-get install g++ make',
    },
    {
      name: `CMake ${CMAKE_FLOOR} or newer`,
      command: 'cmake',
      floor: CMAKE_FLOOR,
      install: 'install it, for example: sudo apt-get install cmake',
    },
  ];
}

/**
 * Looks for compiler and CMake.
 * @throws E_BUILD with everything that is missing, and how it is installed
 */
export async function requireTools(env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const missing: string[] = [];
  for (const { name, command, floor, install } of tools(env)) {
    const { code, output } = await run(command, ['--version'], { env });
    const version = /(\d+(?:\.\d+)+)/.exec(output)?.[1] ?? '';
    if (code !== 0) missing.push(`expected ${name}, found no ${command}; ${install}`);
    else if (floor !== undefined && !isAtLeast(version, floor))
      missing.push(`expected ${name}, found ${version}; ${install}`);
  }
  if (missing.length > 0)
    throw new SplitgrowError('E_BUILD', `nothing can be compiled: ${missing.join('. Also: ')}`);
}

/** How many compilers run at once: one for each core, as far as the memory allows. */
export function jobs(cores: number = availableParallelism(), bytes: number = totalmem()): number {
  return Math.max(1, Math.min(cores, Math.floor(bytes / BYTES_A_JOB)));
}

/** The progress in the compiler's output, written as [3/40] or [ 12%]; null where there is none. */
export function progressOf(text: string): readonly [done: number, total: number] | null {
  const found = [...text.matchAll(/\[\s*(\d+)(?:\/(\d+)|%)\]/g)].at(-1);
  return found === undefined ? null : [Number(found[1]), found[2] === undefined ? 100 : Number(found[2])];
}

/** The lines of a compiler's or CMake's output that say what is wrong. */
export function errorsIn(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  const telling = lines.filter((line) => /\berror\b|undefined reference|CMake Error/i.test(line));
  const shown =
    telling.length > 0
      ? telling.slice(0, SHOWN_ERRORS)
      : lines.filter((line) => line !== '').slice(-SHOWN_ERRORS);
  return shown.join(' | ').slice(0, 800);
}

async function cmakeJs(
  command: 'configure' | 'build',
  parameters: readonly string[],
  options: CompileOptions,
): Promise<void> {
  const script = join(dirname(require.resolve('cmake-js/package.json')), 'bin', 'cmake-js');
  const step = command === 'build' ? 'compile' : 'configure';
  options.onProgress?.(step, 0, 0);
  const { code, said } = await run(process.execPath, [script, command, ...parameters], {
    cwd: ROOT,
    signal: options.signal,
    onOutput: (text) => {
      const progress = progressOf(text);
      if (progress) options.onProgress?.(step, ...progress);
    },
  });
  if (code === 0) return;
  const log = options.log ?? join(options.out, LOG_FILE);
  const isKept = await writeFileAtomic(log, said).then(
    () => true,
    () => false,
  );
  throw new SplitgrowError(
    'E_BUILD',
    `the addon cannot be compiled against ${options.libtorch}: ${errorsIn(said)}${isKept ? `; all that was said is in ${log}` : ''}`,
  );
}

/**
 * Configures and builds. Files that an earlier build left in `out` are used again where they are up to date.
 * @throws E_BUILD with the first errors and the file that has all of them, E_ABORTED
 */
export async function compile(options: CompileOptions): Promise<void> {
  const definitions = { SPLITGROW_LIBTORCH: options.libtorch, ...options.definitions };
  const parameters = [
    ...['--directory', ROOT, '--out', options.out, '--log-level', 'error', '--parallel', String(jobs())],
    ...Object.entries(definitions).map(([name, value]) => `--CD${name}=${value}`),
  ];
  await cmakeJs('configure', parameters, options);
  const target = options.target === undefined ? [] : ['--target', options.target];
  await cmakeJs('build', [...parameters, ...target], options);
}
