// Locating LibTorch: which place wins, which versions are refused, and what the error says.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { cacheDirectory, installDirectory } from '../../../lib/machine/libtorch/cache.js';
import { locate, requireLibTorch, versionOf } from '../../../lib/machine/libtorch/locate.js';
import { forget, remember, rememberedFile } from '../../../lib/machine/libtorch/remembered.js';
import { inFolder, ROOT } from '../../data/places.js';

const run = promisify(execFile);

/** A folder that looks like LibTorch of this version. */
async function fake(root: string, version: string, file = 'version.py'): Promise<string> {
  await mkdir(join(root, 'lib'), { recursive: true });
  await mkdir(join(root, 'include'), { recursive: true });
  await writeFile(join(root, 'lib', 'libtorch_cpu.so'), '');
  await writeFile(join(root, 'lib', 'libc10.so'), '');
  const text =
    file === 'version.py'
      ? `from typing import Optional\n__version__ = '${version}'\ndebug = False\n`
      : `${version}\n`;
  await writeFile(join(root, file), text);
  return root;
}

/** An environment with an empty cache and no Python. */
function bare(folder: string): Record<string, string> {
  return { PATH: folder, HOME: folder, SPLITGROW_CACHE: join(folder, 'cache') };
}

/** A python3 in `folder` that answers where its torch is, or nothing. */
async function fakePython(folder: string, origin: string): Promise<string> {
  const script = `#!/bin/sh\nfor last; do :; done\necho "$last" > ${join(folder, 'asked')}\necho ${origin}\n`;
  await writeFile(join(folder, 'python3'), script, { mode: 0o755 });
  return `${folder}:/bin:/usr/bin`;
}

test('the order is: environment, what setup remembers, python3, the cache with CUDA, the cache', () =>
  inFolder(async (folder) => {
    const env = bare(folder);
    expect(locate(env).found).toBeNull();
    const cpu = await fake(join(installDirectory(env), 'torch'), '2.11.0+cu130');
    expect(locate(env).found).toEqual({ root: cpu, version: '2.11.0+cu130', source: 'cache' });
    const cuda = await fake(join(installDirectory(env, true), 'torch'), '2.11.0+cu130');
    expect(locate(env).found?.root).toBe(cuda);
    const python = await fake(join(folder, 'site', 'torch'), '2.11.0+cpu');
    const active = { ...env, PATH: await fakePython(folder, join(python, '__init__.py')) };
    expect(locate(active).found).toEqual({ root: python, version: '2.11.0+cpu', source: 'python' });
    const chosen = await fake(join(folder, 'chosen'), '2.11.0');
    await remember(chosen, env);
    expect(locate(active).found).toEqual({ root: chosen, version: '2.11.0', source: 'remembered' });
    const own = await fake(join(folder, 'own'), '2.11.0', 'build-version');
    for (const name of ['LIBTORCH', 'SPLITGROW_LIBTORCH']) {
      expect(locate({ ...active, [name]: own }).found).toEqual({
        root: own,
        version: '2.11.0',
        source: 'environment',
      });
    }
    await forget(env);
    expect(locate(active).found?.source).toBe('python');
  }));

test('a python3 whose torch is of another version is passed over, and so is a torch in the working folder', () =>
  inFolder(async (folder) => {
    const env = bare(folder);
    const cached = await fake(join(installDirectory(env), 'torch'), '2.11.0');
    const old = await fake(join(folder, 'site', 'torch'), '2.4.1');
    const active = { ...env, PATH: await fakePython(folder, join(old, '__init__.py')) };
    const { found, tried } = locate(active);
    expect(found?.root).toBe(cached);
    expect(tried).toEqual([`python3: ${old}: holds version 2.4.1`]);

    // A real python3, started beside a folder called torch.
    const here = await fake(join(folder, 'work', 'torch'), '2.11.0');
    await writeFile(join(here, '__init__.py'), '');
    const script = `
      const { locate } = await import(${JSON.stringify(pathToFileURL(join(ROOT, 'dist', 'machine', 'libtorch', 'locate.js')).href)});
      console.log(locate(process.env).found.root);`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: join(here, '..'),
      env: { ...process.env, SPLITGROW_CACHE: env.SPLITGROW_CACHE, SPLITGROW_LIBTORCH: '', LIBTORCH: '' },
    });
    expect(stdout.trim()).not.toBe(here);
  }));

test('a python3 that hangs or dies is passed over', () =>
  inFolder(async (folder) => {
    const env = bare(folder);
    await writeFile(join(folder, 'python3'), '#!/bin/sh\nkill -ABRT $$\n', { mode: 0o755 });
    expect(locate({ ...env, PATH: `${folder}:/bin` }).tried.join()).toMatch(/python3: no PyTorch in it/);
  }));

test('what setup remembers and is gone, or cannot be read, is told and skipped', () =>
  inFolder(async (folder) => {
    const env = bare(folder);
    const cached = await fake(join(installDirectory(env), 'torch'), '2.11.0');
    await remember(join(folder, 'vanished'), env);
    const { found, tried } = locate(env);
    expect(found?.root).toBe(cached);
    expect(tried[0]).toBe(`remembered by setup: ${join(folder, 'vanished')}: no such directory`);
    for (const text of [
      '',
      '{"format":"splitgrow-libtorch/1"}',
      '{"format":"x","root":"/a"}',
      'null',
      '[1',
    ]) {
      await writeFile(rememberedFile(env), text);
      expect(locate(env).found?.root).toBe(cached);
      expect(locate(env).tried[0]).toMatch(/libtorch\.json is not of format splitgrow-libtorch\/1$/);
    }
  }));

test('another version is refused, with the version found', () =>
  inFolder(async (folder) => {
    const old = await fake(join(folder, 'old'), '2.4.1+cu121');
    const env = { ...bare(folder), SPLITGROW_LIBTORCH: old };
    expect(() => requireLibTorch(env)).toThrow(
      /expected LibTorch 2\.11\.0.*holds version 2\.4\.1\+cu121.*npx splitgrow setup/,
    );
    const near = await fake(join(folder, 'near'), '2.11.01');
    expect(locate({ ...env, SPLITGROW_LIBTORCH: near }).found).toBeNull();
  }));

test('a SPLITGROW_LIBTORCH that does not work is not passed over in silence; LIBTORCH is', () =>
  inFolder(async (folder) => {
    const env = bare(folder);
    await fake(join(installDirectory(env), 'torch'), '2.11.0');
    expect(locate({ ...env, SPLITGROW_LIBTORCH: join(folder, 'none') }).found).toBeNull();
    expect(locate({ ...env, LIBTORCH: join(folder, 'none') }).found?.source).toBe('cache');
  }));

test('with nothing anywhere the error is one line with every place and the command', () =>
  inFolder(async (folder) => {
    let message = '';
    try {
      requireLibTorch(bare(folder));
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(
      /python3: no PyTorch in it; cache: .*no such directory\); run: npx splitgrow setup$/,
    );
    expect(message).not.toContain('\n');
  }));

test('the cache follows SPLITGROW_CACHE, then an absolute XDG_CACHE_HOME, then the home folder', () => {
  expect(cacheDirectory({ SPLITGROW_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
  expect(cacheDirectory({ XDG_CACHE_HOME: '/b' })).toBe('/b/splitgrow');
  expect(cacheDirectory({ XDG_CACHE_HOME: 'relative' })).toMatch(/\/\.cache\/splitgrow$/);
  expect(cacheDirectory({})).toMatch(/\/\.cache\/splitgrow$/);
});

test('a folder without a version states none', () =>
  inFolder(async (folder) => {
    expect(versionOf(folder)).toBeNull();
    await writeFile(join(folder, 'version.py'), 'version = 3');
    expect(versionOf(folder)).toBeNull();
  }));
