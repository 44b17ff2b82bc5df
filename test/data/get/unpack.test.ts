// Archives: a right one unpacks to the table's files; one that tries anything else leaves nothing.
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { unpack } from '../../../lib/data/get/unpack.js';
import { failureOf, inFolder } from '../places.js';
import { ARCHIVE, ENTRIES, FOLDER, PACKED, type TarEntry, TEST, TRAIN, tarGz } from './server.js';

/** What unpacking says, and what lies in and beside the target afterwards. */
async function unpacked(packed: Uint8Array): Promise<{
  readonly said: string;
  readonly files: readonly string[];
  readonly beside: readonly string[];
}> {
  let result = { said: 'nothing ran', files: [] as string[], beside: [] as string[] };
  await inFolder(async (folder) => {
    const target = join(folder, 'target');
    await mkdir(target);
    await writeFile(join(folder, 'a.tar.gz'), packed);
    const said = await failureOf(unpack(join(folder, 'a.tar.gz'), target, ARCHIVE));
    result = { said, files: await readdir(target), beside: await readdir(folder) };
  });
  return result;
}

test('a right archive unpacks to its members and texts, plainly readable, and nothing else of it', () =>
  inFolder(async (folder) => {
    const target = join(folder, 'target');
    await mkdir(target);
    await writeFile(join(folder, 'a.tar.gz'), PACKED);
    const told: number[] = [];
    await unpack(join(folder, 'a.tar.gz'), target, ARCHIVE, { onBytes: (done) => told.push(done) });
    expect((await readdir(target)).sort()).toEqual(['names.txt', 'test.bin', 'train.bin']);
    expect(await readFile(join(target, 'train.bin'))).toEqual(TRAIN);
    expect(await readFile(join(target, 'test.bin'))).toEqual(TEST);
    // 0777 in the archive.
    expect((await stat(join(target, 'train.bin'))).mode & 0o777).toBe(0o644);
    expect(told).toEqual([50_000, 70_000, 70_008]);
  }));

test('names that begin with ./ are the same names', async () => {
  const packed = tarGz(ENTRIES.map((entry) => ({ ...entry, path: `./${entry.path}` })));
  expect((await unpacked(packed)).said).toBe('no error');
});

const OUTSIDE = '/tmp/splitgrow-test-must-not-exist';

const HOSTILE: readonly (readonly [string, readonly TarEntry[], RegExp])[] = [
  ['a path with ..', [{ path: '../out.bin', bytes: TEST }], /"\.\.\/out\.bin" leads out of the folder/],
  ['a path with .. inside', [{ path: `${FOLDER}/../../out.bin`, bytes: TEST }], /leads out of the folder/],
  ['an absolute path', [{ path: OUTSIDE, bytes: TEST }], /leads out of the folder/],
  ['a path of Windows', [{ path: 'C:\\out.bin', bytes: TEST }], /leads out of the folder/],
  ['a path with .. by backslashes', [{ path: '..\\out.bin', bytes: TEST }], /leads out of the folder/],
  [
    'a symbolic link',
    [{ path: `${FOLDER}/names.txt`, type: '2', link: '/etc/passwd' }],
    /expected files and folders, found "tiny-bin\/names\.txt" of type SymbolicLink/,
  ],
  [
    'a symbolic link in the place of the folder',
    [{ path: FOLDER, type: '2', link: '..' }, ...ENTRIES.slice(1)],
    /of type SymbolicLink/,
  ],
  ['a hard link', [{ path: `${FOLDER}/names.txt`, type: '1', link: '/etc/passwd' }], /of type Link/],
  ['a device', [{ path: `${FOLDER}/names.txt`, type: '3' }], /of type CharacterDevice/],
  [
    'a member of another size',
    [{ path: `${FOLDER}/train.bin`, bytes: TEST }],
    /"tiny-bin\/train\.bin" has 20000 bytes, expected 50000/,
  ],
  [
    'an entry that says it is huge',
    [{ path: `${FOLDER}/big`, size: 8 ** 10 }],
    /"tiny-bin\/big" has 1073741824 bytes, more than the/,
  ],
  ['a member twice', [ENTRIES[2] as TarEntry, ENTRIES[2] as TarEntry], /it has "tiny-bin\/test\.bin" twice/],
];

test.each(HOSTILE)('an archive with %s is refused as a whole', async (_, entries, reason) => {
  const { said, beside } = await unpacked(tarGz([...entries, ...ENTRIES.slice(1, 2)]));
  expect(said).toMatch(/^E_DOWNLOAD: .*nothing was unpacked; this is not the official archive$/);
  expect(said).toMatch(reason);
  expect([...beside].sort()).toEqual(['a.tar.gz', 'target']);
  expect(existsSync(OUTSIDE)).toBe(false);
});

test('a small file that unpacks to far more than all files is cut off', async () => {
  // 64 MiB of zeros behind the end of the archive: 64 KB packed.
  const bomb = Buffer.concat([PACKED, gzipSync(Buffer.alloc(1 << 26))]);
  expect((await unpacked(bomb)).said).toMatch(/^E_DOWNLOAD: .*it unpacks to more than 1118576 bytes/);
});

test('many small files are cut off alike', async () => {
  const many = Array.from({ length: 1200 }, (_, i) => ({
    path: `${FOLDER}/${i}`,
    bytes: Buffer.alloc(1000),
  }));
  expect((await unpacked(tarGz(many))).said).toMatch(/it unpacks to more than 1118576 bytes/);
});

test('an archive without one of the members is refused', async () => {
  expect((await unpacked(tarGz(ENTRIES.slice(0, 2)))).said).toMatch(
    /^E_DOWNLOAD: .*expected test\.bin of 20000 bytes in it, found none/,
  );
});

test.each([
  ['no gzip file', Buffer.from('hello')],
  ['an archive cut off', PACKED.subarray(0, PACKED.byteLength / 2)],
  ['a gzip file of no archive', gzipSync(Buffer.from('x'.repeat(2000)))],
  ['an empty file', Buffer.alloc(0)],
])('%s is refused', async (_, packed) => {
  expect((await unpacked(packed)).said).toMatch(/^E_DOWNLOAD: /);
});

test('a large text is left out', async () => {
  const packed = tarGz([
    ...ENTRIES.slice(0, 3),
    { path: `${FOLDER}/names.txt`, bytes: Buffer.alloc(70_000) },
  ]);
  const { said, files } = await unpacked(packed);
  expect([said, [...files].sort()]).toEqual(['no error', ['test.bin', 'train.bin']]);
});
