// getData(): whole or not at all, once for all processes, nothing overwritten; the loaders find what it leaves.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RECEIPT_FILE } from '../../../lib/data/get/checksum.js';
import { getData } from '../../../lib/data/get/get.js';
import { listData } from '../../../lib/data/get/list.js';
import { dataDirectory, defaultRoot } from '../../../lib/data/get/places.js';
import { type DataSource, filesOf, SOURCES } from '../../../lib/data/get/sources.js';
import type { DataProgress } from '../../../lib/data/get/work.js';
import { dataFolder, failureOf, inFolder } from '../places.js';
import {
  archived,
  ENTRIES,
  FAST,
  FOLDER,
  type Local,
  PACKED,
  remote,
  sendFile,
  serve,
  TEST,
  TRAIN,
  tarGz,
} from './server.js';

interface Setting {
  readonly root: string;
  readonly local: Local;
  readonly get: (more?: Parameters<typeof getData>[1] & { mirror?: string }) => ReturnType<typeof getData>;
}

/** A server that has `packed` as tiny.tar.gz, and getData() of it into an empty root. */
function withArchive(work: (setting: Setting) => Promise<void>, packed: Uint8Array = PACKED): Promise<void> {
  return inFolder(async (folder) => {
    const local = await serve((request, response) => {
      if (request.url === '/tiny.tar.gz') sendFile(request, response, packed);
      else response.writeHead(404).end();
    });
    const root = join(folder, 'root');
    const sources = [archived(packed, [`${local.url}tiny.tar.gz`])];
    await work({
      root,
      local,
      get: ({ mirror, ...control } = {}) =>
        getData({ name: 'tiny', root, mirror }, { sources, env: {}, attempts: FAST, ...control }),
    });
  });
}

test('an archive is downloaded, unpacked and gone; the second call asks no server', () =>
  withArchive(async ({ root, local, get }) => {
    const phases = new Set<DataProgress['phase']>();
    const document = await get({ onProgress: ({ phase }) => phases.add(phase) });
    const directory = join(root, FOLDER);
    expect(document).toEqual({
      name: 'tiny',
      directory,
      files: [
        { file: 'train.bin', bytes: 50_000, status: 'downloaded' },
        { file: 'test.bin', bytes: 20_000, status: 'downloaded' },
      ],
    });
    expect(await readFile(join(directory, 'train.bin'))).toEqual(TRAIN);
    expect(await readdir(root)).toEqual([FOLDER]);
    expect((await readdir(directory)).sort()).toEqual(['names.txt', RECEIPT_FILE, 'test.bin', 'train.bin']);
    expect([...phases]).toEqual(['download', 'unpack']);

    const again = await get();
    expect(again.files.map(({ status }) => status)).toEqual(['there', 'there']);
    expect(local.seen).toHaveLength(1);
  }));

test('files are downloaded to their names, only those that are missing', () =>
  inFolder(async (root) => {
    const files: Record<string, Buffer> = { 'a.gz': TRAIN, 'b.gz': TEST };
    const local = await serve((request, response) =>
      sendFile(request, response, files[request.url?.slice(1) ?? ''] ?? Buffer.alloc(0)),
    );
    const sources: DataSource[] = [
      {
        name: 'plain',
        files: Object.entries(files).map(([file, bytes]) => remote(file, bytes, [`${local.url}${file}`])),
      },
    ];
    await writeFile(join(root, 'a.gz'), TRAIN);
    const document = await getData({ name: 'plain', root }, { sources, env: {} });
    expect(document).toEqual({
      name: 'plain',
      directory: root,
      files: [
        { file: 'a.gz', bytes: 50_000, status: 'there' },
        { file: 'b.gz', bytes: 20_000, status: 'downloaded' },
      ],
    });
    expect((await readdir(root)).sort()).toEqual(['a.gz', 'b.gz']);
    expect(local.seen.map(({ url }) => url)).toEqual(['/b.gz']);
  }));

test('an archive put there by hand is unpacked without a request, and stays', () =>
  withArchive(async ({ root, local, get }) => {
    await mkdir(root);
    await writeFile(join(root, 'tiny.tar.gz'), PACKED);
    const { files } = await get();
    expect(files.map(({ status }) => status)).toEqual(['unpacked', 'unpacked']);
    expect(local.seen).toEqual([]);
    expect((await readdir(root)).sort()).toEqual([FOLDER, 'tiny.tar.gz']);
  }));

test('an archive put there by hand that is another is refused and stays', () =>
  withArchive(async ({ root, local, get }) => {
    await mkdir(root);
    await writeFile(join(root, 'tiny.tar.gz'), 'x');
    expect(await failureOf(get())).toMatch(
      /^E_DATA: .*tiny\.tar\.gz is not the official file: expected \d+ bytes, found 1; move it away/,
    );
    expect(await readFile(join(root, 'tiny.tar.gz'), 'utf8')).toBe('x');
    expect(local.seen).toEqual([]);
  }));

test('files unpacked by hand, into the root itself too, count when their checksums are right', () =>
  withArchive(async ({ root, local, get }) => {
    await mkdir(root);
    await writeFile(join(root, 'train.bin'), TRAIN);
    await writeFile(join(root, 'test.bin'), TEST);
    expect(await get()).toMatchObject({ directory: root, files: [{ status: 'there' }, { status: 'there' }] });
    expect(local.seen).toEqual([]);
  }));

test('a folder that has a part gets the rest, and keeps what else is in it', () =>
  withArchive(async ({ root, get }) => {
    const directory = join(root, FOLDER);
    await mkdir(join(directory, 'mine'), { recursive: true });
    await writeFile(join(directory, 'mine', 'notes.txt'), 'mine');
    await writeFile(join(directory, 'names.txt'), 'mine too');
    await writeFile(join(directory, 'train.bin'), TRAIN);
    const { files } = await get();
    expect(files.map(({ status }) => status)).toEqual(['there', 'downloaded']);
    expect(await readFile(join(directory, 'test.bin'))).toEqual(TEST);
    expect(await readFile(join(directory, 'mine', 'notes.txt'), 'utf8')).toBe('mine');
  }));

test.each([
  ['size', TRAIN.subarray(1)],
  ['content', Buffer.from(TRAIN).fill(0, 100, 200)],
])('a file of another %s in the place of an official one is refused, never overwritten', (_, bytes) =>
  withArchive(async ({ root, local, get }) => {
    const place = join(root, FOLDER, 'train.bin');
    await mkdir(join(root, FOLDER), { recursive: true });
    await writeFile(place, bytes);
    expect(await failureOf(get())).toMatch(/^E_DATA: .*train\.bin is not the official file/);
    expect(await readFile(place)).toEqual(bytes);
    expect(local.seen).toEqual([]);
  }),
);

test('two at once download once, and both have it', () =>
  withArchive(async ({ local, get }) => {
    const both = await Promise.all([get(), get()]);
    const statuses = both.map(({ files }) => files[0]?.status).sort();
    expect(statuses).toEqual(['downloaded', 'there']);
    expect(local.seen).toHaveLength(1);
  }));

test('an abort is E_ABORTED, keeps what came, and the next call goes on from there', () =>
  withArchive(async ({ root, get }) => {
    const half = PACKED.subarray(0, 30_000);
    const slow = await serve((_, response) => {
      response.writeHead(200, { 'content-length': PACKED.byteLength });
      response.write(half);
    });
    const controller = new AbortController();
    const failure = await failureOf(
      get({
        sources: [archived(PACKED, [slow.url])],
        signal: controller.signal,
        onProgress: ({ done }) => done === half.byteLength && controller.abort(),
      }),
    );
    expect(failure).toMatch(/^E_ABORTED: .*kept in .*; to go on run: splitgrow data get tiny --root/);
    expect(await readdir(root)).toEqual(['.splitgrow-tiny.tar.gz.part']);
    const whole = await serve((request, response) => sendFile(request, response, PACKED));
    await get({ sources: [archived(PACKED, [whole.url])] });
    expect(whole.seen[0]?.range).toBe('bytes=30000-');
  }));

test('a hostile archive whose checksum the table has leaves nothing, not even its download', () =>
  withArchive(
    async ({ root, get }) => {
      expect(await failureOf(get())).toMatch(/^E_DOWNLOAD: .*leads out of the folder/);
      expect(await readdir(root)).toEqual([]);
    },
    tarGz([...ENTRIES, { path: '../../../out', bytes: TEST }]),
  ));

test('a mirror is asked alone: for the file, then in the dataset’s folder', () =>
  withArchive(async ({ local, get }) => {
    const mirror = await serve((request, response) => {
      if (request.url === '/data/tiny/tiny.tar.gz') sendFile(request, response, PACKED);
      else response.writeHead(404).end();
    });
    await get({ mirror: `${mirror.url}data` });
    expect(mirror.seen.map(({ url }) => url)).toEqual(['/data/tiny.tar.gz', '/data/tiny/tiny.tar.gz']);
    expect(local.seen).toEqual([]);
  }));

test('SPLITGROW_DATA_MIRROR names a mirror, --mirror another; what is no http URL is refused', () =>
  withArchive(async ({ local, get }) => {
    const ask = (mirror: string | undefined, variable: string): Promise<string> =>
      failureOf(get({ mirror, env: { SPLITGROW_DATA_MIRROR: variable } }));
    expect(await ask(undefined, `${local.url}from-variable/`)).toMatch(
      /from-variable\/tiny\.tar\.gz: HTTP 404/,
    );
    expect(await ask(`${local.url}from-flag`, `${local.url}from-variable`)).toMatch(/from-flag\/tiny\/tiny/);
    expect(await ask('ftp://a.example', '')).toMatch(/^E_ARGUMENT: mirror: expected an http or https URL/);
    expect(await ask(undefined, 'mirror.example')).toMatch(/^E_ARGUMENT: SPLITGROW_DATA_MIRROR: expected/);
  }));

test('a root that cannot be made is E_WRITE with what to do', () =>
  withArchive(async ({ root, get }) => {
    await writeFile(root, 'a file');
    expect(await failureOf(get())).toMatch(/^E_WRITE: .*choose a place/);
  }));

test('an unknown name is E_DATA with the known ones', async () => {
  expect(await failureOf(getData({ name: 'mnist' }))).toMatch(
    /^E_DATA: .*"mnist"; known are fashion-mnist, cifar10, cifar100/,
  );
});

test('the folder is SPLITGROW_DATA, else data in the cache', () => {
  expect(dataDirectory({ SPLITGROW_DATA: '/a/b', SPLITGROW_CACHE: '/c' })).toBe('/a/b');
  expect(dataDirectory({ SPLITGROW_CACHE: '/c' })).toBe('/c/data');
  expect(defaultRoot('cifar10', { XDG_CACHE_HOME: '/x' })).toBe('/x/splitgrow/data/cifar10');
});

test('without a root it goes where listData() looks, which tells missing, partial and whole', () =>
  inFolder(async (folder) => {
    const local = await serve((request, response) => sendFile(request, response, PACKED));
    const control = { env: { SPLITGROW_DATA: folder }, sources: [archived(PACKED, [local.url])] };
    const state = async (): Promise<unknown> => {
      const { directory, datasets } = await listData(control);
      const [one] = datasets;
      return [directory, one?.state, one?.remedy, one?.files.map(({ state: file }) => file)];
    };
    expect(await state()).toEqual([folder, 'missing', 'splitgrow data get tiny', ['missing', 'missing']]);
    await mkdir(join(folder, 'tiny'));
    await writeFile(join(folder, 'tiny', 'test.bin'), TEST);
    await writeFile(join(folder, 'tiny', 'train.bin'), 'x');
    expect(await state()).toEqual([folder, 'partial', 'splitgrow data get tiny', ['wrong', 'there']]);
    await getData({ name: 'tiny' }, control);
    expect(await state()).toEqual([folder, 'whole', null, ['there', 'there']]);
    const [one] = (await listData(control)).datasets;
    expect(one?.directory).toBe(join(folder, 'tiny', FOLDER));
    expect(one?.looked).toEqual([join(folder, 'tiny', FOLDER), join(folder, 'tiny')]);
  }));

const fashion = dataFolder('fashion-mnist');
test.skipIf(fashion.reason !== '')(
  `the table's checksums of fashion-mnist are those of the original files${fashion.reason}`,
  async () => {
    const document = await getData({ name: 'fashion-mnist', root: fashion.folder });
    expect(document.directory).toBe(fashion.folder);
    expect(document.files.map(({ status }) => status)).toEqual(['there', 'there', 'there', 'there']);
  },
);

const cifar10 = dataFolder('cifar-10');
test.skipIf(cifar10.reason !== '')(
  `the table's sizes and checksums of cifar10 are those of the official batches${cifar10.reason}`,
  async () => {
    const source = SOURCES.find(({ name }) => name === 'cifar10') as DataSource;
    const { statesIn } = await import('../../../lib/data/get/checksum.js');
    const there = (await statesIn(cifar10.folder, source)).filter(({ state }) => state === 'there');
    expect(there.map(({ file }) => file)).toEqual(
      expect.arrayContaining(['data_batch_1.bin', 'test_batch.bin']),
    );
  },
);

test('the table is complete: checksums of their length, https first, members as many as there are images', () => {
  for (const { files } of SOURCES) {
    for (const { md5, sha256, urls, bytes } of files) {
      expect([md5, sha256].map((hex) => /^[0-9a-f]+$/.test(hex) && hex.length)).toEqual([32, 64]);
      expect(urls[0]).toMatch(/^https:/);
      expect(bytes).toBeGreaterThan(0);
    }
  }
  const bytes = (name: string): number =>
    filesOf(SOURCES.find((one) => one.name === name) as DataSource).reduce((sum, one) => sum + one.bytes, 0);
  // 60,000 images of 3,072 bytes with one and two label bytes.
  expect([bytes('cifar10'), bytes('cifar100')]).toEqual([60_000 * 3_073, 60_000 * 3_074]);
});
