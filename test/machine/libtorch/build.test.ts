// splitgrow build: what is checked before, what is put in place, what stays after a failure. Compilers run in CI's set-up alone.
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { readRecord } from '../../../lib/machine/libtorch/addon.js';
import { type BuildOptions, build } from '../../../lib/machine/libtorch/build.js';
import { compile, errorsIn, jobs, progressOf, requireTools } from '../../../lib/machine/libtorch/compile.js';
import { requireLibTorch } from '../../../lib/machine/libtorch/locate.js';
import { loadCoreTraced } from '../../../lib/native/load.js';
import { failureOf, inFolder } from '../../data/places.js';

const ADDON = dirname(loadCoreTraced().addon);
const TORCH = requireLibTorch();

/** In place of compilers: the addon that is there already. */
async function ready(_libtorch: string, work: string): Promise<readonly string[]> {
  const made = ['splitgrow.node', 'splitgrow_core.so'].map((name) => join(work, name));
  for (const path of made) await copyFile(join(ADDON, path.slice(work.length + 1)), path);
  return made;
}

function options(folder: string, more: Partial<BuildOptions> = {}): BuildOptions {
  const env = { ...process.env, SPLITGROW_CACHE: join(folder, 'cache') };
  return { libtorch: TORCH.root, out: join(folder, 'addon'), env, make: ready, ...more };
}

test('what was compiled is tried, put in place with its record, and replaces what was there', () =>
  inFolder(async (folder) => {
    const phases: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      const result = await build(options(folder, { onProgress: ({ phase }) => phases.push(phase) }));
      expect(result.files.map(({ name }) => name)).toEqual(['splitgrow.node', 'splitgrow_core.so']);
      expect(result.libtorch).toEqual({ root: TORCH.root, version: TORCH.version });
      expect(result.note).toBe(`to use it, set SPLITGROW_ADDON=${join(folder, 'addon')}`);
    }
    expect(phases).toEqual(['try', 'try']);
    expect(readRecord(join(folder, 'addon'))?.libtorch.version).toBe(TORCH.version);
    expect((await readdir(folder)).sort()).toEqual(['addon', 'cache']);
    expect(await readdir(join(folder, 'cache'))).toEqual([]);
  }));

test('an addon that does not open is E_BUILD and leaves the one before', () =>
  inFolder(async (folder) => {
    await build(options(folder));
    const before = await readFile(join(folder, 'addon', 'splitgrow_core.so'));
    const make = async (root: string, work: string) => {
      const made = await ready(root, work);
      await writeFile(join(work, 'splitgrow_core.so'), 'not a library');
      return made;
    };
    const said = await failureOf(build(options(folder, { make })));
    expect(said).toMatch(/^E_BUILD: the addon was compiled but does not work: .*does not load/);
    expect(before.equals(await readFile(join(folder, 'addon', 'splitgrow_core.so')))).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(['addon', 'cache']);
  }));

test('an abort replaces nothing', () =>
  inFolder(async (folder) => {
    const abort = new AbortController();
    const make = async (root: string, work: string) => {
      abort.abort();
      return ready(root, work);
    };
    expect(await failureOf(build(options(folder, { make, signal: abort.signal })))).toMatch(/^E_ABORTED/);
    expect(await readdir(folder)).toEqual(['cache']);
  }));

test('a folder with other files is refused before anything is compiled', () =>
  inFolder(async (folder) => {
    await mkdir(join(folder, 'addon'));
    await writeFile(join(folder, 'addon', 'thesis.tex'), '');
    const make = () => Promise.reject(new Error('compiled'));
    expect(await failureOf(build(options(folder, { make })))).toMatch(
      /^E_WRITE: expected .*addon to hold an addon or nothing, found thesis\.tex in it; choose another folder with --out/,
    );
    await writeFile(join(folder, 'file'), '');
    const said = await failureOf(build(options(folder, { make, out: join(folder, 'file', 'addon') })));
    expect(said).toMatch(/^E_WRITE: .*SPLITGROW_ADDON=DIR$/);
  }));

test('a folder that is no LibTorch, and no LibTorch at all, are E_LIBTORCH with the way out', () =>
  inFolder(async (folder) => {
    expect(await failureOf(build(options(folder, { libtorch: folder })))).toMatch(
      /^E_LIBTORCH: --libtorch: expected a folder with include\/ and lib\/ of LibTorch: .*no lib\/libtorch_cpu\.so/,
    );
    const env = { PATH: folder, HOME: folder, SPLITGROW_CACHE: join(folder, 'cache') };
    expect(await failureOf(build(options(folder, { libtorch: undefined, env })))).toMatch(
      /^E_LIBTORCH: .*to compile against, found none .*run: npx splitgrow setup, or name one .*--libtorch DIR$/,
    );
  }));

test('missing tools are told all at once, with what to install', () =>
  inFolder(async (folder) => {
    expect(await failureOf(requireTools({ PATH: folder }))).toMatch(
      /^E_BUILD: .*expected a C\+\+20 compiler, found no c\+\+; .*Also: expected CMake 3\.18 or newer, found no cmake; .*apt-get install cmake/,
    );
    await writeFile(join(folder, 'cmake'), '#!/bin/sh\necho cmake version 3.9.2\n', { mode: 0o755 });
    await writeFile(join(folder, 'own'), '#!/bin/sh\necho own 1.2\n', { mode: 0o755 });
    expect(await failureOf(requireTools({ PATH: `${folder}:/bin`, CXX: join(folder, 'own') }))).toMatch(
      /^E_BUILD: nothing can be compiled: expected CMake 3\.18 or newer, found 3\.9\.2; /,
    );
  }));

/** What stands in the file that an error of compiling names last. */
async function logOf(said: string): Promise<string> {
  const file = /^E_BUILD: .*CMake Error.*all that was said is in (.*splitgrow-build\.log)$/.exec(said)?.[1];
  return readFile(file ?? said, 'utf8');
}

test("a failure is E_BUILD with CMake's words, all of which are kept in a file", () =>
  inFolder(async (folder) => {
    const out = join(folder, 'work', 'addon');
    const said = await failureOf(compile({ libtorch: join(folder, 'none'), out }));
    expect(await logOf(said)).toContain('no LibTorch headers');
  }));

test('that file is there after a build that failed, which leaves nothing else', () =>
  inFolder(async (folder) => {
    const compiler = join(folder, 'broken');
    await writeFile(compiler, '#!/bin/sh\ntest "$1" = --version\n', { mode: 0o755 });
    vi.stubEnv('CXX', compiler);
    onTestFinished(() => void vi.unstubAllEnvs());
    const said = await failureOf(build(options(folder, { make: undefined })));
    expect(await logOf(said)).toContain('is not able to compile a simple test program');
    expect(await readdir(folder)).toEqual(['broken', 'cache']);
    expect(await readdir(join(folder, 'cache'))).toEqual(['splitgrow-build.log']);
  }));

test('progress, errors and the number of compilers are read off', () => {
  expect(progressOf('[3/40] Building CXX object a.o\n[4/40] Building')).toEqual([4, 40]);
  expect(progressOf('[ 12%] Building CXX object a.o')).toEqual([12, 100]);
  expect(progressOf('-- The CXX compiler is GNU')).toBeNull();
  expect(errorsIn("a.cc: In function f\na.cc:3:1: error: no member 'x'\n  3 | x\nninja: stopped\n")).toBe(
    "a.cc:3:1: error: no member 'x'",
  );
  expect(errorsIn('one\n\ntwo\nthree\nfour\n')).toBe('two | three | four');
  expect([jobs(8, 16e9), jobs(8, 4e9), jobs(2, 1e9)]).toEqual([8, 2, 1]);
});
