// `splitgrow init`: every kind of experiment is valid and explained, the quick one grows; questions, refusals, what is there stays.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { grow } from '../../../lib/api/grow.js';
import { type InitDocument, type InitOptions, init } from '../../../lib/api/init.js';
import { asked } from '../../../lib/cli/init.js';
import { macs } from '../../../lib/graph/cost.js';
import { parseCommentedJson } from '../../../lib/machine/files/json.js';
import { buildPreset, ZOO } from '../../../lib/models/zoo.js';
import { DATA, EFFORTS, FOLDERS, STARTS } from '../../../lib/run/init/choices.js';
import { schemaReference } from '../../../lib/run/init/schema-place.js';
import { experimentSchema } from '../../../lib/run/spec/schema/experiment.js';
import type { JsonSchema } from '../../../lib/run/spec/schema/json-schema.js';
import { membersAt } from '../../../lib/run/spec/schema/lookup.js';
import { readExperiment } from '../../../lib/run/spec/spec.js';
import { errorLine, splitgrow } from '../../cli/command-line.js';
import { pngOf } from '../../data/images/pictures.js';
import { writePictures } from '../../data/images/written.js';
import { isExperiment } from '../spec/schema/ajv.js';
import { temporaryFolder } from '../tiny.js';

type Data = keyof typeof DATA;
const rootOf = (data: Data): Pick<InitOptions, 'root'> =>
  DATA[data].isFolder ? { root: 'no-such-folder' } : {};
/** Lines that are no comment and no closing bracket. */
const membersOf = (text: string): readonly string[] => text.split('\n').filter((line) => /^\s+"/.test(line));

/** Folders of empty files, for their names alone. */
function imageFolder(classes: number, images: number): string {
  const root = join(temporaryFolder(), 'my photos');
  for (let at = 0; at < classes; at += 1) {
    const folder = join(root, `class${at}`);
    mkdirSync(folder, { recursive: true });
    for (let i = 0; i < images; i += 1) writeFileSync(join(folder, `${i}.jpg`), '');
  }
  return root;
}

test('every data, effort and preset gives an experiment that parser and schema take, with every member explained', async () => {
  const folder = temporaryFolder();
  const rows = (Object.keys(DATA) as Data[]).flatMap((data) =>
    (Object.keys(EFFORTS) as (keyof typeof EFFORTS)[]).map((effort) => ({ data, effort })),
  );
  const presets = Object.keys(ZOO).map((preset) => ({
    data: 'cifar10' as const,
    effort: 'full' as const,
    preset,
  }));
  const budgets = [{ data: 'cifar10' as const, effort: 'quick' as const, macs: 9e6, params: 90_000 }];
  for (const [at, options] of [...rows, ...presets, ...budgets].entries()) {
    const file = join(folder, `${at}.jsonc`);
    const document = await init({ ...options, ...rootOf(options.data), file });
    const spec = await readExperiment(file);
    const text = readFileSync(file, 'utf8');
    expect(isExperiment(parseCommentedJson(text)), `${file} ${JSON.stringify(isExperiment.errors)}`).toBe(
      true,
    );
    expect(spec.name).toBe(document.name);
    const lines = text.split('\n');
    // Limits by name of a cost are the only members that no schema knows by name.
    const bare = lines.filter((line, i) => /^\s+"/.test(line) && !/^\s*\/\//.test(lines[i - 1] ?? ''));
    expect(
      bare.map((line) => line.trim()),
      text,
    ).toEqual('params' in options ? [`"params": ${options.params}`] : []);
    expect(
      Math.max(...lines.filter((line) => /^\s*\/\//.test(line)).map(({ length }) => length)),
    ).toBeLessThan(130);
    // What the document says of the seed network is what the file's network has on these images.
    const { preset, ...given } = spec.network as { readonly preset: string };
    const { channels, resolution, classes } = DATA[options.data].facts;
    expect(document.macs).toBe(macs(buildPreset(preset, { channels, resolution, classes, ...given })));
  }
});

test('a budget gets the widest start that is at most a third of it, else the widest that fits', async () => {
  const folder = temporaryFolder();
  const seedFor = async (budget: Pick<InitOptions, 'macs' | 'params'>) =>
    init({ file: join(folder, 'x.jsonc'), data: 'cifar10', force: true, ...budget });
  const usual = await seedFor({});
  expect(await seedFor({ macs: 3 * usual.macs + 3 })).toMatchObject({ macs: usual.macs });
  for (const part of [0.9, 0.5, 0.2]) {
    const budget = Math.round(part * 3 * usual.macs);
    const { macs: seed } = await seedFor({ macs: budget });
    expect(seed, `${part}`).toBeLessThanOrEqual(budget / 3);
  }
  const narrowest = await seedFor({ params: 110 });
  expect(narrowest.params).toBeLessThan(110);
});

test('every preset has a start, every dataset a row', () => {
  expect(Object.keys(STARTS).sort()).toEqual(Object.keys(ZOO).sort());
  const names = experimentSchema().properties as Record<string, JsonSchema>;
  const known = membersAt([names.data ?? {}], 'name').flatMap((one) => one.enum as readonly string[]);
  expect(Object.keys(DATA).sort()).toEqual([...known].sort());
});

test('the comment above a field says what the schema says, with its default', async () => {
  const file = join(temporaryFolder(), 'x.jsonc');
  await init({ file });
  const text = readFileSync(file, 'utf8');
  expect(text).toContain('    // minibatch, over all ranks; default 256\n    "batch": 64,\n');
  expect(text).toContain('    // pixels of zero padding before `crop`; default 4\n    "cropPadding": 2\n');
  expect(membersOf(text)[0]).toMatch(/^ {2}"\$schema": /);
});

test('the quick experiment grows a stage as it is written, on fewer images', {
  timeout: 1_200_000,
}, async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'quick.jsonc');
  await init({ file });
  const { stages } = await grow({
    experiment: file,
    set: [
      ...['stop.stages=1', 'fit.epochs=1', 'data.trainImages=256', 'data.testImages=64'],
      ...['splitting.images=128', 'threads=1', `output=${join(folder, 'run')}`],
    ],
  });
  expect(stages).toHaveLength(2);
  const [before, after] = stages.map((stage) => stage.macs);
  expect(after).toBeGreaterThan(1.2 * (before ?? 0));
  expect(after).toBeLessThanOrEqual(1.5 * (before ?? 0));
});

test('a folder of images is counted: classes, minibatch and resolution follow, and the name', async () => {
  const root = imageFolder(10, 30);
  const file = join(temporaryFolder(), 'mine.jsonc');
  const document = await init({ data: 'image-folder', root, file });
  expect(document.name).toBe('my-photos');
  // A tenth of every class is kept for testing.
  expect(document.notes.join()).toContain('270 images of 10 classes to train on');
  const spec = await readExperiment(file);
  expect(spec.data).toMatchObject({ name: 'image-folder', root, resolution: FOLDERS[0]?.resolution });
  expect(spec.fit.batch).toBe(FOLDERS[0]?.batch);
  const few = await init({ data: 'image-folder', root: imageFolder(2, 4), file, force: true });
  expect(few.notes.join()).toContain('images of 2 classes');
  expect((await readExperiment(file)).fit.batch).toBeLessThanOrEqual(4);
});

test('the resolution is near the median side of the images, and small ones start from a preset for such', async () => {
  const file = join(temporaryFolder(), 'mine.jsonc');
  for (const [side, resolution, shortSide, preset] of [
    [16, 16, 16, 'mobilenet_cifar10'],
    [9, 8, null, 'mobilenet_cifar10'],
    [45, 48, 48, 'mobilenet_cifar10'],
    [100, 104, 104, 'mobilenet_v1'],
    [150, 128, null, 'mobilenet_v1'],
  ] as const) {
    const picture = pngOf(side + 3, side, () => [1, 2, 3]);
    const files = ['a', 'b'].flatMap((name) => [0, 1, 2].map((i) => [`${name}/${i}.png`, picture] as const));
    const odd = pngOf(300, 400, () => [3, 2, 1]);
    const root = writePictures({ ...Object.fromEntries(files), 'a/large.png': odd });
    const document = await init({ data: 'image-folder', root, file, force: true });
    expect(document.preset).toBe(preset);
    expect(document.notes.join()).toContain(`the median shorter side of its images is ${side} pixels`);
    expect((await readExperiment(file)).data).toMatchObject({ resolution, shortSide });
  }
  const root = writePictures({
    'a/1.png': pngOf(16, 16, () => [1, 2, 3]),
    'b/1.png': pngOf(16, 16, () => [1, 2, 3]),
  });
  await init({ data: 'image-folder', root, file, force: true, resolution: 40, macs: 4e9 }).then(({ notes }) =>
    expect(notes.join()).toMatch(
      /macs: 4,000,000,000 is [\d,]+ times what the seed network has.*stages and more/,
    ),
  );
  expect((await readExperiment(file)).data).toMatchObject({ resolution: 40 });
  for (const [name, value] of [
    ['resolution', 40],
    ['followLinks', true],
  ] as const)
    await expect(init({ data: 'cifar10', [name]: value, file, force: true })).rejects.toThrow(
      `${name}: expected only with imagenet or image-folder, got ${value}`,
    );
});

test('a folder that is not there is said to be so, and the file is written', async () => {
  const file = join(temporaryFolder(), 'mine.jsonc');
  const { notes } = await init({ data: 'image-folder', root: '/no/such/folder', file });
  expect(notes.join()).toContain('/no/such/folder is not there now');
  expect(readFileSync(file, 'utf8')).toContain('// /no/such/folder is not there now');
});

const DOT = pngOf(16, 16, () => [1, 2, 3]);

test.each([
  [
    'of one class',
    { 'a/1.png': DOT, 'a/2.png': DOT },
    /expected class folders .* found 1 classes with 2 images/,
  ],
  [
    'that can be read in two ways',
    { 'train/a/1.png': DOT, 'train/b/1.png': DOT, 'c/1.png': DOT },
    /expected a layout that can be read in one way, found two/,
  ],
  ['without images', { 'a/readme.txt': DOT }, /found 0 classes with 0 images/],
])(
  'a folder %s is refused as a run would refuse it, and nothing is written',
  async (_name, files, message) => {
    const file = join(temporaryFolder(), 'mine.jsonc');
    const refused = init({ data: 'image-folder', root: writePictures(files), file });
    await expect(refused).rejects.toMatchObject({ code: 'E_DATA', message: expect.stringMatching(message) });
    expect(existsSync(file)).toBe(false);
  },
);

test.each([
  [{ data: 'cifar' }, 'E_ARGUMENT', /data: expected one of .*"cifar"; did you mean "cifar10"/],
  [{ effort: 'fast' }, 'E_ARGUMENT', /effort: expected one of quick, full/],
  [{ preset: 'mobilenet_v3' }, 'E_PRESET', /"mobilenet_v3"; did you mean/],
  [{ data: 'image-folder' }, 'E_ARGUMENT', /root: expected the folder/],
  [{ macs: 5_000 }, 'E_ARGUMENT', /macs: expected a whole number above \d+, .*got 5000/],
  [{ params: 10 }, 'E_ARGUMENT', /params: expected a whole number above \d+/],
  [{ macs: 1e6 + 0.5 }, 'E_ARGUMENT', /macs: /],
  [{ name: '' }, 'E_EXPERIMENT', /name/],
])('%j is refused and nothing is written', async (options, code, message) => {
  const file = join(temporaryFolder(), 'x.jsonc');
  await expect(init({ file, ...(options as InitOptions) })).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
  expect(existsSync(file)).toBe(false);
});

test('a file that is there stays, unless it is forced; a folder stays in any case', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'x.jsonc');
  writeFileSync(file, 'mine');
  await expect(init({ file })).rejects.toMatchObject({
    code: 'E_ARGUMENT',
    message: expect.stringContaining('--force'),
  });
  expect(readFileSync(file, 'utf8')).toBe('mine');
  await init({ file, force: true });
  expect((await readExperiment(file)).name).toBe('fashion-mnist');
  await expect(init({ file: folder, force: true })).rejects.toMatchObject({ code: 'E_ARGUMENT' });
});

test('"$schema" leads to the schema: in node_modules above the file, else in the package', () => {
  const folder = temporaryFolder();
  const inside = join(folder, 'node_modules', 'splitgrow', 'schema');
  const url = schemaReference(join(folder, 'a', 'x.jsonc'));
  expect(existsSync(fileURLToPath(url))).toBe(true);
  mkdirSync(inside, { recursive: true });
  mkdirSync(join(folder, 'a'));
  writeFileSync(join(inside, 'experiment.schema.json'), '{}');
  expect(schemaReference(join(folder, 'x.jsonc'))).toBe(
    './node_modules/splitgrow/schema/experiment.schema.json',
  );
  const below = schemaReference(join(folder, 'a', 'x.jsonc'));
  expect(resolve(folder, 'a', below)).toBe(join(inside, 'experiment.schema.json'));
  const here = schemaReference('experiments/x.jsonc');
  expect(existsSync(resolve(dirname('experiments/x.jsonc'), here))).toBe(true);
});

test('questions are put until an answer can be used; what a flag says is not asked', async () => {
  const answers = ['cifar', 'image-folder', '', 'photos', '', 'quick', 'many', '20000000'];
  const put: string[] = [];
  const options = await asked({ name: 'x' }, async (question) => {
    put.push(question);
    return answers.shift() ?? '';
  });
  expect(options).toEqual({
    ...{ name: 'x', data: 'image-folder', root: 'photos', preset: 'mobilenet_v1', effort: 'quick' },
    macs: 20_000_000,
  });
  expect(answers).toEqual([]);
  expect(put[1]).toMatch(/^expected one of fashion-mnist, .*\nimages \(.*\) \[fashion-mnist\]: $/s);
  let count = 0;
  const given = { data: 'imagenet', preset: 'mobilenet_v2', effort: 'full', macs: 9e7 } as const;
  expect(
    await asked(given, async () => {
      count += 1;
      return '';
    }),
  ).toEqual(given);
  expect(count).toBe(1);
});

test('in a script nothing is asked; --json names the file and the next command', async () => {
  const folder = temporaryFolder();
  const words = ['init', '--data', 'cifar10', '--effort', 'quick', '--macs', '9000000', '--json'];
  const { code, stdout, stderr } = await splitgrow(words, {}, folder);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const document = JSON.parse(stdout) as InitDocument;
  expect(document).toMatchObject({ file: 'cifar10.jsonc', name: 'cifar10', preset: 'mobilenet_cifar10' });
  expect(document.next).toEqual(['npx splitgrow data get cifar10', 'npx splitgrow grow cifar10.jsonc']);
  expect((await readExperiment(join(folder, 'cifar10.jsonc'))).stop).toEqual({ macs: 9_000_000 });
  const again = await splitgrow(words, {}, folder);
  expect({ code: again.code, error: errorLine(again)?.code }).toEqual({ code: 2, error: 'E_ARGUMENT' });
});
