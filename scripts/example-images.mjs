// node scripts/example-images.mjs OUT: a folder of ten classes of small PNG files, made of the shipped images; it stands for one's own images.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { deflateSync, gunzipSync } from 'node:zlib';
import { main, ROOT, StepError, say } from './steps.mjs';

const CLASSES = [
  't-shirt',
  'trouser',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle-boot',
];
const SIDE = 28;
const DATA = join(ROOT, 'data', 'fashion-mnist');

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function chunk(name, content) {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), content]);
  let crc = 0xffffffff;
  for (const byte of body) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  check.writeUInt32BE((crc ^ 0xffffffff) >>> 0);
  return Buffer.concat([length, body, check]);
}

/** A grey PNG of 8 bits, rows unfiltered. */
function png(pixels) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(SIDE, 0);
  head.writeUInt32BE(SIDE, 4);
  head[8] = 8;
  const rows = Array.from({ length: SIDE }, (_, y) => [
    Buffer.alloc(1),
    pixels.subarray(y * SIDE, (y + 1) * SIDE),
  ]);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  const data = deflateSync(Buffer.concat(rows.flat()));
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

/** The content of the one file of the folder whose name has this word, without its IDX head. */
function idx(word, head) {
  const name = readdirSync(DATA).find((file) => file.includes(word));
  if (name === undefined) throw new StepError(`no file of ${word} in ${DATA}`);
  return gunzipSync(readFileSync(join(DATA, name))).subarray(head);
}

await main(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { images: { type: 'string', default: '100' } },
  });
  const [out] = positionals;
  if (out === undefined) throw new StepError('usage: node scripts/example-images.mjs OUT [--images N]');
  const [pixels, labels] = [idx('images', 16), idx('labels', 8)];
  const counts = CLASSES.map(() => 0);
  for (const name of CLASSES) mkdirSync(join(out, name), { recursive: true });
  for (let i = 0; i < labels.length; i += 1) {
    const label = labels[i];
    if (counts[label] >= Number(values.images)) continue;
    const file = join(out, CLASSES[label], `${String(counts[label]).padStart(4, '0')}.png`);
    writeFileSync(file, png(pixels.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE)));
    counts[label] += 1;
  }
  say(`${counts.reduce((sum, count) => sum + count, 0)} images of ${CLASSES.length} classes in ${out}`);
  return 0;
});
