// The products for AMX, whose instructions amx.cc writes in C++, give the sums of those for AVX512-BF16.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ROOT } from '../../data/places.js';
import { temporaryFolder } from '../../run/tiny.js';
import { core } from '../golden.js';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('amx.cc', import.meta.url));
const COMPILER = process.env.CXX ?? 'c++';
const FLAGS = '-std=c++20 -O1 -mavx512f -mavx512dq -mavx512vl -mavx512bw -mavx512bf16 -mfma -w';

test('products for AMX give the sums of those for AVX512-BF16, and the comparison sees one that does not', async ({
  skip,
}) => {
  if (core().features().bfloat16.engine === '') skip('no AVX512-BF16 to compare with');
  await run(COMPILER, ['--version']).catch(() => skip(`no C++ compiler named ${COMPILER}`));
  const program = join(temporaryFolder(), 'amx');
  const native = join(ROOT, 'native', 'core');
  const kernels = join(native, 'engine', 'kernels');
  await run(COMPILER, [
    ...[...FLAGS.split(' '), '-o', program, '-I', native, SOURCE],
    ...['kernels_avx512_bf16.cc', 'agree.cc'].map((name) => join(kernels, name)),
  ]);
  expect((await run(program, [])).stdout).toBe('the same sums\nother sums\nother sums\n');
}, 1_200_000);
