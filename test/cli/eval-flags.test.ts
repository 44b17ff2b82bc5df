// Every field of `data` that matters to an evaluation is a flag of eval; flags of sibling commands are there too.
import { expect, test } from 'vitest';
import { DATA_INDEX } from '../../lib/cli/data-index.js';
import { DATA_PACK } from '../../lib/cli/data-pack.js';
import { EVAL } from '../../lib/cli/eval.js';
import { PREDICT } from '../../lib/cli/predict.js';
import { DATA_FILE, DATA_IMAGES, DATA_NAMED } from '../../lib/run/spec/data.js';
import { splitgrow } from './command-line.js';

/** The flag of a field; in brackets why it has none. */
const FLAGS: Readonly<Record<string, string>> = {
  name: 'data',
  file: 'data',
  root: 'root',
  store: 'store',
  whole: 'whole',
  labels: 'labels',
  classesBy: 'classesBy',
  shortSide: 'shortSide',
  testShare: 'testShare',
  testPart: 'part',
  followLinks: 'followLinks',
  maxPixels: 'maxPixels',
  maxScans: 'maxScans',
  scaledDecoding: 'exactDecode',
  skipUnreadable: 'skipUnreadable',
  workers: 'workers',
  trainImages: 'images',
  testImages: 'images',
  resolution: "(the network's own)",
  mean: "(the network's own)",
  std: "(the network's own)",
  augment: '(training)',
  cropPadding: '(training)',
  leastArea: '(training)',
  shuffle: '(training)',
  validation: '(training)',
  prefetch: '(training)',
};

test('every field of data is a flag of eval, or has a reason to be none', () => {
  const fields = [DATA_NAMED, DATA_FILE, DATA_IMAGES].flatMap(({ shape }) => Object.keys(shape));
  expect(Object.keys(FLAGS).sort()).toEqual([...new Set(fields)].sort());
  const flags = Object.keys(EVAL.flags);
  for (const [field, flag] of Object.entries(FLAGS))
    if (!flag.startsWith('(')) expect(flags, field).toContain(flag);
});

test('what a folder is read by is the same in data index, data pack and eval; what a file is, in predict', () => {
  const OF_INDEX = ['decode', 'exactDecode', 'quick'];
  const limits = Object.keys(DATA_INDEX.flags).filter((flag) => !OF_INDEX.includes(flag));
  expect(limits.length).toBeGreaterThan(3);
  for (const flag of limits) {
    expect(Object.keys(DATA_PACK.flags)).toContain(flag);
    expect(Object.keys(EVAL.flags)).toContain(flag);
  }
  for (const flag of ['maxPixels', 'maxScans', 'exactDecode', 'shortSide', 'device', 'network'])
    expect(Object.keys(PREDICT.flags), flag).toContain(flag);
});

test.each([
  [['--data', 'cifar10', '--test-share', '0.2'], /--test-share: expected only with imagenet or image-folder/],
  [
    ['--data', 'x.safetensors', '--exact-decode'],
    /--exact-decode: expected only with imagenet or image-folder/,
  ],
  [['--data', 'x.safetensors', '--labels', 'coarse'], /--labels: expected only with cifar100/],
  [['--data', 'cifar10', '--labels', 'coarse'], /data\.labels: expected only with cifar100/],
  [
    ['--data', 'image-folder', '--root', 'x', '--part', 'all', '--images', '3'],
    /--images: expected with one part/,
  ],
])('%j is refused', async (words, message) => {
  const { code, stderr } = await splitgrow(['eval', '--network', 'nowhere', ...words]);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});
