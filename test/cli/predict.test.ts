// splitgrow predict from the outside: the table, the document, and what is said of files that cannot be read.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PredictDocument } from '../../lib/api/predict.js';
import { GOLDEN } from '../native/golden.js';
import { errorLine, splitgrow, temporaryFolder } from './command-line.js';

const picture = (name: string): string => join(GOLDEN, 'images', name);
const NETWORK = ['--network', join(GOLDEN, 'predict', 'colours'), '--threads', '1'];

test('the table names every image once and its classes below each other; the document has the same', async () => {
  const words = ['predict', picture('rgb.jpg'), picture('colours.png'), ...NETWORK, '--top', '2'];
  const [asTable, asJson] = await Promise.all([splitgrow(words), splitgrow([...words, '--json'])]);
  expect([asTable.code, asTable.stderr, asJson.code, asJson.stderr]).toEqual([0, '', 0, '']);
  const { images, problems } = JSON.parse(asJson.stdout) as PredictDocument;
  expect([images.map(({ file }) => file), problems]).toEqual([
    [picture('rgb.jpg'), picture('colours.png')],
    [],
  ]);
  const rows = images.flatMap(({ file, top }) =>
    top.map(({ class: name, index, probability }, at) =>
      [...(at === 0 ? [file] : []), name, index, (100 * probability).toFixed(1), '%'].join(' '),
    ),
  );
  const lines = asTable.stdout.trimEnd().split('\n');
  expect(lines.map((line) => line.trim().replace(/\s+/g, ' '))).toEqual([
    'image class number probability',
    ...rows,
  ]);
});

test('a network without names has numbers', async () => {
  const words = [
    'predict',
    picture('grey-8.png'),
    '--network',
    join(GOLDEN, 'predict', 'grey'),
    '--top',
    '1',
  ];
  const { stdout } = await splitgrow(words);
  expect(stdout).toMatch(/grey-8\.png +class (\d) +\1 +\d+\.\d %\n$/);
});

test('files that cannot be read are named, each with its reason, and the others are done', async () => {
  const folder = temporaryFolder();
  const jpeg = readFileSync(picture('rgb.jpg'));
  writeFileSync(join(folder, 'cut.jpg'), jpeg.subarray(0, jpeg.length / 2));
  writeFileSync(join(folder, 'cut.png'), readFileSync(picture('colours.png')).subarray(0, 900));
  writeFileSync(join(folder, 'empty.png'), '');
  writeFileSync(join(folder, 'text.jpg'), 'no image\n');
  mkdirSync(join(folder, 'folder'));
  execFileSync('mkfifo', [join(folder, 'pipe.png')]);
  writeFileSync(join(folder, 'good.jpg'), jpeg);
  const bad = ['cut.jpg', 'cut.png', 'empty.png', 'text.jpg', 'folder', 'pipe.png', 'missing.png'];
  const words = ['predict', ...bad.slice(0, 4), 'good.jpg', ...bad.slice(4), ...NETWORK];
  const asTable = await splitgrow(words, {}, folder);
  expect(asTable.code).toBe(1);
  expect(asTable.stdout).toContain('good.jpg');
  const { code, text } = errorLine(asTable) ?? {};
  expect(code).toBe('E_UNREADABLE');
  expect(text).toMatch(
    /^expected JPEG or PNG files, 7 of 8 cannot be read: cut\.jpg: .+; the others are done$/,
  );
  expect(text).toContain('; folder: it is no regular file; and 2 more (see --json)');

  const asJson = await splitgrow([...words, '--json'], {}, folder);
  expect(asJson.code).toBe(1);
  const { images, problems } = JSON.parse(asJson.stdout) as PredictDocument;
  expect(images.map(({ file }) => file)).toEqual(['good.jpg']);
  expect(problems.map(({ file }) => file)).toEqual(bad);
  const reasons = Object.fromEntries(problems.map(({ file, reason }) => [file, reason]));
  expect(reasons['cut.jpg']).toMatch(/cut short/);
  expect(reasons['text.jpg']).toMatch(/neither a JPEG nor a PNG/);
  expect(reasons['pipe.png']).toMatch(/no regular file/);
  expect(reasons['missing.png']).toMatch(/cannot be opened: No such file/);

  writeFileSync(join(folder, 'photo.jpg'), 'RIFF\x24\0\0\0WEBPVP8 ');
  const webp = errorLine(await splitgrow(['predict', 'photo.jpg', ...NETWORK], {}, folder));
  expect(webp?.text).toContain(
    'photo.jpg: it is a WebP picture; save it as PNG, in Python: from PIL import Image;',
  );
  expect(webp?.text).toContain('Image.open("photo.jpg").convert("RGB").save("photo.png")');

  const none = await splitgrow(['predict', 'text.jpg', ...NETWORK, '--json'], {}, folder);
  expect([none.code, JSON.parse(none.stdout).images]).toEqual([1, []]);
  expect(errorLine(none)?.text).toMatch(/, 1 of 1 cannot be read: text\.jpg: [^;]+$/);
});

test('a command line without images, without a network or with a senseless flag is refused', async () => {
  const good = picture('rgb.jpg');
  const cases: readonly (readonly [readonly string[], string, RegExp])[] = [
    [['predict', ...NETWORK], 'E_USAGE', /missing required argument 'IMAGE'/],
    [['predict', good], 'E_USAGE', /expected --network DIR, found none/],
    [['predict', good, ...NETWORK, '--top', '0'], 'E_USAGE', /--top: expected a whole number of at least 1/],
    [
      ['predict', good, ...NETWORK, '--short-side', '20'],
      'E_ARGUMENT',
      /at least the network's resolution, 24/,
    ],
    [['predict', good, '--network', 'nowhere'], 'E_FILE', /network nowhere: expected a directory/],
  ];
  const ended = await Promise.all(cases.map(([words]) => splitgrow(words)));
  ended.forEach((one, at) => {
    const [, code, text] = cases[at] ?? [];
    expect([one.code, one.stdout, errorLine(one)?.code]).toEqual([2, '', code]);
    expect(errorLine(one)?.text).toMatch(text ?? /^$/);
  });
});
