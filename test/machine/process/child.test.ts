// Programs that are started: nothing of the working folder is run or loaded, and none outlives the process that started it.
import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { cacheFinding, searchPathsFinding } from '../../../lib/machine/doctor/hardware.js';
import { createCache, otherWriters, privateCache } from '../../../lib/machine/libtorch/cache.js';
import { setup } from '../../../lib/machine/libtorch/setup.js';
import { CHILD_FOLDER, childPlace } from '../../../lib/machine/process/child.js';
import { failureOf, inFolder, ROOT } from '../../data/places.js';
import { cleanEnv, madeUpRelease, offline } from '../libtorch/made-up-wheels.js';

const run = promisify(execFile);
const MAIN = join(ROOT, 'dist', 'cli', 'main.js');
/** Modules that the programs of set-up, pip or Python's own start import. */
const MODULES = ['ctypes', 'pip', 'site', 'sitecustomize', 'usercustomize', 'os', 'json', 'zipfile', 'runpy'];
const PROGRAMS = [
  'python3',
  'pip',
  'nvidia-smi',
  'cmake',
  'ninja',
  'make',
  'c++',
  'g++',
  'sh',
  'nvcc',
  'node',
];

/** A folder in which whatever is run or loaded leaves a file `ran`. */
async function hostile(folder: string): Promise<string> {
  const ran = join(folder, 'ran');
  for (const name of MODULES)
    await writeFile(join(folder, `${name}.py`), `open('${ran}', 'a').write('${name}')\n`);
  for (const name of PROGRAMS)
    await writeFile(join(folder, name), `#!/bin/sh\necho ${name} >> ${ran}\n`, { mode: 0o755 });
  await writeFile(join(folder, 'hook.cjs'), `require('fs').appendFileSync('${ran}', 'hook')`);
  return ran;
}

describe('from a folder with modules and programs of the names that are asked for', () => {
  test.each([
    ['as it is', (path: string) => ({ PATH: path })],
    ['with an empty entry in PATH', (path: string) => ({ PATH: `:${path}:` })],
    ['with . in PATH', (path: string) => ({ PATH: `.:${path}` })],
    ['with PYTHONPATH', (path: string) => ({ PATH: path, PYTHONPATH: '.:' })],
  ])('doctor runs none, %s', (_, variables) =>
    inFolder(async (folder) => {
      const ran = await hostile(folder);
      const env = { ...process.env, ...variables(process.env.PATH ?? '') };
      const { stdout } = await run(process.execPath, [MAIN, 'doctor', '--json'], { cwd: folder, env });
      const { findings } = JSON.parse(stdout) as { findings: readonly { name: string; state: string }[] };
      for (const name of ['python3', 'pip', 'LibTorch', 'addon'])
        expect(findings.find((one) => one.name === name)?.state, name).toBe('ok');
      expect(existsSync(ran) ? readFileSync(ran, 'utf8') : '').toBe('');
    }),
  );

  test('setup --force runs none, and finds wheels by a relative setting of pip', () =>
    inFolder(async (root) => {
      const { release } = await madeUpRelease(root);
      const folder = join(root, 'work');
      await mkdir(folder);
      const ran = await hostile(folder);
      const clean = cleanEnv(root, { ...offline('../wheels'), SPLITGROW_CACHE: '../cache' });
      const script = `
        const { setup } = await import(${JSON.stringify(pathToFileURL(join(ROOT, 'dist', 'machine', 'libtorch', 'setup.js')).href)});
        const open = async () => ({ features: {}, addon: '', trace: [], jpegFault: '' });
        console.log(JSON.stringify(await setup({ release: JSON.parse(process.argv[1]), open, force: true })));`;
      const { stdout } = await run(
        process.execPath,
        ['--input-type=module', '--eval', script, JSON.stringify(release)],
        { cwd: folder, env: { ...clean, PATH: `.:${clean.PATH}` } as NodeJS.ProcessEnv },
      );
      expect(JSON.parse(stdout)).toMatchObject({ isNew: true });
      expect(existsSync(join(root, 'cache', 'libtorch-2.11.0', 'torch'))).toBe(true);
      expect(existsSync(ran) ? readFileSync(ran, 'utf8') : '').toBe('');
    }));
});

test('relative entries, and code that would come first, are left out; settings of the user become absolute', () => {
  const here = process.cwd();
  const { cwd, env } = childPlace({
    PATH: '/usr/bin::.:bin:/opt/a b/bin',
    LD_LIBRARY_PATH: ':',
    LD_PRELOAD: '/lib/a.so b.so:./c.so',
    NODE_OPTIONS: '--require ./hook.cjs',
    PIP_FIND_LINKS: 'wheels https://example.org/simple /media/wheels ~/w',
    PIP_CONFIG_FILE: 'my pip.conf',
    SPLITGROW_LIBTORCH: 'torch',
    HOME: '/home/x',
  });
  expect(cwd).toBe(CHILD_FOLDER);
  expect(env).toEqual({
    PATH: '/usr/bin:/opt/a b/bin',
    LD_PRELOAD: '/lib/a.so',
    PIP_FIND_LINKS: `${join(here, 'wheels')} https://example.org/simple /media/wheels ~/w`,
    PIP_CONFIG_FILE: join(here, 'my pip.conf'),
    SPLITGROW_LIBTORCH: join(here, 'torch'),
    HOME: '/home/x',
    PWD: CHILD_FOLDER,
  });
  // Without PATH the C library would look into the working folder on some systems.
  expect(childPlace({}).env.PATH).toMatch(/^\//);
});

test('doctor names the lists that lead to the working folder', () => {
  expect(searchPathsFinding({ PATH: '/bin', LD_LIBRARY_PATH: '/lib' }).state).toBe('ok');
  expect(searchPathsFinding({ PATH: '/bin:.', LD_LIBRARY_PATH: '/lib:' })).toMatchObject({
    state: 'warning',
    found: expect.stringMatching(/^PATH has \.; LD_LIBRARY_PATH has an empty entry, /),
  });
});

test('a program and what it started end with a process that is killed', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'pid');
    const script = `
      const { startChild } = await import(${JSON.stringify(pathToFileURL(join(ROOT, 'dist', 'machine', 'process', 'child.js')).href)});
      startChild('sh', ['-c', 'sleep 600 & echo "$$ $!" > "$0.new"; mv "$0.new" "$0"; wait', process.argv[1]]);
      process.stdout.write('started');`;
    const parameters = ['--input-type=module', '--eval', script, file];
    const parent = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'ignore'] });
    await new Promise((resolve) => parent.stdout.once('data', resolve));
    while (!existsSync(file)) await sleep(5);
    const pids = readFileSync(file, 'utf8').trim().split(' ');
    expect(pids).toHaveLength(2);
    parent.kill('SIGKILL');
    const isRunning = (pid: string): boolean =>
      existsSync(`/proc/${pid}/status`) &&
      /^State:\s+[^ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    while (pids.some(isRunning)) await sleep(5);
  }));

describe('the cache', () => {
  const modeOf = (path: string): number => statSync(path).mode & 0o777;

  test("is created for its user alone, with the folders above it, by setup's first file too", () =>
    inFolder(async (folder) => {
      const env = { SPLITGROW_CACHE: join(folder, 'a', 'b', 'cache') };
      expect(await createCache(env)).toBe(env.SPLITGROW_CACHE);
      for (const path of ['a', 'a/b', 'a/b/cache']) expect(modeOf(join(folder, path))).toBe(0o700);
      const { folder: wheels, release } = await madeUpRelease(folder);
      const inner = cleanEnv(folder, { ...offline(wheels), SPLITGROW_CACHE: join(folder, 'other', 'cache') });
      const open = async () => ({ features: {} as never, addon: '', trace: [], jpegFault: '' });
      await setup({ env: inner, release, open });
      for (const path of ['other', 'other/cache']) expect(modeOf(join(folder, path))).toBe(0o700);
      expect(otherWriters(inner)).toBeNull();
    }));

  test('that everybody can write to is refused by what puts code there, and doctor warns of it', () =>
    inFolder(async (folder) => {
      const env = { ...process.env, SPLITGROW_CACHE: join(folder, 'cache') };
      mkdirSync(env.SPLITGROW_CACHE);
      chmodSync(env.SPLITGROW_CACHE, 0o1777);
      expect(await failureOf(privateCache(env))).toMatch(
        /^E_WRITE: .*cache: expected a cache that this user alone writes to, found one that every user .* chmod 700 /,
      );
      expect(await failureOf(setup({ env, force: true }))).toMatch(/^E_WRITE: .*this user alone writes to/);
      expect(await cacheFinding(env, true)).toMatchObject({
        state: 'warning',
        remedy: expect.stringContaining(`chmod 700 ${env.SPLITGROW_CACHE}`),
      });
      chmodSync(env.SPLITGROW_CACHE, 0o700);
      expect(await privateCache(env)).toBe(env.SPLITGROW_CACHE);
      expect((await cacheFinding(env, true)).state).toBe('ok');
    }));
});
