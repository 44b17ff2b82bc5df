// Length and checksums of files, which are read piece by piece.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

export interface Digest {
  readonly bytes: number;
  readonly sha256: string;
}

export interface Checksums extends Digest {
  readonly md5: string;
}

export interface DigestOptions {
  readonly signal?: AbortSignal | undefined;
  /** Gets the number of bytes that have been read so far. */
  readonly onBytes?: ((done: number) => void) | undefined;
}

const CHUNK = 1 << 20;

/** Gives every piece of the file to `take`. @returns the bytes of the file */
async function readThrough(
  path: string,
  take: (piece: Buffer) => void,
  { signal, onBytes }: DigestOptions,
): Promise<number> {
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK, signal })) {
    const piece = chunk as Buffer;
    bytes += piece.byteLength;
    take(piece);
    onBytes?.(bytes);
  }
  return bytes;
}

export async function digestOf(path: string, options: DigestOptions = {}): Promise<Digest> {
  const hash = createHash('sha256');
  const bytes = await readThrough(path, (piece) => hash.update(piece), options);
  return { bytes, sha256: hash.digest('hex') };
}

/** As digestOf, with the MD5 that many publishers state. */
export async function checksumsOf(path: string, options: DigestOptions = {}): Promise<Checksums> {
  const [md5, sha256] = [createHash('md5'), createHash('sha256')];
  const take = (piece: Buffer): void => {
    md5.update(piece);
    sha256.update(piece);
  };
  const bytes = await readThrough(path, take, options);
  return { bytes, md5: md5.digest('hex'), sha256: sha256.digest('hex') };
}

export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Bytes of a file, or null where there is none. */
export async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    (found) => (found.isFile() ? found.size : null),
    () => null,
  );
}
