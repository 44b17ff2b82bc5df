// Which folders are parts: names in any case, and layouts that can be read in two ways.
import { expect, test } from 'vitest';
import { listImages } from '../../../lib/data/images/layout.js';
import { roleOf } from '../../../lib/data/images/part-folders.js';
import { classesOf, folderOf } from './folders.js';

const SHARE = { testShare: 0.1 };

/** A folder of empty files: so many images in each of these folders. */
function made(folders: Readonly<Record<string, number>>): string {
  const paths = Object.entries(folders).flatMap(([folder, count]) =>
    Array.from({ length: count }, (_, i) => `${folder}/${i}.jpg`),
  );
  return folderOf(Object.fromEntries(paths.map((path) => [path, ''])));
}

const refused = async (root: string, message: RegExp, options = {}): Promise<void> => {
  await expect(listImages(root, { ...SHARE, ...options })).rejects.toThrow(
    expect.objectContaining({ code: 'E_DATA', message: expect.stringMatching(message) }),
  );
};

test.each([
  ['train', ['train', 'Train', 'TRAIN', 'training', 'Training', 'Training_Set', 'trainset', 'train-data']],
  ['val', ['val', 'Val', 'VALID', 'validation', 'Validation_set', 'dev', 'eval', 'Evaluation']],
  ['test', ['test', 'TEST', 'Testing', 'test_set', 'testset', 'Test images']],
  [null, ['trains', 'tests', 'testament', 'set', 'data', 'trainer', 'cat', 'value']],
])('the role %s is known by its names', (role, names) => {
  for (const name of names) expect(roleOf(name), name).toBe(role);
});

const PAIRS = [
  ['Train', 'Test'],
  ['training', 'testing'],
  ['Training', 'Testing'],
  ['TRAIN', 'VAL'],
  ['train', 'Validation'],
  ['training_set', 'test_set'],
  ['Train', 'dev'],
] as const;

test.each(PAIRS)('%s/ and %s/ are parts, and what they were taken for is said', async (train, kept) => {
  const root = made({ [`${train}/a`]: 6, [`${train}/b`]: 6, [`${kept}/a`]: 3, [`${kept}/b`]: 2 });
  const listing = await listImages(root, SHARE);
  expect(listing.classes).toEqual(['a', 'b']);
  expect([listing.train.paths.length, listing.test.paths.length]).toEqual([12, 5]);
  expect(listing.layout).toBe(`class folders in ${train}/, class folders in ${kept}/`);
  expect([listing.notes, listing.problems]).toEqual([[], []]);
});

test('of val and test the one that is asked for serves; the other is said to be left', async () => {
  const root = made({ 'Train/a': 4, 'Train/b': 4, 'Val/a': 2, 'Val/b': 1, 'Test/a': 5, 'Test/b': 6 });
  const usual = await listImages(root, SHARE);
  expect([usual.test.paths.length, usual.notes]).toEqual([
    3,
    ['Test/ is not used, as Val/ serves for testing'],
  ]);
  const asked = await listImages(root, { ...SHARE, testPart: 'test' });
  expect(Object.values(classesOf(asked, 'test')).sort()).toEqual([...'aaaaabbbbbb']);
  expect(asked.layout).toBe('class folders in Train/, class folders in Test/');
  const alone = made({ 'val/a': 2, 'val/b': 1, 'test/a': 5, 'test/b': 6 });
  expect((await listImages(alone, { ...SHARE, testPart: 'test' })).test.paths).toHaveLength(11);
  expect((await listImages(alone, SHARE)).notes).toEqual(['test/ is not used, as val/ serves for testing']);
});

test('a part that is asked for and not there is refused', async () => {
  const root = made({ 'train/a': 2, 'train/b': 2, 'val/a': 2, 'val/b': 2 });
  await refused(root, /expected a folder for testing \(test\/, testing\/\), found val\//, {
    testPart: 'test',
  });
  const plain = made({ a: 3, b: 3 });
  await refused(plain, /expected a folder for validation .* found no part folder/, { testPart: 'val' });
  expect((await listImages(plain, { ...SHARE, testPart: 'test' })).test.paths).toHaveLength(2);
  const flat = made({ 'train/a': 2, 'train/b': 2, 'val/a': 2, test: 3 });
  await refused(flat, /expected labelled images in test\/, found none; test\/ was left alone: its 3 images/, {
    testPart: 'test',
  });
});

test.each<[string, Readonly<Record<string, number>>, RegExp]>([
  [
    'two folders for training',
    { 'train/a': 2, 'train/b': 2, 'Training/a': 2, 'Training/b': 2 },
    /found two: \(1\) Training\/ is for training and train\/ is not used; or \(2\) train\/ is for training/,
  ],
  [
    'two folders for validation',
    { 'train/a': 2, 'train/b': 2, 'val/a': 2, 'validation/a': 2 },
    /\(1\) val\/ is for validation and validation\/ is not used; or \(2\)/,
  ],
  [
    'class folders beside train/ and no part for testing',
    { 'train/a': 2, 'train/b': 2, 'holdout/a': 2, 'holdout/b': 2 },
    /\(1\) train\/ holds the classes for training, and holdout\/ are not used; or \(2\) train\/, holdout\/ are the classes/,
  ],
  [
    'a flat test/ beside classes',
    { cat: 2, dog: 2, Test: 2 },
    /\(1\) Test\/ are parts, and cat\/, dog\/ are the classes for training; or \(2\) cat\/, dog\/, Test\/ are all classes/,
  ],
  [
    'a val/ of class folders beside classes',
    { cat: 2, dog: 2, 'val/cat': 2, 'val/dog': 2 },
    /\(1\) val\/ are parts, and cat\/, dog\/ are the classes/,
  ],
  [
    'a flat train/ beside a test part',
    { train: 4, 'test/a': 2, 'test/b': 2 },
    /expected a folder for each class in train\/, found images alone/,
  ],
])('%s: refused', async (_name, folders, message) => {
  await refused(made(folders), message);
});

test('folders beside the parts are said; part folders without images are no parts', async () => {
  const root = made({ 'train/a': 2, 'train/b': 2, 'test/a': 2, 'test/b': 1, 'extra/x': 2, docs: 0 });
  expect((await listImages(root, SHARE)).notes).toEqual([
    'extra/ is not used: it is no part whose name is known',
  ]);
  const hollow = folderOf({
    'a/1.jpg': '',
    'a/2.jpg': '',
    'b/1.jpg': '',
    'b/2.jpg': '',
    'test/notes.txt': '',
  });
  const listing = await listImages(hollow, SHARE);
  expect(listing.classes).toEqual(['a', 'b']);
  expect(listing.notes[0]).toBe('test/ holds no images');
});

test('names of classes that differ in the Unicode form of their accents are one name', async () => {
  const [composed, decomposed] = ['café'.normalize('NFC'), 'café'.normalize('NFD')];
  const root = made({ [`train/${composed}`]: 2, 'train/b': 2, [`val/${decomposed}`]: 1, 'val/B': 1 });
  const listing = await listImages(root, SHARE);
  expect(Object.values(classesOf(listing, 'test'))).toEqual([composed]);
  expect(listing.problems).toEqual([
    {
      path: 'val/B',
      reason: 'a class that has no training images; the training class is called b: rename one of them',
    },
  ]);
  await refused(
    made({ [`train/${composed}`]: 2, [`train/${decomposed}`]: 2 }),
    /found café\/ twice, its accents in two Unicode forms/,
  );
});

test('folders for training and testing inside of a class are refused with both readings; one of them alone is none', async () => {
  const both = { 'a/train': 2, 'a/test': 2, 'b/train': 2, 'b/test': 2 };
  await refused(
    made(both),
    /found two: \(1\) a\/ is a class with all images in it; or \(2\) a\/test\/ and a\/train\/ are parts/,
  );
  await refused(
    made({ 'data/Training/a': 2, 'data/Training/b': 2, 'data/val/a': 1 }),
    /\(2\) data\/Training\/ and data\/val\//,
  );
  const toys = await listImages(made({ 'toys/train': 2, 'toys/bus': 2, tools: 2 }), SHARE);
  expect(toys.classes).toEqual(['tools', 'toys']);
});
