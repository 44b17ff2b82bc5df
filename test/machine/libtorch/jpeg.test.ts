// Which libturbojpeg is opened, and what is said where none can be.
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SplitgrowError } from '../../../lib/errors.js';
import { jpegPlaces, openJpeg } from '../../../lib/machine/libtorch/jpeg.js';
import { loadCore, loadCoreTraced } from '../../../lib/native/load.js';
import { inFolder, ROOT } from '../../data/places.js';

/** What openJpeg() hands on to be opened. */
function opened(env: Record<string, string>, places: readonly string[]): string {
  let path = '';
  openJpeg(
    (given) => {
      path = given;
    },
    env,
    places,
  );
  return path;
}

function cannotOpen(): never {
  throw new SplitgrowError('E_IMAGES', 'the JPEG decoder does not load: some reason');
}

test('the environment comes first, then the first place that has it, then the system by its name', () =>
  inFolder(async (folder) => {
    const [first, second] = [join(folder, 'first'), join(folder, 'second')];
    expect(opened({}, [first, second])).toBe('libturbojpeg.so.0');
    await writeFile(second, '');
    expect(opened({}, [first, second])).toBe(second);
    await writeFile(first, '');
    expect(opened({}, [first, second])).toBe(first);
    expect(opened({ SPLITGROW_TURBOJPEG: join(folder, 'own') }, [first])).toBe(join(folder, 'own'));
  }));

test('the places are beside the addon, in the prebuilds and in the npm package that a checkout has', () => {
  const [addon, shipped, carried, ...more] = jpegPlaces('x64');
  expect(addon).toMatch(/\/libturbojpeg\.so\.0$/);
  expect(shipped).toBe(join(ROOT, 'prebuilds', 'linux-x64', 'libturbojpeg.so.0'));
  expect(carried).toMatch(/@julusian\/jpeg-turbo\/prebuilds\/jpeg-turbo-linux-x64\/libturbojpeg\.so\.0$/);
  expect(more).toEqual([]);
});

test('a failure says where it was looked for and both ways out', () => {
  expect(() => openJpeg(cannotOpen, {}, ['/nowhere/a'])).toThrow(
    /^image files need libjpeg-turbo: .*some reason \(the system's; there is none at \/nowhere\/a\); run: npm install --ignore-scripts @julusian\/jpeg-turbo@3\.0\.1, or set SPLITGROW_TURBOJPEG/,
  );
  expect(() => openJpeg(cannotOpen, { SPLITGROW_TURBOJPEG: '/own' }, [])).toThrow(
    /some reason; run: npm install/,
  );
});

test('a library without the TurboJPEG 3 API is refused by the core', () =>
  inFolder(async (folder) => {
    const { addon } = loadCoreTraced();
    await mkdir(join(folder, 'lib'));
    const other = join(folder, 'lib', 'libturbojpeg.so.0');
    await copyFile(join(addon, '..', 'splitgrow.node'), other);
    const core = loadCore();
    expect(() => openJpeg((path) => core.openJpeg(path), { SPLITGROW_TURBOJPEG: other })).toThrow(
      /has no tj3Init; libjpeg-turbo 3\.0 or newer is needed; run: npm install/,
    );
  }));

test('the one that is found opens', () => {
  const core = loadCore();
  expect(() => openJpeg((path) => core.openJpeg(path))).not.toThrow();
});
