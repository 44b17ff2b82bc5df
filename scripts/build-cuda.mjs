// Builds the optional CUDA library, splitgrow_cuda.so beside the core; needs no GPU.
// node scripts/build-cuda.mjs [--architectures 80:90] [--kit] [--force]   --kit: also where a toolkit is on PATH
import { copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { libtorch } from './build.mjs';
import { digest, filesIn, isStamped, main, ROOT, StepError, stamp, step } from './steps.mjs';

/** Builds if sources, compiler or LibTorch changed. Resolves to a note for the user. */
export async function buildCuda({ architectures, out = 'build', force = false, kit, show = () => {} } = {}) {
  if (architectures !== undefined && !/^\d+(:\d+)*$/.test(architectures))
    throw new StepError(
      `--architectures: expected compute capabilities such as 80:90, found ${architectures}`,
    );
  const torch = await libtorch();
  const cuda = await import(pathToFileURL(join(ROOT, 'dist', 'machine', 'libtorch', 'compile-cuda.js')).href);
  const told = (error) => {
    throw new StepError(error.message);
  };
  const files = [
    ...filesIn(['CMakeLists.txt', 'native/cuda', 'native/floor'], (path) => !path.includes('/twin/')),
    ...filesIn(['native/core'], (path) => /\/(accelerator|rows|activations|kernels)\.h$/.test(path)),
  ];
  const tools = await cuda.cudaTools({ libtorch: torch.root, kit, onProgress: show }).catch(told);
  const wanted = digest(files, [
    torch.version,
    architectures ?? cuda.CUDA_ARCHITECTURES,
    ...[tools.nvcc, ...tools.include, process.arch],
  ]);
  const target = join(ROOT, out, 'Release', cuda.CUDA_FILE);
  if (!force && isStamped(`cuda-${out}`, wanted) && existsSync(target)) return 'up to date';
  const onProgress = (what, done, total) => show(total > 0 ? `${what} ${done}/${total}` : what);
  const options = { libtorch: torch.root, out: join(ROOT, out, 'cuda'), architectures, onProgress };
  const { path, isComplete } = await cuda.compileCuda(tools, options).catch(told);
  mkdirSync(dirname(target), { recursive: true });
  // A process may have the old one open: a new file takes its name.
  copyFileSync(path, `${target}.new`);
  renameSync(`${target}.new`, target);
  stamp(`cuda-${out}`, wanted);
  return isComplete === null
    ? 'built; symbols unchecked: this LibTorch has no CUDA part'
    : 'built, every symbol found';
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: { architectures: { type: 'string' }, kit: { type: 'boolean' }, force: { type: 'boolean' } },
  });
  await main(() => step('CUDA library', (show) => buildCuda({ ...values, show })));
}
