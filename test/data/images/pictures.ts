// Small pictures for tests: PNG files written here, and JPEGs that the native packer makes of them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { loadImageCore } from '../../../lib/native/load.js';
import { randomOf } from '../../reference.js';
import { temporaryFolder } from '../../run/tiny.js';

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const made = Buffer.alloc(body.length + 8);
  made.writeUInt32BE(data.length, 0);
  body.copy(made, 4);
  made.writeUInt32BE(crc32(body), 4 + body.length);
  return made;
}

/** A PNG file of RGB pixels, row by row. */
export function pngOf(
  width: number,
  height: number,
  pixel: (x: number, y: number) => readonly number[],
): Buffer {
  const rows: number[] = [];
  for (let y = 0; y < height; y += 1) {
    rows.push(0);
    for (let x = 0; x < width; x += 1) rows.push(...pixel(x, y));
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const magic = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    magic,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.from(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Class k is bright in channel k, with stripes and noise by the seed. */
export function pictureOf(
  label: number,
  seed: number,
  [width, height]: readonly [number, number] = [40, 32],
): Buffer {
  const random = randomOf(seed);
  const phase = random();
  return pngOf(width, height, (x, y) =>
    [0, 1, 2].map((channel) => {
      const stripes = Math.sin(phase + x / (3 + label) + y / 7);
      return Math.round((channel === label % 3 ? 150 : 70) + 40 * stripes + 40 * random());
    }),
  );
}

/** JPEG files in a store: no marker but those of a file's two ends begins with these bytes. */
function jpegsIn(store: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let from = store.indexOf('ffd8ff', 0, 'hex'); from >= 0; ) {
    const end = store.indexOf('ffd9', from, 'hex') + 2;
    found.push(store.subarray(from, end));
    from = store.indexOf('ffd8ff', end, 'hex');
  }
  return found;
}

/** As many JPEGs of 40 x 32, each of the class asked for, in order. */
export async function jpegsOf(classes: readonly number[], seed: number): Promise<readonly Buffer[]> {
  const root = temporaryFolder();
  const paths = classes.map((_, i) => `${String(i).padStart(6, '0')}.png`);
  paths.forEach((path, i) => {
    writeFileSync(join(root, path), pictureOf(classes[i] ?? 0, seed + i, [50, 40]));
  });
  const store = join(root, 'made.store');
  await loadImageCore().packImages(
    [{ name: 'all', files: { root, paths, labels: new Int32Array(paths.length) } }],
    { store, classNames: ['one'], shortSide: 32, quality: 92, threads: 2, maxPixels: 1e6, maxScans: 9 },
    null,
    null,
  );
  const made = jpegsIn(readFileSync(store));
  if (made.length !== classes.length)
    throw new Error(`expected ${classes.length} JPEGs, found ${made.length}`);
  return made;
}

/** train/<class>/ and val/<class>/ with so many JPEGs each. */
export async function pictureFolder(
  names: readonly string[],
  { train, test }: { readonly train: number; readonly test: number },
): Promise<string> {
  const root = temporaryFolder();
  const files = names.flatMap((name, label) =>
    Array.from({ length: train + test }, (_, i) => ({
      label,
      path: join(i < train ? 'train' : 'val', name, `${i}.JPEG`),
    })),
  );
  const jpegs = await jpegsOf(
    files.map(({ label }) => label),
    1,
  );
  files.forEach(({ path }, i) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), jpegs[i] ?? '');
  });
  return root;
}
