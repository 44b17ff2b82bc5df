// splitgrow data index, pack, verify and bench, and eval on image files: documents, texts, exit codes.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pictureFolder, pictureOf } from '../data/images/pictures.js';
import { randomOf } from '../reference.js';
import { errorLine, splitgrow, start, temporaryFolder } from './command-line.js';

type Json = Readonly<Record<string, unknown>>;

async function json<T extends Json>(words: readonly string[], code = 0): Promise<T> {
  const ended = await splitgrow([...words, '--json']);
  expect(ended.code, ended.stderr).toBe(code);
  return JSON.parse(ended.stdout) as T;
}

async function prepared(): Promise<string> {
  const root = await pictureFolder(['cat', 'dog'], { train: 5, test: 3 });
  writeFileSync(join(root, 'train/cat/png named as.JPEG'), pictureOf(0, 9, [60, 44]));
  // Longer than what is read of a file for its header alone, so that only decoding finds that its end is missing.
  writeFileSync(join(root, 'train/dog/cut.png'), pictureOf(1, 5, [240, 180]).subarray(0, -2000));
  writeFileSync(join(root, 'val/dog/text.jpg'), 'text');
  return root;
}

test('data index counts what is there, and lists what cannot be read; --quick finds less', async () => {
  const root = await prepared();
  const first = await json(['data', 'index', root, '--quick']);
  expect(first).toMatchObject({
    root,
    classes: 2,
    images: { train: 12, test: 6 },
    kinds: { jpeg: 16, png: 2 },
    scanned: 19,
    leftOut: [{ path: 'val/dog/text.jpg' }],
    problemsFile: join(root, '.splitgrow-index.problems.txt'),
  });
  const again = await json(['data', 'index', root, '--quick']);
  expect(again).toMatchObject({ scanned: 0, images: { train: 12, test: 6 } });
  const decoded = await json<{ leftOut: { path: string }[] }>(['data', 'index', root]);
  expect(decoded).toMatchObject({ scanned: 19, images: { train: 11, test: 6 } });
  expect(decoded.leftOut.map(({ path }) => path)).toEqual(['train/dog/cut.png', 'val/dog/text.jpg']);
  const both = await splitgrow(['data', 'index', root, '--quick', '--decode']);
  expect([both.code, errorLine(both)?.code]).toEqual([2, 'E_USAGE']);
  const text = await splitgrow(['data', 'index', root, '--quick']);
  expect(text.stdout).toMatch(/layout +class folders in train\/, class folders in val\//);
  expect(text.stdout).toMatch(/train\/dog\/cut\.png/);
});

test('data pack writes a store that data verify believes until a byte of it is another', async () => {
  const root = await prepared();
  const out = join(temporaryFolder(), 'packed.store');
  const packed = await json(['data', 'pack', root, '--out', out, '--short-side', '24']);
  expect(packed).toMatchObject({ store: out, classes: 2, shortSide: 24, resumed: 0 });
  const { images } = packed as { images: number };
  expect(await json(['data', 'verify', out])).toEqual({
    store: out,
    images,
    bytes: expect.any(Number),
    problems: [],
  });

  const again = await splitgrow(['data', 'pack', root, '--out', out]);
  expect([again.code, errorLine(again)?.code]).toEqual([1, 'E_WRITE']);

  const bytes = readFileSync(out);
  const at = bytes.indexOf('ffd8ff', 0, 'hex') + 300;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(out, bytes);
  const { problems } = await json<{ problems: Json[] }>(['data', 'verify', out], 1);
  expect(problems).toHaveLength(1);
});

test('an index killed again and again ends as one that was not', { timeout: 600_000 }, async () => {
  const root = await prepared();
  const jpeg = readFileSync(join(root, 'train/cat/0.JPEG'));
  for (let i = 0; i < 1500; i += 1) writeFileSync(join(root, `train/cat/copy-${i}.JPEG`), jpeg);
  const random = randomOf(3);
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const { child, ended } = start(['data', 'index', root]);
    setTimeout(() => child.kill('SIGKILL'), 100 + 500 * random());
    await ended;
  }
  expect(await json(['data', 'index', root, '--decode'])).toMatchObject({
    images: { train: 1511, test: 6 },
    leftOut: [{ path: 'train/dog/cut.png' }, { path: 'val/dog/text.jpg' }],
  });
  expect(await json(['data', 'index', root, '--decode'])).toMatchObject({ scanned: 0 });
  expect(readdirSync(root).filter((name) => /lock|part-/.test(name))).toEqual([]);
});

test('data bench times a folder and a store', async () => {
  const root = await prepared();
  const out = join(temporaryFolder(), 'as-is.store');
  await json(['data', 'pack', root, '--out', out, '--as-is']);
  for (const path of [root, out]) {
    const timed = await json<{ train: { images: number; imagesPerSecond: number } }>([
      ...[
        'data',
        'bench',
        path,
        '--resolution',
        '16',
        '--workers',
        '2',
        '--images',
        '8',
        '--batch-size',
        '4',
      ],
    ]);
    expect(timed).toMatchObject({ workers: 2, resolution: 16 });
    expect(timed.train.images).toBe(8);
    expect(timed.train.imagesPerSecond).toBeGreaterThan(0);
  }
});

test.each([
  [['data', 'pack', 'x', '--out', 'y', '--as-is', '--short-side', '9'], 'E_USAGE', 2],
  [['data', 'index', 'no-such-folder'], 'E_DATA', 2],
  [['data', 'verify', 'package.json'], 'E_DATA', 2],
  [['eval', '--network', 'x', '--data', 'image-folder', '--root', 'a', '--store', 'b'], 'E_EXPERIMENT', 2],
] as const)('splitgrow %j is %s', async (words, code, exit) => {
  const ended = await splitgrow(words);
  expect([ended.code, errorLine(ended)?.code]).toEqual([exit, code]);
});

test('what data index passes, train and eval read; what it reads in spite of a warning is said', async () => {
  const root = await prepared();
  const whole = readFileSync(join(root, 'train/cat/0.JPEG'));
  // Zeros for the three parameters of the scan, as some cameras write them.
  const scan = whole.indexOf('ffda', 0, 'hex');
  const odd = Buffer.from(whole);
  odd.set([0, 0, 0], scan + 2 + odd.readUInt16BE(scan + 2) - 3);
  writeFileSync(join(root, 'train/dog/odd.JPEG'), odd);
  const { warnings, leftOut } = await json<Record<'warnings' | 'leftOut', Json[]>>(['data', 'index', root]);
  expect(leftOut.map((one) => one.path)).toEqual(['train/dog/cut.png', 'val/dog/text.jpg']);
  expect(warnings).toEqual([
    { path: 'train/dog/odd.JPEG', reason: 'Invalid SOS parameters for sequential JPEG' },
  ]);
  const experiment = join(temporaryFolder(), 'e.json');
  const output = join(temporaryFolder(), 'run');
  const data = { name: 'image-folder', root, resolution: 16, shortSide: 16, augment: [] };
  const fit = { epochs: 1, batch: 4, schedule: { kind: 'constant' } };
  const preset = { preset: 'mobilenet_cifar10', blocks: 1, width: 4 };
  writeFileSync(experiment, JSON.stringify({ name: 'e', network: preset, data, fit, output }));
  const trained = await splitgrow(['train', experiment]);
  expect(trained.code, trained.stderr).toBe(0);
  expect(trained.stderr).toMatch(
    /images read although the decoder warns of them: 1; the first: train\/dog\/odd\.JPEG: Invalid/,
  );
  expect(trained.stderr.match(/warns of them/g)).toHaveLength(1);
  const evaluated = ['eval', '--network', output, '--data', 'image-folder', '--root', root];
  expect(await json(evaluated)).toMatchObject({ images: 6 });
});
