// predict against Pillow and numpy (test/golden/predict.py), and against what eval and forward give for the same images.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { evaluate } from '../../lib/api/evaluate.js';
import { type PredictDocument, predict } from '../../lib/api/predict.js';
import { loadDataset } from '../../lib/data/dataset.js';
import { partOfFiles } from '../../lib/data/images/named-files.js';
import { IMAGE_DEFAULTS } from '../../lib/data/images/settings.js';
import { isInMemory, type Part, toDevice } from '../../lib/data/part.js';
import { lower } from '../../lib/graph/lower.js';
import { buildPreset } from '../../lib/models/zoo.js';
import { loadCore } from '../../lib/native/load.js';
import { parseExperiment } from '../../lib/run/spec/spec.js';
import { trainExperiment } from '../../lib/run/stage/train.js';
import { createNetwork, loadNetwork, saveNetwork } from '../../lib/train/network.js';
import { jpegsOf, pictureFolder, pngOf } from '../data/images/pictures.js';
import { GOLDEN } from '../native/golden.js';
import { PICTURES } from '../native/images/files.js';
import { temporaryFolder } from '../run/tiny.js';
import { colourNetwork, SIDE } from './colours.js';

beforeAll(() => loadCore().setThreads(1));

interface Case {
  readonly network: string;
  readonly file: string;
  readonly kind: 'same' | 'resized';
  readonly shortSide: number;
  readonly probabilities: readonly number[];
}

const FOLDER = join(GOLDEN, 'predict');
const CASES = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')) as readonly Case[];
const networkAt = (name: string): string => join(FOLDER, name);

/** Probabilities in the order of the classes. */
function inOrder({ images }: PredictDocument, at = 0): readonly number[] {
  const top = images[at]?.top ?? [];
  return [...top].sort((a, b) => a.index - b.index).map(({ probability }) => probability);
}

test.each([...new Set(CASES.map(({ network }) => network))])(
  '%s: probabilities are those of Pillow and numpy',
  async (network) => {
    for (const { file, kind, shortSide, probabilities } of CASES.filter((one) => one.network === network)) {
      const images = [join(PICTURES, file)];
      const asked = { network: networkAt(network), images, ...(kind === 'same' && { shortSide }) };
      const found = await predict(asked);
      expect(found.problems).toEqual([]);
      const gaps = inOrder(found).map((got, i) => Math.abs(got - (probabilities[i] ?? Number.NaN)));
      // float32 against float64 where pixels are the same. Resized ones may be a level off, and so may inks, whose grey then is too.
      const close = kind === 'same' && !file.startsWith('cmyk') ? 1e-6 : 0.01;
      expect(gaps).toHaveLength(5);
      expect(Math.max(...gaps), `${file} ${kind}`).toBeLessThan(close);
    }
  },
);

test('the likeliest come first, with names where the network has some; a list has as many as asked for', async () => {
  const images = ['rgb.jpg', 'colours.png', 'rgb.jpg'].map((file) => join(PICTURES, file));
  const all = await predict({ network: networkAt('colours'), images, top: 99 });
  expect(all.images.map(({ file }) => file)).toEqual(images);
  for (const { top } of all.images) {
    expect(top.map(({ class: name }) => name).sort()).toEqual([
      'Douglas fir',
      'ash',
      'birch',
      'cedar',
      'elm',
    ]);
    const shares = top.map(({ probability }) => probability);
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
  }
  expect(all.images[2]?.top).toEqual(all.images[0]?.top);
  const two = await predict({ network: networkAt('grey'), images, top: 2 });
  expect(two.images.map(({ top }) => top.length)).toEqual([2, 2, 2]);
  expect(two.images[0]?.top[0]?.class).toBeNull();
});

/** Softmax of each image's logits as the dataset's own path gives them. */
async function throughDataset(directory: string, part: Part): Promise<readonly (readonly number[])[]> {
  using network = await loadNetwork(directory, { device: 'cpu' });
  const { classes } = lower(network.graph);
  using data = toDevice(network.graph, part, classes, 'cpu');
  const logits = await loadCore().forward(network.handle, data, { mode: 'eval', batch: 256 });
  const values = new Float32Array(logits.data.slice().buffer);
  return Array.from({ length: values.length / classes }, (_, at) => {
    const own = values.subarray(at * classes, (at + 1) * classes);
    const shares = Array.from(own, (value) => Math.exp(value - Math.max(...own)));
    const sum = shares.reduce((total, share) => total + share, 0);
    return shares.map((share) => share / sum);
  });
}

test('files of a folder: the very probabilities of the dataset, and the top-1 and loss of eval', {
  timeout: 600_000,
}, async () => {
  const names = ['red', 'green', 'blue'];
  const root = await pictureFolder(names, { train: 12, test: 5 });
  const output = join(temporaryFolder(), 'run');
  // Not the usual shorter side: it is taken from network.json by predict and eval alike.
  const data = { name: 'image-folder', root, resolution: 16, shortSide: 22 };
  const spec = parseExperiment({
    ...{ name: 'files', network: { preset: 'mobilenet_cifar10', blocks: 1, width: 4 }, data },
    ...{ fit: { epochs: 3, batch: 12 }, output },
  });
  const { stages } = await trainExperiment(spec);
  const { test: part } = await loadDataset(spec.data);
  if (isInMemory(part) || !('files' in part.source)) throw new Error('expected files');
  const { paths, labels } = part.source.files;
  const found = await predict({ network: output, images: paths.map((path) => join(root, path)), top: 3 });
  expect(found.images.map((_, at) => inOrder(found, at))).toEqual(await throughDataset(output, part));
  expect(found.images[0]?.top.map(({ class: name }) => name).sort()).toEqual([...names].sort());

  const usual = parseExperiment({ ...spec, data: { ...data, shortSide: null } });
  const evaluated = await evaluate({ network: output, data: usual.data });
  expect(evaluated.top1).toBe(stages[0]?.top1);
  expect(evaluated.loss).toBe(stages[0]?.loss);
  const hits = found.images.filter(({ top }, at) => top[0]?.index === labels[at]).length;
  expect((100 * hits) / paths.length).toBeCloseTo(evaluated.top1, 9);
  const losses = found.images.map((_, at) => -Math.log(inOrder(found, at)[labels[at] ?? 0] ?? 0));
  // The mean of float32 logarithms.
  expect(losses.reduce((sum, loss) => sum + loss, 0) / losses.length).toBeCloseTo(evaluated.loss, 5);
});

test('PNGs of grey and of coloured pixels in memory: the very probabilities of the dataset', async () => {
  const folder = temporaryFolder();
  const { test: part, mean, std } = await loadDataset({ name: 'fashion-mnist', testImages: 6 });
  if (!isInMemory(part)) throw new Error('expected images in memory');
  const { data: grey } = part.images;
  const colours = Uint8Array.from(
    { length: 3 * grey.length },
    (_, at) => (grey[at % grey.length] ?? 0) ^ (at >> 9),
  );
  for (const [channels, pixels, statistics] of [
    [1, grey, { mean, std }],
    [3, colours, { mean: [0.1, 0.2, 0.3], std: [0.4, 0.5, 0.6] }],
  ] as const) {
    const graph = buildPreset('mobilenet_cifar10', { blocks: 1, width: 8, channels, resolution: 28 });
    const directory = join(folder, `${channels}`);
    const described = { ...graph, input: { ...graph.input, ...statistics } };
    using network = createNetwork(described, { seed: 3, device: 'cpu' });
    await saveNetwork(network, directory);
    const area = 28 * 28;
    const files = Array.from({ length: 6 }, (_, at) => {
      const level = (channel: number, x: number, y: number): number =>
        pixels[(at * channels + Math.min(channel, channels - 1)) * area + 28 * y + x] ?? 0;
      const file = join(folder, `${channels}-${at}.png`);
      writeFileSync(
        file,
        pngOf(28, 28, (x, y) => [0, 1, 2].map((channel) => level(channel, x, y))),
      );
      return file;
    });
    const found = await predict({ network: directory, images: files, top: 10 });
    const images = { dtype: 'uint8', shape: [6, channels, 28, 28], data: pixels } as const;
    expect(found.images.map((_, at) => inOrder(found, at))).toEqual(
      await throughDataset(directory, { images, labels: part.labels }),
    );
  }
});

test('exact decoding is that of data.scaledDecoding false; large JPEGs are shrunk by the decoder otherwise', async () => {
  const network = await colourNetwork(['red', 'green', 'blue']);
  // 40 x 32, and the network sees 8 x 8: the decoder may leave a quarter.
  const [jpeg] = await jpegsOf([1], 3);
  const images = [join(temporaryFolder(), 'large.jpg')];
  writeFileSync(images[0] ?? '', jpeg ?? '');
  for (const [exactDecode, scaledDecoding] of [
    [true, false],
    [false, true],
    [undefined, true],
  ] as const) {
    const found = await predict({ network, images, exactDecode });
    const settings = { ...IMAGE_DEFAULTS, resolution: SIDE, shortSide: SIDE, scaledDecoding };
    expect([inOrder(found)]).toEqual(await throughDataset(network, partOfFiles(images, settings)));
  }
  const exact = await predict({ network, images, exactDecode: true });
  expect(inOrder(exact)).not.toEqual(inOrder(await predict({ network, images })));
});

test('the work tells how far it is, stops at once where it is aborted, and a listener that throws ends it', async () => {
  const images = Array.from({ length: 300 }, () => join(PICTURES, 'grey-8.png'));
  const asked = { network: networkAt('grey'), images, top: 1 };
  const seen: string[] = [];
  await predict(asked, {
    onEvent: (event) => {
      if (event.type === 'progress') seen.push(`${event.phase} ${event.progress.done}`);
    },
  });
  expect(seen.filter((one) => one.startsWith('evaluate'))).toEqual(['evaluate 256', 'evaluate 300']);
  expect(seen).toContain('load 300');
  await expect(predict(asked, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'E_ABORTED' });
  const late = new AbortController();
  const stopped = predict(asked, {
    signal: late.signal,
    onEvent: ({ phase }) => {
      if (phase === 'evaluate') late.abort();
    },
  });
  await expect(stopped).rejects.toMatchObject({ code: 'E_ABORTED' });
  const failure = new Error('a fault of the listener');
  const failed = predict(asked, {
    onEvent: () => {
      throw failure;
    },
  });
  await expect(failed).rejects.toBe(failure);
});

test('networks that take no pictures, and senseless options, are refused', async () => {
  const folder = temporaryFolder();
  const images = [join(PICTURES, 'rgb.jpg')];
  const saved = async (name: string, shape: readonly [number, number, number]): Promise<string> => {
    const graph = buildPreset('mobilenet_cifar10', { blocks: 1, width: 4, channels: shape[0] });
    const directory = join(folder, name);
    using network = createNetwork({ ...graph, input: { shape } }, { seed: 0, device: 'cpu' });
    await saveNetwork(network, directory);
    return directory;
  };
  const grey = networkAt('grey');
  for (const [options, words] of [
    [
      { network: await saved('two', [2, 32, 32]), images },
      /square images, grey or in colours.*\[2, 32, 32\]/,
    ],
    [{ network: await saved('wide', [3, 32, 40]), images }, /takes \[3, 32, 40\].*splitgrow forward/],
    [{ network: grey, images: [] }, /images of at least one, got 0/],
    [{ network: grey, images, top: 0 }, /top of at least one, got 0/],
    [{ network: grey, images, top: 1.5 }, /top of at least one, got 1\.5/],
    [{ network: grey, images, shortSide: 23 }, /at least the network's resolution, 24, got 23/],
    [{ network: grey, images, shortSide: Number.NaN }, /got NaN/],
    [{ network: grey, images: ['a\0b'] }, /NUL/],
  ] as const)
    await expect(predict(options)).rejects.toMatchObject({
      code: 'E_ARGUMENT',
      message: expect.stringMatching(words),
    });
});
