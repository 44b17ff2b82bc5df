// The digest of the tensors of a safetensors file, kept in its metadata. It is checked when the file is read; other tools ignore it.
import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';

/** Name of the digest in a file's metadata. */
export const DIGEST_KEY = 'splitgrow.sha256';

/** Bytes between two turns of the event loop: some 30 ms. */
const PIECE = 1 << 25;

export interface TensorDigest {
  /** Takes in the next tensor in the order of its bytes; `tag` is its type in the file. */
  readonly add: (name: string, tag: string, shape: readonly number[], data: Uint8Array) => Promise<void>;
  /** The SHA-256 of all of them, in hexadecimal. */
  readonly value: () => string;
}

/**
 * SHA-256 over every tensor in the order of its bytes: the JSON list [name, type, shape] with a newline, then the bytes.
 * So it covers names, types, shapes and data; other metadata and blanks in the header may change.
 */
export function tensorDigest(): TensorDigest {
  const hash = createHash('sha256');
  return {
    add: async (name, tag, shape, data) => {
      hash.update(`${JSON.stringify([name, tag, shape])}\n`);
      for (let at = 0; at < data.length; at += PIECE) {
        if (at > 0) await turn();
        hash.update(data.subarray(at, at + PIECE));
      }
    },
    value: () => hash.digest('hex'),
  };
}

/** What is wrong where the digests differ, and what to do. */
export function changedText(want: string, found: string): string {
  return (
    `expected tensors of SHA-256 ${want}, which its metadata state, found ${found}: the file was changed or damaged since it was written; ` +
    `put a copy of it back, or, where the change is meant, take "${DIGEST_KEY}" out of its metadata`
  );
}
