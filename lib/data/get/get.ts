// getData(): makes a dataset available in a folder. Does nothing where it is there; else downloads, checks, unpacks it, and renames it into place.

import { rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isSplitgrowError, reasonOf, SplitgrowError } from '../../errors.js';
import { faultOf, type RemoteFile } from '../../machine/download/download.js';
import { makeFolder, syncDirectory } from '../../machine/files/atomic.js';
import { sizeOf } from '../../machine/files/digest.js';
import { withLock } from '../../machine/files/lease.js';
import { createCacheOf } from '../../machine/libtorch/cache.js';
import { watched } from '../../native/watched.js';
import { getArchive } from './archive.js';
import { wholeIn } from './checksum.js';
import { defaultRoot, remedyFor } from './places.js';
import { type DataSource, filesOf, SOURCES } from './sources.js';
import {
  fetchFile,
  type GetDataControl,
  type GetDataDocument,
  requireRoom,
  type Work,
  wrongFile,
} from './work.js';

/** Which dataset `getData` fetches. */
export interface GetDataOptions {
  /** cifar10, cifar100 or fashion-mnist. */
  readonly name: string;
  /** Folder to put it in; absent: where an experiment without data.root looks. */
  readonly root?: string | undefined;
  /** Base URL of a server that has the official files under their names. Absent: SPLITGROW_DATA_MIRROR, else the official ones. */
  readonly mirror?: string | undefined;
}

const LOCK_FILE = '.splitgrow-data.lock';

function mirrorFrom(text: string, where: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^https?:$/.test(url.protocol)) return text.replace(/\/*$/, '/');
  throw new SplitgrowError('E_ARGUMENT', `${where}: expected an http or https URL, found "${text}"`);
}

/** Gets a dataset whose files are used as they are. Only missing files are downloaded. */
async function getFiles(work: Work): Promise<GetDataDocument> {
  const { source, root, control } = work;
  const missing: RemoteFile[] = [];
  for (const file of source.files) {
    if ((await sizeOf(join(root, file.file))) === null) missing.push(file);
    else {
      const fault = await faultOf(join(root, file.file), file, control.signal);
      if (fault !== null) throw wrongFile(join(root, file.file), fault);
    }
  }
  await requireRoom(
    root,
    missing.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  for (const file of missing) {
    await rename(await fetchFile(work, file), join(root, file.file));
    await syncDirectory(root);
  }
  return {
    name: source.name,
    directory: root,
    files: source.files.map((file) => ({
      file: file.file,
      bytes: file.bytes,
      status: missing.includes(file) ? 'downloaded' : 'there',
    })),
  };
}

async function ifWhole({ source, root, control }: Omit<Work, 'place'>): Promise<GetDataDocument | null> {
  const directory = await wholeIn(root, source, control.signal);
  if (directory === null) return null;
  const files = filesOf(source).map(({ file, bytes }) => ({ file, bytes, status: 'there' as const }));
  return { name: source.name, directory, files };
}

/** Gets the dataset. The caller holds the lock of the root. */
async function fetchInto(work: Work): Promise<GetDataDocument> {
  // Another process may have finished while this one waited.
  const meanwhile = await ifWhole(work);
  if (meanwhile !== null) return meanwhile;
  const { archive, files } = work.source;
  const [packed] = files;
  return archive === undefined || packed === undefined ? getFiles(work) : getArchive(work, archive, packed);
}

function sourceNamed(name: string, sources: readonly DataSource[]): DataSource {
  const source = sources.find((one) => one.name === name);
  if (source !== undefined) return source;
  throw new SplitgrowError(
    'E_DATA',
    `there is nothing to fetch for "${name}"; known are ${sources.map((one) => one.name).join(', ')}`,
  );
}

/**
 * Puts a dataset's official files into a folder, once for all processes. Does nothing where they are there with the right
 * checksums. Never overwrites a file with another content. After an abort, the next call continues with what was downloaded.
 * @throws E_DOWNLOAD where no server gives a file or an archive is not as the
 * table says, E_DATA for an unknown name and for a wrong file in the way,
 * E_WRITE, E_ABORTED, E_ARGUMENT for a mirror or proxy that is no http URL
 */
export async function getData(
  options: GetDataOptions,
  control: GetDataControl = {},
): Promise<GetDataDocument> {
  return watched(control, (own) => gotten(options, own));
}

async function gotten(options: GetDataOptions, control: GetDataControl): Promise<GetDataDocument> {
  const env = control.env ?? process.env;
  const source = sourceNamed(options.name, control.sources ?? SOURCES);
  const root = resolve(options.root ?? defaultRoot(source.name, env));
  const mirror =
    options.mirror !== undefined
      ? mirrorFrom(options.mirror, 'mirror')
      : env.SPLITGROW_DATA_MIRROR
        ? mirrorFrom(env.SPLITGROW_DATA_MIRROR, 'SPLITGROW_DATA_MIRROR')
        : null;
  const command = remedyFor(source.name) + (options.root === undefined ? '' : ` --root ${options.root}`);
  const work: Omit<Work, 'place'> = { source, root, mirror, command, control };
  try {
    const whole = await ifWhole(work);
    if (whole !== null) return whole;
    control.signal?.throwIfAborted();
    await createCacheOf(root);
    await makeFolder(root).catch((error: Error) => {
      throw new Error(error.message, { cause: error });
    });
    return await withLock(join(root, LOCK_FILE), (place) => fetchInto({ ...work, place }), {
      signal: control.signal,
      onWait: (owner) =>
        control.onProgress?.({
          phase: 'wait',
          message: `waiting for process ${owner?.pid ?? 'unknown'}, which is fetching ${source.name}`,
          done: 0,
          total: 0,
        }),
    });
  } catch (error) {
    if (control.signal?.aborted) {
      throw new SplitgrowError(
        'E_ABORTED',
        `fetching ${source.name} was aborted; what came so far is kept in ${root}; to go on run: ${command}`,
        { cause: error },
      );
    }
    if (isSplitgrowError(error)) throw error;
    const reason = reasonOf(error);
    throw new SplitgrowError(
      'E_WRITE',
      `cannot put ${source.name} into ${root}: ${reason}; choose a place that you may write to with --root or SPLITGROW_DATA`,
      { cause: error },
    );
  }
}
