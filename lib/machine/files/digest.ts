// What a file holds, told by its length and SHA-256; read a piece at a time.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

export interface Digest {
  readonly bytes: number;
  readonly sha256: string;
}

const CHUNK = 1 << 20;

export async function digestOf(path: string): Promise<Digest> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) {
    const piece = chunk as Buffer;
    bytes += piece.byteLength;
    hash.update(piece);
  }
  return { bytes, sha256: hash.digest('hex') };
}

export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
