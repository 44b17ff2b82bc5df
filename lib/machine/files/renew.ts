// Renews the record of a lease: the same bytes written again, so that the file system's own clock dates it.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Owner, Process } from './owner.js';

/** @returns when that was, in milliseconds by the file system's clock. Fails with ENOENT where the record is not there any more. */
export async function renew(record: string, id: string, self: Process): Promise<number> {
  const handle = await open(record, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    const bytes = Buffer.from(`${JSON.stringify({ id, ...self } satisfies Owner)}\n`);
    // In place: a reader sees the whole record at any moment.
    await handle.write(bytes, 0, bytes.length, 0);
    return (await handle.stat()).mtimeMs;
  } finally {
    await handle.close();
  }
}
