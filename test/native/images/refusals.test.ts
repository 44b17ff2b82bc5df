// Files that are not what they should be: what a scan says of them, what a pass does, and that nothing crashes.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { ImageHeaders, ScanOptions } from '../../../lib/native/face.js';
import { failureOf, inFolder } from '../../data/places.js';
import { randomOf } from '../../reference.js';
import { bytesOf, imageCore, imagesOf, LIMITS, PICTURES, sourceOf } from './files.js';

const scan = (root: string, paths: readonly string[], options: Partial<ScanOptions> = {}) =>
  imageCore().scanImages(
    { root, paths, labels: new Int32Array(paths.length) },
    { ...LIMITS, threads: 2, decode: true, ...options },
    null,
    null,
  );

/** A JPEG of other dimensions in its frame header. */
function withSize(jpeg: Buffer, width: number, height: number): Buffer {
  const changed = Buffer.from(jpeg);
  const frame = changed.findIndex((byte, i) => byte === 0xff && [0xc0, 0xc2].includes(changed[i + 1] ?? 0));
  changed.writeUInt16BE(height, frame + 5);
  changed.writeUInt16BE(width, frame + 7);
  return changed;
}
const frameOf = (jpeg: Buffer): number => jpeg.indexOf(Buffer.from([0xff, 0xc0]));
function withByte(bytes: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = value;
  return changed;
}
/** The IDAT of a PNG with a byte changed and the checksum left as it was. */
const withFlippedData = (png: Buffer): Buffer =>
  withByte(png, png.indexOf('IDAT') + 12, (png[png.indexOf('IDAT') + 12] ?? 0) ^ 1);

const RGB = bytesOf('rgb.jpg');
const PNG = bytesOf('colours.png');
/** 0xFF before 0, which is no marker. */
const STUFFED = Buffer.alloc(4_000_000, Buffer.from([0xff, 0x00]));
const BAD: readonly (readonly [string, Buffer, RegExp])[] = [
  ['an empty file', Buffer.alloc(0), /^the file is empty/],
  ['a text', Buffer.from('no picture at all'), /^it is neither a JPEG nor a PNG/],
  ['a JPEG cut within its data', RGB.subarray(0, RGB.length / 2), /cut short/],
  ['a JPEG without its end', RGB.subarray(0, RGB.length - 2), /cut short/],
  ['a JPEG cut within its header', RGB.subarray(0, 100), /ends within its header/],
  ['a JPEG of 65500 x 65500', withSize(RGB, 65500, 65500), /65500 x 65500 pixels; the limit is 1000000/],
  ['a JPEG without height', withSize(RGB, 61, 0), /61 x 0 pixels/],
  ['a JPEG of 12 bits', withByte(RGB, frameOf(RGB) + 4, 12), /12 bits/],
  ['a hierarchical JPEG', withByte(RGB, frameOf(RGB) + 1, 0xc5), /SOF5/],
  ['a JPEG that says it is lossless', withByte(RGB, frameOf(RGB) + 1, 0xc3), /Unsupported color conversion/],
  // Between its start and its frame: each of these pairs was once a call of its own, on one stack.
  ['a JPEG of stuffed bytes', Buffer.concat([RGB.subarray(0, 2), STUFFED]), /ends within its header/],
  ['a JPEG of two components', withByte(RGB, frameOf(RGB) + 9, 2), /2 components/],
  ['a PNG cut short', PNG.subarray(0, PNG.length / 2), /pixels are missing/],
  ['a PNG with damaged pixels', withFlippedData(PNG), /cannot be unpacked|pixels are missing/],
  ['a PNG of an unknown colour type', withChecksums(withByte(PNG, 25, 5)), /colour type 5/],
];

test('a decoding scan tells of every bad file, with the reason, and of no good one', async () => {
  await inFolder(async (folder) => {
    const names = BAD.map(([, bytes], i) => {
      writeFileSync(join(folder, `${i}`), bytes);
      return `${i}`;
    });
    writeFileSync(join(folder, 'good'), RGB);
    mkdirSync(join(folder, 'a folder'));
    const found = await scan(folder, ['good', ...names, 'a folder', 'nothing']);
    expect(found.problems.map((p) => p.index)).toEqual([...BAD, 0, 0].map((_, i) => i + 1));
    BAD.forEach(([claim, , says], i) => {
      expect(found.problems[i]?.reason, claim).toMatch(says);
    });
    expect(found.problems.at(-2)?.reason).toMatch(/no regular file/);
    expect(found.problems.at(-1)?.reason).toMatch(/cannot be opened: No such file/);
    expect([...found.kinds]).toEqual([1, ...BAD.map(() => 0), 0, 0]);
    expect([...found.orientations].slice(0, 2)).toEqual([1, 0]);
  });
});

test('a progressive JPEG with more scans than allowed is refused, in scans and in passes', async () => {
  const limits = { maxPixels: 1e6, maxScans: 3 };
  const found = await scan(PICTURES, ['progressive.jpg', 'rgb.jpg'], limits);
  expect(found.problems).toEqual([{ index: 0, reason: 'it has more than 3 scans (maxScans)' }]);
  const data = imagesOf(sourceOf(PICTURES, ['progressive.jpg']), limits);
  await expect(imageCore().imageAt(data, 0)).rejects.toMatchObject({
    code: 'E_DATA',
    message: 'progressive.jpg cannot be decoded: it has more than 3 scans (maxScans)',
  });
});

test('headers alone and whole files tell the same', async () => {
  const paths = [
    'rgb.jpg',
    'grey.jpg',
    'cmyk.jpg',
    'turned-6.jpg',
    'alpha.png',
    'png-named.JPEG',
    'palette-2.png',
  ];
  const [headers, whole] = await Promise.all([
    scan(PICTURES, paths, { decode: false }),
    scan(PICTURES, paths),
  ]);
  const plain = (h: ImageHeaders) => JSON.stringify(h);
  expect(plain(headers)).toBe(plain(whole));
  expect([...headers.kinds]).toEqual([1, 1, 1, 1, 2, 2, 2]);
  expect([...headers.channels]).toEqual([3, 1, 4, 3, 4, 3, 3]);
  expect([...headers.widths]).toEqual([61, 61, 61, 61, 53, 53, 53]);
  expect([...headers.orientations]).toEqual([1, 1, 1, 6, 1, 1, 1]);
  expect([...headers.bytes]).toEqual(paths.map((path) => bytesOf(path).length));
});

test('a bad image ends a pass with its name, or is left out where that is asked for', async () => {
  await inFolder(async (folder) => {
    writeFileSync(join(folder, 'good.jpg'), RGB);
    writeFileSync(join(folder, 'bad.jpg'), RGB.subarray(0, 900));
    const source = sourceOf(folder, ['good.jpg', 'bad.jpg', 'good.jpg', 'good.jpg']);
    const pass = { batch: 2, shuffle: false, flip: false, seed: 1, steps: null, keep: true };
    const sweep = (skipUnreadable: boolean) =>
      imageCore().sweepImages(imagesOf(source, { skipUnreadable, workers: 2 }), pass, null, null);
    expect(await failureOf(sweep(false))).toMatch(/^E_DATA: bad\.jpg cannot be decoded: .*cut short/);
    const { kept, skipped, decoded, images } = await sweep(true);
    expect([skipped, decoded, images]).toEqual([1, 3, 3]);
    expect([...new BigInt64Array(kept?.labels.data.slice().buffer ?? new ArrayBuffer(0))]).toEqual([
      0n,
      2n,
      3n,
    ]);
    const alone = imagesOf(sourceOf(folder, ['bad.jpg']), { skipUnreadable: true });
    expect(await imageCore().sweepImages(alone, pass, null, null)).toMatchObject({ images: 0, skipped: 1 });
  });
});

/** The chunks of a PNG with their checksums made right. */
function withChecksums(png: Buffer): Buffer {
  for (let at = 8; at + 12 <= png.length; ) {
    const end = at + 8 + png.readUInt32BE(at);
    if (end + 4 > png.length) break;
    png.writeUInt32BE(crc32(png.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return png;
}

test('pictures with bytes changed at random are decoded or refused, never fatal', async () => {
  const names = [
    'rgb.jpg',
    'progressive.jpg',
    'cmyk.jpg',
    'turned-6.jpg',
    'grey-2.png',
    'alpha-interlaced.png',
  ];
  await inFolder(async (folder) => {
    const random = randomOf(5);
    const paths = Array.from({ length: 400 }, (_, i) => {
      const bytes = Buffer.from(bytesOf(names[i % names.length] ?? ''));
      // Anywhere, or behind the headers, which most changes spoil.
      const from = i % 3 === 0 ? 0 : Math.floor(bytes.length / 2);
      for (let k = 0; k < i % 5; k++)
        bytes[from + Math.floor(random() * (bytes.length - from))] = Math.floor(random() * 256);
      writeFileSync(join(folder, `${i}`), i % 6 < 4 ? bytes : withChecksums(bytes));
      return `${i}`;
    });
    const found = await scan(folder, paths);
    const isBad = new Set(found.problems.map((problem) => problem.index));
    expect(isBad.size).toBeGreaterThan(100);
    expect(isBad.size).toBeLessThan(320);
    for (const { reason } of found.problems) expect(reason).not.toBe('');
    for (let i = 0; i < 400; i += 5) expect(isBad.has(i)).toBe(false);
    const source = sourceOf(folder, paths, Array(400).fill(0));
    const data = imagesOf(source, { skipUnreadable: true, workers: 2 });
    const resizedCrop = { leastArea: 0.08, leastRatio: 0.75, mostRatio: 1.5 };
    const pass = { batch: 100, shuffle: true, flip: true, seed: 2, steps: null, resizedCrop };
    const { decoded, skipped } = await imageCore().sweepImages(data, pass, null, null);
    expect(decoded + skipped).toBe(400);
  });
});

test('a picture one pixel wide and millions high is shown without a number that overflows', async () => {
  await inFolder(async (folder) => {
    const height = 9_000_000;
    const header = Buffer.alloc(13);
    header.writeUInt32BE(1, 0);
    header.writeUInt32BE(height, 4);
    header.set([1, 0, 0, 0, 0], 8);
    const chunk = (type: string, data: Buffer): Buffer => {
      const made = Buffer.concat([Buffer.alloc(4), Buffer.from(type), data, Buffer.alloc(4)]);
      made.writeUInt32BE(data.length, 0);
      made.writeUInt32BE(crc32(made.subarray(4, -4)), made.length - 4);
      return made;
    };
    // White: a filter's number and one bit a row.
    const rows = deflateSync(Buffer.alloc(2 * height, Buffer.from([0, 0x80])), { level: 1 });
    const ends = [chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))];
    writeFileSync(join(folder, 'line.png'), Buffer.concat([PNG.subarray(0, 8), ...ends]));
    const sizes = { resolution: 224, shortSide: 256, maxPixels: height };
    const { data } = await imageCore().imageAt(imagesOf(sourceOf(folder, ['line.png']), sizes), 0);
    expect(data.every((level) => level === 255)).toBe(true);
  });
});

const GOOD = sourceOf(PICTURES, ['rgb.jpg']);
test.each([
  [
    'a label beyond the classes',
    () => imagesOf(sourceOf(PICTURES, ['rgb.jpg'], [7]), { classes: 7 }),
    /E_LABELS.*found 7 for rgb/,
  ],
  ['a negative label', () => imagesOf(sourceOf(PICTURES, ['rgb.jpg'], [-1])), /E_LABELS/],
  ['no images', () => imagesOf(sourceOf(PICTURES, [])), /E_DATA.*empty/],
  ['a std of 0', () => imagesOf(GOOD, { std: [1, 0, 1] }), /E_ARGUMENT.*std/],
  [
    'a shorter side below the resolution',
    () => imagesOf(GOOD, { resolution: 32, shortSide: 31 }),
    /E_ARGUMENT.*shortSide/,
  ],
  ['no workers', () => imagesOf(GOOD, { workers: 0 }), /E_ARGUMENT.*workers/],
  ['a path with NUL', () => imagesOf(sourceOf(PICTURES, ['a\0b'])), /E_ARGUMENT.*NUL/],
  ['fewer labels than paths', () => imagesOf(sourceOf(PICTURES, ['rgb.jpg'], [])), /E_ARGUMENT.*labels/],
])('%s: refused', (_claim, make, says) => {
  let found = '';
  try {
    make();
  } catch (error) {
    found = error instanceof Error && 'code' in error ? `${error.code}: ${error.message}` : String(error);
  }
  expect(found).toMatch(says);
});

test('crops of images in memory and of images in files are told apart', async () => {
  const data = imagesOf(GOOD);
  const pass = { batch: 1, shuffle: false, flip: false, seed: 0, steps: null };
  const both = { ...pass, shift: true, resizedCrop: { leastArea: 0.1, leastRatio: 1, mostRatio: 1 } };
  expect(() => imageCore().sweepImages(data, both, null, null)).toThrow(/exclude each other/);
  const padded = { ...pass, crop: 2 };
  expect(await failureOf(imageCore().sweepImages(data, padded, null, null))).toMatch(/^E_ARGUMENT: `crop`/);
});
