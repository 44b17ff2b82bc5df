// Finds libturbojpeg: the one that the environment names, the one beside the addon, an npm package's, or the system's.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { isSplitgrowError, SplitgrowError } from '../../errors.js';
import { loaderPath, ROOT } from './addon.js';

const FILE = 'libturbojpeg.so.0';
/** The npm package that carries it. Only its shared library is used, not its addon. A checkout has it; an installed package need not have it. */
const PACKAGE = '@julusian/jpeg-turbo';
const PACKAGE_VERSION = '3.0.1';
const REMEDY =
  `run: npm install --ignore-scripts ${PACKAGE}@${PACKAGE_VERSION}, ` +
  `or set SPLITGROW_TURBOJPEG to a ${FILE} of libjpeg-turbo 3`;

/** Folder of the npm package that carries it, or null where that is not installed. */
function packageFolder(): string | null {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`));
  } catch {
    return null;
  }
}

/** Folder of the addon, or null where there is none. */
function addonFolder(): string | null {
  try {
    return dirname(loaderPath());
  } catch {
    return null;
  }
}

/** Where libturbojpeg may lie, in the order in which places are looked at. */
export function jpegPlaces(arch: string = process.arch): readonly string[] {
  const [addon, carrier] = [addonFolder(), packageFolder()];
  return [
    ...(addon === null ? [] : [join(addon, FILE)]),
    join(ROOT, 'prebuilds', `linux-${arch}`, FILE),
    ...(carrier === null ? [] : [join(carrier, 'prebuilds', `jpeg-turbo-linux-${arch}`, FILE)]),
  ];
}

/** Path of libturbojpeg, or its name alone for the system to search. SPLITGROW_TURBOJPEG decides alone. */
export function jpegPath(
  env: Readonly<Record<string, string | undefined>> = process.env,
  places: readonly string[] = jpegPlaces(),
): string {
  const own = env.SPLITGROW_TURBOJPEG;
  return own ? resolve(own) : (places.find((place) => existsSync(place)) ?? FILE);
}

/** Opens libturbojpeg by `open`, which takes a path or, for the system's, its name alone. Throws E_IMAGES with what helps. */
export function openJpeg(
  open: (path: string) => void,
  env: Readonly<Record<string, string | undefined>> = process.env,
  places: readonly string[] = jpegPlaces(),
): void {
  const path = jpegPath(env, places);
  try {
    open(path);
  } catch (error) {
    if (!isSplitgrowError(error) || error.code !== 'E_IMAGES') throw error;
    const tried = path === FILE ? ` (the system's; there is none at ${places.join(', ')})` : '';
    throw new SplitgrowError(
      'E_IMAGES',
      `image files need libjpeg-turbo: ${error.message}${tried}; ${REMEDY}`,
      {
        cause: error,
      },
    );
  }
}
