// Layouts of image folders, each against the classes that were written.
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listImages } from '../../../lib/data/images/layout.js';
import { addFiles, classesOf, folderOf } from './folders.js';

const SHARE = { testShare: 0.1 };
const TRAIN = { 'train/n01/a.JPEG': '', 'train/n01/b.JPEG': '', 'train/n02/c.JPEG': '' };

test('class folders in train and val are classes in the order of their names', async () => {
  const root = folderOf({ ...TRAIN, 'val/n02/d.jpg': '', 'val/n01/e.png': '', 'test/x.JPEG': '' });
  const listing = await listImages(root, SHARE);
  expect(listing.classes).toEqual(['n01', 'n02']);
  expect(listing.train.paths).toEqual(['train/n01/a.JPEG', 'train/n01/b.JPEG', 'train/n02/c.JPEG']);
  expect([...listing.train.labels]).toEqual([0, 0, 1]);
  expect(classesOf(listing, 'test')).toEqual({ 'val/n01/e.png': 'n01', 'val/n02/d.jpg': 'n02' });
  expect(listing.problems).toEqual([]);
  expect(listing.notes).toEqual(['test/ is not used, as val/ serves for testing']);
});

test.each(['validation', 'valid', 'test'])('%s/ serves where there is no val/', async (name) => {
  const listing = await listImages(folderOf({ ...TRAIN, [`${name}/n01/x.jpg`]: '' }), SHARE);
  expect(classesOf(listing, 'test')).toEqual({ [`${name}/n01/x.jpg`]: 'n01' });
  expect(listing.notes).toEqual([`1 of 2 classes have no images in ${name}: n02`]);
});

const FLAT = { ...TRAIN, 'val/v3.JPEG': '', 'val/v1.JPEG': '', 'val/v2.JPEG': '' };
const WANTED = { 'val/v1.JPEG': 'n02', 'val/v2.JPEG': 'n01', 'val/v3.JPEG': 'n02' };

test.each<[string, Record<string, string>]>([
  ['a class a line', { 'val_labels.txt': 'n02\nn01\nn02\n' }],
  ['a number a line, from 0', { 'val_labels.txt': '1\n0\n1\n' }],
  ['names and classes', { 'val/val_labels.txt': 'v3.JPEG n02\r\nv1.JPEG n02\r\nv2.JPEG n01\r\n' }],
  ['names and numbers', { 'val.txt': 'v1.JPEG 1\nv2.JPEG 0\nv3.JPEG 1\n' }],
  ['the list that TensorFlow has', { 'imagenet_2012_validation_synset_labels.txt': 'n02\nn01\nn02' }],
  [
    'the solution of the challenge',
    {
      'LOC_val_solution.csv':
        'ImageId,PredictionString\nv2,n01 1 2 3 4 n01 5 6 7 8\nv1,n02 1 2 3 4 \nv3,n02 0 0 1 1\n',
    },
  ],
  [
    "the development kit's numbers",
    { 'ILSVRC2012_validation_ground_truth.txt': '1\n2\n1\n', 'synsets.txt': 'n02 second\nn01 first\n' },
  ],
])('a flat val/ takes its classes from %s', async (_name, lists) => {
  const listing = await listImages(folderOf({ ...FLAT, ...lists }), SHARE);
  expect(classesOf(listing, 'test')).toEqual(WANTED);
});

test("the challenge's archive is entered, its lists found at the top, names of classes too", async () => {
  const inner = Object.fromEntries(Object.keys(FLAT).map((path) => [`ILSVRC/Data/CLS-LOC/${path}`, '']));
  const root = folderOf({
    ...inner,
    'LOC_val_solution.csv': 'ImageId,PredictionString\nv1,n02 1\nv2,n01 1\nv3,n02 1\n',
    'LOC_synset_mapping.txt': 'n01 tench, Tinca tinca\nn02 goldfish\n',
  });
  for (const given of [root, join(root, 'ILSVRC/Data/CLS-LOC')]) {
    const listing = await listImages(given, SHARE);
    expect(listing.root).toBe(join(root, 'ILSVRC/Data/CLS-LOC'));
    expect(classesOf(listing, 'test')).toEqual(WANTED);
    expect(listing.classNames).toEqual(['tench, Tinca tinca', 'goldfish']);
  }
});

test("Tiny ImageNet's folders inside classes and its annotations are read", async () => {
  const root = folderOf({
    'train/n01/images/n01_0.JPEG': '',
    'train/n01/n01_boxes.txt': '',
    'train/n02/images/n02_0.JPEG': '',
    'val/images/val_0.JPEG': '',
    'val/images/val_1.JPEG': '',
    'val/val_annotations.txt': 'val_0.JPEG\tn02\t0\t0\t63\t63\nval_1.JPEG\tn01\t1\t1\t2\t2\n',
    'test/images/test_0.JPEG': '',
    'words.txt': 'n00\tthing\nn01\tgoldfish, Carassius auratus\nn02\tEuropean fire salamander\n',
  });
  const listing = await listImages(root, SHARE);
  expect(classesOf(listing, 'train')).toEqual({
    'train/n01/images/n01_0.JPEG': 'n01',
    'train/n02/images/n02_0.JPEG': 'n02',
  });
  expect(classesOf(listing, 'test')).toEqual({
    'val/images/val_0.JPEG': 'n02',
    'val/images/val_1.JPEG': 'n01',
  });
  expect(listing.classNames).toEqual(['goldfish, Carassius auratus', 'European fire salamander']);
  expect(listing.notes).toEqual([
    'test/ is not used, as val/ serves for testing',
    '1 files were passed over, being no .jpg, .jpeg or .png: train/n01/n01_boxes.txt',
  ]);
});

test('class folders alone keep a share of every class for testing, the same whenever it is asked', async () => {
  const files = ['cat', 'dog', 'train'].flatMap((name) =>
    Array.from({ length: 20 }, (_, i) => `${name}/${i}.jpg`),
  );
  const root = folderOf(Object.fromEntries(files.map((file) => [file, ''])));
  const listing = await listImages(root, { testShare: 0.25 });
  expect(listing.classes).toEqual(['cat', 'dog', 'train']);
  expect([...listing.train.paths, ...listing.test.paths].sort()).toEqual([...files].sort());
  for (const label of [0, 1, 2]) expect(listing.test.labels.filter((one) => one === label)).toHaveLength(5);
  expect(listing.notes.join()).toMatch(/train\/ is read as a class.*15 of 60 images \(data\.testShare 0\.25/);
  expect(await listImages(root, { testShare: 0.25 })).toEqual(listing);
  const numbers = listing.test.paths.map((path) => Number(/\d+/.exec(path)?.[0]));
  expect(Math.max(...numbers)).toBeGreaterThan(10);
});

test('one image a class still leaves some for testing', async () => {
  const files = Array.from({ length: 50 }, (_, i) => [`n${100 + i}/x.JPEG`, '']);
  const { train, test: kept } = await listImages(folderOf(Object.fromEntries(files)), SHARE);
  expect([train.paths.length, kept.paths.length]).toEqual([45, 5]);
});

test('val/ alone has no training images', async () => {
  const {
    train,
    test: kept,
    classes,
  } = await listImages(folderOf({ 'val/a/1.jpg': '', 'val/b/1.jpg': '' }), SHARE);
  expect([train.paths.length, kept.paths.length, classes.length]).toEqual([0, 2, 2]);
});

test.each([
  ['train/ and val/', { 'train/a/1.jpg': '', 'train/b/1.jpg': '', 'val/a/2.jpg': '', 'val/b/2.jpg': '' }],
  ['val/ alone', { 'val/a/1.jpg': '', 'val/b/1.jpg': '' }],
])('with %s a share other than the default is said to be not used', async (_name, files) => {
  const root = folderOf(files);
  expect((await listImages(root, { testShare: 0.25 })).notes).toEqual([
    'not used: data.testShare 0.25 (--test-share); val/ serves for testing',
  ]);
  expect((await listImages(root, SHARE)).notes).toEqual([]);
});

test('what cannot be used is left out with its reason', async () => {
  const root = folderOf({
    ...TRAIN,
    'train/.DS_Store': '',
    'train/n01/._a.JPEG': '',
    'train/n01/notes.txt': '',
    'train/n01/lost.JPEG': { link: 'nowhere.JPEG' },
    'train/n01/line\nbreak é.JPEG': '',
    'train/n02/round': { link: '..' },
    'train/n03/readme.md': '',
    'store/real/linked.JPEG': '',
    'train/n04': { link: '../store/real' },
    'train/n05': { link: '../store/gone' },
    'val/n01/d.JPEG': '',
    'val/n99/e.JPEG': '',
  });
  writeFileSync(
    Buffer.concat([Buffer.from(`${root}/train/n02/`), Buffer.from([0x66, 0xff]), Buffer.from('.JPEG')]),
    '',
  );
  symlinkSync('a.JPEG', join(root, 'train/n01/link.JPEG'));
  const { train, test: kept, classes, problems, notes } = await listImages(root, SHARE);
  expect(classes).toEqual(['n01', 'n02', 'n03', 'n04']);
  expect(train.paths).toEqual([
    'train/n01/a.JPEG',
    'train/n01/b.JPEG',
    'train/n01/line\nbreak é.JPEG',
    'train/n01/link.JPEG',
    'train/n02/c.JPEG',
    'train/n04/linked.JPEG',
  ]);
  expect(kept.paths).toEqual(['val/n01/d.JPEG']);
  const reasons = Object.fromEntries(problems.map(({ path, reason }) => [path, reason]));
  expect(reasons['train/n01/lost.JPEG']).toMatch(/a link that leads nowhere/);
  expect(reasons['train/n05']).toMatch(/a link that leads nowhere/);
  expect(reasons['val/n99']).toBe('a class that has no training images');
  expect(Object.values(reasons)).toContain('its name is not UTF-8; rename it');
  expect(Object.values(reasons)).toContain('a link to a folder that it lies in');
  expect(notes.join()).toMatch(/1 of 4 classes have no images in train: n03/);
  expect(notes.join()).toMatch(/2 files were passed over, being no \.jpg, \.jpeg or \.png/);
});

test('a flat val/ leaves out images without a label and those of other classes', async () => {
  const root = folderOf({ ...FLAT, 'val.txt': 'v1.JPEG n02\nv2.JPEG n77\n' });
  const listing = await listImages(root, SHARE);
  expect(classesOf(listing, 'test')).toEqual({ 'val/v1.JPEG': 'n02' });
  expect(listing.problems.map(({ path, reason }) => [path, reason])).toEqual([
    ['val/v2.JPEG', 'its class n77 has no training images'],
    ['val/v3.JPEG', `has no label in ${root}/val.txt`],
  ]);
});

test('a flat val/ without a list is left alone, and said to be', async () => {
  const listing = await listImages(folderOf(FLAT), { testShare: 0.34 });
  expect(listing.test.paths).toHaveLength(1);
  expect(listing.notes.join()).toMatch(/val\/ was left alone: its 3 images .*val_labels\.txt/);
});

test.each<[string, Record<string, string>, RegExp]>([
  ['too few lines', { 'val_labels.txt': 'n02\nn01\n' }, /a line for each of the 3 images .*, found 2 lines/],
  ['a number out of range', { 'val_labels.txt': '0\n1\n2\n' }, /numbers of classes from 0 to 1, found "2"/],
  [
    'no synsets.txt',
    { 'ILSVRC2012_validation_ground_truth.txt': '1\n2\n1\n' },
    /expected synsets\.txt beside it/,
  ],
  [
    'synsets in the order of names',
    { 'ILSVRC2012_validation_ground_truth.txt': '1\n2\n1\n', 'synsets.txt': 'n01440764\nn01443537\n' },
    /synsets\.txt beside it is in the order of names/,
  ],
])('a label list with %s is refused', async (_name, lists, message) => {
  await expect(listImages(folderOf({ ...FLAT, ...lists }), SHARE)).rejects.toThrow(
    expect.objectContaining({ code: 'E_DATA', message: expect.stringMatching(message) }),
  );
});

test('a folder without images is refused with what is expected of it', async () => {
  const refused = async (root: string, message: RegExp): Promise<void> => {
    await expect(listImages(root, SHARE)).rejects.toThrow(
      expect.objectContaining({ code: 'E_DATA', message: expect.stringMatching(message) }),
    );
  };
  await refused(
    join(folderOf({}), 'missing'),
    /class folders in train\/ and val\/.*found 0 classes.*cannot be read/,
  );
  await refused(folderOf({ 'a.jpg': '' }), /found 0 classes with 0 images/);
  await refused(folderOf({ 'only/a.jpg': '' }), /found 1 classes with 1 images/);
  await refused(folderOf({ 'a/x.jpg': '', 'b/x.txt': '' }), /found 1 classes with 1 images .*have no images/);
  const deep = folderOf({ 'b/x.jpg': '', 'c/x.jpg': '' });
  addFiles(deep, { [`a/${Array.from({ length: 9 }, (_, i) => i).join('/')}/y.jpg`]: '' });
  expect((await listImages(deep, SHARE)).problems[0]?.reason).toMatch(/more than 8 folders deep/);
});

test('images that a list names and that are not there are counted', async () => {
  const root = folderOf({ ...FLAT, 'val.txt': 'v1.JPEG n02\nv2.JPEG n01\nv3.JPEG n02\nv9.JPEG n01\n' });
  const listing = await listImages(root, SHARE);
  expect(classesOf(listing, 'test')).toEqual(WANTED);
  expect(listing.notes).toEqual([`1 of the 4 images that val.txt lists are not in ${root}/val: v9`]);
});

test('a file in place of the folder is told by its kind; images in no class folder are counted', async () => {
  const root = folderOf({ 'packed.store': 'SGSTORE1', 'loose/1.jpg': '', 'loose/2.jpg': '' });
  await expect(listImages(join(root, 'packed.store'), SHARE)).rejects.toThrow(
    /expected a folder of images; it is a packed store of splitgrow; give it as data\.store, or by --store/,
  );
  await expect(listImages(join(root, 'loose'), SHARE)).rejects.toThrow(
    /found 0 classes with 0 images \(2 images lie in the folder itself, in no class folder\)/,
  );
});
