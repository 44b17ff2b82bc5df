// Pictures of every kind of JPEG and PNG, and of every way to say that they are turned, against Pillow (test/golden/kinds.py).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { failureOf, inFolder } from '../../data/places.js';
import { randomOf } from '../../reference.js';
import { golden } from '../golden.js';
import { imageCore, imagesOf, LIMITS, sourceOf } from './files.js';

const ALL = await golden('images', 'kinds');
const KINDS = [...ALL.keys()].filter((name) => !name.endsWith('/rgb'));

/** Kinds with the same beginning are one test: some hundreds of tests would take longer than their pictures. */
const GROUPS = [...new Set(KINDS.map((name) => name.split('-')[0] ?? ''))].map(
  (group) => [group, KINDS.filter((name) => (name.split('-')[0] ?? '') === group)] as const,
);

/** Pillow's rounding of inks to colours is another one. */
const levelsOf = (kind: string): number => (/four|cmyk|ycck/.test(kind) ? 1 : 0);

function writeKinds(folder: string, kinds: readonly string[]): void {
  for (const kind of kinds) writeFileSync(join(folder, kind), ALL.get(kind)?.data ?? new Uint8Array());
}

/** Largest difference of levels from Pillow's, or why there are no pixels. */
async function outcomeOf(folder: string, kind: string): Promise<number | string> {
  const want = ALL.get(`${kind}/rgb`);
  const side = want?.shape[1] ?? 1;
  const data = imagesOf(sourceOf(folder, [kind]), { resolution: side, shortSide: side });
  const failure = await failureOf(imageCore().imageAt(data, 0));
  if (failure !== 'no error') return failure;
  const got = (await imageCore().imageAt(data, 0)).data;
  if (want === undefined) return 'it is decoded';
  expect(got.length, kind).toBe(want.data.length);
  return got.reduce((most, level, i) => Math.max(most, Math.abs(level - (want.data[i] ?? 0))), 0);
}

test.each(GROUPS)('%s: Pillow’s pixels, or refused as by Pillow', async (_group, kinds) => {
  await inFolder(async (folder) => {
    writeKinds(folder, kinds);
    for (const kind of kinds) {
      const outcome = await outcomeOf(folder, kind);
      if (ALL.has(`${kind}/rgb`)) expect.soft(outcome, kind).toBeOneOf([0, levelsOf(kind)]);
      else expect.soft(outcome, kind).toMatch(/^E_DATA: /);
    }
  });
});

test('what the decoder warns of is told, and is no damage', async () => {
  const kinds = [
    'sos-0-0-0',
    'restart-wrong',
    'junk-before-end',
    'cut-and-ended',
    'png-pixels-checksum',
    'grey',
  ];
  await inFolder(async (folder) => {
    writeKinds(folder, kinds);
    const files = { root: folder, paths: kinds, labels: new Int32Array(kinds.length) };
    const options = { ...LIMITS, threads: 2, decode: true };
    const { problems, warnings } = await imageCore().scanImages(files, options, null, null);
    expect(problems).toEqual([]);
    expect(warnings.map(({ index, reason }) => [kinds[index], reason.replace(/\d+ extra/, 'extra')])).toEqual(
      [
        ['sos-0-0-0', 'Invalid SOS parameters for sequential JPEG'],
        ['restart-wrong', 'Corrupt JPEG data: found marker 0xd5 instead of RST2'],
        ['junk-before-end', 'Corrupt JPEG data: extraneous bytes before marker 0xd9'],
        ['cut-and-ended', 'Corrupt JPEG data: premature end of data segment'],
        ['png-pixels-checksum', 'a checksum of the PNG is wrong'],
      ],
    );
    const pass = { batch: 4, shuffle: false, flip: false, seed: 1, steps: null };
    const swept = await imageCore().sweepImages(imagesOf({ files }, { workers: 2 }), pass, null, null);
    expect(swept).toMatchObject({ decoded: 6, skipped: 0, warned: 5 });
    expect(swept.firstWarned).toBe('sos-0-0-0: Invalid SOS parameters for sequential JPEG');
  });
});

test('a part of a picture has the pixels of the whole, whatever its kind', async () => {
  const kinds = KINDS.filter((kind) => (ALL.get(`${kind}/rgb`)?.shape[1] ?? 0) >= 9);
  expect(kinds.length).toBeGreaterThan(150);
  await inFolder(async (folder) => {
    writeKinds(folder, kinds);
    for (const kind of kinds) {
      const want = ALL.get(`${kind}/rgb`);
      const shortSide = want?.shape[1] ?? 0;
      // As odd as the whole, so that both have one middle.
      const resolution = 4 + (shortSide % 2);
      const from = (shortSide - resolution) / 2;
      const data = imagesOf(sourceOf(folder, [kind]), { resolution, shortSide });
      const got = (await imageCore().imageAt(data, 0)).data;
      const gaps = Array.from(got, (level, i) => {
        const [channel, place] = [Math.floor(i / resolution ** 2), i % resolution ** 2];
        const [y, x] = [from + Math.floor(place / resolution), from + (place % resolution)];
        return Math.abs(level - (want?.data[(channel * shortSide + y) * shortSide + x] ?? 0));
      });
      expect.soft(Math.max(...gaps), kind).toBeLessThanOrEqual(levelsOf(kind));
    }
  });
});

test('every kind with bytes changed, cut, doubled or put in at random is pixels or a coded refusal', async () => {
  const random = randomOf(11);
  const upTo = (most: number): number => Math.floor(random() * most);
  const changed = (bytes: Buffer): Buffer => {
    const at = upTo(bytes.length);
    switch (upTo(4)) {
      case 0:
        return bytes.subarray(0, at);
      case 1:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - upTo(20)))]);
      case 2:
        return Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from([upTo(256), 0xff, upTo(256)]),
          bytes.subarray(at),
        ]);
      default:
        for (let k = 0; k < 3; k += 1) bytes[upTo(bytes.length)] = upTo(256);
        return bytes;
    }
  };
  await inFolder(async (folder) => {
    for (const kind of KINDS)
      writeFileSync(join(folder, kind), changed(Buffer.from(ALL.get(kind)?.data ?? new Uint8Array())));
    const files = { root: folder, paths: KINDS, labels: new Int32Array(KINDS.length) };
    const options = { ...LIMITS, threads: 2, decode: true };
    const { problems } = await imageCore().scanImages(files, options, null, null);
    expect(problems.every(({ reason }) => reason.length > 0)).toBe(true);
    const data = imagesOf({ files }, { skipUnreadable: true, workers: 2 });
    const resizedCrop = { leastArea: 0.08, leastRatio: 0.75, mostRatio: 1.5 };
    const pass = { batch: 64, shuffle: true, flip: true, seed: 3, steps: null, resizedCrop };
    const { decoded, skipped } = await imageCore().sweepImages(data, pass, null, null);
    expect(decoded + skipped).toBe(KINDS.length);
    // A part of a picture may lie before what is damaged.
    expect(skipped).toBeLessThanOrEqual(problems.length);
    expect(skipped).toBeGreaterThan(problems.length / 2);
  });
});
