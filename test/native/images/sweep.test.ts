// Passes over image files: the same bytes for any number of threads, from any minibatch and over ranks; training; endings.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import type { ImageDatasetOptions, Progress, SweepResult } from '../../../lib/native/face.js';
import { failureOf, ROOT } from '../../data/places.js';
import { graphOf, networkOf, rates, training } from '../golden.js';
import { imageCore, imagesOf, NAMES, PICTURES, PLAIN, sourceOf } from './files.js';

const PATHS = Array.from({ length: 61 }, (_, i) => NAMES[i % NAMES.length] ?? '');
const LABELS = PATHS.map((_, i) => i);
const SOURCE = sourceOf(PICTURES, PATHS, LABELS);
const RESIZED_CROP = { leastArea: 0.08, leastRatio: 3 / 4, mostRatio: 4 / 3 };
const PASS = {
  batch: 8,
  shuffle: true,
  flip: true,
  seed: 7,
  steps: null,
  keep: true,
  resizedCrop: RESIZED_CROP,
};

/** Of each image in order: its label and a digest of its pixels. */
function rowsOf({ kept }: SweepResult): string[] {
  if (kept === undefined) throw new Error('nothing was kept');
  const labels = new BigInt64Array(kept.labels.data.slice().buffer);
  const bytes = kept.images.data.length / labels.length;
  return Array.from(labels, (label, i) => {
    const pixels = kept.images.data.subarray(i * bytes, (i + 1) * bytes);
    return `${label} ${createHash('sha1').update(pixels).digest('hex')}`;
  });
}

const sweep = async (options: Partial<ImageDatasetOptions> = {}, pass: object = {}): Promise<string[]> =>
  rowsOf(await imageCore().sweepImages(imagesOf(SOURCE, options), { ...PASS, ...pass }, null, null));

test('any number of threads and of minibatches ahead gives the same images in the same order', async () => {
  const want = await sweep();
  expect(new Set(want).size).toBe(61);
  expect(want.map((row) => Number.parseInt(row, 10)).sort((a, b) => a - b)).toEqual(LABELS);
  expect(await sweep({ workers: 2, prefetch: 0 })).toEqual(want);
  expect(await sweep({ workers: 5, prefetch: 20 })).toEqual(want);
});

test('a pass begun at a later minibatch goes on with the images of the whole one', async () => {
  const want = await sweep({ workers: 2 });
  expect(await sweep({ workers: 2 }, { start: 3 })).toEqual(want.slice(24));
  expect(await sweep({ workers: 2 }, { start: 7, steps: 1 })).toEqual(want.slice(56));
  expect(await sweep({ workers: 2 }, { start: 2, steps: 2 })).toEqual(want.slice(16, 32));
});

test('another seed gives another order and other crops', async () => {
  const [first, second] = [await sweep(), await sweep({}, { seed: 8 })];
  expect(second).not.toEqual(first);
  expect(second.filter((row) => first.includes(row)).length).toBeLessThan(5);
});

const MODULE = pathToFileURL(join(ROOT, 'dist', 'native', 'load.js')).href;
const RANK = `
  const [module, options, source, pass, rank, world, port, folder] = JSON.parse(process.argv[1]);
  const core = (await import(module)).loadImageCore();
  core.setThreads(1);
  const group = { rank, world, localRank: rank, host: '127.0.0.1', port, isServer: rank === 0, prefix: 'sweep', settings: '', timeoutMs: 600000, bucketBytes: 0 };
  await core.joinGroup(group);
  const files = { ...source.files, labels: Int32Array.from(source.files.labels) };
  const { kept } = await core.sweepImages(core.createImageDataset({ files }, options), pass, null, null);
  const [labels, images] = [kept.labels, kept.images].map(({ data }) => Buffer.from(data).toString('base64'));
  console.log(JSON.stringify({ labels, images }));
  // Nothing here waits for the others: none may leave while another still joins.
  const { existsSync, writeFileSync } = await import('node:fs');
  writeFileSync(folder + '/' + rank, '');
  const isThere = (other) => existsSync(folder + '/' + other);
  while (![...Array(world).keys()].every(isThere)) await new Promise((resolve) => setTimeout(resolve, 20));
  core.leaveGroup();`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test.each([2, 3])(
  '%i ranks decode each its own rows, together those of one process',
  async (world) => {
    const want = await sweep();
    const [port, folder] = [await freePort(), await mkdtemp(join(tmpdir(), 'splitgrow-sweep-'))];
    const files = { root: PICTURES, paths: PATHS, labels: LABELS };
    const runs = Array.from({ length: world }, async (_, rank) => {
      const given = JSON.stringify([
        MODULE,
        { ...PLAIN, workers: 2 },
        { files },
        PASS,
        rank,
        world,
        port,
        folder,
      ]);
      const command = ['--input-type=module', '-e', RANK, given];
      const { stdout } = await promisify(execFile)(process.execPath, command, { maxBuffer: 1 << 26 });
      const { labels, images }: { labels: string; images: string } = JSON.parse(stdout);
      const tensor = (text: string) => ({
        dtype: 'uint8' as const,
        shape: [],
        data: new Uint8Array(Buffer.from(text, 'base64')),
      });
      return rowsOf({ kept: { labels: tensor(labels), images: tensor(images) } } as unknown as SweepResult);
    });
    const found = await Promise.all(runs);
    await rm(folder, { recursive: true });
    // Rank r has rows [r n / world, (r + 1) n / world) of each minibatch of n.
    const together: string[] = [];
    const taken = found.map(() => 0);
    for (let from = 0; from < 61; from += 8) {
      const n = Math.min(8, 61 - from);
      found.forEach((rows, rank) => {
        const count = Math.floor(((rank + 1) * n) / world) - Math.floor((rank * n) / world);
        together.push(...rows.slice(taken[rank], (taken[rank] ?? 0) + count));
        taken[rank] = (taken[rank] ?? 0) + count;
      });
    }
    expect(together).toEqual(want);
  },
  600_000,
);

const GRAPH = graphOf(
  [3, 16, 16],
  [
    ['conv', 'conv2d', 'input', { out: 4, kernel: 3, stride: 2 }],
    ['pool', 'global_avg_pool', 'conv'],
    ['classifier', 'linear', 'pool', { out: 61 }],
  ],
);

test('training and evaluation take image files, and tell what the loader did', async () => {
  const data = imagesOf(SOURCE, { classes: 61, workers: 2 });
  const reports: Progress[] = [];
  const options = {
    ...training(8, rates(8, 0.01), { shuffle: true, flip: true, seed: 1 }),
    resizedCrop: RESIZED_CROP,
  };
  const trained = await imageCore().train(networkOf(GRAPH), data, options, (p) => reports.push(p), null);
  expect(trained.images).toBe(61);
  expect(trained.loader).toMatchObject({ decoded: 61, skipped: 0 });
  expect(trained.loader?.decodeSeconds).toBeGreaterThan(0);
  expect(reports.at(-1)?.loader?.decoded).toBe(61);
  const evaluated = await imageCore().evaluate(networkOf(GRAPH), data, { batch: 16 }, null, null);
  expect(evaluated.images).toBe(61);
});

test('a pass stops where it is aborted, and a dataset may be disposed of while it is swept', async () => {
  const many = sourceOf(PICTURES, Array(20_000).fill('square.jpg'), Array(20_000).fill(0));
  const data = imagesOf(many, { workers: 3, prefetch: 5 });
  const abort = imageCore().createAbort();
  const told = imageCore().sweepImages(data, PASS, () => imageCore().abort(abort), abort);
  data.dispose();
  expect(await failureOf(told)).toMatch(/^E_ABORTED/);
});

test('a Worker that is terminated while its loader works ends', async () => {
  const script = `
    import { parentPort, workerData } from 'node:worker_threads';
    const { module, options, files, pass } = workerData;
    const core = (await import(module)).loadImageCore();
    const data = core.createImageDataset({ files }, options);
    await core.sweepImages(data, pass, () => parentPort.postMessage('step'), null);`;
  const files = { root: PICTURES, paths: Array(50_000).fill('square.jpg'), labels: new Int32Array(50_000) };
  const pass = { ...PASS, keep: false };
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`), {
    workerData: { module: MODULE, options: { ...PLAIN, workers: 3 }, files, pass },
  });
  await once(worker, 'message');
  await worker.terminate();
  expect(await sweep({ workers: 2 })).toEqual(await sweep());
});
