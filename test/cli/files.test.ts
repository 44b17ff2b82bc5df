// The commands that read and write tensors, from the outside: what they print, and what they say of bad files.
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../lib/data/safetensors.js';
import type { TensorData } from '../../lib/native/face.js';
import { errorLine, splitgrow, temporaryFolder } from './command-line.js';

const IMAGES = 6;
const CLASSES = 10;
let folder = '';
let network = '';
let batch = '';

function floats(shape: readonly number[], value: (at: number) => number = (at) => Math.sin(at)): TensorData {
  const count = shape.reduce((product, size) => product * size, 1);
  return {
    dtype: 'float32',
    shape,
    data: new Uint8Array(Float32Array.from({ length: count }, (_, at) => value(at)).buffer),
  };
}

function labels(values: readonly number[]): TensorData {
  return {
    dtype: 'int64',
    shape: [values.length],
    data: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
  };
}

const PIXELS = floats([IMAGES, 1, 28, 28]);
const LABELS = labels([0, 1, 2, 3, 4, 9]);

/** A network of untrained weights, written by the command line itself, and a batch that fits it. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'splitgrow-files-'));
  network = join(folder, 'net');
  batch = join(folder, 'batch.safetensors');
  const experiment = {
    name: 'untrained',
    network: { preset: 'mobilenet_cifar10', blocks: 3, width: 4 },
    data: { name: 'fashion-mnist', augment: [], trainImages: 64, testImages: 64 },
    fit: { epochs: 0 },
    output: network,
  };
  writeFileSync(join(folder, 'train.json'), JSON.stringify(experiment));
  const { code, stderr } = await splitgrow(['train', join(folder, 'train.json')]);
  if (code !== 0) throw new Error(stderr);
  await writeSafetensors(
    batch,
    new Map([
      ['images', PIXELS],
      ['labels', LABELS],
    ]),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function json(words: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await splitgrow([...words, '--json', '--threads', '1']);
  expect({ code, errors: stderr.includes('splitgrow: E_') }).toEqual({ code: 0, errors: false });
  return JSON.parse(stdout) as unknown;
}

describe('--json is one document', () => {
  test('of forward: a row of logits an image', async () => {
    const out = join(temporaryFolder(), 'logits.safetensors');
    const { logits } = (await json(['forward', '--network', network, '--batch', batch, '--out', out])) as {
      logits: number[][];
    };
    expect(logits.map((row) => row.length)).toEqual(Array.from({ length: IMAGES }, () => CLASSES));
    expect(existsSync(out)).toBe(true);
  });

  test('of eval: top-1, top-5, loss and images', async () => {
    expect(await json(['eval', '--network', network, '--data', 'fashion-mnist', '--images', '50'])).toEqual({
      top1: expect.any(Number),
      top5: expect.any(Number),
      loss: expect.any(Number),
      ...{ images: 50, part: 'test', notes: [expect.stringContaining('10000 images of Fashion-MNIST')] },
    });
  });

  test('of bench: a time for every step', async () => {
    const document = await json(['bench', '--network', network, '--batch-size', '2', '--repeats', '1']);
    expect(document).toMatchObject({ threads: 1, device: 'cpu', precision: 'float32' });
    for (const step of ['trainStep', 'rayleighStep', 'exactStep', 'forward']) {
      expect(document).toHaveProperty([step, 'medianMs'], expect.any(Number));
    }
  });

  test('of indices and split: epsilon 0 leaves the logits as they are', async () => {
    const work = temporaryFolder();
    const [directions, plan, wider] = ['v.safetensors', 'plan.json', 'wider'].map((name) =>
      join(work, name),
    ) as [string, string, string];
    const found = (await json([
      'indices',
      '--network',
      network,
      '--batch',
      batch,
      '--method',
      'exact',
      '--directions',
      directions,
    ])) as {
      layers: { id: string; neurons: number; indices: number[] }[];
    };
    expect(found.layers.length).toBeGreaterThan(3);
    for (const { neurons, indices } of found.layers) expect(indices).toHaveLength(neurons);

    const splits = { b1_pw: [0, 3] };
    writeFileSync(plan, JSON.stringify({ splits }));
    const words = [
      'split',
      '--network',
      network,
      '--plan',
      plan,
      '--directions',
      directions,
      '--epsilon',
      '0',
      '--out',
      wider,
    ];
    const grown = (await json(words)) as { macsBefore: number; macsAfter: number; split: unknown };
    expect(grown.split).toEqual(splits);
    expect(grown.macsAfter).toBeGreaterThan(grown.macsBefore);

    const logitsOf = async (place: string): Promise<number[]> => {
      const out = join(work, 'logits.safetensors');
      return (
        (await json(['forward', '--network', place, '--batch', batch, '--out', out])) as {
          logits: number[][];
        }
      ).logits.flat();
    };
    const [before, after] = [await logitsOf(network), await logitsOf(wider)];
    const largest = Math.max(...before.map(Math.abs));
    // The contract's own bound: 1e-5 of the largest logit, float32.
    before.forEach((value, at) => {
      expect(Math.abs((after[at] ?? Number.NaN) - value)).toBeLessThanOrEqual(1e-5 * largest);
    });
  });
});

describe('a bad file ends with exit code 2, one line, and nothing written', () => {
  type Prepare = (work: string) => Promise<{ readonly network?: string; readonly batch?: string }>;
  const withBatch = async (
    work: string,
    images: TensorData,
    marks: TensorData,
  ): Promise<{ batch: string }> => {
    const file = join(work, 'bad.safetensors');
    await writeSafetensors(
      file,
      new Map([
        ['images', images],
        ['labels', marks],
      ]),
    );
    return { batch: file };
  };
  const withNetwork = async (work: string, spoil: (place: string) => void): Promise<{ network: string }> => {
    const place = join(work, 'bad');
    await cp(network, place, { recursive: true });
    spoil(place);
    return { network: place };
  };
  const widen = (place: string): void => {
    const file = join(place, 'network.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"out": 4/, '"out": 5'));
  };
  const BAD: readonly (readonly [claim: string, prepare: Prepare, code: RegExp])[] = [
    ['a batch that is not there', async (work) => ({ batch: join(work, 'none.safetensors') }), /^E_FILE$/],
    ['a batch that is a folder', async (work) => ({ batch: work }), /^E_FILE$/],
    [
      'a batch cut short',
      async (work) => {
        const found = await withBatch(work, PIXELS, LABELS);
        truncateSync(found.batch, 1000);
        return found;
      },
      /^E_SAFETENSORS$/,
    ],
    [
      'a header that claims more bytes than there are in the world',
      async (work) => {
        const file = join(work, 'bad.safetensors');
        writeFileSync(file, Buffer.from('ffffffffffffff7f7b7d', 'hex'));
        return { batch: file };
      },
      /^E_SAFETENSORS$/,
    ],
    ['images of another shape', (work) => withBatch(work, floats([IMAGES, 3, 28, 28]), LABELS), /^E_BATCH$/],
    ['fewer labels than images', (work) => withBatch(work, PIXELS, labels([1, 2])), /^E_(BATCH|LABELS)$/],
    [
      'a label out of range',
      (work) => withBatch(work, PIXELS, labels([0, 1, 2, 3, 4, CLASSES])),
      /^E_LABELS$/,
    ],
    ['a negative label', (work) => withBatch(work, PIXELS, labels([0, 1, 2, 3, 4, -1])), /^E_LABELS$/],
    [
      'a pixel that is not a number',
      (work) =>
        withBatch(
          work,
          floats([IMAGES, 1, 28, 28], (at) => (at === 7 ? Number.NaN : 0)),
          LABELS,
        ),
      /^E_(BATCH|NOT_FINITE)$/,
    ],
    [
      'weights that are missing',
      (work) => withNetwork(work, (place) => rmSync(join(place, 'weights.safetensors'))),
      /^E_(FILE|WEIGHTS)$/,
    ],
    [
      'weights cut short',
      (work) => withNetwork(work, (place) => truncateSync(join(place, 'weights.safetensors'), 2000)),
      /^E_SAFETENSORS$/,
    ],
    ['weights of another width', (work) => withNetwork(work, widen), /^E_WEIGHTS$/],
  ];
  test.each(BAD)('%s', async (_claim, prepare, code) => {
    const work = mkdtempSync(join(folder, 'bad-'));
    const out = join(work, 'logits.safetensors');
    const places = { network, batch, ...(await prepare(work)) };
    const ended = await splitgrow([
      'forward',
      '--network',
      places.network,
      '--batch',
      places.batch,
      '--out',
      out,
    ]);
    expect({ code: ended.code, stdout: ended.stdout, stderr: ended.stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.any(String),
    });
    expect(errorLine(ended)?.code).toMatch(code);
    expect(existsSync(out)).toBe(false);
  });
});
