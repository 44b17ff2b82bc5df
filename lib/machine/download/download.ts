// Downloads one file from the first of several URLs that gives it. Continues where an earlier attempt broke off, tries again, and checks size and checksums.
import { type FileHandle, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSplitgrowError, SplitgrowError } from '../../errors.js';
import { checksumsOf, sizeOf } from '../files/digest.js';
import { openResumed, refuseLink } from '../files/file.js';
import { type Answer, type Client, PASSING, shown } from './http.js';

/** A file to download. */
export interface RemoteFile {
  /** Its name. */
  readonly file: string;
  /** Its size. */
  readonly bytes: number;
  /** As the publisher states it. */
  readonly md5: string;
  /** The check that counts: a forged file can be made to fit an MD5. */
  readonly sha256: string;
  /** Tried in order. */
  readonly urls: readonly string[];
}

/** What a downloaded file is compared with. The size is always compared, a checksum where one is given. */
export type Wanted = Pick<RemoteFile, 'file' | 'bytes' | 'urls'> &
  Partial<Pick<RemoteFile, 'md5' | 'sha256'>>;

/** The first difference between a file and what it should be: size, then the checksums that are given. Null where there is none. */
export async function faultOf(
  path: string,
  file: Omit<Wanted, 'urls'>,
  signal?: AbortSignal,
): Promise<string | null> {
  const bytes = await sizeOf(path);
  if (bytes !== file.bytes) return `expected ${file.bytes} bytes, found ${bytes ?? 'no file'}`;
  if (file.sha256 === undefined && file.md5 === undefined) return null;
  const { md5, sha256 } = await checksumsOf(path, { signal });
  if (file.sha256 !== undefined && sha256 !== file.sha256)
    return `expected SHA-256 ${file.sha256}, found ${sha256}`;
  return file.md5 === undefined || md5 === file.md5 ? null : `expected MD5 ${file.md5}, found ${md5}`;
}

/** How downloads are tried again. */
export interface Attempts {
  /** Attempts in a row that bring no byte. */
  readonly most: number;
  /** The pause before the second attempt; it doubles before each further one. */
  readonly pauseMs: number;
}

export interface DownloadOptions {
  readonly client: Client;
  readonly signal?: AbortSignal | undefined;
  readonly attempts?: Attempts | undefined;
  readonly onBytes?: ((done: number) => void) | undefined;
  /** Told of each break and each new attempt. */
  readonly onNote?: ((text: string) => void) | undefined;
}

const ATTEMPTS: Attempts = { most: 5, pauseMs: 1_000 };
/** Attempts in a row while no answer has ever come: most likely there is no network. */
const MOST_UNREACHED = 3;
const MOST_PAUSE_MS = 30_000;
/** All breaks of one download, whether bytes came in between or not. */
const MOST_BREAKS = 200;

/** How one request ended: everything is there; it broke and may be tried again; or this URL does not have the file. */
type End =
  | { readonly kind: 'done' }
  | {
      readonly kind: 'broken';
      readonly reason: string;
      readonly waitMs?: number;
      readonly isUnreached?: true;
    }
  | { readonly kind: 'refused'; readonly reason: string };

/** Why a URL did not give the file. */
interface Failure {
  readonly reason: string;
  /** No answer ever came. */
  readonly isUnreached: boolean;
}

function lineReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  // Where a name has several addresses, Node.js lists the error of each one and leaves the message empty.
  const message =
    error.message || (error instanceof AggregateError ? lineReason(error.errors[0]) : error.name);
  return code === '' || message.includes(code) ? message : `${message} (${code})`;
}

/** An error of the disk, not of the network. */
export class DiskError extends Error {}

async function onDisk<T>(work: Promise<T>): Promise<T> {
  return work.catch((cause) => {
    throw new DiskError(lineReason(cause), { cause });
  });
}

/** Writes the body into the file, from `start` on. @returns null where the body ended; else why it cannot be this file */
async function write(
  handle: FileHandle,
  answer: Answer,
  place: { readonly start: number; readonly limit: number },
  options: DownloadOptions,
): Promise<string | null> {
  let at = place.start;
  for await (const chunk of answer.body) {
    if (at + chunk.byteLength > place.limit) return `sends more than the ${place.limit} bytes expected`;
    for (let done = 0; done < chunk.byteLength; ) {
      const length = chunk.byteLength - done;
      const { bytesWritten } = await onDisk(handle.write(chunk, done, length, at + done));
      done += bytesWritten;
    }
    at += chunk.byteLength;
    options.onBytes?.(at);
  }
  return null;
}

/** The position in the file where the body belongs, or why it does not belong there. */
function startOf(answer: Answer, from: number, file: Wanted): number | End {
  const { status, length, range } = answer;
  if (PASSING.has(status)) {
    const waitMs = answer.retryAfter === null ? undefined : 1000 * answer.retryAfter;
    return { kind: 'broken', reason: `HTTP ${status}`, ...(waitMs === undefined ? {} : { waitMs }) };
  }
  if (status === 416) return { kind: 'broken', reason: 'HTTP 416: it has no bytes from there on' };
  if (status !== 200 && status !== 206) return { kind: 'refused', reason: `HTTP ${status}` };
  const start = status === 206 ? range?.start : 0;
  if (start !== from && start !== 0)
    return { kind: 'broken', reason: `sends the bytes from ${start ?? 'an unknown place'} on` };
  const total = status === 206 ? range?.total : length;
  if (typeof total === 'number' && total !== file.bytes)
    return { kind: 'refused', reason: `expected ${file.bytes} bytes, the server has ${total}` };
  return start;
}

/** One request: appends to `part` what is missing, or starts it anew where the server sends the whole file. */
async function attempt(url: string, file: Wanted, part: string, options: DownloadOptions): Promise<End> {
  const { client, signal } = options;
  const from = (await sizeOf(part)) ?? 0;
  let answer: Answer | null = null;
  try {
    answer = await client.get(url, { from, signal });
    const start = startOf(answer, from, file);
    if (typeof start !== 'number') {
      // The bytes on disk do not belong to the file on the server.
      if (answer.status === 416 || answer.status === 206) await rm(part, { force: true });
      return start;
    }
    const handle = await onDisk(openResumed(part));
    try {
      if (start === 0) await onDisk(handle.truncate(0));
      const reason = await write(handle, answer, { start, limit: file.bytes }, options);
      if (reason !== null) return { kind: 'refused', reason };
      await onDisk(handle.sync());
    } finally {
      await handle.close();
    }
    const bytes = (await sizeOf(part)) ?? 0;
    return bytes === file.bytes
      ? { kind: 'done' }
      : { kind: 'broken', reason: `ended after ${bytes} of ${file.bytes} bytes` };
  } catch (error) {
    signal?.throwIfAborted();
    if (isSplitgrowError(error) && error.code === 'E_DOWNLOAD')
      return { kind: 'refused', reason: error.message };
    if (isSplitgrowError(error) || error instanceof DiskError) throw error;
    const isUnreached = answer === null;
    return { kind: 'broken', reason: lineReason(error), ...(isUnreached ? { isUnreached } : {}) };
  } finally {
    answer?.drop();
  }
}

/** All attempts with one URL; null where `part` is the file, whole and right. */
async function fromUrl(
  url: string,
  file: Wanted,
  part: string,
  options: DownloadOptions,
): Promise<Failure | null> {
  const { most, pauseMs } = options.attempts ?? ATTEMPTS;
  let hasAnswered = false;
  let isAnew = false;
  let idle = 0;
  await refuseLink(part);
  for (let breaks = 0; ; ) {
    const before = (await sizeOf(part)) ?? 0;
    if (before > file.bytes) await rm(part);
    if (before < file.bytes) {
      if (before === 0) isAnew = true;
      const end = await attempt(url, file, part, options);
      if (end.kind === 'refused') return { reason: end.reason, isUnreached: false };
      if (end.kind === 'broken') {
        hasAnswered ||= end.isUnreached !== true;
        breaks += 1;
        idle = ((await sizeOf(part)) ?? 0) > before ? 0 : idle + 1;
        const limit = hasAnswered ? most : Math.min(most, MOST_UNREACHED);
        if (idle >= limit || breaks >= MOST_BREAKS) return { reason: end.reason, isUnreached: !hasAnswered };
        const wait = Math.min(end.waitMs ?? pauseMs * 2 ** Math.max(0, idle - 1), MOST_PAUSE_MS);
        options.onNote?.(`${file.file}: ${end.reason}; trying again`);
        await sleep(wait, undefined, { signal: options.signal });
        continue;
      }
    }
    const fault = await faultOf(part, file, options.signal);
    if (fault === null) return null;
    await rm(part, { force: true });
    if (isAnew) return { reason: fault, isUnreached: false };
    options.onNote?.(`${file.file}: what an earlier attempt left is of no use (${fault}); starting anew`);
  }
}

/**
 * Leaves `file`, whole and right, in `part`. What came before a break or an abort stays there for the next call.
 * @throws E_DOWNLOAD where no URL gives it, with `remedy` at the end; DiskError
 */
export async function download(
  file: Wanted,
  part: string,
  remedy: string,
  options: DownloadOptions,
): Promise<void> {
  const failures: (Failure & { readonly url: string })[] = [];
  for (const url of file.urls) {
    const failure = await fromUrl(url, file, part, options);
    if (failure === null) return;
    failures.push({ url: shown(url), ...failure });
  }
  const told = failures.map(({ url, reason }) => `${url}: ${reason}`).join('; ');
  const what = failures.every(({ isUnreached }) => isUnreached)
    ? `cannot reach a server that has ${file.file}; is this machine offline?`
    : `no server gave ${file.file}`;
  throw new SplitgrowError('E_DOWNLOAD', `${what} (${told}); ${remedy}`);
}
