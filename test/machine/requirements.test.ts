// Which machines are refused, by made-up facts; and that nothing is opened before they are looked at.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import {
  cpuFlagsOf,
  isAtLeast,
  type Machine,
  machineFaults,
  requireMachine,
  thisMachine,
} from '../../lib/machine/requirements.js';
import { ROOT } from '../data/places.js';

const run = promisify(execFile);
const GOOD: Machine = { platform: 'linux', arch: 'x64', glibc: '2.28', cpuFlags: ['sse2', 'avx2'] };

function refusal(machine: Machine): string {
  try {
    requireMachine(machine);
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as Error).message}`;
  }
  return '';
}

test.each<[string, Partial<Machine>]>([
  ['the oldest that is served', {}],
  ['a newer C library', { glibc: '2.41' }],
  ['one whose processor says nothing of itself', { cpuFlags: null }],
  ['64-bit ARM, which has no AVX2', { arch: 'arm64', cpuFlags: ['asimd'] }],
])('%s is accepted', (_, change) => {
  expect(machineFaults({ ...GOOD, ...change })).toEqual([]);
  expect(refusal({ ...GOOD, ...change })).toBe('');
});

test.each<[string, Partial<Machine>, RegExp]>([
  [
    'musl',
    { glibc: null },
    /expected glibc 2\.28 or newer, found none: .*musl \(Alpine\); use an image with glibc/,
  ],
  [
    'an old C library',
    { glibc: '2.17' },
    /expected glibc 2\.28 or newer, found glibc 2\.17; use a newer system/,
  ],
  ['a C library of a lesser minor', { glibc: '2.9' }, /found glibc 2\.9;/],
  [
    '32-bit Intel',
    { arch: 'ia32' },
    /expected 64 bits: x64 or arm64, found Node\.js for ia32; install Node\.js for x64/,
  ],
  ['32-bit ARM', { arch: 'arm', cpuFlags: ['neon'] }, /found Node\.js for arm;/],
  ['no AVX2', { cpuFlags: ['sse2', 'avx'] }, /expected a processor with AVX2, found one without/],
  [
    'another system',
    { platform: 'darwin', arch: 'arm64', glibc: null, cpuFlags: null },
    /expected Linux, found darwin;/,
  ],
])('%s is refused as E_MACHINE, with what to do', (_, change, message) => {
  const machine = { ...GOOD, ...change };
  expect(machineFaults(machine)).toHaveLength(1);
  expect(refusal(machine)).toMatch(/^E_MACHINE: splitgrow cannot run here: /);
  expect(refusal(machine)).toMatch(message);
});

test('every fault is told at once', () => {
  const said = refusal({ ...GOOD, arch: 'ia32', glibc: null });
  expect(said).toMatch(/ia32.*Also: expected glibc/);
});

test('this machine is what Node.js and the system say, and is served', () => {
  const { platform, arch, glibc } = thisMachine();
  expect({ platform, arch }).toEqual({ platform: process.platform, arch: process.arch });
  expect(glibc).toMatch(/^2\.\d+$/);
  expect(machineFaults()).toEqual([]);
});

test('versions are compared by number, part by part', () => {
  expect(isAtLeast('2.28', '2.28')).toBe(true);
  expect(isAtLeast('2.4', '2.28')).toBe(false);
  expect(isAtLeast('3.0', '2.28')).toBe(true);
  expect(isAtLeast('2.28.1', '2.28')).toBe(true);
  expect(isAtLeast('2', '2.28')).toBe(false);
});

test('features are read from the first processor of /proc/cpuinfo, on Intel and ARM', () => {
  expect(cpuFlagsOf('processor\t: 0\nflags\t\t: fpu sse2 avx2\nbugs\t: x\n')).toEqual([
    'fpu',
    'sse2',
    'avx2',
  ]);
  expect(cpuFlagsOf('processor\t: 0\nFeatures\t: fp asimd\n')).toEqual(['fp', 'asimd']);
  expect(cpuFlagsOf('processor : 0\n')).toBeNull();
});

test('loading refuses before LibTorch is looked for', async () => {
  const native = pathToFileURL(join(ROOT, 'dist', 'native', 'load.js')).href;
  const script = `
    Object.defineProperty(process, 'arch', { value: 'ia32' });
    const { loadCore } = await import(${JSON.stringify(native)});
    try {
      loadCore();
    } catch (error) {
      console.log(error.code + ': ' + error.message);
    }`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, SPLITGROW_LIBTORCH: '/nowhere' },
  });
  expect(stdout).toMatch(/^E_MACHINE: .*found Node\.js for ia32/);
});
