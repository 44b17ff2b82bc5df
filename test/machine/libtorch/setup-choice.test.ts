// What setup is told to use: a folder by --libtorch, the CUDA set or a fresh one before what was found. Made-up files.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installDirectory } from '../../../lib/machine/libtorch/cache.js';
import { locate } from '../../../lib/machine/libtorch/locate.js';
import { readRemembered, rememberedFile } from '../../../lib/machine/libtorch/remembered.js';
import { setup } from '../../../lib/machine/libtorch/setup.js';
import type { NotOpened, Opened } from '../../../lib/machine/libtorch/trial.js';
import { loadCoreTraced } from '../../../lib/native/load.js';
import { failureOf, inFolder } from '../../data/places.js';
import { cleanEnv } from './made-up-wheels.js';

async function fake(root: string, hasCuda = false, version = '2.11.0'): Promise<string> {
  await mkdir(join(root, 'lib'), { recursive: true });
  await mkdir(join(root, 'include'), { recursive: true });
  for (const name of ['libtorch_cpu', 'libc10', ...(hasCuda ? ['libtorch_cuda'] : [])])
    await writeFile(join(root, 'lib', `${name}.so`), 'no library');
  await writeFile(join(root, 'version.py'), `__version__ = '${version}'\n`);
  return root;
}

function bare(folder: string): Record<string, string | undefined> {
  return cleanEnv(folder, { PATH: folder, HOME: folder });
}

function opening(result: Partial<Opened> | NotOpened) {
  const opened: string[] = [];
  const whole =
    'why' in result ? result : { features: {} as never, addon: '', trace: [], jpegFault: '', ...result };
  const open = async (root: string) => {
    opened.push(root);
    return whole as Opened | NotOpened;
  };
  return { open, opened };
}

test('--libtorch checks the folder, opens it, and has every later process use it', () =>
  inFolder(async (folder) => {
    const env = bare(folder);
    const own = await fake(join(folder, 'own'));
    await fake(join(installDirectory(env), 'torch'));
    const { open, opened } = opening({});
    const done = await setup({ env, libtorch: own, open });
    expect(done).toEqual({
      libtorch: { root: own, version: '2.11.0', source: 'remembered' },
      isNew: false,
      opens: true,
      cuda: null,
      note: null,
    });
    expect(opened).toEqual([own]);
    expect(locate(env).found).toEqual(done.libtorch);
    expect((await setup({ env, open })).libtorch).toEqual(done.libtorch);
    expect((await setup({ env, open, forget: true })).libtorch.source).toBe('cache');
    expect(readRemembered(env)).toBeNull();
  }));

test('a folder that is no LibTorch, is of another version, or does not open is refused and not remembered', () =>
  inFolder(async (folder) => {
    const env = bare(folder);
    const site = join(folder, 'site');
    const old = await fake(join(folder, 'old'), false, '2.4.1');
    await fake(join(site, 'torch'));
    const { open } = opening({ code: 'E_LIBTORCH', why: 'libtorch_cpu.so failed: invalid ELF header' });
    const refused: readonly (readonly [string, RegExp])[] = [
      [
        join(folder, 'none'),
        /^E_LIBTORCH: --libtorch: expected a folder with include\/ and lib\/ of LibTorch 2\.11\.0: .*no such directory$/,
      ],
      [old, /holds version 2\.4\.1$/],
      [site, /no lib\/libtorch_cpu\.so.*; did you mean .*site\/torch\?$/],
      [
        join(site, 'torch'),
        /^E_LIBTORCH: .*site\/torch is there but is not usable: libtorch_cpu\.so failed: invalid ELF/,
      ],
    ];
    for (const [libtorch, reason] of refused)
      expect(await failureOf(setup({ env, libtorch, open }))).toMatch(reason);
    expect(readRemembered(env)).toBeNull();
  }));

test('where there is no addon yet, a folder is remembered without having been opened', () =>
  inFolder(async (folder) => {
    const env = bare(folder);
    const own = await fake(join(folder, 'own'));
    const { open } = opening({ code: 'E_ADDON', why: 'none' });
    expect((await setup({ env, libtorch: own, open })).opens).toBeNull();
    expect(readRemembered(env)).toEqual({ root: own });
  }));

test('--libtorch behind a variable that comes first says so', () =>
  inFolder(async (folder) => {
    const env = bare(folder);
    const [own, other] = [await fake(join(folder, 'own')), await fake(join(folder, 'other'))];
    const { note } = await setup({ env: { ...env, LIBTORCH: other }, libtorch: own, ...opening({}) });
    expect(note).toBe(`LIBTORCH is set and comes first: ${other}; unset it to use ${own}`);
  }));

test('--cuda uses the CUDA set in the cache before a PyTorch without CUDA, and says whether it opens', () =>
  inFolder(async (folder) => {
    const env = bare(folder);
    const python = await fake(join(folder, 'site', 'torch'));
    await writeFile(join(folder, 'python3'), `#!/bin/sh\necho ${join(python, '__init__.py')}\n`, {
      mode: 0o755,
    });
    const active = { ...env, PATH: `${folder}:/bin:/usr/bin` };
    expect(locate(active).found?.root).toBe(python);
    const cuda = await fake(join(installDirectory(env, true), 'torch'), true);
    const row = {
      path: join(cuda, 'lib', 'libtorch_cuda.so'),
      ok: false,
      error: 'libnccl.so.2: no such file',
      wasOpen: false,
    };
    const done = await setup({ env: active, cuda: true, ...opening({ trace: [row] }) });
    expect([done.isNew, done.libtorch.root]).toEqual([false, cuda]);
    expect(done.cuda).toEqual({ opens: false, fault: 'libnccl.so.2: no such file' });
    expect(locate(active).found?.source).toBe('remembered');
    // A PyTorch with CUDA is enough.
    await rm(rememberedFile(env));
    await fake(python, true);
    expect((await setup({ env: active, cuda: true, ...opening({}) })).libtorch.source).toBe('python');
  }));

test('the real LibTorch here is opened in a process of its own and remembered', () =>
  inFolder(async (folder) => {
    const { root } = loadCoreTraced().libtorch;
    const env = { ...process.env, SPLITGROW_CACHE: join(folder, 'cache'), SPLITGROW_LIBTORCH: undefined };
    const done = await setup({ env, libtorch: root });
    expect([done.opens, done.libtorch.root]).toEqual([true, root]);
    expect(JSON.parse(await readFile(rememberedFile(env), 'utf8'))).toEqual({
      format: 'splitgrow-libtorch/1',
      root,
    });
  }));
