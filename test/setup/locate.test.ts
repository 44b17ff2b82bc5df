// Locating LibTorch: which place wins, which versions are refused, and what the error says.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  cacheDirectory,
  installDirectory,
  locate,
  requireLibTorch,
  versionOf,
} from '../../lib/setup/locate.js';
import { inFolder } from '../data/places.js';

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

test('the environment comes before the cache, the cache before Python', () =>
  inFolder(async (folder) => {
    const env = bare(folder);
    expect(locate(env).found).toBeNull();
    const python = await fake(join(folder, 'site', 'torch'), '2.11.0+cpu');
    await writeFile(join(python, '__init__.py'), '');
    await writeFile(join(folder, 'python3'), `#!/bin/sh\necho ${join(python, '__init__.py')}\n`, {
      mode: 0o755,
    });
    expect(locate({ ...env, PATH: `${folder}:/bin:/usr/bin` }).found?.source).toBe('python');
    await fake(join(installDirectory(env), 'torch'), '2.11.0+cu130');
    expect(locate(env).found?.source).toBe('cache');
    const own = await fake(join(folder, 'own'), '2.11.0', 'build-version');
    for (const name of ['LIBTORCH', 'SPLITGROW_LIBTORCH']) {
      expect(locate({ ...env, [name]: own }).found).toEqual({
        root: own,
        version: '2.11.0',
        source: 'environment',
      });
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
      /cache: .*no such directory; python3: no PyTorch in it\); run: npx splitgrow setup$/,
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
