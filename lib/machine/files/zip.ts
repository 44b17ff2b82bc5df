// Takes members out of a zip file, which may be on a server. Each member is checked against its CRC and written to a new file.
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PassThrough, type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';

/** Reads the bytes of a file from `start` up to, but not including, `end`. */
export type ReadRange = (start: number, end: number) => Promise<AsyncIterable<Uint8Array>>;

export interface UnzipOptions {
  readonly signal?: AbortSignal | undefined;
  /** Gets the number of bytes of each piece that is written. */
  readonly onPiece?: ((bytes: number) => void) | undefined;
}

/** Passes a member's bytes on. Fails where they differ from the bytes that were packed. */
function checked(entry: Entry, onPiece: ((bytes: number) => void) | undefined): Transform {
  let crc = 0;
  return new Transform({
    transform(chunk: Uint8Array, _, done) {
      crc = crc32(chunk, crc);
      onPiece?.(chunk.byteLength);
      done(null, chunk);
    },
    flush(done) {
      done(crc === entry.crc32 ? null : new Error(`${entry.fileName}: its CRC is another`));
    },
  });
}

async function take(zip: ZipFile, keep: RegExp, target: string, options: UnzipOptions): Promise<void> {
  const made = new Set<string>();
  for await (const entry of zip.eachEntry()) {
    options.signal?.throwIfAborted();
    // yauzl refuses names that lead out of the folder.
    if (entry.fileName.endsWith('/') || !keep.test(entry.fileName)) continue;
    const path = join(target, entry.fileName);
    const folder = dirname(path);
    if (!made.has(folder)) await mkdir(folder, { recursive: true });
    made.add(folder);
    await pipeline(
      await zip.openReadStreamPromise(entry),
      checked(entry, options.onPiece),
      createWriteStream(path, { flags: 'wx' }),
      { signal: options.signal },
    );
  }
}

/**
 * Writes the files of the zip file at `path` whose names `keep` fits as a whole below `target`.
 * Fails where one is there already.
 */
export async function unzip(
  path: string,
  keep: RegExp,
  target: string,
  options: UnzipOptions = {},
): Promise<void> {
  const { openPromise } = await import('yauzl');
  const zip = await openPromise(path, { autoClose: false });
  try {
    await take(zip, keep, target, options);
  } finally {
    zip.close();
  }
}

/** As unzip, for a file of `bytes` bytes that is read by ranges: little more than the members' own bytes. */
export async function unzipByRanges(
  file: { readonly bytes: number; readonly read: ReadRange },
  keep: RegExp,
  target: string,
  options: UnzipOptions = {},
): Promise<void> {
  const { fromRandomAccessReaderPromise, RandomAccessReader } = await import('yauzl');
  class Reader extends RandomAccessReader {
    override _readStreamForRange(start: number, end: number): Readable {
      const stream = new PassThrough();
      file.read(start, end).then(
        // A body that breaks off destroys the stream with its error, which whoever reads the stream is told.
        (body) => pipeline(body, stream).catch(() => undefined),
        (error: Error) => stream.destroy(error),
      );
      return stream;
    }
  }
  const zip = await fromRandomAccessReaderPromise(new Reader(), file.bytes, { autoClose: false });
  try {
    await take(zip, keep, target, options);
  } finally {
    zip.close();
  }
}
