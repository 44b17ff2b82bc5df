// The one clang-tidy that is used: its wheel by pip, compared with its SHA-256, unpacked into the cache.
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { must, ROOT, StepError } from './steps.mjs';

export const VERSION = '23.1.4';
const WHEEL = 'clang_tidy-23.1.4-py2.py3-none-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl';
const SHA256 = '6bb31e4f319ecbe14acb75f23c3050d0f1d4b1d92ea1c66091bc76e4eac2c1ac';

/** Path of the program, fetched where it is not there yet. */
export async function clangTidy() {
  const { cacheDirectory } = await import(
    pathToFileURL(join(ROOT, 'dist', 'machine', 'libtorch', 'cache.js')).href
  );
  const home = join(cacheDirectory(process.env), `clang-tidy-${VERSION}`);
  const program = join(home, 'clang_tidy', 'data', 'bin', 'clang-tidy');
  if (existsSync(program)) return program;
  mkdirSync(dirname(home), { recursive: true });
  const folder = mkdtempSync(`${home}-`);
  try {
    const requirement = `clang-tidy==${VERSION}`;
    await must('fetching clang-tidy', 'python3', [
      ...['-I', '-m', 'pip', 'download', '--no-deps', '--only-binary', ':all:', '--quiet', '--dest', folder],
      ...['--platform', 'manylinux_2_28_x86_64', '--python-version', '3.12', requirement],
    ]);
    const wheel = join(folder, WHEEL);
    const found = existsSync(wheel) && createHash('sha256').update(readFileSync(wheel)).digest('hex');
    if (found !== SHA256)
      throw new StepError(`expected ${WHEEL} of SHA-256 ${SHA256}, found ${found || 'no such file'}`);
    await must('unpacking clang-tidy', 'python3', ['-I', '-m', 'zipfile', '-e', wheel, join(folder, 'tool')]);
    chmodSync(join(folder, 'tool', 'clang_tidy', 'data', 'bin', 'clang-tidy'), 0o755);
    // Another process may have been faster: theirs is the same.
    if (!existsSync(program)) renameSync(join(folder, 'tool'), home);
    return program;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
