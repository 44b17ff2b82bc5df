// Where the addon is, and which LibTorch it was compiled against. Its record says that; without a record it is the pinned one.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { SplitgrowError } from '../../errors.js';
import { packageVersion } from '../version.js';
import { LIBTORCH_VERSION, REMEDIES } from './pinned.js';

/** Package root, from lib/ and from dist/ alike. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const require = createRequire(import.meta.url);

/** Lies beside an addon that `splitgrow build` compiled; a prebuilt one has none. */
export const RECORD_FILE = 'addon.json';

const RECORD = z.object({
  format: z.literal('splitgrow-addon/1'),
  /** Version of the package that it was compiled from. */
  splitgrow: z.string().min(1),
  libtorch: z.object({
    /** As its files say it, for example 2.10.0+cpu. */
    version: z.string().regex(/^\d+\.\d+\.\d+/),
    /** Its folder at that time. It is used where no other LibTorch is named. */
    root: z.string().min(1),
  }),
});

/** What `splitgrow build` writes beside the addon. */
export type AddonRecord = z.infer<typeof RECORD>;

/** The LibTorch that the addon can be used with. */
export interface Wanted {
  /** major.minor.patch */
  readonly version: string;
  /** Where the addon's own record says that it is. */
  readonly root: string | null;
}

/** The pinned LibTorch, for which addons are prebuilt and which setup fetches. */
export const PINNED: Wanted = { version: LIBTORCH_VERSION, root: null };

/**
 * Path of the thin loader: in the folder SPLITGROW_ADDON, or where node-gyp-build finds it.
 * @throws E_ADDON where there is none
 */
export function loaderPath(): string {
  const folder = process.env.SPLITGROW_ADDON;
  if (folder) return resolve(folder, 'splitgrow.node');
  try {
    const nodeGypBuild: { path(root: string): string } = require('node-gyp-build');
    return nodeGypBuild.path(ROOT);
  } catch (error) {
    throw new SplitgrowError(
      'E_ADDON',
      `expected the native addon in ${join(ROOT, 'build')} or ${join(ROOT, 'prebuilds')}, found none for ` +
        `${process.platform}-${process.arch}; run: ${REMEDIES.build}`,
      { cause: error },
    );
  }
}

/**
 * The record beside the addon in `folder`; null where there is none.
 * @throws E_ADDON where it is not what `splitgrow build` writes, or of another version of this package
 */
export function readRecord(folder: string): AddonRecord | null {
  const path = join(folder, RECORD_FILE);
  if (!existsSync(path)) return null;
  let record: AddonRecord;
  try {
    record = RECORD.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new SplitgrowError(
      'E_ADDON',
      `${path} is not what splitgrow build writes beside an addon; run: ${REMEDIES.build}`,
      { cause: error },
    );
  }
  if (record.splitgrow === packageVersion()) return record;
  throw new SplitgrowError(
    'E_ADDON',
    `the addon in ${folder} was compiled from splitgrow ${record.splitgrow}, this is ${packageVersion()}; run: ${REMEDIES.build}`,
  );
}

/** The release of a version: 2.10.0 of 2.10.0+cpu. */
export function releaseOf(version: string): string {
  return version.split('+')[0] ?? version;
}

/**
 * The LibTorch that the addon here was compiled against; the pinned one where there is no addon yet.
 * @throws E_ADDON where its record cannot be read
 */
export function wantedLibTorch(): Wanted {
  let folder: string;
  try {
    folder = dirname(loaderPath());
  } catch {
    return PINNED;
  }
  const record = readRecord(folder);
  return record ? { version: releaseOf(record.libtorch.version), root: record.libtorch.root } : PINNED;
}
