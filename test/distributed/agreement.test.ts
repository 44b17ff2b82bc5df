// Ranks of one run that are given different work or data: all end with one line that names the field and both values.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../lib/data/safetensors.js';
import { differenceOf } from '../../lib/distributed/agree.js';
import { buildPreset } from '../../lib/models/zoo.js';
import type { TensorMap } from '../../lib/native/face.js';
import { loadCore } from '../../lib/native/load.js';
import { createNetwork, FILES } from '../../lib/train/network.js';
import { type Ended, errorLine, splitgrow, start } from '../cli/command-line.js';
import { pngOf } from '../data/images/pictures.js';
import { ROOT } from '../data/places.js';
import { temporaryFolder, tinyImages } from '../run/tiny.js';
import { meeting } from './processes.js';
import { writeExperiment } from './runs.js';

/** Two ranks, of which the second gets these words besides. */
async function twoRanks(words: readonly string[], others: readonly string[]): Promise<readonly Ended[]> {
  const common = await meeting(2);
  const ranks = [0, 1].map((rank) =>
    start([...words, ...(rank === 1 ? others : [])], { ...common, RANK: String(rank) }),
  );
  return Promise.all(ranks.map(({ ended }) => ended));
}

const set = (...fields: readonly string[]): readonly string[] => fields.flatMap((field) => ['--set', field]);

function expectRefusal(outcomes: readonly Ended[], text: RegExp): void {
  for (const outcome of outcomes) {
    expect({ code: outcome.code, signal: outcome.signal }, outcome.stderr).toEqual({ code: 2, signal: null });
    const lines = outcome.stderr.split('\n').filter((line) => line.startsWith('splitgrow: '));
    expect(lines).toEqual([expect.stringMatching(/^splitgrow: E_RANKS: /)]);
    expect(lines[0]).toMatch(text);
  }
}

test.each([
  ['data.trainImages=20', /data\.trainImages null on rank 0 and 20 on rank 1/],
  ['data.shuffle=false', /data\.shuffle true on rank 0 and false on rank 1/],
  ['data.augment=["flip"]', /data\.augment\.1 "crop" on rank 0 and nothing on rank 1/],
  ['fit.batch=8', /fit\.batch 16 on rank 0 and 8 on rank 1/],
])('another %s of one rank ends both', async (field, text) => {
  const { file } = await writeExperiment(2);
  expectRefusal(await twoRanks(['grow', file], set(field)), text);
});

test('another command of one rank ends both', async () => {
  const { file } = await writeExperiment(2);
  const common = await meeting(2);
  const ranks = ['grow', 'train'].map((command, rank) =>
    start([command, file], { ...common, RANK: String(rank) }),
  );
  expectRefusal(
    await Promise.all(ranks.map(({ ended }) => ended)),
    /command "grow" on rank 0 and "train" on rank 1/,
  );
});

test('launch gives the line once, and exit code 2', async () => {
  const { folder, file } = await writeExperiment(2);
  const other = join(folder, 'other.mjs');
  writeFileSync(other, `if (process.env.RANK === '1') process.argv.push('--set', 'seed=9');\n`);
  const env = { NODE_OPTIONS: `--import ${other}` };
  const outcome = await splitgrow(['launch', '--processes', '2', '--', 'grow', file], env);
  expect(outcome.code).toBe(2);
  expect(errorLine(outcome)).toMatchObject({
    code: 'E_RANKS',
    text: expect.stringMatching(/seed 3 on rank 0 and 9 on rank 1/),
  });
});

/** The tiny dataset with one tensor changed. */
async function changedData(
  folder: string,
  name: string,
  change: (bytes: Uint8Array) => void,
): Promise<string> {
  const tensors = new Map(await readSafetensors(join(folder, 'data.safetensors')));
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(name);
  const data = tensor.data.slice();
  change(data);
  tensors.set(name, { ...tensor, data });
  const file = join(folder, `changed-${name}.safetensors`);
  await writeSafetensors(file, tensors as TensorMap);
  return file;
}

describe('other data of one rank end both:', () => {
  test.each([
    [
      'train_images',
      'a pixel',
      (bytes: Uint8Array) => bytes.set([(bytes[77] ?? 0) ^ 1], 77),
      /train\.pixels "sha256 \w{16}"/,
    ],
    [
      'test_images',
      'a pixel',
      (bytes: Uint8Array) => bytes.set([(bytes[5] ?? 0) ^ 1], 5),
      /test\.pixels "sha256/,
    ],
    [
      'train_labels',
      'a label',
      (bytes: Uint8Array) => bytes.set([((bytes[0] ?? 0) + 1) % 4], 0),
      /train\.labels "sha256/,
    ],
  ] as const)('%s with %s changed', async (name, _, change, text) => {
    const { folder, file } = await writeExperiment(2);
    const other = await changedData(folder, name, change);
    expectRefusal(await twoRanks(['grow', file], set(`data.file=${other}`)), text);
  });

  test('a copy elsewhere is the same', async () => {
    const { folder, file } = await writeExperiment(1);
    const copy = join(folder, 'copy.safetensors');
    await cp(join(folder, 'data.safetensors'), copy);
    const outcomes = await twoRanks(['train', file], set(`data.file=${copy}`, 'threads=2'));
    expect(
      outcomes.map(({ code }) => code),
      outcomes.map(({ stderr }) => stderr).join('\n'),
    ).toEqual([0, 0]);
  });

  test('image files of other pixels, of the same size', async () => {
    const written = await writeExperiment(1);
    const { folder, file } = written;
    const experiment = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    const picture = pngOf(8, 8, () => [90, 90, 90]);
    const roots = ['one', 'two'].map((name) => join(folder, name));
    for (const root of roots)
      for (const part of ['train', 'val'])
        for (const name of ['a', 'b']) {
          mkdirSync(join(root, part, name), { recursive: true });
          for (let i = 0; i < 4; i += 1) writeFileSync(join(root, part, name, `${i}.png`), picture);
        }
    const changed = pngOf(8, 8, () => [91, 91, 91]);
    expect(changed.length).toBe(picture.length);
    writeFileSync(join(roots[1] ?? '', 'train', 'b', '3.png'), changed);
    const data = { name: 'image-folder', root: roots[0], resolution: 8, augment: [] };
    await writeFile(file, JSON.stringify({ ...experiment, data }));
    expectRefusal(await twoRanks(['train', file], set(`data.root=${roots[1]}`)), /train\.pixels "sha256 /);
  });
});

/** A network directory for the tiny images, with weights drawn from a seed. */
async function writeNetwork(directory: string, seed: number): Promise<void> {
  const options = {
    blocks: 2,
    width: 4,
    activation: 'silu',
    channels: 1,
    resolution: 8,
    classes: 4,
  } as const;
  const graph = buildPreset('mobilenet_cifar10', options);
  using network = createNetwork(graph, { seed, device: 'cpu' });
  mkdirSync(directory);
  writeFileSync(join(directory, FILES.graph), JSON.stringify(graph));
  await writeSafetensors(
    join(directory, FILES.weights),
    new Map(loadCore().readNetwork(network.handle, 'weights')),
  );
}

test('other options or another batch file of one rank end both within indices', async () => {
  const folder = temporaryFolder();
  const net = join(folder, 'net');
  await writeNetwork(net, 1);
  const batches = [1, 2].map((seed) => join(folder, `${seed}.safetensors`));
  for (const [at, batch] of batches.entries()) {
    const { images, labels } = tinyImages(8, at + 1);
    const data = new Uint8Array(Float32Array.from(images.data, (pixel) => pixel / 255).buffer);
    await writeSafetensors(
      batch,
      new Map([
        ['images', { dtype: 'float32' as const, shape: images.shape, data }],
        ['labels', labels],
      ]),
    );
  }
  const words = ['indices', '--network', net, '--json', '--batch', batches[0] ?? ''];
  expectRefusal(
    await twoRanks(words, ['--method', 'exact']),
    /request\.method "auto" on rank 0 and "exact" on rank 1/,
  );
  expectRefusal(
    await twoRanks(words, ['--batch', batches[1] ?? '']),
    /batch\.content "sha256 \w{16}" on rank 0/,
  );
});

test('other weights of the network that a rank starts from end both', async () => {
  const { folder, file } = await writeExperiment(1);
  const nets = ['one', 'two'].map((name) => join(folder, name));
  for (const [seed, net] of nets.entries()) await writeNetwork(net, seed);
  const start = (net: string | undefined) => set(`network={"directory":"${net}"}`);
  const outcomes = await twoRanks(['train', file, ...start(nets[0])], start(nets[1]));
  expectRefusal(outcomes, /the network to start from: .* weights "sha256 \w{16}" on rank 0/);
});

test('sums of unequal sizes end a rank with a line and exit code 1, not with SIGABRT', async () => {
  const script = `
    const { loadCore } = await import(${JSON.stringify(pathToFileURL(join(ROOT, 'dist', 'native', 'load.js')).href)});
    const rank = Number(process.env.RANK);
    const core = loadCore();
    await core.joinGroup({
      ...{ rank, world: 2, localRank: rank, host: '127.0.0.1', port: Number(process.env.MASTER_PORT) },
      ...{ isServer: rank === 0, prefix: 'x', settings: 'x', timeoutMs: 20_000, bucketBytes: 0 },
    });
    await core.sumOverRanks(new Float64Array(rank === 0 ? 10 : 1000)).catch(async (error) => {
      process.stderr.write('splitgrow: ' + error.code + ': ' + error.message + '\\n');
      process.exitCode = 1;
      await core.leaveGroup('');
    });`;
  const env = { ...process.env, ...(await meeting(2)) };
  const parameters = ['--input-type=module', '--eval', script];
  const ranks = [0, 1].map((rank) => {
    const child = spawn(process.execPath, parameters, { env: { ...env, RANK: String(rank) }, stdio: 'pipe' });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    return new Promise<{ code: number | null; stderr: string }>((resolve) =>
      child.once('close', (code) => resolve({ code, stderr })),
    );
  });
  for (const { code, stderr } of await Promise.all(ranks)) {
    expect(code, stderr).toBe(1);
    expect(stderr).toMatch(/^splitgrow: E_DISTRIBUTED: [^\n]+\n$/);
  }
});

test('the first difference of two values has a path and both values', () => {
  expect(differenceOf({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] })).toBeNull();
  expect(differenceOf({ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] })).toEqual({
    path: 'a.1.b',
    first: 2,
    own: 3,
  });
  expect(differenceOf({ a: 1 }, { a: 1, c: null })).toEqual({ path: 'c', first: undefined, own: null });
  expect(differenceOf({ a: [] }, { a: {} })).toEqual({ path: 'a', first: [], own: {} });
});
