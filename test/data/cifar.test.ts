// CIFAR: rows written by the test come back where they belong; the real files have the known statistics.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Dataset, loadDataset } from '../../lib/data/dataset.js';
import { dataFolder, failureOf, inFolder } from './places.js';

/** Rows of the given label bytes; every pixel of row i in channel c is 10 i + c. */
function rows(labels: readonly (readonly number[])[]): Buffer {
  return Buffer.concat(
    labels.map((bytes, i) =>
      Buffer.concat([Buffer.from(bytes), ...[0, 1, 2].map((c) => Buffer.alloc(1024, 10 * i + c))]),
    ),
  );
}

function labelsOf(part: Dataset['train']): number[] {
  return Array.from(new BigInt64Array(part.labels.data.slice().buffer), Number);
}

test('cifar10 takes the batches that are there in the order of their numbers', () =>
  inFolder(async (root) => {
    await writeFile(join(root, 'data_batch_5.bin'), rows([[9], [8]]));
    await writeFile(join(root, 'data_batch_2.bin'), rows([[3]]));
    await writeFile(join(root, 'test_batch.bin'), rows([[7], [0]]));
    const data = await loadDataset({ name: 'cifar10', root });
    expect(data.train.images.shape).toEqual([3, 3, 32, 32]);
    expect(labelsOf(data.train)).toEqual([3, 9, 8]);
    expect(labelsOf(data.test)).toEqual([7, 0]);
    const pixel = (image: number, channel: number): number | undefined =>
      data.train.images.data[image * 3072 + channel * 1024 + 500];
    expect([pixel(0, 0), pixel(0, 2), pixel(2, 0), pixel(2, 1)]).toEqual([0, 2, 10, 11]);
    expect(data.note).toMatch(/2 of CIFAR-10's 5 training batches/);
    // Channel 1 holds 1, 1 and 11.
    expect(data.mean[1]).toBeCloseTo(13 / 3 / 255, 12);
    expect(data.std[1]).toBeCloseTo(Math.sqrt(200 / 9) / 255, 12);
  }));

test('cifar100 gives fine labels unless coarse ones are asked for', () =>
  inFolder(async (root) => {
    await writeFile(
      join(root, 'train.bin'),
      rows([
        [1, 42],
        [19, 99],
      ]),
    );
    await writeFile(join(root, 'test.bin'), rows([[0, 5]]));
    const fine = await loadDataset({ name: 'cifar100', root });
    expect([fine.classes, labelsOf(fine.train)]).toEqual([100, [42, 99]]);
    const coarse = await loadDataset({ name: 'cifar100', root, labels: 'coarse' });
    expect([coarse.classes, labelsOf(coarse.train)]).toEqual([20, [1, 19]]);
  }));

test.each([
  ['half a row', Buffer.alloc(1500), /^E_DATA: .*whole rows of 3073 bytes/],
  ['an empty file', Buffer.alloc(0), /^E_DATA: .*whole rows/],
  ['a label of 10', rows([[1], [10]]), /^E_LABELS: .*found 10 at image 1/],
])('cifar10 with %s is refused', (_, bytes, reason) =>
  inFolder(async (root) => {
    await writeFile(join(root, 'data_batch_1.bin'), bytes);
    await writeFile(join(root, 'test_batch.bin'), rows([[0]]));
    expect(await failureOf(loadDataset({ name: 'cifar10', root }))).toMatch(reason);
  }),
);

test('missing files, a missing root and unknown names are E_DATA', () =>
  inFolder(async (root) => {
    expect(await failureOf(loadDataset({ name: 'cifar10', root }))).toMatch(/^E_DATA: .*data_batch_1.bin/);
    expect(await failureOf(loadDataset({ name: 'cifar100', root }))).toMatch(/^E_DATA: .*train.bin/);
    expect(await failureOf(loadDataset({ name: 'cifar10' }))).toMatch(/^E_DATA: .*set data.root/);
    expect(await failureOf(loadDataset({ name: 'mnist' }))).toMatch(/^E_DATA: unknown dataset "mnist"/);
    expect(await failureOf(loadDataset({ name: 'toString' }))).toMatch(/^E_DATA: unknown dataset/);
    expect(await failureOf(loadDataset({ name: 'imagenet', root }))).toMatch(
      /^E_DATA: .*not available in this version/,
    );
    expect(await failureOf(loadDataset({ name: 'image-folder', root }))).toMatch(/^E_DATA: .*not available/);
  }));

const cifar10 = dataFolder('cifar-10');
test.skipIf(cifar10.reason !== '')(
  `the real first batch of cifar10 has the known statistics${cifar10.reason}`,
  async () => {
    const data = await loadDataset({ name: 'cifar10', root: cifar10.folder });
    expect(data.test.images.shape).toEqual([10000, 3, 32, 32]);
    // Frog, truck, truck, deer, automobile: the first images of data_batch_1.
    expect(labelsOf(data.train).slice(0, 5)).toEqual([6, 9, 9, 4, 1]);
    // .4914 .4822 .4465 over all five batches.
    for (const [c, mean] of [0.4914, 0.4822, 0.4465].entries()) expect(data.mean[c]).toBeCloseTo(mean, 2);
  },
);

const cifar100 = dataFolder('cifar-100');
test.skipIf(cifar100.reason !== '')(
  `every coarse class of cifar100 holds 300 images${cifar100.reason}`,
  async () => {
    const data = await loadDataset({ name: 'cifar100', root: cifar100.folder, labels: 'coarse' });
    const counts = new Array<number>(20).fill(0);
    for (const label of labelsOf(data.train)) counts[label] = (counts[label] ?? 0) + 1;
    expect(counts).toEqual(new Array(20).fill(300));
    expect(data.classNames).toHaveLength(20);
  },
);
