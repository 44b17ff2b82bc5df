// CIFAR: rows written by the test come back where they belong; the real files have the known statistics.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { TensorPart } from '../../lib/data/parts.js';
import { dataFolder, failureOf, inFolder } from './places.js';
import { loadTensors } from './tensors.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Rows of the given label bytes; every pixel of row i in channel c is 10 i + c. */
function rows(labels: readonly (readonly number[])[]): Buffer {
  return Buffer.concat(
    labels.map((bytes, i) =>
      Buffer.concat([Buffer.from(bytes), ...[0, 1, 2].map((c) => Buffer.alloc(1024, 10 * i + c))]),
    ),
  );
}

function labelsOf(part: TensorPart): number[] {
  return Array.from(new BigInt64Array(part.labels.data.slice().buffer), Number);
}

test('cifar10 takes the batches that are there in the order of their numbers', () =>
  inFolder(async (root) => {
    await writeFile(join(root, 'data_batch_5.bin'), rows([[9], [8]]));
    await writeFile(join(root, 'data_batch_2.bin'), rows([[3]]));
    await writeFile(join(root, 'test_batch.bin'), rows([[7], [0]]));
    const data = await loadTensors({ name: 'cifar10', root });
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
    const fine = await loadTensors({ name: 'cifar100', root });
    expect([fine.classes, labelsOf(fine.train)]).toEqual([100, [42, 99]]);
    const coarse = await loadTensors({ name: 'cifar100', root, labels: 'coarse' });
    expect([coarse.classes, labelsOf(coarse.train)]).toEqual([20, [1, 19]]);
  }));

test.each([
  ['cifar10', 'cifar-10-batches-bin', 'data_batch_1.bin', 'test_batch.bin', [7]],
  ['cifar100', 'cifar-100-binary', 'train.bin', 'test.bin', [1, 7]],
] as const)(
  'without a root %s is read from where data get puts it; in the folder of the archive or beside it',
  (name, inner, train, tested, label) =>
    inFolder(async (folder) => {
      vi.stubEnv('SPLITGROW_DATA', folder);
      for (const place of [join(folder, name), join(folder, name, inner)]) {
        await mkdir(place, { recursive: true });
        // One row more in the inner folder, which comes first.
        const count = place.endsWith(inner) ? 2 : 1;
        await writeFile(join(place, train), rows(Array.from({ length: count }, () => label)));
        await writeFile(join(place, tested), rows([label]));
        expect((await loadTensors({ name })).train.images.shape[0]).toBe(count);
      }
    }),
);

test('whole refuses a part of the set, with the command that fetches it', () =>
  inFolder(async (root) => {
    await writeFile(join(root, 'data_batch_1.bin'), rows([[1]]));
    await writeFile(join(root, 'test_batch.bin'), rows([[1]]));
    expect(await failureOf(loadTensors({ name: 'cifar10', root, whole: true }))).toMatch(
      /^E_DATA: cifar10: expected the whole set of 50000 \+ 10000 images, found 1 \+ 1; run: splitgrow data get cifar10/,
    );
  }));

test('whole takes a set of the official size', () =>
  inFolder(async (root) => {
    await writeFile(join(root, 'train.bin'), Buffer.alloc(50_000 * 3074));
    await writeFile(join(root, 'test.bin'), Buffer.alloc(10_000 * 3074));
    const { note, train } = await loadTensors({ name: 'cifar100', root, whole: true });
    expect([note, train.images.shape[0]]).toEqual([undefined, 50_000]);
  }));

test.each([
  ['half a row', Buffer.alloc(1500), /^E_DATA: .*whole rows of 3073 bytes/],
  ['an empty file', Buffer.alloc(0), /^E_DATA: .*whole rows/],
  ['a label of 10', rows([[1], [10]]), /^E_LABELS: .*found 10 at image 1/],
])('cifar10 with %s is refused', (_, bytes, reason) =>
  inFolder(async (root) => {
    await writeFile(join(root, 'data_batch_1.bin'), bytes);
    await writeFile(join(root, 'test_batch.bin'), rows([[0]]));
    expect(await failureOf(loadTensors({ name: 'cifar10', root }))).toMatch(reason);
  }),
);

test('missing files, a missing root and unknown names are E_DATA', () =>
  inFolder(async (root) => {
    expect(await failureOf(loadTensors({ name: 'cifar10', root }))).toMatch(/^E_DATA: .*data_batch_1.bin/);
    expect(await failureOf(loadTensors({ name: 'cifar100', root }))).toMatch(/^E_DATA: .*train.bin/);
    vi.stubEnv('SPLITGROW_DATA', root);
    expect(await failureOf(loadTensors({ name: 'cifar10' }))).toMatch(
      /^E_DATA: cifar10: expected its files .*cifar10\/cifar-10-batches-bin or .*cifar10, found none; run: splitgrow data get cifar10, or set data.root/,
    );
    await writeFile(join(root, 'data_batch_1.bin'), rows([[1]]));
    expect(await failureOf(loadTensors({ name: 'cifar10', root }))).toMatch(
      /^E_DATA: .*test_batch\.bin: .*; run: splitgrow data get cifar10/,
    );
    expect(await failureOf(loadTensors({ name: 'mnist' }))).toMatch(/^E_DATA: unknown dataset "mnist"/);
    expect(await failureOf(loadTensors({ name: 'toString' }))).toMatch(/^E_DATA: unknown dataset/);
    expect(await failureOf(loadTensors({ name: 'imagenet', root }))).toMatch(
      /^E_DATA: .*expected class folders in train\/ and val\//,
    );
    expect(await failureOf(loadTensors({ name: 'image-folder', root }))).toMatch(
      /^E_DATA: .*expected class folders/,
    );
  }));

const cifar10 = dataFolder('cifar-10');
test.skipIf(cifar10.reason !== '')(
  `the real first batch of cifar10 has the known statistics${cifar10.reason}`,
  async () => {
    const data = await loadTensors({ name: 'cifar10', root: cifar10.folder });
    expect(data.test.images.shape).toEqual([10000, 3, 32, 32]);
    // Frog, truck, truck, deer, automobile: the first images of data_batch_1.
    expect(labelsOf(data.train).slice(0, 5)).toEqual([6, 9, 9, 4, 1]);
    // .4914 .4822 .4465 over all five batches.
    for (const [c, mean] of [0.4914, 0.4822, 0.4465].entries()) expect(data.mean[c]).toBeCloseTo(mean, 2);
    // .2470 .2435 .2616 likewise.
    for (const [c, std] of [0.247, 0.2435, 0.2616].entries()) expect(data.std[c]).toBeCloseTo(std, 2);
  },
);

const cifar100 = dataFolder('cifar-100');
test.skipIf(cifar100.reason !== '')(
  `every coarse class of cifar100 holds 300 images${cifar100.reason}`,
  async () => {
    const data = await loadTensors({ name: 'cifar100', root: cifar100.folder, labels: 'coarse' });
    const counts = new Array<number>(20).fill(0);
    for (const label of labelsOf(data.train)) counts[label] = (counts[label] ?? 0) + 1;
    expect(counts).toEqual(new Array(20).fill(300));
    expect(data.classNames).toHaveLength(20);
  },
);

test.skipIf(cifar100.reason !== '')(
  `the first images of cifar100 hold the classes as evenly as a random draw${cifar100.reason}`,
  async () => {
    const data = await loadTensors({ name: 'cifar100', root: cifar100.folder });
    for (const n of [1000, 2000, 4000]) {
      const counts = new Array<number>(100).fill(0);
      for (const label of labelsOf(data.train).slice(0, n)) counts[label] = (counts[label] ?? 0) + 1;
      expect(Math.min(...counts), `${n} images`).toBeGreaterThan(0);
      // Chi-squared of 99 degrees of freedom is below 148 in 999 of 1,000 draws.
      const chi = counts.reduce((sum, count) => sum + (count - n / 100) ** 2 / (n / 100), 0);
      expect(chi, `${n} images`).toBeLessThan(148);
    }
    // Over all 50,000: .5071 .4865 .4409 and .2673 .2564 .2762; here over 6,000 of them.
    for (const [c, mean] of [0.5071, 0.4865, 0.4409].entries()) expect(data.mean[c]).toBeCloseTo(mean, 1);
    for (const [c, std] of [0.2673, 0.2564, 0.2762].entries()) expect(data.std[c]).toBeCloseTo(std, 2);
  },
);
