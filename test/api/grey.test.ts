// Networks of one channel and image files: trained, evaluated and asked on the luma that Pillow's convert("L") gives.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { packData } from '../../lib/api/data-pack.js';
import { evaluate } from '../../lib/api/evaluate.js';
import { predict } from '../../lib/api/predict.js';
import { loadCore } from '../../lib/native/load.js';
import { parseData, parseExperiment } from '../../lib/run/spec/spec.js';
import { trainExperiment } from '../../lib/run/stage/train.js';
import { readGraph } from '../../lib/train/network.js';
import { pngOf } from '../data/images/pictures.js';
import { failureOf } from '../data/places.js';
import { imageCore, imagesOf, sourceOf } from '../native/images/files.js';
import { temporaryFolder } from '../run/tiny.js';
import { colourFolder, SIDE } from './colours.js';

beforeAll(() => loadCore().setThreads(1));

/** PIL.Image.fromarray(...).convert("L") of these colours. */
const COLOURS = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [12, 200, 99],
  [7, 7, 7],
] as const;
const LUMA = [76, 150, 29, 132, 7];

test("luma is Pillow's, and leaves grey alone; it is normalised by one number", async () => {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, 'a.png'),
    pngOf(5, 5, (x) => COLOURS[x] ?? []),
  );
  const options = { resolution: 5, shortSide: 5, mean: [0.25], std: [0.5] };
  using data = imagesOf(sourceOf(folder, ['a.png']), options);
  const image = await imageCore().imageAt(data, 0);
  expect(image.shape).toEqual([1, 5, 5]);
  expect([...image.data.subarray(0, 5)]).toEqual(LUMA);
  const asked = { batch: 1, steps: null, shuffle: false, flip: false, seed: 0, keep: true };
  const { kept } = await imageCore().sweepImages(data, asked, null, null);
  expect(kept?.images.shape).toEqual([1, 1, 5, 5]);
  const seen = new Float32Array(kept?.images.data.slice(0, 20).buffer ?? new ArrayBuffer(0));
  LUMA.forEach((level, at) => {
    // float32
    expect(seen[at]).toBeCloseTo((level / 255 - 0.25) / 0.5, 6);
  });
});

/** Reds are darker than greens as luma: 72 and 123. */
const FOLDERS = { 'train/dark': 'rrrrrrrr', 'train/light': 'gggggggg', 'val/dark': 'rrg', 'val/light': 'gg' };

async function trained(data: object, network: object = {}) {
  const output = join(temporaryFolder(), 'run');
  const spec = parseExperiment({
    ...{ name: 'grey', output, threads: 1, fit: { epochs: 20, batch: 8, schedule: { kind: 'constant' } } },
    network: { preset: 'mobilenet_cifar10', blocks: 1, width: 4, ...network },
    data: { name: 'image-folder', resolution: SIDE, shortSide: SIDE, augment: [], ...data },
  });
  const { stages } = await trainExperiment(spec);
  return { output, stage: stages[0], graph: await readGraph(output) };
}

test('a network of one channel trains on a folder and a store; eval and predict see what training saw', async () => {
  const root = colourFolder(FOLDERS);
  const store = join(temporaryFolder(), 'set.store');
  await packData({ root, out: store, shortSide: null });
  const { output, stage, graph } = await trained({ root }, { channels: 1 });
  expect(graph.input.shape).toEqual([1, SIDE, SIDE]);
  // Rec. 601 luma of ImageNet's numbers.
  expect(graph.input.mean?.[0]).toBeCloseTo(0.299 * 0.485 + 0.587 * 0.456 + 0.114 * 0.406, 12);
  expect(graph.input.std?.[0]).toBeCloseTo(0.299 * 0.229 + 0.587 * 0.224 + 0.114 * 0.225, 12);
  for (const where of [{ root }, { store }]) {
    const found = await evaluate({ network: output, data: parseData({ name: 'image-folder', ...where }) });
    expect([found.top1, found.loss, found.images]).toEqual([stage?.top1, stage?.loss, 5]);
  }
  expect(stage?.top1).toBe(80);
  const files = ['val/dark/0.png', 'val/dark/2.png', 'val/light/1.png'].map((path) => join(root, path));
  const { images } = await predict({ network: output, images: files, top: 1 });
  expect(images.map(({ top }) => top[0]?.class)).toEqual(['dark', 'light', 'light']);
  const all = await predict({
    network: output,
    images: ['dark/0', 'dark/1', 'dark/2', 'light/0', 'light/1'].map((path) => join(root, `val/${path}.png`)),
  });
  const right = [0, 0, 0, 1, 1];
  const losses = all.images.map(
    ({ top }, at) => -Math.log(top.find(({ index }) => index === right[at])?.probability ?? 0),
  );
  // The mean of float32 logarithms.
  expect(losses.reduce((sum, loss) => sum + loss, 0) / 5).toBeCloseTo(stage?.loss ?? Number.NaN, 5);
  expect((await trained({ store }, { channels: 1 })).stage?.top1).toBe(80);
});

test('a mean of one number makes the network one of one channel, and is what it is normalised by', async () => {
  const root = colourFolder(FOLDERS);
  const { graph } = await trained({ root, mean: [0.4], std: [0.3] });
  expect(graph.input).toMatchObject({ shape: [1, SIDE, SIDE], mean: [0.4], std: [0.3] });
  expect(await failureOf(trained({ root, mean: [0.4], std: [0.3] }, { channels: 3 }))).toMatch(
    /^E_DATA: .*expected data\.mean and data\.std of 3 numbers each, .* got 1 and 1; give as many, or network\.channels 1/,
  );
  expect(await failureOf(trained({ root }, { channels: 2 }))).toMatch(
    /^E_DATA: .*takes images of \[2, 8, 8\], got \[3, 8, 8\]/,
  );
});
