// What one call of getData() works with, and the pieces that files and archives share.
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import type { Environment } from '../../setup/locate.js';
import { type Attempts, download } from './download.js';
import { openClient } from './http.js';
import type { DataSource, RemoteFile } from './sources.js';

export interface DataProgress {
  readonly phase: 'wait' | 'download' | 'unpack' | 'note';
  /** A file's name, or what there is to say. */
  readonly message: string;
  /** Bytes done and in all; 0 of 0 for notes and while waiting. */
  readonly done: number;
  readonly total: number;
}

export interface GetDataControl {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DataProgress) => void) | undefined;
  readonly env?: Environment | undefined;
  readonly sources?: readonly DataSource[] | undefined;
  readonly attempts?: Attempts | undefined;
}

export interface DataFile {
  readonly file: string;
  readonly bytes: number;
  /** It was there; it came over the network now; it came out of an archive that was put there by hand. */
  readonly status: 'there' | 'downloaded' | 'unpacked';
}

export interface GetDataDocument {
  readonly name: string;
  /** Holds `files`. */
  readonly directory: string;
  readonly files: readonly DataFile[];
}

export interface Work {
  readonly source: DataSource;
  readonly root: string;
  readonly mirror: string | null;
  readonly command: string;
  readonly control: GetDataControl;
}

/** A mirror has the files under their names, or in a folder of the dataset's name; it is asked alone. */
function urlsOf({ source, mirror }: Work, file: RemoteFile): readonly string[] {
  return mirror === null ? file.urls : [`${mirror}${file.file}`, `${mirror}${source.name}/${file.file}`];
}

export function wrongFile(path: string, fault: string): SplitgrowError {
  return new SplitgrowError(
    'E_DATA',
    `${path} is not the official file: ${fault}; move it away, or name another folder with --root`,
  );
}

export async function requireSpace(folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= needed) return;
  throw new SplitgrowError(
    'E_WRITE',
    `${folder} has ${Math.floor((bavail * bsize) / 1e6)} MB free, expected ${Math.ceil(needed / 1e6)} MB; ` +
      'free some, or name another folder with --root',
  );
}

/** The file, whole and right, in `<file>.part` of the root. */
export async function fetchFile(work: Work, file: RemoteFile): Promise<string> {
  const { root, command, control } = work;
  const part = join(root, `${file.file}.part`);
  await using client = await openClient(control.env ?? process.env);
  await download(
    { ...file, urls: urlsOf(work, file) },
    part,
    { root, command },
    {
      client,
      signal: control.signal,
      attempts: control.attempts,
      onNote: (message) => control.onProgress?.({ phase: 'note', message, done: 0, total: 0 }),
      onBytes: (done) =>
        control.onProgress?.({ phase: 'download', message: file.file, done, total: file.bytes }),
    },
  );
  return part;
}
