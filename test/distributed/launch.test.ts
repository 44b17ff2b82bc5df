import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { IndicesDocument } from '../../lib/api/indices.js';
import { readSafetensors, writeSafetensors } from '../../lib/data/safetensors.js';
import type { TensorMap } from '../../lib/native/face.js';
import type { Summary } from '../../lib/run/store/records.js';
import { errorLine, splitgrow } from '../cli/command-line.js';
import { assertClose } from '../reference.js';
import { temporaryFolder, tinyExperiment, tinyImages, writeTinyData } from '../run/tiny.js';

// The ranks' sums are added in another order than one process adds them: float32 rounding, grown
// by some ten steps of training with batch norm.
const ROUNDING = { rtol: 2e-3, atol: 2e-5 };

function floats(tensors: TensorMap, name: string): Float32Array {
  const bytes = tensors.get(name)?.data ?? new Uint8Array();
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

async function writeExperiment(folder: string, fields: Record<string, unknown> = {}): Promise<string> {
  const file = join(folder, 'experiment.json');
  const experiment = tinyExperiment(folder);
  await writeFile(file, JSON.stringify({ ...experiment, ...fields }));
  return file;
}

const SYNCHRONISED = { epochs: 2, batch: 16, syncBatchNorm: true, schedule: { kind: 'cosine' } };

test.each([2, 3])(
  '%i ranks with synchronised batch norm train to the weights of one process',
  async (processes) => {
    const folder = temporaryFolder();
    await writeTinyData(folder, { train: 50, test: 16 }); // the last minibatch has 2 images
    const file = await writeExperiment(folder, { fit: SYNCHRONISED, compare: undefined });
    const [one, several] = [join(folder, 'one'), join(folder, 'several')];
    const alone = await splitgrow(['train', file, '--set', `output=${one}`, '--json']);
    expect(alone.code, alone.stderr).toBe(0);
    const together = await splitgrow([
      ...['launch', '--processes', String(processes), '--', 'train', file],
      ...['--set', `output=${several}`, '--json'],
    ]);
    expect(together.code, together.stderr).toBe(0);
    expect(JSON.parse(together.stdout)).toHaveProperty('stages');
    const [a, b] = await Promise.all(
      [one, several].map((directory) => readSafetensors(join(directory, 'weights.safetensors'))),
    );
    for (const name of a?.keys() ?? []) {
      assertClose(floats(b as TensorMap, name), floats(a as TensorMap, name), { ...ROUNDING, note: name });
    }
  },
);

test('two ranks find the splitting indices of one process, and rank 0 alone writes', async () => {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const network = join(folder, 'net');
  const trained = await splitgrow([
    'train',
    await writeExperiment(folder),
    '--set',
    `output=${network}`,
    '--json',
  ]);
  expect(trained.code, trained.stderr).toBe(0);
  const { images, labels } = tinyImages(30, 5);
  const batch = join(folder, 'batch.safetensors');
  const values = Float32Array.from(images.data, (pixel) => pixel / 255);
  await writeSafetensors(
    batch,
    new Map([
      ['images', { dtype: 'float32' as const, shape: images.shape, data: new Uint8Array(values.buffer) }],
      ['labels', labels],
    ]),
  );
  const directions = join(folder, 'v.safetensors');
  const words = ['indices', '--network', network, '--batch', batch, '--method', 'exact', '--json'];
  const [alone, together] = [
    await splitgrow(words),
    await splitgrow(['launch', '--processes', '2', '--', ...words, '--directions', directions]),
  ];
  expect(together.code, together.stderr).toBe(0);
  const [one, two] = [alone, together].map(({ stdout }) => (JSON.parse(stdout) as IndicesDocument).layers);
  expect(two?.map(({ id }) => id)).toEqual(one?.map(({ id }) => id));
  one?.forEach(({ id, indices }, at) => {
    const scale = Math.max(...indices.map(Math.abs));
    assertClose(two?.[at]?.indices ?? [], indices, { rtol: 0, atol: 1e-4 * scale, note: id });
  });
  expect(existsSync(directions)).toBe(true);
});

test('two ranks train again for the compute that is left, and hand over one network with what it reaches', async () => {
  const folder = temporaryFolder();
  await writeTinyData(folder);
  const file = await writeExperiment(folder, {
    fit: SYNCHRONISED,
    stop: { stages: 1 },
    data: { file: join(folder, 'data.safetensors'), augment: [], validation: 0.2 },
    deliver: 'best',
    compare: undefined,
  });
  const output = join(folder, 'run');
  const launched = ['launch', '--processes', '2', '--', 'grow', file, '--set', `output=${output}`, '--json'];
  const together = await splitgrow(launched);
  expect(together.code, together.stderr).toBe(0);
  const { best } = JSON.parse(together.stdout) as Summary;
  const { grown = null, retrained = null } = best?.validation ?? {};
  // Equal accuracies leave it to the loss.
  if (grown !== retrained) expect(best?.which).toBe((retrained ?? 0) > (grown ?? 0) ? 'retrained' : 'grown');
  expect(best?.compute.retrained).toBeGreaterThan(0);
  expect(best?.compute.retrained).toBeLessThanOrEqual(best?.compute.grown ?? 0);
  const words = [
    'eval',
    '--network',
    join(output, 'best'),
    '--data',
    join(folder, 'data.safetensors'),
    '--json',
  ];
  const alone = await splitgrow(words);
  expect(alone.code, alone.stderr).toBe(0);
  expect(JSON.parse(alone.stdout)).toMatchObject({ top1: best?.test?.top1, top5: best?.test?.top5 });
  const before = await readFile(join(output, 'best', 'best.json'), 'utf8');
  const again = await splitgrow(launched);
  expect(again.code, again.stderr).toBe(0);
  expect(await readFile(join(output, 'best', 'best.json'), 'utf8')).toBe(before);
});

test('a wrong command line is told once, with exit code 2', async () => {
  const outcome = await splitgrow(['launch', '--processes', '2', '--', 'grow', 'no-such-file.json']);
  expect(outcome.code).toBe(2);
  expect(errorLine(outcome)?.code).toBe('E_FILE');
});

test('commands that are no work for several ranks run once', async () => {
  const outcome = await splitgrow([
    ...['launch', '--processes', '2', '--', 'cost', '--network', 'mobilenet_v1', '--json'],
  ]);
  expect(outcome.code, outcome.stderr).toBe(0);
  expect(JSON.parse(outcome.stdout)).toHaveProperty('macs', 568740352);
});
