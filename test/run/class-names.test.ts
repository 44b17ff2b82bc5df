// What training writes of the images into network.json: names of classes and the shorter side of files.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseExperiment } from '../../lib/run/spec/spec.js';
import { trainExperiment } from '../../lib/run/stage/train.js';
import { readGraph } from '../../lib/train/network.js';
import { pictureFolder } from '../data/images/pictures.js';
import { temporaryFolder, tinyExperiment, writeTinyData } from './tiny.js';

type Json = Readonly<Record<string, unknown>>;

const FASHION = { name: 'fashion-mnist', trainImages: 32, testImages: 16 };
const WORDS = ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag'];

/** Trains an epoch; the output folder, and the notes that came of loading. */
async function trained(
  more: Json,
  output = join(temporaryFolder(), 'run'),
): Promise<{ readonly output: string; readonly notes: readonly string[] }> {
  const notes: string[] = [];
  const spec = parseExperiment({
    ...{ name: 'names', network: { preset: 'mobilenet_cifar10', blocks: 1, width: 4 }, data: FASHION },
    ...{ fit: { epochs: 1, batch: 16 }, threads: 1, output },
    ...more,
  });
  await trainExperiment(spec, {
    onEvent: (event) => {
      if (event.type === 'note' && event.phase === 'load') notes.push(event.text);
    },
  });
  return { output, notes };
}

test('a preset takes the names of the dataset; images in memory have no shorter side', async () => {
  const { output } = await trained({});
  const graph = await readGraph(output);
  expect(graph.classes).toEqual([...WORDS, 'Ankle boot']);
  expect(Object.keys(graph.input)).toEqual(['shape', 'mean', 'std']);
  const written: unknown = JSON.parse(await readFile(join(output, 'network.json'), 'utf8'));
  expect(JSON.stringify(written)).toBe(JSON.stringify(graph));
});

test('an output of another width than the dataset has classes stays without names', async () => {
  const { output } = await trained({
    network: { preset: 'mobilenet_cifar10', blocks: 1, width: 4, classes: 12 },
  });
  expect(await readGraph(output)).not.toHaveProperty('classes');
});

test('a safetensors file has no names', async () => {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  await trained({ ...tinyExperiment(folder), fit: { epochs: 1, batch: 32 } });
  const graph = await readGraph(join(folder, 'run'));
  expect(graph).not.toHaveProperty('classes');
  expect(Object.keys(graph.input)).toEqual(['shape', 'mean', 'std']);
});

test("a network's own names are kept; other names of the dataset are refused, unless numbers are asked for", async () => {
  const { output } = await trained({});
  const file = join(output, 'network.json');
  const again = (data = {}): Promise<{ readonly output: string; readonly notes: readonly string[] }> =>
    trained({ network: { directory: output }, data: { ...FASHION, ...data } });
  const same = await again();
  expect(same.notes.filter((note) => note.includes('classes'))).toEqual([]);
  expect(await readFile(join(same.output, 'network.json'), 'utf8')).toBe(await readFile(file, 'utf8'));

  const own = [...WORDS, 'boot'];
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), classes: own }));
  await expect(again()).rejects.toThrow(/has no class "Ankle boot", 1 of the data's 10 classes/);
  const other = await again({ classesBy: 'number' });
  expect((await readGraph(other.output)).classes).toEqual(own);
  expect(other.notes.at(-1)).toBe('classes are matched by number, as data.classesBy says');

  const { classes: _, ...bare } = await readGraph(output);
  await writeFile(file, JSON.stringify(bare));
  expect((await readGraph((await again()).output)).classes).toEqual([...WORDS, 'Ankle boot']);
});

test('the shorter side that files were evaluated with is written over what the network said', async () => {
  const root = await pictureFolder(['cat', 'dog'], { train: 6, test: 3 });
  const data = { name: 'image-folder', root, resolution: 16 };
  const first = await trained({ data: { ...data, shortSide: 20 } });
  const { input, classes } = await readGraph(first.output);
  expect([input.shortSide, classes]).toEqual([20, ['cat', 'dog']]);
  const second = await trained({ data, network: { directory: first.output } });
  expect((await readGraph(second.output)).input.shortSide).toBe(18);
});
