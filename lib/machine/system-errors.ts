// Turns errors of the operating system into errors with a code. The system's own message does not say which limit was met or what to do.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type ErrorCode, SplitgrowError } from '../errors.js';

interface Row {
  readonly code: ErrorCode;
  /** What is wrong. The message is this text, then the system's own words, then the remedy. */
  readonly says: string;
  readonly remedy: string;
}

const FILES: Row = {
  code: 'E_RESOURCES',
  says: 'the process may not open more files',
  remedy: 'raise the limit (`ulimit -n`)',
};
/** Node.js reports a package as missing when it cannot open its package.json, even if the package is there. */
const PACKAGE: Row = {
  code: 'E_RESOURCES',
  says: 'a package that is there cannot be opened, as where the process may not open more files',
  remedy: 'raise the limit (`ulimit -n`); where that is high, install the packages again',
};
const PLACES: Row = {
  code: 'E_FILE',
  says: 'a file or folder cannot be used',
  remedy: 'check path and permissions',
};
const ROOM: Row = {
  code: 'E_WRITE',
  says: 'something cannot be written',
  remedy: 'make room, or write where that is allowed',
};
const FOLDER: Row = {
  code: 'E_FILE',
  says: 'the working folder is gone',
  remedy: 'change to a folder that is there',
};

/** Rows by the system's name of the error. */
const ROWS: Readonly<Record<string, Row>> = {
  EMFILE: FILES,
  ENFILE: FILES,
  EAGAIN: {
    code: 'E_RESOURCES',
    says: 'the system starts no more threads or processes',
    remedy: "raise the limit (`ulimit -u`, the container's pids), or end other processes",
  },
  ENOMEM: { code: 'E_RESOURCES', says: 'the system gives no more memory', remedy: 'end other processes' },
  ENOSPC: ROOM,
  EDQUOT: ROOM,
  EROFS: ROOM,
  EFBIG: ROOM,
  ENOENT: PLACES,
  ENOTDIR: PLACES,
  EISDIR: PLACES,
  EACCES: PLACES,
  EPERM: PLACES,
  ELOOP: PLACES,
  ENAMETOOLONG: PLACES,
  EIO: PLACES,
};

const require = createRequire(import.meta.url);

/** True where the package that Node.js did not find is there. This opens no file. */
function isThere(message: string): boolean {
  const name = /package '(?:.*\/node_modules\/)?((?:@[^/']+\/)?[^/']+)/.exec(message)?.[1];
  if (name === undefined) return false;
  const folders = require.resolve.paths(name) ?? [];
  return folders.some((folder) => existsSync(join(folder, name, 'package.json')));
}

function rowOf({ code, syscall, message }: NodeJS.ErrnoException): Row | undefined {
  if (code === 'ERR_MODULE_NOT_FOUND') return isThere(message) ? PACKAGE : undefined;
  if (code === undefined || syscall === undefined) return undefined;
  return syscall === 'uv_cwd' ? FOLDER : Object.hasOwn(ROWS, code) ? ROWS[code] : undefined;
}

/** The same error with a code, for an error of the system; null for any other error. */
export function systemError(error: unknown): SplitgrowError | null {
  if (!(error instanceof Error) || error instanceof SplitgrowError) return null;
  const row = rowOf(error);
  if (row === undefined) return null;
  return new SplitgrowError(row.code, `${row.says} (${error.message}); ${row.remedy}`, { cause: error });
}

/** @throws E_FILE where there is no working folder: it was removed, or cannot be reached any more */
export function refuseNoFolder(): void {
  try {
    process.cwd();
  } catch (error) {
    throw systemError(error) ?? error;
  }
}
