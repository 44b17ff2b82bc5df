// Whether the binaries that ship run on the oldest system that is served: node scripts/check-symbols.mjs [FILE...]
// Reads, with binutils' objdump, the version of every symbol that a library takes from elsewhere.
import { existsSync } from 'node:fs';
import { basename, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { filesIn, main, must, ROOT, StepError, say } from './steps.mjs';

/**
 * The newest version of each set of symbols: glibc 2.28 and what GCC 8 brings, as manylinux_2_28 has them. Of
 * libstdc++ and its ABI no more than LibTorch itself asks for.
 */
export const FLOOR = {
  GLIBC: '2.28',
  GLIBCXX: '3.4.22',
  CXXABI: '1.3.11',
  GCC: '7.0.0',
  GOMP: '4.5',
  OMP: '4.5',
};

/** Libraries that a binary may ask for: the system's, and LibTorch's, which are open before. */
const LIBRARIES = new Set([
  'ld-linux-x86-64.so.2',
  'libc.so.6',
  'libdl.so.2',
  'libgcc_s.so.1',
  'libgomp.so.1',
  'libm.so.6',
  'libpthread.so.0',
  'librt.so.1',
  'libstdc++.so.6',
  'libc10.so',
  'libtorch_cpu.so',
]);

/** Comes as it is, with an empty search path; it needs the C library alone, which is open by then. */
const MAY_SEARCH = /libturbojpeg\.so\.0$/;

/** Negative, 0 or positive, as `a` is older than, as old as, or newer than `b`. */
function compareVersions(a, b) {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** What is wrong with a version such as GLIBC_2.34, or null. */
function faultOf(version) {
  const [, set, number] = /^(\w+)_([\d.]+)$/.exec(version) ?? [];
  const floor = set === undefined ? undefined : FLOOR[set];
  if (floor === undefined) return 'is of no known set';
  return compareVersions(number, floor) > 0 ? `is newer than ${set}_${floor}` : null;
}

/** One line for each symbol above the floor, unknown library and search path in `text`, what `objdump -T -p` printed of `file`. */
export function symbolFaults(text, file) {
  const problems = [];
  for (const line of text.split('\n')) {
    // 0000000000000000      DF *UND*  0000000000000000 (GLIBC_2.34) dlopen
    const taken = /\*UND\*\s+[0-9a-f]+\s+\(?(\w+_[\w.]+)\)?\s+(\S+)\s*$/.exec(line);
    const fault = taken && faultOf(taken[1]);
    if (fault) problems.push(`${file}: ${taken[2]}@${taken[1]} ${fault}`);
    const needed = /^\s+NEEDED\s+(\S+)/.exec(line);
    if (needed && !LIBRARIES.has(needed[1]))
      problems.push(`${file}: needs ${needed[1]}, which not every system has`);
    const path = /^\s+(RPATH|RUNPATH)\s+(\S+)/.exec(line);
    if (path && !MAY_SEARCH.test(file))
      problems.push(`${file}: searches ${path[2]} (${path[1]}); libraries are opened by path`);
  }
  return problems;
}

/** Throws unless every file is within the floor; what was read otherwise. */
export async function checkSymbols(files) {
  if (files.length === 0) throw new StepError('no binaries to check; run: npm run prebuild');
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length > 0) throw new StepError(`no such file: ${missing.join(', ')}`);
  const problems = [];
  let count = 0;
  for (const file of files) {
    const text = await must('reading symbols', 'objdump', ['-T', '-p', file], { env: { LC_ALL: 'C' } });
    count += text.split('\n').filter((line) => line.includes('*UND*')).length;
    const place = relative(ROOT, file);
    problems.push(...symbolFaults(text, place.startsWith('..') ? basename(file) : place));
  }
  if (problems.length === 0) return `${count} symbols of ${files.length} files`;
  throw new StepError(
    `above the floor (${Object.entries(FLOOR)
      .map(([set, version]) => `${set}_${version}`)
      .join(', ')}):\n` +
      `${problems.map((problem) => `  ${problem}`).join('\n')}\n` +
      'native/floor/floor.cc has how an older version is taken',
  );
}

/** Every binary that ships. */
export function binaries() {
  return filesIn(['prebuilds'], (path) => /\.(node|so(\.\d+)?)$/.test(path));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const given = process.argv.slice(2).map((file) => resolve(file));
  await main(async () => say(await checkSymbols(given.length > 0 ? given : binaries())));
}
