// Links in a folder of images: inside it they are followed, out of it only where that is asked for.
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { indexData } from '../../../lib/api/data-index.js';
import { packData } from '../../../lib/api/data-pack.js';
import { listImages } from '../../../lib/data/images/layout.js';
import { temporaryFolder } from '../../run/tiny.js';
import { addFiles, folderOf } from './folders.js';
import { pictureOf } from './pictures.js';
import { writePictures } from './written.js';

const SHARE = { testShare: 0.1 };
const TRAIN = {
  'train/a/1.jpg': '',
  'train/a/2.jpg': '',
  'train/b/1.jpg': '',
  'val/a/1.jpg': '',
  'val/b/1.jpg': '',
};

test('links that lead out of the folder are passed over and counted', async () => {
  const outside = folderOf({ 'secret/x.jpg': '', 'y.jpg': '' });
  const root = folderOf({
    ...TRAIN,
    'train/a/root': { link: '/' },
    'train/a/out.jpg': { link: join(outside, 'y.jpg') },
    'train/c': { link: join(outside, 'secret') },
    'train/b/again.jpg': { link: '../a/1.jpg' },
  });
  const listing = await listImages(root, SHARE);
  expect(listing.classes).toEqual(['a', 'b']);
  expect(listing.train.paths).toEqual([
    'train/a/1.jpg',
    'train/a/2.jpg',
    'train/b/1.jpg',
    'train/b/again.jpg',
  ]);
  expect(listing.notes).toEqual([
    '3 links that lead out of the folder were passed over: train/c and others; data.followLinks (--follow-links) follows them',
    '1 links were followed: train/b/again.jpg',
  ]);
  expect(listing.problems).toEqual([]);
});

test('with followLinks they are followed, and that is said; a link round to a folder above is none', async () => {
  const outside = folderOf({ 'secret/x.jpg': '', 'y.jpg': '' });
  const root = folderOf({
    ...TRAIN,
    'train/a/out.jpg': { link: join(outside, 'y.jpg') },
    'train/c': { link: join(outside, 'secret') },
    'train/b/up': { link: '../..' },
  });
  addFiles(outside, { 'secret/back': { link: root } });
  const listing = await listImages(root, { ...SHARE, followLinks: true });
  expect(listing.classes).toEqual(['a', 'b', 'c']);
  expect(listing.train.paths).toContain('train/c/x.jpg');
  expect(listing.train.paths).toContain('train/a/out.jpg');
  expect(listing.train.paths.every((path) => !path.includes('back') && !path.includes('up'))).toBe(true);
  expect(listing.problems.map(({ reason }) => reason)).toEqual([
    'a link to a folder that it lies in',
    'a link to a folder that it lies in',
  ]);
  expect(listing.notes.at(-1)).toBe('4 links were followed: train/c and others');
});

test('a root that is a link is the folder that it leads to', async () => {
  const root = folderOf(TRAIN);
  const link = join(temporaryFolder(), 'link');
  symlinkSync(root, link);
  const listing = await listImages(link, SHARE);
  expect(listing.train.paths).toHaveLength(3);
  expect(listing.notes).toEqual([]);
});

test('a folder made of links alone is refused with their count and what to do', async () => {
  const outside = folderOf(TRAIN);
  const root = folderOf({ train: { link: join(outside, 'train') }, val: { link: join(outside, 'val') } });
  await expect(listImages(root, SHARE)).rejects.toThrow(
    expect.objectContaining({
      code: 'E_DATA',
      message: expect.stringMatching(
        /2 links that lead out .* were passed over: train and others; data\.followLinks/,
      ),
    }),
  );
  expect((await listImages(root, { ...SHARE, followLinks: true })).train.paths).toHaveLength(3);
});

test('label lists and lists of names that are links out of the folder are not read', async () => {
  const outside = folderOf({ 'val.txt': '1.jpg a\n2.jpg b\n', 'words.txt': 'a\tsecret\nb\tsecret too\n' });
  const root = folderOf({
    ...{ 'train/a/1.jpg': '', 'train/a/2.jpg': '', 'train/b/1.jpg': '', 'train/b/2.jpg': '' },
    ...{ 'val/1.jpg': '', 'val/2.jpg': '' },
    'val.txt': { link: join(outside, 'val.txt') },
    'words.txt': { link: join(outside, 'words.txt') },
  });
  const listing = await listImages(root, SHARE);
  expect(listing.classNames).toEqual(['a', 'b']);
  expect(listing.notes.join()).toMatch(/val\/ was left alone: its 2 images .*2 links that lead out/);
  const followed = await listImages(root, { ...SHARE, followLinks: true });
  expect(followed.classNames).toEqual(['secret', 'secret too']);
  expect(followed.test.paths).toHaveLength(2);
});

test.each<[string, string, RegExp]>([
  [
    'a path above',
    '../train/a/1.jpg a\n',
    /expected names of images in .*val, found "\.\.\/train\/a\/1\.jpg"/,
  ],
  ['a path of its own', '/etc/passwd a\n', /found "\/etc\/passwd", which lies elsewhere/],
  [
    'one image twice, of two classes',
    '1.jpg a\nx/1.jpg b\n',
    /expected one class for each image, found a and b for 1/,
  ],
])('a label list with %s is refused', async (_name, text, message) => {
  const root = folderOf({ 'train/a/1.jpg': '', 'train/b/1.jpg': '', 'val/1.jpg': '', 'val.txt': text });
  await expect(listImages(root, SHARE)).rejects.toThrow(
    expect.objectContaining({ code: 'E_DATA', message: expect.stringMatching(message) }),
  );
});

test('a label list may name images of its folder by their whole path', async () => {
  const root = folderOf({ 'train/a/1.jpg': '', 'train/b/1.jpg': '', 'val/1.jpg': '', 'val/2.jpg': '' });
  addFiles(root, { 'val.txt': `${root}/val/1.jpg a\nval/../val/2.jpg b\n` });
  expect([...(await listImages(root, SHARE)).test.labels]).toEqual([0, 1]);
});

test('nothing from outside gets into an index or a store unless it is asked for', async () => {
  const outside = writePictures({ 'y.png': pictureOf(0, 9), 'more/z.png': pictureOf(1, 8) });
  const root = writePictures(
    Object.fromEntries([0, 1].flatMap((c) => [0, 1, 2].map((i) => [`${'ab'[c]}/${i}.png`, pictureOf(c, i)]))),
  );
  addFiles(root, {
    'a/out.png': { link: join(outside, 'y.png') },
    'b/more': { link: join(outside, 'more') },
  });
  const document = await indexData({ root });
  expect(document.images).toEqual({ train: 4, test: 2 });
  expect(document.notes.join()).toMatch(/2 links that lead out of the folder were passed over/);
  const out = join(temporaryFolder(), 'mine.store');
  const packed = await packData({ root, out, shortSide: null });
  expect(packed.images).toBe(6);
  expect(readFileSync(out).includes(pictureOf(0, 9).subarray(50, 150))).toBe(false);
  const all = await packData({ root, out: `${out}-all`, shortSide: null, followLinks: true });
  expect(all.images).toBe(8);
  expect(readFileSync(`${out}-all`).includes(pictureOf(0, 9).subarray(50, 150))).toBe(true);
});
