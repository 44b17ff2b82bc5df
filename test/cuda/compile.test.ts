// The CUDA sources compile without a warning, as far as no GPU is needed: about a minute, and 105 MB of download where
// NVIDIA's compiler is not in the cache. So only where SPLITGROW_CUDA_KIT=1 asks for it.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { missingSymbols } from '../../lib/machine/libtorch/compile-cuda.js';
import { requireKit } from '../../lib/machine/libtorch/cuda-kit.js';
import { requireLibTorch } from '../../lib/machine/libtorch/locate.js';
import { inFolder, ROOT } from '../data/places.js';

const run = promisify(execFile);
const kit = process.env.SPLITGROW_CUDA_KIT === '1' ? await requireKit() : null;
const NO_KIT = 'SPLITGROW_CUDA_KIT=1 asks for it';
const PATIENT = { timeout: 3_000_000, skip: kit === null };
const SOURCES = ['-I', join(ROOT, 'native', 'core'), '-I', join(ROOT, 'native', 'cuda')];
const WARNINGS = ['-Wall', '-Wextra', '-Werror'];

/** What the compiler says, which is nothing. */
async function compiles(command: string, parameters: readonly string[]): Promise<void> {
  const { stdout, stderr } = await run(command, [...parameters]);
  expect(stdout + stderr).toBe('');
}

test(`kernels compile for a GPU without a warning${kit ? '' : ` (${NO_KIT})`}`, PATIENT, () =>
  inFolder(async (folder) => {
    for (const name of ['elements', 'sums', 'rayleigh'])
      await compiles(kit?.nvcc ?? '', [
        ...['-std=c++20', '-arch=sm_90', '-Werror', 'all-warnings', '-Xcompiler', '-Wall,-Wextra'],
        ...(kit?.include ?? []).flatMap((path) => ['-isystem', path]),
        ...SOURCES,
        ...['-c', join(ROOT, 'native', 'cuda', 'kernels', `${name}.cu`), '-o', join(folder, `${name}.o`)],
      ]);
  }),
);

for (const name of ['eigen', 'graph', 'group'])
  test.skipIf(kit === null)(
    `${name}.cc fits LibTorch's and CUDA's headers${kit ? '' : ` (${NO_KIT})`}`,
    () => {
      const { root } = requireLibTorch();
      const include = [
        join(root, 'include'),
        join(root, 'include/torch/csrc/api/include'),
        ...(kit?.include ?? []),
      ];
      return compiles(process.env.CXX ?? 'c++', [
        ...['-std=c++20', '-fsyntax-only', ...WARNINGS, ...SOURCES],
        ...include.flatMap((path) => ['-isystem', path]),
        join(ROOT, 'native', 'cuda', `${name}.cc`),
      ]);
    },
  );

const BUILT = join(ROOT, 'build', 'Release', 'splitgrow_cuda.so');
test.skipIf(!existsSync(BUILT))(
  `no symbol is missing from LibTorch${existsSync(BUILT) ? '' : ' (npm run build:cuda has not been run)'}`,
  async () => {
    // null: this LibTorch has no CUDA part to look into.
    expect((await missingSymbols(BUILT, requireLibTorch().root)) ?? []).toEqual([]);
  },
);
