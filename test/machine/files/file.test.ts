// Regular files only; large buffers in pieces that Node.js takes.
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MOST_AT_ONCE, openFile, readFully, writeFully } from '../../../lib/machine/files/file.js';
import { inFolder } from '../../data/places.js';

/** A file that takes what it is asked for, or a little less, and notes the pieces. */
function recorder(most: number, size = Number.POSITIVE_INFINITY) {
  const pieces: [offset: number, length: number, position: number][] = [];
  const take = (offset: number, length: number, position: number): number => {
    pieces.push([offset, length, position]);
    return Math.max(0, Math.min(length, most, size - position));
  };
  const handle = {
    read: async (_: Uint8Array, offset: number, length: number, position: number) => ({
      bytesRead: take(offset, length, position),
    }),
    write: async (_: Uint8Array, offset: number, length: number) => ({
      bytesWritten: take(offset, length, 0),
    }),
  } as unknown as Parameters<typeof readFully>[0] & Parameters<typeof writeFully>[0];
  return { handle, pieces };
}

/** Never touched, so it costs addresses and no memory. */
const large = (): Uint8Array => new Uint8Array(2.5 * MOST_AT_ONCE);

test('2.5 GiB are read and written in three pieces, none of 2 GiB, which Node.js 20 does not survive', async () => {
  const bytes = large();
  const wanted = [
    [0, MOST_AT_ONCE],
    [MOST_AT_ONCE, MOST_AT_ONCE],
    [2 * MOST_AT_ONCE, MOST_AT_ONCE / 2],
  ];
  const read = recorder(MOST_AT_ONCE);
  expect(await readFully(read.handle, bytes, 8)).toBe(bytes.length);
  expect(read.pieces).toEqual(wanted.map(([offset = 0, length]) => [offset, length, offset + 8]));
  const written = recorder(MOST_AT_ONCE);
  await writeFully(written.handle, bytes);
  expect(written.pieces).toEqual(wanted.map(([offset, length]) => [offset, length, 0]));
});

test('short reads and writes go on where they stopped, and the end of a file ends them', async () => {
  const bytes = new Uint8Array(10);
  const read = recorder(4, 7);
  expect(await readFully(read.handle, bytes, 0)).toBe(7);
  expect(read.pieces.map(([offset]) => offset)).toEqual([0, 4, 7]);
  const written = recorder(4);
  await writeFully(written.handle, bytes);
  expect(written.pieces.map(([offset]) => offset)).toEqual([0, 4, 8]);
});

test('a folder, a pipe and a device are refused at once', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, 'file'), 'x');
    await (await openFile(join(folder, 'file'))).close();
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await expect(openFile(folder)).rejects.toThrow('expected a file, found a directory');
    await expect(openFile(join(folder, 'pipe'))).rejects.toThrow('expected a file, found a pipe or device');
    await expect(openFile('/dev/zero')).rejects.toThrow('expected a file, found a pipe or device');
  }));
