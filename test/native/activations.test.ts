// Derivatives of activations at 0, at the bounds, at infinity and at NaN, against LibTorch's own backward functions.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { requireLibTorch } from '../../lib/machine/libtorch/locate.js';
import { ROOT } from '../data/places.js';
import { temporaryFolder } from '../run/tiny.js';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('activations.cc', import.meta.url));
const COMPILER = process.env.CXX ?? 'c++';

test('ATen rows, CPU loops and GPU threads have the derivatives of LibTorch, which lets NaN through', async ({
  skip,
}) => {
  await run(COMPILER, ['--version']).catch(() => skip(`no C++ compiler named ${COMPILER}`));
  const { root } = requireLibTorch();
  const program = join(temporaryFolder(), 'activations');
  const native = join(ROOT, 'native');
  await run(COMPILER, [
    ...['-std=c++20', '-D_GLIBCXX_USE_CXX11_ABI=1', '-o', program],
    ...['-I', join(native, 'core'), '-I', join(native, 'cuda'), '-isystem', join(root, 'include')],
    ...[SOURCE, join(native, 'core', 'tensor', 'activations.cc')],
    ...['torch_cpu', 'c10'].map((name) => join(root, 'lib', `lib${name}.so`)),
    ...[`-Wl,-rpath,${join(root, 'lib')}`, '-Wl,--disable-new-dtags', '-Wl,--allow-shlib-undefined'],
  ]);
  expect((await run(program, [])).stdout).toBe('0 of 324 differ\n');
}, 1_200_000);
