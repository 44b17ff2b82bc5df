// JPEG files of 500 x 375 with the spectrum of photographs, for the benchmark of the loader.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync, constants as zlib } from 'node:zlib';

/** The JPEG encoder is the packer's, which makes images smaller: from a little more to the size wanted. */
const DRAWN = [504, 378];
const SHORT_SIDE = 375;
const QUALITY = 92;
const OCTAVES = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/** Of a sensor, in levels; with it a file is as large as ImageNet's are on average, about 100 KiB. */
const GRAIN = 84;

/** splitmix32: numbers from 0 to 1. */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Adds noise on a grid of `cells` a side, interpolated, to a plane. */
function addOctave(plane, [width, height], cells, strength, random) {
  const grid = Float32Array.from({ length: (cells + 1) * (cells + 1) }, () => strength * (random() - 0.5));
  for (let y = 0; y < height; y += 1) {
    const v = (y / height) * cells;
    const [row, down] = [Math.floor(v), v - Math.floor(v)];
    for (let x = 0; x < width; x += 1) {
      const u = (x / width) * cells;
      const [column, right] = [Math.floor(u), u - Math.floor(u)];
      const at = row * (cells + 1) + column;
      const above = grid[at] * (1 - right) + grid[at + 1] * right;
      const below = grid[at + cells + 1] * (1 - right) + grid[at + cells + 2] * right;
      plane[y * width + x] += above * (1 - down) + below * down;
    }
  }
}

/** Octaves whose strength falls as 1 / frequency, brightness strong and colours weak, and the noise of a sensor. */
function photograph(seed) {
  const [width, height] = DRAWN;
  const random = randomOf(seed);
  const planes = [240, 60, 60].map((contrast) => {
    const plane = new Float32Array(width * height);
    for (const cells of OCTAVES) addOctave(plane, DRAWN, cells, contrast / cells ** 0.7, random);
    return plane;
  });
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let at = 0; at < width * height; at += 1) {
    const [light, blue, red] = planes.map((plane) => plane[at]);
    const grain = GRAIN * (random() - 0.5);
    const y = Math.floor(at / width);
    const to = y * (1 + 3 * width) + 1 + 3 * (at % width);
    [red, -(red + blue) / 2, blue].forEach((colour, channel) => {
      rows[to + channel] = Math.max(0, Math.min(255, Math.round(120 + light + colour + grain)));
    });
  }
  return rows;
}

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

function pngOf(rows) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(DRAWN[0], 0);
  header.writeUInt32BE(DRAWN[1], 4);
  header.set([8, 2, 0, 0, 0], 8);
  const packed = deflateSync(rows, { level: zlib.Z_BEST_SPEED });
  const magic = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([magic, chunk('IHDR', header), chunk('IDAT', packed), chunk('IEND', Buffer.alloc(0))]);
}

/** The JPEG files in a store: no marker inside one begins with these bytes. */
function jpegsIn(store) {
  const found = [];
  for (let from = store.indexOf('ffd8ff', 0, 'hex'); from >= 0; ) {
    const end = store.indexOf('ffd9', from, 'hex') + 2;
    found.push(store.subarray(from, end));
    from = store.indexOf('ffd8ff', end, 'hex');
  }
  return found;
}

/** Writes `different` pictures, each `copies` times, as class folders below `folder`/train. @returns bytes of a file, the mean */
export async function makePhotographs(folder, { different, copies }) {
  const { loadImageCore } = await import('../dist/native/load.js');
  const drawn = join(folder, 'drawn');
  await mkdir(drawn, { recursive: true });
  const paths = Array.from({ length: different }, (_, i) => `${String(i).padStart(4, '0')}.png`);
  for (const [i, path] of paths.entries()) await writeFile(join(drawn, path), pngOf(photograph(i + 1)));
  const core = loadImageCore();
  const store = join(folder, 'drawn.store');
  await core.packImages(
    [{ name: 'all', files: { root: drawn, paths, labels: new Int32Array(different) } }],
    {
      ...{
        store,
        classNames: ['all'],
        shortSide: SHORT_SIDE,
        quality: QUALITY,
        maxPixels: 1e6,
        maxScans: 10,
      },
      threads: core.features().threads,
    },
    null,
    null,
  );
  const jpegs = jpegsIn(await readFile(store));
  if (jpegs.length !== different) throw new Error(`expected ${different} JPEGs, found ${jpegs.length}`);
  const classes = 8;
  for (let c = 0; c < classes; c += 1) await mkdir(join(folder, 'train', `class-${c}`), { recursive: true });
  for (let copy = 0; copy < copies; copy += 1) {
    for (const [i, jpeg] of jpegs.entries())
      await writeFile(join(folder, 'train', `class-${i % classes}`, `${i}-${copy}.JPEG`), jpeg);
  }
  return jpegs.reduce((sum, { length }) => sum + length, 0) / different;
}
