// Members out of zip files that Python's zipfile wrote: what is kept, what is refused, and by ranges the same as from the file.
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unzip, unzipByRanges } from '../../../lib/machine/files/zip.js';
import { inFolder } from '../../data/places.js';

const ZIP = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as archive:
    archive.writestr('a/one.txt', 'one ' * 50000, zipfile.ZIP_DEFLATED)
    archive.writestr('a/b/two.txt', 'two', zipfile.ZIP_STORED)
    archive.writestr('a/empty.txt', '')
    archive.writestr('other/three.txt', 'three', zipfile.ZIP_DEFLATED)
    archive.writestr('a/folder/', '')
    if len(sys.argv) > 2:
        archive.writestr(sys.argv[2], 'out')`;
const KEEP = /^(?:a\/.*)$/;

async function packed(
  folder: string,
  more: readonly string[] = [],
): Promise<{ zip: string; target: string }> {
  const [zip, target] = [join(folder, 'file.zip'), join(folder, 'out')];
  execFileSync('python3', ['-c', ZIP, zip, ...more]);
  await mkdir(target);
  return { zip, target };
}

async function filesIn(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  const texts = await Promise.all(names.map((name) => readFile(name, 'utf8')));
  return Object.fromEntries(names.map((name, i) => [name.slice(folder.length + 1), texts[i] ?? '']));
}

const EXPECTED = { 'a/one.txt': 'one '.repeat(50_000), 'a/b/two.txt': 'two', 'a/empty.txt': '' };

test('members whose whole names fit are written, deflated and stored ones; their bytes are counted', () =>
  inFolder(async (folder) => {
    const { zip, target } = await packed(folder);
    let done = 0;
    await unzip(zip, KEEP, target, { onPiece: (bytes) => (done += bytes) });
    expect(await filesIn(target)).toEqual(EXPECTED);
    expect(done).toBe(200_003);
    await expect(unzip(zip, KEEP, target)).rejects.toThrow(/EEXIST/);
  }));

test('read by ranges they are the same, and no more than their own bytes and the directory is read', () =>
  inFolder(async (folder) => {
    const { zip, target } = await packed(folder);
    const bytes = await readFile(zip);
    let read = 0;
    async function* piece(start: number, end: number) {
      read += end - start;
      yield bytes.subarray(start, end);
    }
    const file = { bytes: bytes.length, read: async (start: number, end: number) => piece(start, end) };
    await unzipByRanges(file, /^a\/b\/two\.txt$/, target);
    expect(await filesIn(target)).toEqual({ 'a/b/two.txt': 'two' });
    expect(read).toBeLessThan(2 * bytes.length);
    await unzipByRanges(file, /^a\/(one|empty)\.txt$/, target);
    expect(await filesIn(target)).toEqual(EXPECTED);
    const broken = { ...file, read: async () => Promise.reject(new Error('the line is dead')) };
    await expect(unzipByRanges(broken, KEEP, join(folder, 'x'))).rejects.toThrow(/the line is dead/);
  }));

test('bytes that do not fit their CRC, names that lead out, and what is no zip file are refused', () =>
  inFolder(async (folder) => {
    const { zip, target } = await packed(folder);
    const bytes = await readFile(zip);
    const at = bytes.indexOf('two', bytes.indexOf('a/b/two.txt') + 'a/b/two.txt'.length);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(zip, bytes);
    await expect(unzip(zip, KEEP, target)).rejects.toThrow(/a\/b\/two\.txt: its CRC is another/);
    await writeFile(zip, bytes.subarray(0, 1000));
    await expect(unzip(zip, KEEP, join(folder, 'cut'))).rejects.toThrow();
  }));

test.each(['../out.txt', '/tmp/out.txt', 'a/../../out.txt'])('a member %s is refused', (name) =>
  inFolder(async (folder) => {
    const { zip, target } = await packed(folder, [name]);
    await expect(unzip(zip, /^.*$/, target)).rejects.toThrow(/invalid relative path|absolute path/);
  }),
);
