// Packed stores: what comes out is what went in; kills, several threads and damage.
import { execFile, fork } from 'node:child_process';
import {
  existsSync,
  linkSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { ImageFiles, PackOptions, StorePart } from '../../../lib/native/face.js';
import { failureOf, inFolder, ROOT } from '../../data/places.js';
import { randomOf } from '../../reference.js';
import { bytesOf, copies, imageCore, imagesOf, NAMES, PICTURES, packing, partOf } from './files.js';

const pack = (parts: readonly StorePart[], options: PackOptions) =>
  imageCore().packImages(parts, options, null, null);

test('files packed as they are come out byte for byte, with names, labels and parts', async () => {
  await inFolder(async (folder) => {
    const store = join(folder, 'store');
    writeFileSync(join(folder, 'bad.jpg'), bytesOf('rgb.jpg').subarray(0, 800));
    const bad: ImageFiles = { root: folder, paths: ['bad.jpg'], labels: Int32Array.from([0]) };
    const parts = [
      partOf('train', PICTURES, NAMES),
      partOf('val', PICTURES, ['odd.jpg']),
      { name: 'x', files: bad },
    ];
    const packed = await pack(parts, packing(store));
    expect(packed).toMatchObject({ images: 8, resumed: 0, bytes: readFileSync(store).length });
    expect(packed.problems).toEqual([{ part: 2, index: 0, reason: expect.stringMatching(/cut short/) }]);
    expect([existsSync(`${store}.part`), existsSync(`${store}.journal`)]).toEqual([false, false]);
    expect(imageCore().readStore(store)).toEqual({
      parts: [
        { name: 'train', images: 7 },
        { name: 'val', images: 1 },
        { name: 'x', images: 0 },
      ],
      classNames: ['a', 'b', 'c'],
      shortSide: null,
      quality: 90,
      bytes: packed.bytes,
    });
    expect([...imageCore().readStoreLabels(store, 'train')]).toEqual([0, 1, 2, 0, 1, 2, 0]);
    const whole = readFileSync(store);
    for (const name of NAMES) expect(whole.includes(bytesOf(name)), name).toBe(true);
    expect(await imageCore().verifyStore(store, { threads: 2 }, null, null)).toEqual({
      images: 8,
      bytes: packed.bytes,
      problems: [],
    });
    const files = imagesOf({ files: partOf('train', PICTURES, NAMES).files });
    const stored = imagesOf({ store, part: 'train' });
    const chosen = imagesOf({ store, part: 'train', chosen: Int32Array.from([4, 0]) });
    for (let i = 0; i < NAMES.length; i++)
      expect(await imageCore().imageAt(stored, i)).toEqual(await imageCore().imageAt(files, i));
    expect(await imageCore().imageAt(chosen, 0)).toEqual(await imageCore().imageAt(files, 4));
  });
});

test('images are made smaller, upright and RGB or grey, whatever they were', async () => {
  await inFolder(async (folder) => {
    const store = join(folder, 'store');
    await pack([partOf('train', PICTURES, NAMES)], packing(store, { shortSide: 32, threads: 2 }));
    const whole = readFileSync(store);
    for (const name of NAMES) expect(whole.includes(bytesOf(name)), name).toBe(false);
    const before = imagesOf(
      { files: partOf('train', PICTURES, NAMES).files },
      { resolution: 32, shortSide: 32 },
    );
    const after = imagesOf({ store, part: 'train' }, { resolution: 32, shortSide: 32 });
    for (let i = 0; i < NAMES.length; i++) {
      const [want, got] = await Promise.all([before, after].map((data) => imageCore().imageAt(data, i)));
      const gaps = Array.from(got?.data ?? [], (level, k) => Math.abs(level - (want?.data[k] ?? 0)));
      // What quality 90 with halved chroma costs on these edges and noise.
      expect(gaps.reduce((a, b) => a + b, 0) / gaps.length, NAMES[i]).toBeLessThan(12);
    }
  });
});

test('any number of threads writes the same bytes', async () => {
  await inFolder(async (folder) => {
    const parts = [partOf('train', PICTURES, Array(10).fill(NAMES).flat())];
    const written = [1, 2, 5].map(async (threads) => {
      const store = join(folder, `store-${threads}`);
      await pack(parts, packing(store, { threads, shortSide: 40 }));
      return readFileSync(store);
    });
    const [first, ...others] = await Promise.all(written);
    for (const other of others) expect(first?.equals(other)).toBe(true);
  });
});

const MODULE = pathToFileURL(join(ROOT, 'dist', 'native', 'load.js')).href;
const CHILD = `
  import { writeFileSync } from 'node:fs';
  process.on('message', async ([module, root, paths, options]) => {
    const core = (await import(module)).loadImageCore();
    const files = { root, paths, labels: new Int32Array(paths.length) };
    const told = ({ done }) => process.send(done);
    const result = await core.packImages([{ name: 'train', files }], options, told, null);
    process.send(result);
    process.disconnect();
  });`;

test('a run that is killed goes on where its journal ends, to the same bytes', async () => {
  await inFolder(async (folder) => {
    const names = copies(folder, 150, NAMES);
    const paths = Array(40).fill(names).flat();
    const parts = [{ name: 'train', files: { root: folder, paths, labels: new Int32Array(paths.length) } }];
    const script = join(folder, 'child.mjs');
    writeFileSync(script, CHILD);
    const store = join(folder, 'store');
    const options = packing(store, { shortSide: 44 });
    const child = fork(script, { execArgv: [] });
    child.send([MODULE, folder, paths, options]);
    await new Promise<void>((resolve) => {
      // Once there is an entry in the journal, which has 16 bytes to begin with.
      const isBegun = () => (statSync(`${store}.journal`, { throwIfNoEntry: false })?.size ?? 0) > 16;
      child.on('message', () => isBegun() && child.kill('SIGKILL'));
      child.on('exit', () => resolve());
    });
    const wasKilled = !existsSync(store);
    const resumed = await pack(parts, options);
    expect(resumed.images).toBe(6000);
    if (wasKilled) expect(resumed.resumed).toBeGreaterThan(0);
    const whole = join(folder, 'whole');
    await pack(parts, { ...options, store: whole, threads: 2 });
    expect(readFileSync(store).equals(readFileSync(whole))).toBe(true);
    const changed = await pack(parts, { ...options, quality: 80 });
    expect(changed.resumed).toBe(0);
  });
}, 600_000);

const LIMITED = `
  import { readFileSync } from 'node:fs';
  const [module, root, paths, options] = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  const core = (await import(module)).loadImageCore();
  const files = { root, paths, labels: new Int32Array(paths.length) };
  const done = core.packImages([{ name: 'train', files }], options, null, null);
  await done.catch((error) => console.log(error.code, error.message));`;

test('where no more can be written it says so, keeps what it has, and goes on when there is room', async () => {
  await inFolder(async (folder) => {
    const script = join(folder, 'child.mjs');
    writeFileSync(script, LIMITED);
    const paths = Array(300).fill(NAMES).flat();
    const store = join(folder, 'store');
    const given = JSON.stringify([MODULE, PICTURES, paths, packing(store)]);
    writeFileSync(join(folder, 'given.json'), given);
    // A limit on the size of a file fails a write as a full disk does: 2 MiB, of about 6.
    const shell = `ulimit -f 2048; trap '' XFSZ; exec "$0" "$1" "$2"`;
    const command = ['-c', shell, process.execPath, script, join(folder, 'given.json')];
    const { stdout } = await promisify(execFile)('bash', command);
    expect(stdout).toMatch(/^E_WRITE .*store\.part cannot be written: File too large/);
    const parts = [{ name: 'train', files: { root: PICTURES, paths, labels: new Int32Array(paths.length) } }];
    expect((await pack(parts, packing(store))).images).toBe(2100);
    expect((await imageCore().verifyStore(store, { threads: 1 }, null, null)).problems).toEqual([]);
  });
}, 600_000);

test('a journal cut anywhere costs work, never the result', async () => {
  await inFolder(async (folder) => {
    const parts = [partOf('train', PICTURES, Array(30).fill(NAMES).flat())];
    const whole = join(folder, 'whole');
    await pack(parts, packing(whole));
    const store = join(folder, 'store');
    const abort = imageCore().createAbort();
    const stopped = imageCore().packImages(parts, packing(store), () => imageCore().abort(abort), abort);
    await stopped.catch(() => undefined);
    for (const left of [40, 16, 9, 0]) {
      if (existsSync(`${store}.journal`)) truncateSync(`${store}.journal`, left);
      await pack(parts, packing(store));
      expect(readFileSync(store).equals(readFileSync(whole)), `${left} bytes`).toBe(true);
    }
  });
});

test.each([
  ['journal', 'a file', /store\.journal cannot be written: expected the journal of a store/],
  ['journal', 'a short file', /store\.journal cannot be written: expected the journal of a store/],
  ['journal', 'a link', /store\.journal cannot be written/],
  ['journal', 'a second name', /store\.journal cannot be written: .*a link or no file/],
  ['part', 'a file', /store\.part cannot be written: .*no part of a store/],
  ['part', 'a link', /store\.part cannot be written/],
  ['part', 'a second name', /store\.part cannot be written: .*a link or no file/],
])('store.%s that is %s of somebody else is refused and stays', async (name, kind, message) => {
  await inFolder(async (folder) => {
    const store = join(folder, 'store');
    const [other, path] = [join(folder, 'other'), `${store}.${name}`];
    const text = kind === 'a short file' ? 'mine' : 'of somebody, and longer than a header';
    writeFileSync(other, text);
    if (kind === 'a link') symlinkSync(other, path);
    else if (kind === 'a second name') linkSync(other, path);
    else writeFileSync(path, text);
    const failure = await failureOf(pack([partOf('train', PICTURES, NAMES)], packing(store)));
    expect(failure).toMatch(/^E_WRITE: /);
    expect(failure).toMatch(message);
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(existsSync(store)).toBe(false);
  });
});

test('a file that came to the name of the store meanwhile is not replaced', async () => {
  await inFolder(async (folder) => {
    const store = join(folder, 'store');
    const parts = [partOf('train', PICTURES, NAMES)];
    writeFileSync(store, 'of somebody');
    expect(await failureOf(pack(parts, packing(store)))).toMatch(/^E_WRITE: .*found one that is no store/);
    expect(readFileSync(store, 'utf8')).toBe('of somebody');
    renameSync(store, join(folder, 'away'));
    expect((await pack(parts, packing(store))).resumed).toBe(NAMES.length);
  });
});

test('a damaged or cut store is refused or its images are told of; nothing crashes', async () => {
  await inFolder(async (folder) => {
    const store = join(folder, 'store');
    await pack([partOf('train', PICTURES, NAMES), partOf('val', PICTURES, ['odd.jpg'])], packing(store));
    const whole = readFileSync(store);
    const broken = join(folder, 'broken');
    const random = randomOf(3);
    const faults = async (): Promise<string> => {
      try {
        imageCore().readStore(broken);
      } catch (error) {
        return error instanceof Error && 'code' in error ? `${error.code}: ${error.message}` : String(error);
      }
      const { problems } = await imageCore().verifyStore(broken, { threads: 1 }, null, null);
      return problems.length > 0 ? `problems: ${problems[0]?.reason}` : 'sound';
    };
    const end = whole.length;
    const places = [0, 7, 8, 63, 64, end - 64, end - 40, end - 9, end - 8, end - 1];
    for (let i = 0; i < 150; i++)
      places.push(Math.floor(random() * end), end - 1 - Math.floor(random() * 500));
    for (const at of places) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      writeFileSync(broken, bytes);
      expect(await faults(), `byte ${at} of ${end}`).toMatch(
        /^(E_DATA: .*(damaged|no packed store)|problems: .*checksum)/,
      );
    }
    for (const size of [0, 1, 64, 127, 128, 200, Math.floor(end / 2), end - 64, end - 1]) {
      writeFileSync(broken, whole.subarray(0, size));
      expect(await faults(), `${size} of ${end} bytes`).toMatch(/^E_DATA: .*(damaged|no packed store)/);
    }
    writeFileSync(broken, whole);
    const data = imagesOf({ store: broken, part: 'train' });
    truncateSync(broken, end - 200);
    expect(await failureOf(imageCore().imageAt(data, 0))).toMatch(
      /^E_DATA: rgb\.jpg .*cut short while in use/,
    );
  });
});

test('stores that are not there, parts that are not in them and places that cannot be written are refused', async () => {
  await inFolder(async (folder) => {
    const store = join(folder, 'store');
    const parts = [partOf('train', PICTURES, NAMES)];
    await pack(parts, packing(store));
    expect(() => imageCore().readStore(join(folder, 'none'))).toThrow(
      expect.objectContaining({ code: 'E_FILE' }),
    );
    expect(() => imagesOf({ store, part: 'val' })).toThrow(/no part "val"; it has train/);
    const away = packing(join(folder, 'no', 'such', 'store'));
    expect(await failureOf(pack(parts, away))).toMatch(/^E_WRITE: .*journal cannot be written: No such file/);
    expect(() =>
      pack([{ name: 'x', files: { root: '.', paths: ['a'], labels: Int32Array.from([3]) } }], away),
    ).toThrow(/labels must be 0 to 2, found 3/);
  });
});
