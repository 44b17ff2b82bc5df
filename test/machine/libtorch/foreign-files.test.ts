// A cache in a folder of the user: set-up and build remove nothing that they did not make.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { build } from '../../../lib/machine/libtorch/build.js';
import { removeWheels } from '../../../lib/machine/libtorch/fetch.js';
import { refuseOthers } from '../../../lib/machine/libtorch/install.js';
import { requireLibTorch } from '../../../lib/machine/libtorch/locate.js';
import { RELEASES } from '../../../lib/machine/libtorch/pinned.js';
import { failureOf, inFolder } from '../../data/places.js';

test('a folder in the way of LibTorch is replaced only where set-up unpacked it', () =>
  inFolder(async (folder) => {
    const target = join(folder, 'libtorch-2.11.0');
    await refuseOthers(target);
    for (const name of ['torch', 'nvidia', 'torch-2.11.0.dist-info'])
      await mkdir(join(target, name), { recursive: true });
    await refuseOthers(target);
    await writeFile(join(target, 'notes.txt'), 'mine');
    expect(await failureOf(refuseOthers(target))).toMatch(
      /^E_WRITE: .*found "notes.txt" in it; move it away/,
    );
  }));

test('wheels in a folder that set-up did not make stay', () =>
  inFolder(async (folder) => {
    const release = RELEASES['linux-x64'];
    if (release === undefined) throw new Error('expected a release for linux-x64');
    const name = String(release.wheels[0]?.file);
    await writeFile(join(folder, name), 'downloaded by hand');
    await removeWheels(release, folder);
    expect(await readdir(folder)).toEqual([name]);
    await writeFile(join(folder, 'splitgrow-wheels.json'), '{}');
    await removeWheels(release, folder);
    expect(await readdir(join(folder, '..'))).not.toContain(basename(folder));
  }));

test('a folder of the user under the name of the one that build compiles in stays', () =>
  inFolder(async (folder) => {
    for (const name of ['build', '.splitgrow-build']) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'thesis.txt'), 'all of it');
    }
    const make = async (): Promise<readonly string[]> => [];
    const env = { ...process.env, SPLITGROW_CACHE: folder };
    const options = { libtorch: requireLibTorch().root, out: join(folder, 'addon'), env, make };
    expect(await failureOf(build(options))).toMatch(
      /^E_WRITE: .*splitgrow-build: .*found "thesis.txt" in it/,
    );
    for (const name of ['build', '.splitgrow-build'])
      expect(await readdir(join(folder, name))).toEqual(['thesis.txt']);
  }));
