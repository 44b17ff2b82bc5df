// The check of symbol versions: what passes, what is refused and how it is named, on text and on a library made for it.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { GLIBC_FLOOR } from '../../lib/machine/requirements.js';
import { FLOOR, symbolFaults } from '../../scripts/check-symbols.mjs';
import { inFolder, ROOT } from '../data/places.js';

const run = promisify(execFile);
const SCRIPT = join(ROOT, 'scripts', 'check-symbols.mjs');

const symbol = (version: string, name: string) =>
  `0000000000000000      DF *UND*\t0000000000000000 (${version}) ${name}`;

test('the floor of the symbols is the floor that machines are held to', () => {
  expect(FLOOR.GLIBC).toBe(GLIBC_FLOOR);
});

test.each([
  symbol('GLIBC_2.28', 'statx'),
  symbol('GLIBC_2.2.5', 'dlopen'),
  symbol('GLIBCXX_3.4.22', 'new_in_gcc_6'),
  symbol('CXXABI_1.3', '__cxa_throw'),
  '0000000000000000      DF *UND*\t0000000000000000              at_empty',
  '0000000000001230 g    DF .text\t0000000000000010 (GLIBC_2.99) defined_here',
  '  NEEDED               libstdc++.so.6',
])('%s passes', (line) => {
  expect(symbolFaults(line, 'a.so')).toEqual([]);
});

test.each([
  [symbol('GLIBC_2.34', 'dlopen'), 'a.so: dlopen@GLIBC_2.34 is newer than GLIBC_2.28'],
  [symbol('GLIBC_2.29', 'exp'), 'a.so: exp@GLIBC_2.29 is newer than GLIBC_2.28'],
  [
    '0000000000000000  w   DF *UND*\t0000000000000000  GLIBC_2.34  older_binutils',
    'a.so: older_binutils@GLIBC_2.34 is newer than GLIBC_2.28',
  ],
  [symbol('GLIBCXX_3.4.30', 'wait'), 'a.so: wait@GLIBCXX_3.4.30 is newer than GLIBCXX_3.4.22'],
  [symbol('CXXABI_1.3.13', 'x'), 'a.so: x@CXXABI_1.3.13 is newer than CXXABI_1.3.11'],
  [symbol('GLIBC_PRIVATE', '_dl_x'), 'a.so: _dl_x@GLIBC_PRIVATE is of no known set'],
  [symbol('LIBFOO_1.0', 'foo'), 'a.so: foo@LIBFOO_1.0 is of no known set'],
  ['  NEEDED               libssl.so.3', 'a.so: needs libssl.so.3, which not every system has'],
  ['  RUNPATH              /opt/x', 'a.so: searches /opt/x (RUNPATH); libraries are opened by path'],
])('%s is refused', (line, problem) => {
  expect(symbolFaults(`\n${line}\n`, 'a.so')).toEqual([problem]);
});

test('a library that takes a symbol of a later system fails the script, which names both', () =>
  inFolder(async (folder) => {
    const [system, offender] = [join(folder, 'libsystem.so'), join(folder, 'offender.so')];
    const write = (name: string, text: string) => writeFile(join(folder, name), text);
    await write('system.c', 'int made_up(void) { return 1; }\n');
    await write('versions', 'GLIBC_2.99 { global: made_up; };\n');
    await write('offender.c', 'int made_up(void);\nint call(void) { return made_up(); }\n');
    const compile = (...parameters: string[]) =>
      run(process.env.CC ?? 'cc', ['-shared', '-fPIC', ...parameters], { cwd: folder });
    await compile('system.c', '-Wl,--version-script=versions', '-Wl,-soname,libc.so.6', '-o', system);
    await compile('offender.c', system, '-o', offender);
    const failure = await run(process.execPath, [SCRIPT, offender]).catch((error) => error);
    expect(failure.code).toBe(1);
    expect(failure.stderr).toContain('offender.so: made_up@GLIBC_2.99 is newer than GLIBC_2.28');
    await write('good.c', 'int call(void) { return 1; }\n');
    await compile('good.c', '-o', join(folder, 'good.so'));
    const { stderr } = await run(process.execPath, [SCRIPT, join(folder, 'good.so')]);
    expect(stderr).toMatch(/symbols of 1 files/);
    const missing = await run(process.execPath, [SCRIPT, join(folder, 'none.so')]).catch((error) => error);
    expect(missing.stderr).toMatch(/^no such file: .*none\.so/);
  }));

test('the addon as it is compiled here is within the floor', async () => {
  const release = join(ROOT, 'build', 'Release');
  const files = ['splitgrow.node', 'splitgrow_core.so'].map((name) => join(release, name));
  const { stderr } = await run(process.execPath, [SCRIPT, ...files]);
  expect(stderr).toMatch(/symbols of 2 files/);
});
