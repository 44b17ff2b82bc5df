// Builds the optional CUDA library, splitgrow_cuda.so beside the core; needs no GPU.
// node scripts/build-cuda.mjs [--architectures 80:90] [--kit] [--force]   --kit: also where a toolkit is on PATH
import { copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { libtorch } from './build.mjs';
import { missingSymbols } from './cuda-symbols.mjs';
import { digest, filesIn, isStamped, main, must, ROOT, run, StepError, stamp, step, tool } from './steps.mjs';

const LIBRARY = 'splitgrow_cuda.so';
/** Turing to Blackwell: what CUDA 13 and LibTorch's own kernels serve. */
const ARCHITECTURES = '75:80:86:89:90:100:120';
const CUDA_MAJOR = 13;

/** Folders of headers beside LibTorch, where it is PyTorch's with its NVIDIA packages. */
function packagedHeaders(torch) {
  const nvidia = join(dirname(torch.root), 'nvidia');
  return [join(nvidia, `cu${CUDA_MAJOR}`, 'include'), join(nvidia, 'nccl', 'include')].filter(existsSync);
}

/** The toolkit of the machine: CUDA_HOME's or PATH's nvcc of the right release, with headers for all that is included. */
async function toolkit(torch) {
  const nvcc = process.env.CUDA_HOME ? join(process.env.CUDA_HOME, 'bin', 'nvcc') : 'nvcc';
  const { code, output } = await run(nvcc, ['--version'], { quiet: true });
  const release = /release (\d+)\.(\d+)/.exec(output);
  if (code !== 0 || Number(release?.[1]) !== CUDA_MAJOR) return null;
  const path = (await must('finding nvcc', 'sh', ['-c', `command -v ${nvcc}`])).trim();
  const own = join(dirname(dirname(path)), 'include');
  const include = [own, ...packagedHeaders(torch)];
  const needed = ['cusparse.h', 'cublas_v2.h', 'cusolverDn.h', 'nccl.h'];
  const isWhole = needed.every((name) => include.some((folder) => existsSync(join(folder, name))));
  return isWhole ? { nvcc: path, include } : null;
}

async function kit(show) {
  const { requireKit } = await import(pathToFileURL(join(ROOT, 'dist', 'setup', 'cuda-kit.js')).href);
  return requireKit({ onProgress: show }).catch((error) => {
    throw new StepError(
      `no CUDA ${CUDA_MAJOR} toolkit was found (nvcc on PATH or in CUDA_HOME, with headers of cuBLAS, cuSPARSE, cuSOLVER, NCCL),\n` +
        `and NVIDIA's compiler could not be fetched: ${error.message}`,
    );
  });
}

/** Builds if sources, compiler or LibTorch changed. Resolves to a note for the user. */
export async function buildCuda(options = {}) {
  const { architectures = ARCHITECTURES, out = 'build', force = false, show = () => {} } = options;
  if (!/^\d+(:\d+)*$/.test(architectures))
    throw new StepError(
      `--architectures: expected compute capabilities such as 80:90, found ${architectures}`,
    );
  const torch = await libtorch();
  const files = [
    ...filesIn(['CMakeLists.txt', 'native/cuda'], (path) => !path.includes('/twin/')),
    ...filesIn(['native/core'], (path) => /\/(accelerator|rows|activations|kernels)\.h$/.test(path)),
  ];
  const found = (options.kit ? null : await toolkit(torch)) ?? (await kit(show));
  const wanted = digest(files, [torch.version, architectures, found.nvcc, ...found.include, process.arch]);
  const target = join(ROOT, out, 'Release', LIBRARY);
  if (!force && isStamped(`cuda-${out}`, wanted) && existsSync(target)) return 'up to date';
  const folder = join(ROOT, out, 'cuda');
  const configure = [
    ...['--directory', ROOT, '--out', folder, '--log-level', 'error'],
    ...['--parallel', String(availableParallelism())],
    `--CDSPLITGROW_LIBTORCH=${torch.root}`,
    `--CDSPLITGROW_NVCC=${found.nvcc}`,
    `--CDSPLITGROW_CUDA_INCLUDE=${found.include.join(':')}`,
    `--CDSPLITGROW_CUDA_ARCHITECTURES=${architectures}`,
  ];
  await must('configuring the CUDA library', tool('cmake-js'), ['configure', ...configure]);
  const onOutput = (text) => {
    const done = /\[\s*(\d+\/\d+|\d+%)\]/.exec(text)?.[1];
    if (done) show(`compiling ${done}`);
  };
  const build = ['build', ...configure, '--target', 'splitgrow_cuda'];
  await must('building the CUDA library', tool('cmake-js'), build, { onOutput });
  const made = join(folder, 'Release', LIBRARY);
  const missing = await missingSymbols(made, torch.root);
  if (missing?.length)
    throw new StepError(`${LIBRARY} needs symbols that no library has:\n${missing.join('\n')}`);
  mkdirSync(dirname(target), { recursive: true });
  // A process may have the old one open: a new file takes its name.
  copyFileSync(made, `${target}.new`);
  renameSync(`${target}.new`, target);
  stamp(`cuda-${out}`, wanted);
  return missing === null
    ? 'built; symbols unchecked: this LibTorch has no CUDA part'
    : 'built, every symbol found';
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: { architectures: { type: 'string' }, kit: { type: 'boolean' }, force: { type: 'boolean' } },
  });
  await main(() => step('CUDA library', (show) => buildCuda({ ...values, show })));
}
