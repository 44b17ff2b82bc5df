// The index of a folder: what is looked at again, what an interrupted index leaves, and what is not believed.
import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { indexImages } from '../../../lib/data/images/index-images.js';
import { notesOf, readFolder } from '../../../lib/data/images/load.js';
import { IMAGE_DEFAULTS } from '../../../lib/data/images/settings.js';
import { addFiles, columnsOf, folderOf, madeUpScan } from './folders.js';

const OPTIONS = { threads: 1, decode: false, maxPixels: 1e6, maxScans: 9 };

function setUp(files: Readonly<Record<string, string>>) {
  const root = folderOf(files);
  const asked: string[][] = [];
  const scan = madeUpScan(asked, (path) => readFileSync(join(root, path), 'utf8'));
  return { root, asked, scan, paths: Object.keys(files).sort() };
}

const FILES = { 'a/1.jpg': 'x', 'a/2.jpg': 'bad', 'b/3.jpg': 'xxx', 'b/4.jpg': 'xxxx', 'b/5.jpg': 'xxxxx' };

test('an index is made once and then believed', async () => {
  const { root, asked, scan, paths } = setUp(FILES);
  const first = await indexImages(root, paths, OPTIONS, { scan });
  expect(columnsOf(first.table)).toEqual({
    paths,
    widths: [1, 3, 3, 4, 5],
    kinds: [1, 0, 1, 1, 1],
    decoded: [0, 0, 0, 0, 0],
    reasons: { 1: 'is bad' },
  });
  expect(first.problems).toEqual([{ path: 'a/2.jpg', reason: 'is bad' }]);
  expect(readFileSync(first.problemsFile ?? '', 'utf8')).toBe('a/2.jpg\tis bad\n');
  const again = await indexImages(root, paths, OPTIONS, { scan });
  expect(asked).toEqual([paths]);
  expect(again.scanned).toBe(0);
  expect(columnsOf(again.table)).toEqual(columnsOf(first.table));
  expect(again.problems).toEqual(first.problems);
  expect(readdirSync(root).sort()).toEqual([
    '.splitgrow-index.problems.txt',
    '.splitgrow-index.safetensors',
    'a',
    'b',
  ]);
});

test('only files that are new or changed are looked at again', async () => {
  const { root, asked, scan, paths } = setUp(FILES);
  await indexImages(root, paths, OPTIONS, { scan });
  writeFileSync(join(root, 'a/2.jpg'), 'mended');
  utimesSync(join(root, 'b/3.jpg'), 1, 1);
  rmSync(join(root, 'b/4.jpg'));
  addFiles(root, { 'a/0.jpg': 'new' });
  const now = ['a/0.jpg', 'a/1.jpg', 'a/2.jpg', 'b/3.jpg', 'b/5.jpg'];
  const { table, scanned } = await indexImages(root, now, OPTIONS, { scan });
  expect(asked[1]).toEqual(['a/0.jpg', 'a/2.jpg', 'b/3.jpg']);
  expect(scanned).toBe(3);
  expect(columnsOf(table)).toMatchObject({
    paths: now,
    widths: [3, 1, 6, 3, 5],
    kinds: [1, 1, 1, 1, 1],
    reasons: {},
  });
});

test('other limits and a first decoding look at every file; a header alone is enough after that', async () => {
  const { root, asked, scan, paths } = setUp(FILES);
  await indexImages(root, paths, OPTIONS, { scan });
  await indexImages(root, paths, { ...OPTIONS, decode: true }, { scan });
  await indexImages(root, paths, OPTIONS, { scan });
  expect(asked).toEqual([paths, paths]);
  await indexImages(root, paths, { ...OPTIONS, maxScans: 8 }, { scan });
  expect(asked).toHaveLength(3);
});

test('an index that was stopped goes on after its last written part', async () => {
  const { root, asked, scan, paths } = setUp(FILES);
  const stopping = {
    scan: (async (...given) => {
      if (asked.length === 2) throw new Error('stopped');
      return scan(...given);
    }) as typeof scan,
    chunk: 2,
  };
  // Of somebody else, by a name of ours: it is neither taken in nor removed.
  const other = join(root, '.splitgrow-index.part-mine.safetensors');
  writeFileSync(other, 'mine');
  await expect(indexImages(root, paths, OPTIONS, stopping)).rejects.toThrow('stopped');
  expect(readdirSync(root).filter((name) => name.includes('.part-'))).toHaveLength(3);
  const { table, scanned } = await indexImages(root, paths, OPTIONS, { scan, chunk: 2 });
  expect(asked).toEqual([paths.slice(0, 2), paths.slice(2, 4), paths.slice(4)]);
  expect(scanned).toBe(1);
  expect(columnsOf(table).widths).toEqual([1, 3, 3, 4, 5]);
  expect(columnsOf(table).reasons).toEqual({ 1: 'is bad' });
  expect(readdirSync(root).filter((name) => name.includes('.part-'))).toEqual([basename(other)]);
  expect(readFileSync(other, 'utf8')).toBe('mine');
});

test('an index that is cut short or foreign is made anew at every length', async () => {
  const { root, asked, scan, paths } = setUp({ 'a/1.jpg': 'x', 'b/2.jpg': 'xx' });
  const { file } = await indexImages(root, paths, OPTIONS, { scan });
  const whole = readFileSync(file);
  for (let length = 0; length < whole.length; length += 37) {
    writeFileSync(file, whole.subarray(0, length));
    expect((await indexImages(root, paths, OPTIONS, { scan })).scanned, `cut to ${length} bytes`).toBe(2);
    expect(readFileSync(file)).toEqual(whole);
  }
  expect(asked.length).toBeGreaterThan(10);
});

test('a file that is gone is a problem, not an error', async () => {
  const { root, scan, paths } = setUp(FILES);
  rmSync(join(root, 'b/3.jpg'));
  const { problems } = await indexImages(root, paths, OPTIONS, { scan });
  expect(problems.map(({ path }) => path)).toEqual(['a/2.jpg', 'b/3.jpg']);
  expect(problems[1]?.reason).toMatch(/ENOENT/);
});

test('two that index the same folder at once make one index', async () => {
  const { root, asked, scan, paths } = setUp(FILES);
  const [one, other] = await Promise.all([
    indexImages(root, paths, OPTIONS, { scan }),
    indexImages(root, paths, OPTIONS, { scan }),
  ]);
  expect(columnsOf(one.table)).toEqual(columnsOf(other.table));
  expect(asked).toEqual([paths]);
});

test('an abort ends the work with E_ABORTED', async () => {
  const { root, scan, paths } = setUp(FILES);
  const signal = AbortSignal.abort();
  await expect(indexImages(root, paths, OPTIONS, { scan, control: { signal } })).rejects.toThrow(
    expect.objectContaining({ code: 'E_ABORTED' }),
  );
  mkdirSync(join(root, 'c'));
});

test('a class of which no file of a part can be read is named, each part for itself', async () => {
  const { root, scan } = setUp({
    ...{ 'train/a/1.jpg': 'x', 'train/b/1.jpg': 'bad', 'train/b/2.jpg': 'bad', 'train/c/1.jpg': 'x' },
    ...{ 'val/a/1.jpg': 'bad', 'val/b/1.jpg': 'x', 'val/c/1.jpg': 'bad', 'val/c/2.jpg': 'x' },
  });
  const folder = await readFolder(root, { settings: IMAGE_DEFAULTS, threads: 1, scan });
  const notes = [
    '1 of 3 classes have no image left for training, as their files cannot be read: b',
    '1 of 3 classes have no image left for testing, as their files cannot be read: a',
  ];
  expect(folder.notes).toEqual(notes);
  expect(notesOf(folder)).toEqual([
    ...notes,
    expect.stringMatching(/^4 files or folders are left out: train\/b\/1\.jpg/),
  ]);
});
