// Finds libturbojpeg: the environment's, or the one that the package @julusian/jpeg-turbo carries.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { SplitgrowError } from '../errors.js';
import { thisMachine } from './machine.js';

const PACKAGE = '@julusian/jpeg-turbo';
const FILE = 'libturbojpeg.so.0';
const require = createRequire(import.meta.url);

export interface Platform {
  readonly arch: string;
  readonly isMusl: boolean;
}

/** This process's. */
export function platform(): Platform {
  const { arch, glibc } = thisMachine();
  return { arch, isMusl: glibc === null };
}

/** Folder of the package, or null where it is not installed. Only its shared library is used, never its addon. */
function packageFolder(): string | null {
  try {
    return dirname(require.resolve(`${PACKAGE}/package.json`));
  } catch {
    return null;
  }
}

/**
 * Path of libturbojpeg with the TurboJPEG 3 API.
 * @throws E_IMAGES where the package is not installed or carries none for this machine
 */
export function jpegPath(
  env: Readonly<Record<string, string | undefined>> = process.env,
  folder: string | null = packageFolder(),
  { arch, isMusl }: Platform = platform(),
): string {
  if (env.SPLITGROW_TURBOJPEG) return resolve(env.SPLITGROW_TURBOJPEG);
  const remedy = `or set SPLITGROW_TURBOJPEG to a ${FILE} of libjpeg-turbo 3`;
  if (folder === null)
    throw new SplitgrowError(
      'E_IMAGES',
      `image files need libjpeg-turbo, and the package ${PACKAGE} is not installed; install it, ${remedy}`,
    );
  const path = join(folder, 'prebuilds', `jpeg-turbo-linux-${arch}${isMusl ? '-musl' : ''}`, FILE);
  if (existsSync(path)) return path;
  throw new SplitgrowError(
    'E_IMAGES',
    `image files need libjpeg-turbo, and ${PACKAGE} has none for this machine: expected ${path}; ${remedy}`,
  );
}
