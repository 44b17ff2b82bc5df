// eval: classes matched by name, and the part that is looked at; accuracies counted by hand.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { packData } from '../../lib/api/data-pack.js';
import { type EvaluateOptions, evaluate } from '../../lib/api/evaluate.js';
import { loadCore } from '../../lib/native/load.js';
import { parseData, parseExperiment } from '../../lib/run/spec/spec.js';
import { trainExperiment } from '../../lib/run/stage/train.js';
import { readGraph } from '../../lib/train/network.js';
import { failureOf } from '../data/places.js';
import { temporaryFolder } from '../run/tiny.js';
import { colourFolder, colourNetwork, SIDE } from './colours.js';

beforeAll(() => loadCore().setThreads(1));

type Json = Readonly<Record<string, unknown>>;

/** The document of eval on a folder, and the notes that were told. */
async function evaluated(network: string, data: Json, more: Partial<EvaluateOptions> = {}) {
  const told: string[] = [];
  const document = await evaluate(
    { network, data: parseData({ name: 'image-folder', ...data }), ...more },
    { onEvent: (event) => void (event.type === 'note' && told.push(event.text)) },
  );
  return { ...document, told };
}

const RGB = ['red', 'green', 'blue'];

test('a folder in another order than the network is matched by name, and the count is said', async () => {
  const network = await colourNetwork(RGB);
  const root = colourFolder({ 'train/red': 'r', 'train/green': 'g', 'train/blue': 'b' });
  const val = colourFolder({ 'val/red': 'rrr', 'val/green': 'gg', 'val/blue': 'bg' });
  const { top1, images, notes, told } = await evaluated(network, { root: val });
  expect([top1, images]).toEqual([(100 * 6) / 7, 7]);
  const sentence =
    "classes are matched by name: 3 of the data's 3 are among the network's 3, 2 have another number there";
  expect(notes).toEqual([
    'class folders in val/ alone: 0 images for training, 7 for testing, 3 classes',
    sentence,
  ]);
  expect(told).toContain(sentence);
  // The same by numbers: blue, green, red instead of red, green, blue.
  expect((await evaluated(network, { root: val, classesBy: 'number' })).top1).toBeCloseTo((100 * 2) / 7, 10);
  expect((await evaluated(network, { root, testShare: 0.5 }, { part: 'train' })).top1).toBe(100);
});

test('a folder with some of the classes is matched; one that is not the network’s is refused by name', async () => {
  const network = await colourNetwork(RGB);
  const some = await evaluated(network, { root: colourFolder({ 'val/green': 'ggr', 'val/blue': 'b' }) });
  expect([some.top1, some.images]).toEqual([75, 4]);
  expect(some.notes[1]).toBe(
    "classes are matched by name: 2 of the data's 2 are among the network's 3, 1 have another number there",
  );
  const strange = colourFolder({ 'val/green': 'g', 'val/pink': 'r', 'val/Blue': 'b' });
  expect(await failureOf(evaluated(network, { root: strange }))).toMatch(
    /^E_LABELS: .*network "colours" has no class "Blue", "pink" \(it has "blue": capitals count\), 2 of the data's 3 classes; it has "red", "green", "blue"; .*data\.classesBy "number"/,
  );
  // Of the part that is looked at alone: the strange class is one of training.
  const apart = colourFolder({ 'train/green': 'g', 'train/pink': 'r', 'val/green': 'gg' });
  expect((await evaluated(network, { root: apart })).top1).toBe(100);
  expect(await failureOf(evaluated(network, { root: apart }, { part: 'all' }))).toMatch(/no class "pink"/);
});

test('names in another Unicode form are the same names, and that is said', async () => {
  const [composed, decomposed] = ['rosé'.normalize('NFC'), 'rosé'.normalize('NFD')];
  for (const [own, folder] of [
    [composed, decomposed],
    [decomposed, composed],
  ] as const) {
    const network = await colourNetwork([own, 'green', 'blue']);
    const { top1, notes } = await evaluated(network, {
      root: colourFolder({ [`val/${folder}`]: 'rr', 'val/blue': 'b' }),
    });
    expect(top1).toBe(100);
    expect(notes[1]).toMatch(/2 have another number there, 1 are written in another Unicode form/);
  }
});

test('where only one side has names, numbers are taken, and that is said', async () => {
  const root = colourFolder({ 'val/a': 'rr', 'val/b': 'gg', 'val/c': 'bb' });
  const bare = await evaluated(await colourNetwork(undefined), { root });
  expect([bare.top1, bare.notes[1]]).toEqual([
    100,
    'classes are matched by number, for network "colours" names none',
  ]);
  const wide = await evaluated(await colourNetwork(undefined, 5), { root });
  expect(wide.notes[1]).toBe(
    'classes are matched by number, for network "colours" names none: image-folder has 3 of them, the network 5',
  );
  const same = await evaluated(await colourNetwork(['a', 'b', 'c']), { root });
  expect([same.top1, same.notes.length]).toEqual([100, 1]);
});

test('a store is matched by name as its folder is', async () => {
  const network = await colourNetwork(RGB);
  const root = colourFolder({
    'train/green': 'gggr',
    'train/blue': 'bb',
    'test/green': 'gb',
    'test/blue': 'bb',
  });
  const store = join(temporaryFolder(), 'set.store');
  await packData({ root, out: store, shortSide: null });
  for (const [part, top1, images] of [
    [undefined, 75, 4],
    ['test', 75, 4],
    ['train', (100 * 5) / 6, 6],
    ['all', 80, 10],
  ] as const) {
    const more = part === undefined ? {} : { part };
    const found = await evaluated(network, { store }, more);
    expect(found.top1, part).toBeCloseTo(top1, 10);
    expect([found.images, found.part]).toEqual([images, part ?? 'test']);
    expect((await evaluated(network, { root }, more)).loss).toBeCloseTo(found.loss, 6);
  }
  expect(await failureOf(evaluated(network, { store }, { part: 'val' }))).toMatch(
    /^E_USAGE: part: expected val only with a folder of images/,
  );
  const chosen = await evaluated(network, { store, testImages: 2 });
  expect([chosen.images, chosen.top1]).toEqual([2, 100]);
});

test('every part of a folder can be looked at: val, test, train, all of it', async () => {
  const network = await colourNetwork(RGB);
  const root = colourFolder({
    ...{ 'train/red': 'rrrrb', 'train/green': 'gggg', 'train/blue': 'bbbb' },
    ...{ 'val/red': 'rr', 'val/green': 'gb', 'val/blue': 'bb' },
    ...{ 'test/red': 'rrrr', 'test/green': 'gggg', 'test/blue': 'rrrr' },
  });
  const of = async (part: EvaluateOptions['part'], data: Json = {}) => {
    const { top1, images } = await evaluated(network, { root, ...data }, { part });
    return [images, Math.round(top1 * 100) / 100];
  };
  expect(await of(undefined)).toEqual([6, 83.33]);
  expect(await of('val')).toEqual([6, 83.33]);
  expect(await of('test')).toEqual([12, 66.67]);
  expect(await of('train')).toEqual([13, 92.31]);
  expect(await of('all')).toEqual([19, 89.47]);
  expect(await of('train', { trainImages: 3 })).toEqual([3, 100]);
  // A part named as the root: a share is kept for testing, and all of it is every image.
  expect(await of(undefined, { root: join(root, 'test') })).toEqual([3, 66.67]);
  expect(await of('test', { root: join(root, 'test'), testShare: 0.5 })).toEqual([6, 66.67]);
  expect(await of('all', { root: join(root, 'test') })).toEqual([12, 66.67]);
  expect(await failureOf(of('val', { root: join(root, 'test') }))).toMatch(/^E_DATA: .*found no part folder/);
});

const FIT = { epochs: 1, batch: 8, optimizer: { kind: 'sgd', learningRate: 1e-9, momentum: 0 } };

/** An experiment that goes on from a network and leaves it as it is. */
function going(network: string, root: string, output: string, data: Json = {}) {
  return parseExperiment({
    ...{ name: 'on', network: { directory: network }, fit: FIT, output, threads: 1 },
    data: { name: 'image-folder', root, resolution: SIDE, shortSide: SIDE, augment: [], ...data },
  });
}

test('training from a directory matches names too: the network keeps its own, and strange ones are refused', async () => {
  const network = await colourNetwork([...RGB, 'grey']);
  const root = colourFolder({
    'train/green': 'gggg',
    'train/red': 'rrrr',
    'val/green': 'gg',
    'val/red': 'rr',
  });
  const output = join(temporaryFolder(), 'run');
  const notes: string[] = [];
  const { stages } = await trainExperiment(going(network, root, output), {
    onEvent: (event) => void (event.type === 'note' && notes.push(event.text)),
  });
  expect(stages[0]?.top1).toBe(100);
  expect((await readGraph(output)).classes).toEqual([...RGB, 'grey']);
  expect(notes.join('\n')).toMatch(
    /matched by name: 2 of the data's 2 are among the network's 4, 2 have another/,
  );
  expect((await evaluated(output, { root })).top1).toBe(100);
  const strange = colourFolder({
    'train/green': 'gggg',
    'train/pink': 'rrrr',
    'val/green': 'g',
    'val/pink': 'r',
  });
  const other = join(temporaryFolder(), 'run');
  expect(await failureOf(trainExperiment(going(network, strange, other)))).toMatch(
    /^E_LABELS: .*no class "pink"/,
  );
  const { stages: forced } = await trainExperiment(going(network, strange, other, { classesBy: 'number' }));
  // By number green is red and pink is green.
  expect(forced[0]?.top1).toBe(0);
});

test('a run goes on only with the classes that it was begun with', async () => {
  const root = colourFolder({ 'train/a': 'rrrrrrrr', 'train/b': 'gggggggg', 'val/a': 'r', 'val/b': 'g' });
  const output = join(temporaryFolder(), 'run');
  const spec = (epochs: number) =>
    parseExperiment({
      ...{ name: 'on', network: { preset: 'mobilenet_cifar10', blocks: 1, width: 4 }, output, threads: 1 },
      ...{ fit: { epochs, batch: 8 }, data: { name: 'image-folder', root, resolution: SIDE, augment: [] } },
    });
  const stop = new AbortController();
  await expect(
    trainExperiment(spec(3), {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'progress' && event.phase === 'fit' && event.epoch === 1) stop.abort();
      },
    }),
  ).rejects.toMatchObject({ code: 'E_ABORTED' });
  const more = colourFolder({ c: 'bbbbbbbb' });
  const { cp } = await import('node:fs/promises');
  await cp(join(more, 'c'), join(root, 'train/c'), { recursive: true });
  expect(await failureOf(trainExperiment(spec(3)))).toMatch(
    /^E_RESUME: .*it was begun with 2 classes, the data has 3; new are c; put the data back/,
  );
});

test('eval of a network of 20 classes takes the coarse labels of CIFAR-100; both can be asked for', async () => {
  const root = temporaryFolder();
  const row = (coarse: number, fine: number): Buffer =>
    Buffer.from([coarse, fine, ...new Array(3072).fill(100)]);
  const rows = Buffer.concat(Array.from({ length: 20 }, (_, i) => row(i, 5 * i + 1)));
  for (const name of ['train.bin', 'test.bin']) await writeFile(join(root, name), rows);
  const output = join(temporaryFolder(), 'run');
  const data = { name: 'cifar100', root };
  const spec = parseExperiment({
    ...{ name: 'coarse', network: { preset: 'mobilenet_cifar10', blocks: 1, width: 4 }, output, threads: 1 },
    ...{ fit: { epochs: 1, batch: 10 }, data: { ...data, labels: 'coarse' } },
  });
  const { stages } = await trainExperiment(spec);
  for (const more of [{}, { labels: 'coarse' }]) {
    const found = await evaluate({ network: output, data: parseData({ ...data, ...more }) });
    expect([found.top1, found.loss]).toEqual([stages[0]?.top1, stages[0]?.loss]);
  }
  expect(
    await failureOf(evaluate({ network: output, data: parseData({ ...data, labels: 'fine' }) })),
  ).toMatch(/^E_LABELS: .*it has 100 classes, network .* has 20; .*eval: --labels/);
});

test('a folder of one class is looked at where its name is one of the network’s, and no other way', async () => {
  const network = await colourNetwork(RGB);
  const root = colourFolder({ 'val/blue': 'bbr' });
  const { top1, images } = await evaluated(network, { root });
  expect([top1, images]).toEqual([(100 * 2) / 3, 3]);
  expect(await failureOf(evaluated(network, { root, classesBy: 'number' }))).toMatch(
    /^E_DATA: .*found 1 classes with 3 images/,
  );
  expect(await failureOf(evaluated(network, { root: colourFolder({ 'val/cyan': 'bb' }) }))).toMatch(
    /^E_LABELS: .*"cyan"/,
  );
});
