// Compiles the optional CUDA library with the machine's CUDA toolkit, or with NVIDIA's compiler from the cache. This needs no GPU.
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSplitgrowError, SplitgrowError } from '../../errors.js';
import { run } from '../process/run.js';
import { type CompileOptions, compile } from './compile.js';
import { type CudaKit, requireKit } from './cuda-kit.js';
import { CUDA_MAJOR } from './pinned.js';

export const CUDA_FILE = 'splitgrow_cuda.so';
/** GPU generations from Turing to Blackwell: those that CUDA 13 and LibTorch's own kernels support. */
export const CUDA_ARCHITECTURES = '75:80:86:89:90:100:120';

export interface CudaOptions {
  /** Folder of LibTorch, with include/ and lib/. */
  readonly libtorch: string;
  /** Do not look for a toolkit of the machine. */
  readonly kit?: boolean | undefined;
  readonly onProgress?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Folders of headers beside LibTorch, where it is part of a PyTorch with NVIDIA's packages. */
function packagedHeaders(libtorch: string): readonly string[] {
  const nvidia = join(dirname(libtorch), 'nvidia');
  const folders = [join(nvidia, `cu${CUDA_MAJOR}`, 'include'), join(nvidia, 'nccl', 'include')];
  return folders.filter((folder) => existsSync(folder));
}

/** The toolkit of the machine: nvcc of the right release in CUDA_HOME or on PATH, with all needed headers. Null where it is not complete. */
async function toolkit(libtorch: string): Promise<CudaKit | null> {
  const home = process.env.CUDA_HOME;
  const nvcc = home ? join(home, 'bin', 'nvcc') : 'nvcc';
  const { code, output } = await run(nvcc, ['--version']);
  const release = /release (\d+)\.(\d+)/.exec(output);
  if (code !== 0 || Number(release?.[1]) !== CUDA_MAJOR) return null;
  const path = (await run('sh', ['-c', 'command -v "$0"', nvcc])).output.trim();
  const include = [join(dirname(dirname(path)), 'include'), ...packagedHeaders(libtorch)];
  const needed = ['cusparse.h', 'cublas_v2.h', 'cusolverDn.h', 'nccl.h'];
  const isWhole = needed.every((name) => include.some((folder) => existsSync(join(folder, name))));
  return isWhole ? { nvcc: path, include } : null;
}

/**
 * nvcc and the headers that the library is compiled with.
 * @throws E_BUILD where the machine has none and NVIDIA's cannot be fetched
 */
export async function cudaTools({ libtorch, kit, onProgress, signal }: CudaOptions): Promise<CudaKit> {
  const found = kit ? null : await toolkit(libtorch);
  if (found) return found;
  return requireKit({ onProgress, signal }).catch((error) => {
    if (!isSplitgrowError(error) || error.code === 'E_ABORTED') throw error;
    throw new SplitgrowError(
      'E_BUILD',
      `no CUDA ${CUDA_MAJOR} toolkit was found (nvcc on PATH or in CUDA_HOME, with headers of cuBLAS, cuSPARSE, ` +
        `cuSOLVER, NCCL), and NVIDIA's compiler could not be fetched: ${error.message}`,
      { cause: error },
    );
  });
}

/** Libraries that are open when the CUDA library is opened. Further symbols come from the compiler's and the system's libraries. */
const TORCH = ['libtorch_cuda.so', 'libc10_cuda.so', 'libtorch_cpu.so', 'libc10.so'];
const SYSTEM = ['libstdc++.so.6', 'libgcc_s.so.1', 'libc.so.6', 'libm.so.6', 'libgomp.so.1'];

/** nm's lines are longer than what run() keeps of all output, so they are read as they come. */
async function symbols(path: string, which: 'defined' | 'undefined'): Promise<readonly string[]> {
  let lines = '';
  const { code, said } = await run('nm', ['-D', `--${which}-only`, path], {
    onOutput: (text) => {
      lines += text;
    },
  });
  if (code !== 0)
    throw new SplitgrowError('E_BUILD', `nm cannot read the symbols of ${path}: ${said.trim()}`);
  return lines
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => words.length >= 2 && !(which === 'undefined' && words[0] !== 'U'))
    .map((words) => (words.at(-1) ?? '').replace(/@.*/, ''));
}

/** The C++ compiler's path of a system library. */
async function systemPath(name: string): Promise<string> {
  const { output } = await run(process.env.CXX || 'c++', [`-print-file-name=${name}`]);
  return output.trim();
}

function cudaRuntime(root: string): string | undefined {
  const folder = join(dirname(root), 'nvidia', 'cu13', 'lib');
  const name = existsSync(folder)
    ? readdirSync(folder).find((file) => /^libcudart\.so\.\d+$/.test(file))
    : undefined;
  return name && join(folder, name);
}

/**
 * Symbols of `library` that neither LibTorch in `root`, the CUDA run time nor the system has; null where this
 * LibTorch has no CUDA part, so that nothing can be said. Weak ones may be missing.
 */
export async function missingSymbols(library: string, root: string): Promise<readonly string[] | null> {
  const torch = TORCH.map((name) => join(root, 'lib', name));
  const runtime = cudaRuntime(root);
  if (!torch.every((path) => existsSync(path)) || runtime === undefined) return null;
  const system = (await Promise.all(SYSTEM.map(systemPath))).filter((path) => existsSync(path));
  const defined = new Set<string>();
  for (const path of [...torch, runtime, ...system])
    for (const name of await symbols(path, 'defined')) defined.add(name);
  return (await symbols(library, 'undefined')).filter((name) => !defined.has(name));
}

/**
 * Compiles the library in `options.out`; its path, and whether the symbols that it takes were all found
 * (null: this LibTorch has no CUDA part, so that nothing can be said).
 * @throws E_BUILD, E_ABORTED
 */
export async function compileCuda(
  tools: CudaKit,
  options: Omit<CompileOptions, 'target' | 'definitions'> & { readonly architectures?: string },
): Promise<{ readonly path: string; readonly isComplete: true | null }> {
  await compile({
    ...options,
    target: 'splitgrow_cuda',
    definitions: {
      SPLITGROW_NVCC: tools.nvcc,
      SPLITGROW_CUDA_INCLUDE: tools.include.join(':'),
      SPLITGROW_CUDA_ARCHITECTURES: options.architectures ?? CUDA_ARCHITECTURES,
    },
  });
  const path = join(options.out, 'Release', CUDA_FILE);
  const missing = await missingSymbols(path, options.libtorch);
  if (missing === null || missing.length === 0) return { path, isComplete: missing === null ? null : true };
  throw new SplitgrowError(
    'E_BUILD',
    `${CUDA_FILE} needs symbols that no library has: ${missing.join(', ')}`,
  );
}
