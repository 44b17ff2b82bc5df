// setup(): a download is checked, unpacked and put in place whole, or nothing changes. python3 is a stand-in here.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { releaseHere, setup, verifyWheel } from '../../lib/setup/install.js';
import { cacheDirectory, installDirectory } from '../../lib/setup/locate.js';
import { failureOf, inFolder } from '../data/places.js';

type Env = Record<string, string>;

/** Runs `work` with a PATH whose python3 is this shell script, as pip sees it. */
async function withPython(script: string, work: (env: Env) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'python3'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const path = process.env.PATH;
    process.env.PATH = `${bin}:/usr/bin:/bin`;
    try {
      await work({ PATH: process.env.PATH, HOME: folder, SPLITGROW_CACHE: join(folder, 'cache') });
    } finally {
      process.env.PATH = path;
    }
  });
}

async function expectUntouched(env: Env): Promise<void> {
  expect(await readdir(cacheDirectory(env))).toEqual([]);
}

/** Lets the probe for PyTorch pass and runs `pip` for the rest. */
function onlyPip(pip: string): string {
  return `case "$2" in pip) ${pip};; *) echo;; esac`;
}

test('a failure of pip is E_LIBTORCH with its last words, and leaves nothing', () =>
  withPython(onlyPip('echo "ERROR: No matching distribution found" >&2; exit 1'), async (env) => {
    const failure = await failureOf(setup({ env }));
    expect(failure).toMatch(/^E_LIBTORCH: .*No matching distribution found; .*npx splitgrow setup$/);
    await expectUntouched(env);
  }));

test('a missing pip is named with what to install', () =>
  withPython(onlyPip('echo "/usr/bin/python3: No module named pip" >&2; exit 1'), async (env) => {
    expect(await failureOf(setup({ env }))).toMatch(/^E_LIBTORCH: pip is missing.*python3-pip$/);
  }));

test('a wheel of another size is refused before anything is unpacked', () =>
  withPython(
    // Writes a few bytes under the name of every wheel into the folder after --dest.
    onlyPip(
      `while [ "$1" != --dest ]; do shift; done; for f in ${releaseHere('linux-x64')
        .wheels.map((w) => w.file)
        .join(' ')}; do echo x > "$2/$f"; done`,
    ),
    async (env) => {
      const failure = await failureOf(setup({ env }));
      expect(failure).toMatch(/^E_LIBTORCH: torch-.* has 2 bytes, expected 530712279; nothing was installed/);
      await expectUntouched(env);
    },
  ));

test('a wheel of the right size and other bytes is refused by its hash', () =>
  inFolder(async (folder) => {
    const wheel = { requirement: 'x', file: 'x.whl', bytes: 3, sha256: 'b'.repeat(64), keep: [] };
    await writeFile(join(folder, 'x.whl'), 'abc');
    expect(await failureOf(verifyWheel(folder, wheel))).toMatch(/^E_LIBTORCH: .*pinned SHA-256/);
    // SHA-256 of "abc", FIPS 180-2 appendix B.1.
    const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    await verifyWheel(folder, { ...wheel, sha256 });
    expect(await failureOf(verifyWheel(folder, { ...wheel, file: 'y.whl' }))).toMatch(
      /pip did not leave y.whl/,
    );
  }));

test('an abort ends pip and leaves nothing', () =>
  withPython(onlyPip('exec sleep 60'), async (env) => {
    const start = performance.now();
    const failure = await failureOf(setup({ env, signal: AbortSignal.timeout(300) }));
    expect(failure).toMatch(/^E_ABORTED: setup was aborted/);
    expect(performance.now() - start).toBeLessThan(10_000);
    await expectUntouched(env);
  }));

test('a usable LibTorch is left alone', () =>
  withPython('exit 1', async (env) => {
    const root = join(installDirectory(env), 'torch');
    await mkdir(join(root, 'lib'), { recursive: true });
    await mkdir(join(root, 'include'));
    await writeFile(join(root, 'lib', 'libtorch_cpu.so'), '');
    await writeFile(join(root, 'lib', 'libc10.so'), '');
    await writeFile(join(root, 'version.py'), "__version__ = '2.11.0+cu130'\n");
    const { libtorch, isNew } = await setup({ env });
    expect([libtorch.root, libtorch.source, isNew]).toEqual([root, 'cache', false]);
  }));

test('setup --cuda is refused with what to do instead', async () => {
  expect(await failureOf(setup({ cuda: true }))).toMatch(
    /^E_LIBTORCH: .*not available in this version.*pip install torch==2\.11\.0/,
  );
});

test('a machine without a pinned release is told so', () => {
  expect(() => releaseHere('linux-riscv64')).toThrow(/no LibTorch is pinned for linux-riscv64/);
});
