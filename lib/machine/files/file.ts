// Opens files that a user named. Only regular files are opened, and large reads and writes go in pieces that Node.js can take.
import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { SplitgrowError } from '../../errors.js';
import { ifThere } from './folder.js';

/** Bytes of one read or write. From 2 GiB on, Node.js 20 refuses a write, and a read ends the whole process. */
export const MOST_AT_ONCE = 2 ** 30;

/** Opens a regular file for reading. Refuses a pipe, which would wait for its writer, and a device, which never ends. Throws an Error that says what is there. */
export async function openFile(path: string): Promise<FileHandle> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat();
    if (stat.isFile()) return handle;
    throw new Error(`expected a file, found ${stat.isDirectory() ? 'a directory' : 'a pipe or device'}`);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Fills `bytes` from `position` of the file on. @returns how many bytes were read: fewer only at the end of the file */
export async function readFully(
  handle: Pick<FileHandle, 'read'>,
  bytes: Uint8Array,
  position: number,
): Promise<number> {
  let done = 0;
  while (done < bytes.length) {
    const length = Math.min(bytes.length - done, MOST_AT_ONCE);
    const { bytesRead } = await handle.read(bytes, done, length, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** Writes all of `bytes` at the current position of the file. */
export async function writeFully(handle: Pick<FileHandle, 'write'>, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await handle.write(bytes, done, Math.min(bytes.length - done, MOST_AT_ONCE))).bytesWritten;
}

function refusal(path: string, what: string): SplitgrowError {
  return new SplitgrowError(
    'E_WRITE',
    `cannot write ${path}: expected a file that splitgrow made, found ${what}; move it away`,
  );
}

/** @throws E_WRITE where `path` is a symbolic link, or a file that has a second name */
export async function refuseLink(path: string): Promise<void> {
  const found = await ifThere(lstat(path));
  if (found?.isSymbolicLink() === true) throw refusal(path, 'a symbolic link');
  if (found?.isFile() === true && found.nlink > 1) throw refusal(path, 'a file with several names');
}

/**
 * Opens a file to continue writing it after a break; makes it where there is none. Others may know its name, so it must be a
 * plain file: a link is not followed.
 * @throws E_WRITE
 */
export async function openResumed(path: string): Promise<FileHandle> {
  await refuseLink(path);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw refusal(path, 'a pipe or device');
}
