// Files that are gone on with after a break, under names that others may know: only a plain file is opened, never through a link.
import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { SplitgrowError } from '../../errors.js';
import { ifThere } from './folder.js';

function refusal(path: string, what: string): SplitgrowError {
  return new SplitgrowError(
    'E_WRITE',
    `cannot write ${path}: expected a file that splitgrow made, found ${what}; move it away`,
  );
}

/** @throws E_WRITE where `path` is a link, or a file with a second name */
export async function refuseLink(path: string): Promise<void> {
  const found = await ifThere(lstat(path));
  if (found?.isSymbolicLink() === true) throw refusal(path, 'a symbolic link');
  if (found?.isFile() === true && found.nlink > 1) throw refusal(path, 'a file with several names');
}

/** Opens such a file to write on, or makes it. @throws E_WRITE */
export async function openOwn(path: string): Promise<FileHandle> {
  await refuseLink(path);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw refusal(path, 'a pipe or device');
}
