// The prebuilt addon: what npm run prebuild makes, and that it is found and opened where nothing was compiled.
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { PLATFORM, prebuild } from '../../scripts/prebuild.mjs';
import { inFolder, ROOT } from '../data/places.js';

const run = promisify(execFile);
const isHere = PLATFORM === `${process.platform}-${process.arch}`;

/** Loads the core, and opens the JPEG library, in a process whose package has `folder` in place of build and prebuilds. */
async function loadFrom(folder: string): Promise<string> {
  const script = `
    const { loadCoreTraced } = await import(${JSON.stringify(pathToFileURL(join(ROOT, 'dist', 'native', 'load.js')).href)});
    const { jpegPath } = await import(${JSON.stringify(pathToFileURL(join(ROOT, 'dist', 'machine', 'libtorch', 'jpeg.js')).href)});
    const { core, addon } = loadCoreTraced();
    core.openJpeg(jpegPath());
    console.log(addon, jpegPath());`;
  // node-gyp-build's own variable: where it looks instead of the package.
  const env = { ...process.env, SPLITGROW_PREBUILD: folder, SPLITGROW_ADDON: '', SPLITGROW_TURBOJPEG: '' };
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { env });
  return stdout.trim();
}

test.skipIf(!isHere)(
  `prebuild makes a stripped addon that loads by itself${isHere ? '' : ` (skipped: not ${PLATFORM})`}`,
  { timeout: 1_200_000 },
  () =>
    inFolder(async (folder) => {
      expect(await prebuild({ out: folder, isBuilt: true })).toMatch(
        /^\d+ symbols of 3 files within the floor$/,
      );
      const made = join(folder, 'prebuilds', PLATFORM);
      expect((await readdir(made)).sort()).toEqual([
        'libjpeg-turbo.md',
        'libturbojpeg.so.0',
        'splitgrow.node',
        'splitgrow_core.so',
      ]);
      for (const name of ['splitgrow.node', 'splitgrow_core.so']) {
        const { stdout } = await run('readelf', ['--sections', '--wide', join(made, name)]);
        expect(stdout).toContain('.dynsym');
        expect(stdout).not.toMatch(/\.symtab|\.debug_/);
      }
      expect(await loadFrom(folder)).toBe(
        `${join(made, 'splitgrow_core.so')} ${join(made, 'libturbojpeg.so.0')}`,
      );
    }),
);
