// Runs on image files: from folders and stores, with any number of workers, stopped and resumed, in ImageNet's shape.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packData } from '../../lib/api/data-pack.js';
import { evaluate } from '../../lib/api/evaluate.js';
import { growExperiment } from '../../lib/run/run.js';
import { parseExperiment } from '../../lib/run/spec/spec.js';
import { trainExperiment } from '../../lib/run/stage/train.js';
import { readGraph } from '../../lib/train/network.js';
import { jpegsOf, pictureFolder } from '../data/images/pictures.js';
import { dataFolder } from '../data/places.js';
import { readJson, temporaryFolder } from './tiny.js';

type Json = Readonly<Record<string, unknown>>;

/** One splitting stage of two epochs on crops of 16. */
function experiment(data: Json, output: string, more: Json = {}): Json {
  return {
    name: 'images',
    network: { preset: 'mobilenet_cifar10', blocks: 1, width: 4, activation: 'silu' },
    data: { name: 'image-folder', resolution: 16, ...data },
    fit: { epochs: 2, batch: 20, optimizer: { learningRate: 0.05 }, schedule: { kind: 'cosine' } },
    splitting: {
      method: 'exact',
      images: 30,
      epsilon: 'line-search',
      lineSearch: { grid: [0.1, 0.5], images: 24 },
    },
    stop: { stages: 1 },
    threads: 1,
    output,
    ...more,
  };
}

const weightsOf = (output: string): Promise<Buffer> =>
  readFile(join(output, 'stage-1', 'weights.safetensors'));

test('a folder and a store of its bytes grow to the same bits, with any number of workers, resumed or not', {
  timeout: 600_000,
}, async () => {
  const root = await pictureFolder(['cat', 'dog', 'owl'], { train: 20, test: 6 });
  const outputs = temporaryFolder();
  const grow = async (name: string, data: Json): Promise<Buffer> => {
    const output = join(outputs, name);
    await growExperiment(parseExperiment(experiment(data, output)));
    return weightsOf(output);
  };
  const expected = await grow('folder', { root, workers: 1 });
  expect((await grow('workers', { root, workers: 3, prefetch: 1 })).equals(expected)).toBe(true);

  const store = join(outputs, 'as-is.store');
  const packed = await packData({ root, out: store, shortSide: null });
  expect([packed.images, packed.classes, packed.leftOut]).toEqual([78, 3, []]);
  expect((await grow('store', { store })).equals(expected)).toBe(true);

  const stopped = parseExperiment(experiment({ root }, join(outputs, 'stopped')));
  const stop = new AbortController();
  const onEvent = ({ type }: { readonly type: string }): void => {
    if (type === 'note') stop.abort();
  };
  await expect(growExperiment(stopped, { signal: stop.signal, onEvent })).rejects.toThrow(
    expect.objectContaining({ code: 'E_ABORTED' }),
  );
  await growExperiment(stopped);
  expect((await weightsOf(stopped.output)).equals(expected)).toBe(true);

  const summary = await readJson<{ stages: { top1: number; top5: number }[] }>(
    outputs,
    'folder',
    'summary.json',
  );
  const network = join(outputs, 'folder', 'stage-1');
  const { data } = parseExperiment(experiment({ root, resolution: 224 }, 'unused'));
  const { top1, images } = await evaluate({ network, data });
  expect([top1, images]).toEqual([summary.stages[1]?.top1, 18]);
  const graph = await readJson<{ input: Json; classes: unknown }>(network, 'network.json');
  expect(graph.input).toEqual({
    shape: [3, 16, 16],
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
    shortSide: 18,
  });
  expect(graph.classes).toEqual(['cat', 'dog', 'owl']);
  const graphIn = (name: string): Promise<string> =>
    readFile(join(outputs, name, 'stage-1/network.json'), 'utf8');
  expect([await graphIn('stopped'), await graphIn('store')]).toEqual(Array(2).fill(await graphIn('folder')));
  const lines = (await readFile(join(outputs, 'folder', 'metrics.jsonl'), 'utf8')).trim().split('\n');
  const epoch = JSON.parse(lines[0] ?? '') as { loader: Record<string, number> };
  expect(epoch.loader.imagesPerSecond).toBeGreaterThan(0);
  expect(epoch.loader.imagesPerWorkerSecond).toBeGreaterThan(0);
  expect(epoch.loader.waitedShare).toBeGreaterThanOrEqual(0);
  expect(epoch.loader.skipped).toBe(0);
});

test('the classes are learned: what is brightest in three kinds of pictures', {
  timeout: 600_000,
}, async () => {
  const root = await pictureFolder(['red', 'green', 'blue'], { train: 30, test: 10 });
  const output = join(temporaryFolder(), 'run');
  const fit = { epochs: 10, batch: 10, optimizer: { learningRate: 0.05 }, schedule: { kind: 'cosine' } };
  const { stages } = await trainExperiment(parseExperiment(experiment({ root }, output, { fit })));
  // A third is chance.
  expect(stages[0]?.top1).toBeGreaterThan(80);
});

test('shifting, a centre crop alone and a part of the images train too; the part holds every class', async () => {
  const root = await pictureFolder(['a', 'b'], { train: 8, test: 4 });
  for (const data of [{ augment: ['flip', 'shift'] }, { augment: [] }, { trainImages: 6, testImages: 2 }]) {
    const output = join(temporaryFolder(), 'run');
    const fit = { epochs: 1, batch: 4 };
    const { stages } = await trainExperiment(parseExperiment(experiment({ root, ...data }, output, { fit })));
    expect(stages[0]?.loss).toBeGreaterThan(0);
  }
});

test('a rival on smaller images decodes the same files to its own resolution', {
  timeout: 600_000,
}, async () => {
  const root = await pictureFolder(['a', 'b'], { train: 8, test: 4 });
  const output = join(temporaryFolder(), 'run');
  const more = {
    fit: { epochs: 1, batch: 8 },
    compare: [{ method: 'resolution-multiplier', base: 'widest', baseMultiplier: 2 }],
  };
  const { compare } = await growExperiment(parseExperiment(experiment({ root }, output, more)));
  const resolutions = compare?.map(({ resolution }) => resolution ?? 16) ?? [];
  expect(resolutions.length).toBeGreaterThan(0);
  expect(Math.min(...resolutions)).toBeLessThan(16);
  for (const { directory = '', resolution } of compare ?? []) {
    const { input } = await readGraph(directory);
    expect(input.shortSide).toBe(Math.round(((resolution ?? 16) * 256) / 224));
  }
});

test('files that are no images are left out of a run, and a note says so', async () => {
  const root = await pictureFolder(['a', 'b'], { train: 6, test: 3 });
  writeFileSync(join(root, 'train/a/0.JPEG'), 'no image at all');
  writeFileSync(join(root, 'train/b/empty.JPEG'), '');
  const notes: string[] = [];
  await trainExperiment(
    parseExperiment(experiment({ root }, join(temporaryFolder(), 'run'), { fit: { epochs: 1, batch: 4 } })),
    {
      onEvent: (event) => {
        if (event.type === 'note' && event.phase === 'load') notes.push(event.text);
      },
    },
  );
  expect(notes.filter((text) => text.includes('left out'))).toEqual([
    expect.stringMatching(
      /2 files or folders are left out: train\/a\/0\.JPEG \(.+\) and 1 more, all of them in /,
    ),
  ]);
});

test('a folder without training images, and one with too few, are refused', async () => {
  const root = await pictureFolder(['a', 'b'], { train: 2, test: 2 });
  const run = (data: Json) =>
    trainExperiment(parseExperiment(experiment(data, join(temporaryFolder(), 'run'))));
  await expect(run({ root: join(root, 'val'), testImages: 9 })).rejects.toThrow(/testImages from 1 to/);
  const alone = temporaryFolder();
  symlinkSync(join(root, 'val'), join(alone, 'val'));
  await expect(run({ root: alone })).rejects.toThrow(/1 links that lead out of the folder/);
  const followed = run({ root: alone, followLinks: true });
  await expect(followed).rejects.toThrow(/expected training images, found none/);
});

test("a folder of ImageNet's shape, 1,000 classes and a flat val/ with numbers, trains", {
  timeout: 600_000,
}, async () => {
  const root = temporaryFolder();
  const names = Array.from({ length: 1000 }, (_, i) => `n${String(10_000_000 + 37 * i)}`);
  const jpegs = await jpegsOf([0, 1, 2, 0, 1, 2, 0, 1], 5);
  const pick = (i: number): Buffer => jpegs[i % jpegs.length] ?? Buffer.alloc(0);
  names.forEach((name, i) => {
    mkdirSync(join(root, 'train', name), { recursive: true });
    for (const j of [0, 1]) writeFileSync(join(root, 'train', name, `${name}_${j}.JPEG`), pick(i + j));
  });
  mkdirSync(join(root, 'val'));
  const order = [...names].reverse();
  for (let i = 1; i <= 500; i += 1)
    writeFileSync(join(root, 'val', `ILSVRC2012_val_${String(i).padStart(8, '0')}.JPEG`), pick(i));
  writeFileSync(
    join(root, 'ILSVRC2012_validation_ground_truth.txt'),
    Array.from({ length: 500 }, (_, i) => `${i + 1}\n`).join(''),
  );
  writeFileSync(join(root, 'synsets.txt'), order.map((name) => `${name}\n`).join(''));
  const output = join(temporaryFolder(), 'run');
  const data = { name: 'imagenet', root, trainImages: 1000, testImages: 64 };
  const fit = { epochs: 1, batch: 200 };
  const { stages } = await trainExperiment(parseExperiment(experiment(data, output, { fit })));
  expect(stages[0]?.widths.classifier ?? Object.values(stages[0]?.widths ?? {}).at(-1)).toBe(1000);
});

for (const [name, more] of [
  ['tiny-imagenet-20', { trainImages: 100, testImages: 40 }],
  ['imagenet-det-25', { testShare: 0.2 }],
  ['imagenet-sample-50', { testShare: 0.2 }],
] as const) {
  const { folder, reason } = dataFolder(name);
  test.skipIf(reason !== '')(`${name} trains and evaluates${reason}`, { timeout: 600_000 }, async () => {
    // Links, so that no index is written into the folder itself.
    const root = temporaryFolder();
    const { readdirSync } = await import('node:fs');
    for (const inner of readdirSync(folder)) symlinkSync(join(folder, inner), join(root, inner));
    const output = join(temporaryFolder(), 'run');
    const fit = { epochs: 1, batch: 20 };
    const spec = parseExperiment(
      experiment({ root, resolution: 32, followLinks: true, ...more }, output, { fit }),
    );
    const { stages } = await trainExperiment(spec);
    expect(stages[0]?.top5).toBeGreaterThanOrEqual(0);
  });
}
