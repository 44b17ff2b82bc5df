// Compiles the optional CUDA library, by the machine's CUDA toolkit or by NVIDIA's compiler from the cache; needs no GPU.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSplitgrowError, SplitgrowError } from '../../errors.js';
import { run } from '../process/run.js';
import { type CompileOptions, compile } from './compile.js';
import { type CudaKit, requireKit } from './cuda-kit.js';
import { missingSymbols } from './cuda-symbols.js';
import { CUDA_MAJOR } from './pinned.js';

export const CUDA_FILE = 'splitgrow_cuda.so';
/** Turing to Blackwell: what CUDA 13 and LibTorch's own kernels serve. */
export const CUDA_ARCHITECTURES = '75:80:86:89:90:100:120';

export interface CudaOptions {
  /** Folder of LibTorch, with include/ and lib/. */
  readonly libtorch: string;
  /** Do not look for a toolkit of the machine. */
  readonly kit?: boolean | undefined;
  readonly onProgress?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Folders of headers beside LibTorch, where it is PyTorch's with its NVIDIA packages. */
function packagedHeaders(libtorch: string): readonly string[] {
  const nvidia = join(dirname(libtorch), 'nvidia');
  const folders = [join(nvidia, `cu${CUDA_MAJOR}`, 'include'), join(nvidia, 'nccl', 'include')];
  return folders.filter((folder) => existsSync(folder));
}

/** The toolkit of the machine: CUDA_HOME's or PATH's nvcc of the right release, with headers for all that is included. */
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
