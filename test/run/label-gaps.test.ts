// Labels of a tensor file as a count of classes: gaps and labels that training has not are refused, or said where the count is given.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { evaluate } from '../../lib/api/evaluate.js';
import { writeSafetensors } from '../../lib/data/safetensors.js';
import { parseData, parseExperiment } from '../../lib/run/spec/spec.js';
import { trainExperiment } from '../../lib/run/stage/train.js';
import { failureOf } from '../data/places.js';
import { temporaryFolder } from './tiny.js';

/** A file of images of 8 x 8 with these labels. */
async function fileOf(train: readonly number[], testing: readonly number[]): Promise<string> {
  const file = join(temporaryFolder(), 'data.safetensors');
  const images = (count: number) => ({
    ...{ dtype: 'uint8' as const, shape: [count, 1, 8, 8] },
    data: Uint8Array.from({ length: count * 64 }, (_, i) => (i * 37) % 251),
  });
  const labels = (values: readonly number[]) => ({
    ...{ dtype: 'int64' as const, shape: [values.length] },
    data: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
  });
  await writeSafetensors(
    file,
    new Map<string, ReturnType<typeof images> | ReturnType<typeof labels>>([
      ['train_images', images(train.length)],
      ['train_labels', labels(train)],
      ['test_images', images(testing.length)],
      ['test_labels', labels(testing)],
    ]),
  );
  return file;
}

async function trained(file: string, network: object = {}) {
  const notes: string[] = [];
  const output = join(temporaryFolder(), 'run');
  const spec = parseExperiment({
    ...{ name: 'gaps', network: { preset: 'mobilenet_cifar10', blocks: 1, width: 4, ...network }, output },
    ...{ data: { file }, fit: { epochs: 1, batch: 4 }, threads: 1 },
  });
  await trainExperiment(spec, {
    onEvent: (event) => void (event.type === 'note' && notes.push(event.text)),
  });
  return { output, notes };
}

test('labels without gaps are the classes', async () => {
  const { notes } = await trained(await fileOf([0, 1, 2, 1], [0, 2]));
  expect(notes.join()).not.toMatch(/its labels go up/);
});

test.each<[string, readonly number[], readonly number[], RegExp]>([
  [
    'a gap',
    [0, 1, 4, 1],
    [0, 1],
    /its labels go up to 4, but training images have 3 of these 5 classes; 2 have no image: 2, 3; number the classes from 0/,
  ],
  [
    'test labels beyond those of training',
    [0, 1, 1, 0],
    [0, 3],
    /training images have 2 of these 4 classes; 1 have no image: 2; 1 have test images alone: 3/,
  ],
  ['numbers from 1', [1, 2, 2, 1], [1, 2], /training images have 2 of these 3 classes; 1 have no image: 0/],
  ['a far label', [0, 1, 900, 1], [0], /898 have no image: 2, 3, 4, 5, 6 and 893 more/],
])(
  '%s: refused, unless the network says how many classes there are',
  async (_name, train, testing, message) => {
    const file = await fileOf(train, testing);
    const failure = await failureOf(trained(file));
    expect(failure).toMatch(/^E_LABELS: dataset file: /);
    expect(failure).toMatch(message);
    const { notes, output } = await trained(file, { classes: 901 });
    expect(notes.join('\n')).toMatch(/its labels go up to/);
    expect((await evaluate({ network: output, data: parseData({ file }) })).images).toBe(testing.length);
  },
);

test('negative labels are refused', async () => {
  expect(await failureOf(trained(await fileOf([0, -1, 1, 1], [0])))).toMatch(/^E_(LABELS|DATA): .*-1/);
});
