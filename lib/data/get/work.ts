// What one call of getData() works with, and the functions that files and archives share.

import { join } from 'node:path';
import { SplitgrowError } from '../../errors.js';
import { type Attempts, download, type RemoteFile } from '../../machine/download/download.js';
import { openClient } from '../../machine/download/http.js';
import type { Environment } from '../../machine/environment.js';
import { requireSpace } from '../../machine/files/folder.js';
import type { DataSource } from './sources.js';

/** How far a download is. */
export interface DataProgress {
  /** Downloading, checking or unpacking. */
  readonly phase: 'wait' | 'download' | 'unpack' | 'note';
  /** A file's name, or what there is to say. */
  readonly message: string;
  /** Bytes done and in all; 0 of 0 for notes and while waiting. */
  readonly done: number;
  /** Bytes in all. */
  readonly total: number;
}

/** How a download is watched and stopped; `env`, `sources` and `attempts` are for tests and mirrors. */
export interface GetDataControl {
  /** Aborting rejects with E_ABORTED; what was downloaded is kept for the next call. */
  readonly signal?: AbortSignal | undefined;
  /** Told now and then. */
  readonly onProgress?: ((progress: DataProgress) => void) | undefined;
  /** Environment variables; default: those of the process. */
  readonly env?: Environment | undefined;
  /** Datasets; default: the official ones. */
  readonly sources?: readonly DataSource[] | undefined;
  /** How often and how patiently a file is tried. */
  readonly attempts?: Attempts | undefined;
}

/** A file that is there now. */
export interface DataFile {
  /** Its name. */
  readonly file: string;
  /** Its size. */
  readonly bytes: number;
  /** It was there; it came over the network now; it came out of an archive that was put there by hand. */
  readonly status: 'there' | 'downloaded' | 'unpacked';
}

/** What `data get` prints. */
export interface GetDataDocument {
  /** The dataset. */
  readonly name: string;
  /** Holds `files`. */
  readonly directory: string;
  /** Its files, whole and right. */
  readonly files: readonly DataFile[];
}

export interface Work {
  readonly source: DataSource;
  readonly root: string;
  readonly mirror: string | null;
  readonly command: string;
  readonly control: GetDataControl;
  /** A folder of this call alone, on the disk of `root`; gone afterwards. */
  readonly place: string;
}

/** The URLs of a file. A mirror has the files under their names, or in a folder with the dataset's name; where there is one, no other server is asked. */
function urlsOf({ source, mirror }: Work, file: RemoteFile): readonly string[] {
  return mirror === null ? file.urls : [`${mirror}${file.file}`, `${mirror}${source.name}/${file.file}`];
}

export function wrongFile(path: string, fault: string): SplitgrowError {
  return new SplitgrowError(
    'E_DATA',
    `${path} is not the official file: ${fault}; move it away, or name another folder with --root`,
  );
}

export function requireRoom(folder: string, needed: number): Promise<void> {
  return requireSpace(folder, needed, 'free some, or name another folder with --root');
}

/** Where a file is downloaded to. After a break, the next attempt continues with what is there. */
export const partOf = (root: string, { file }: RemoteFile): string => join(root, `.splitgrow-${file}.part`);

/** What to do where a file cannot be downloaded. */
export function byHand({ root, command }: Pick<Work, 'root' | 'command'>, file: RemoteFile): string {
  return (
    `name another server with --mirror URL or SPLITGROW_DATA_MIRROR, a proxy with HTTPS_PROXY, or put ${file.file} ` +
    `(${file.bytes} bytes, MD5 ${file.md5}) into ${root} by hand; then run: ${command}`
  );
}

/** Downloads a file. @returns the path of its part, which is complete and checked */
export async function fetchFile(work: Work, file: RemoteFile): Promise<string> {
  const { root, control } = work;
  const part = partOf(root, file);
  await using client = await openClient(control.env ?? process.env);
  await download({ ...file, urls: urlsOf(work, file) }, part, byHand(work, file), {
    client,
    signal: control.signal,
    attempts: control.attempts,
    onNote: (message) => control.onProgress?.({ phase: 'note', message, done: 0, total: 0 }),
    onBytes: (done) =>
      control.onProgress?.({ phase: 'download', message: file.file, done, total: file.bytes }),
  });
  return part;
}
