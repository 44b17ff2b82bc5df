// An addon compiled against another LibTorch says so in its record, and that LibTorch is then the one that is accepted.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { PINNED, RECORD_FILE, readRecord, wantedLibTorch } from '../../../lib/machine/libtorch/addon.js';
import { locate, preloadOrder, requireLibTorch } from '../../../lib/machine/libtorch/locate.js';
import { packageVersion } from '../../../lib/machine/version.js';
import { inFolder } from '../../data/places.js';

afterEach(() => vi.unstubAllEnvs());

async function fakeLibTorch(root: string, version: string): Promise<string> {
  await mkdir(join(root, 'lib'), { recursive: true });
  await mkdir(join(root, 'include'));
  for (const name of ['libtorch_cpu.so', 'libc10.so']) await writeFile(join(root, 'lib', name), '');
  await writeFile(join(root, 'build-version'), `${version}\n`);
  return root;
}

/** A folder with the record of an addon compiled against `version` in `root`, which SPLITGROW_ADDON names. */
async function fakeAddon(
  folder: string,
  version: string,
  root: string,
  splitgrow = packageVersion(),
): Promise<void> {
  await mkdir(folder);
  const record = { format: 'splitgrow-addon/1', splitgrow, libtorch: { version, root } };
  await writeFile(join(folder, RECORD_FILE), JSON.stringify(record));
  vi.stubEnv('SPLITGROW_ADDON', folder);
}

const bare = (folder: string) => ({ PATH: folder, HOME: folder, SPLITGROW_CACHE: join(folder, 'cache') });

test('without a record the pinned release is wanted', () =>
  inFolder(async (folder) => {
    vi.stubEnv('SPLITGROW_ADDON', folder);
    expect(readRecord(folder)).toBeNull();
    expect(wantedLibTorch()).toEqual(PINNED);
  }));

test('the LibTorch that an addon was compiled against is found where it was, and another place may be named', () =>
  inFolder(async (folder) => {
    const root = await fakeLibTorch(join(folder, 'torch'), '2.10.0+cpu');
    await fakeAddon(join(folder, 'addon'), '2.10.0+cpu', root);
    expect(wantedLibTorch()).toEqual({ version: '2.10.0', root });
    expect(requireLibTorch(bare(folder))).toEqual({ root, version: '2.10.0+cpu', source: 'build' });
    const moved = await fakeLibTorch(join(folder, 'moved'), '2.10.0');
    const env = { ...bare(folder), SPLITGROW_LIBTORCH: moved };
    expect(requireLibTorch(env)).toMatchObject({ root: moved, source: 'environment' });
  }));

test('the pinned LibTorch is refused for an addon that was compiled against another, and the reverse', () =>
  inFolder(async (folder) => {
    const pinned = await fakeLibTorch(join(folder, 'pinned'), PINNED.version);
    const other = await fakeLibTorch(join(folder, 'other'), '2.12.1');
    const env = { ...bare(folder), SPLITGROW_LIBTORCH: other };
    vi.stubEnv('SPLITGROW_ADDON', folder);
    expect(() => requireLibTorch(env)).toThrow(
      /expected LibTorch 2\.11\.0, found none .*holds version 2\.12\.1/,
    );
    await fakeAddon(join(folder, 'addon'), '2.12.1', join(folder, 'gone'));
    expect(requireLibTorch(env).root).toBe(other);
    expect(() => requireLibTorch({ ...env, SPLITGROW_LIBTORCH: pinned })).toThrow(
      /expected LibTorch 2\.12\.1, .*holds version 2\.11\.0.*compiled for LibTorch 2\.12\.1: point SPLITGROW_LIBTORCH to one, or compile anew with: npx splitgrow build$/,
    );
    // What setup and the build scripts look for stays the pinned one.
    expect(locate({ ...env, SPLITGROW_LIBTORCH: pinned }).found?.version).toBe(PINNED.version);
  }));

test.each([
  '',
  '{',
  '[]',
  '{"format":"splitgrow-addon/2"}',
  '{"format":"splitgrow-addon/1","splitgrow":"0.1.0","libtorch":{"version":"x","root":"/"}}',
])('a record that reads %j is E_ADDON with the command that writes a new one', (text) =>
  inFolder(async (folder) => {
    await writeFile(join(folder, RECORD_FILE), text);
    vi.stubEnv('SPLITGROW_ADDON', folder);
    expect(() => wantedLibTorch()).toThrow(
      /addon\.json is not what splitgrow build writes.*splitgrow build$/,
    );
  }),
);

test("NVIDIA's libraries of the pinned CUDA are opened, and of another one where a release comes with that", () =>
  inFolder(async (folder) => {
    const root = await fakeLibTorch(join(folder, 'torch'), '2.10.0');
    const torch = { root, version: '2.10.0', source: 'build' } as const;
    const names = () => preloadOrder(torch).map(({ path }) => path.replace(`${folder}/`, ''));
    const torchs = ['torch/lib/libc10.so', 'torch/lib/libtorch_cpu.so'];
    expect(names()).toEqual(['libcudart.so.13', 'libcupti.so.13', 'libgomp.so.1', ...torchs]);
    for (const place of ['cuda_runtime/lib/libcudart.so.12', 'cuda_cupti/lib/libcupti.so.12']) {
      await mkdir(join(folder, 'nvidia', place, '..'), { recursive: true });
      await writeFile(join(folder, 'nvidia', place), '');
    }
    await writeFile(join(root, 'lib', 'libgomp.so.1'), '');
    expect(names()).toEqual([
      'nvidia/cuda_runtime/lib/libcudart.so.12',
      'nvidia/cuda_cupti/lib/libcupti.so.12',
      'torch/lib/libgomp.so.1',
      ...torchs,
    ]);
    await mkdir(join(folder, 'nvidia', 'cu13', 'lib'), { recursive: true });
    await writeFile(join(folder, 'nvidia', 'cu13', 'lib', 'libcudart.so.13'), '');
    expect(names()[0]).toBe('nvidia/cu13/lib/libcudart.so.13');
  }));

test('an addon that was compiled from another version of the package is E_ADDON', () =>
  inFolder(async (folder) => {
    await fakeAddon(join(folder, 'addon'), PINNED.version, folder, '0.0.9');
    expect(() => wantedLibTorch()).toThrow(
      /addon was compiled from splitgrow 0\.0\.9, this is \d.*; run: npx splitgrow build$/,
    );
  }));
