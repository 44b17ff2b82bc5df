// Pixels that float32 holds and that overflow in the network: one line with a code, soon, and no text of a library.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeSafetensors } from '../../lib/data/safetensors.js';
import type { TensorData } from '../../lib/native/face.js';
import { loadCore } from '../../lib/native/load.js';
import { splitgrow } from '../cli/command-line.js';
import { datasetOf, graphOf, networkOf } from '../native/golden.js';
import { temporaryFolder } from '../run/tiny.js';
import { batchTensors, CLASSES, floats, labels, SHAPE, writeBatch, writeNetwork } from './batch-files.js';

const huge = (count: number): TensorData => floats([count, ...SHAPE], (i) => (i % 2 === 0 ? 3e38 : -3e38));

async function hugeBatch(folder: string): Promise<string> {
  return writeBatch(folder, batchTensors(24).set('images', huge(24)));
}

/** A data file whose training or test images are huge. */
async function hugeData(folder: string, part: 'train' | 'test'): Promise<string> {
  const file = join(folder, 'data.safetensors');
  const small = (count: number): TensorData => floats([count, ...SHAPE], (i) => Math.sin(i));
  const counted = (count: number): TensorData => labels(Array.from({ length: count }, (_, i) => i % CLASSES));
  await writeSafetensors(
    file,
    new Map([
      ['train_images', (part === 'train' ? huge : small)(96)],
      ['train_labels', counted(96)],
      ['test_images', (part === 'test' ? huge : small)(40)],
      ['test_labels', counted(40)],
    ]),
  );
  return file;
}

async function expectRefused(words: readonly string[]): Promise<string> {
  const ended = await splitgrow(words);
  expect([ended.code, ended.stdout], ended.stderr).toEqual([1, '']);
  expect(ended.stderr).not.toMatch(/\b(lapack|mkl|eigh|c10|aten|goes on)\b/i);
  // Lines of progress may stand before it.
  const lines = ended.stderr.match(/^splitgrow: E_NOT_FINITE: .*$/gm) ?? [];
  expect(lines, ended.stderr).toHaveLength(1);
  return lines.join();
}

for (const method of ['exact', 'rayleigh', 'auto']) {
  test(`indices --method ${method} names the layer`, { timeout: 600_000 }, async () => {
    const folder = temporaryFolder();
    const [network, batch] = [await writeNetwork(folder), await hugeBatch(folder)];
    expect(
      await expectRefused(['indices', '--network', network, '--batch', batch, '--method', method]),
    ).toMatch(/layer stem is not finite/);
  });
}

test('forward writes no logits', { timeout: 600_000 }, async () => {
  const folder = temporaryFolder();
  const out = join(folder, 'logits.safetensors');
  const [network, batch] = [await writeNetwork(folder), await hugeBatch(folder)];
  await expectRefused(['forward', '--network', network, '--batch', batch, '--out', out]);
  expect(existsSync(out)).toBe(false);
});

test('eval gives no numbers', { timeout: 600_000 }, async () => {
  const folder = temporaryFolder();
  const network = await writeNetwork(folder);
  await expectRefused(['eval', '--network', network, '--data', await hugeData(folder, 'test')]);
});

for (const command of ['train', 'grow']) {
  // Enough epochs for minutes of work after the first one.
  test(`${command} ends in the epoch in which it fails`, { timeout: 600_000 }, async () => {
    const folder = temporaryFolder();
    const output = join(folder, 'run');
    const experiment = join(folder, 'experiment.json');
    writeFileSync(
      experiment,
      JSON.stringify({
        name: 'overflow',
        network: { preset: 'mobilenet_cifar10', blocks: 2, width: 4 },
        data: { file: await hugeData(folder, 'train') },
        fit: { epochs: 100_000, batch: 8 },
        ...(command === 'grow' && { stop: { stages: 1 } }),
        output,
      }),
    );
    await expectRefused([command, experiment]);
    expect(readdirSync(output).filter((name) => name.startsWith('stage'))).toEqual([]);
  });
}

test('a step of the splitting itself ends so too', { timeout: 600_000 }, async () => {
  const folder = temporaryFolder();
  const experiment = join(folder, 'experiment.json');
  writeFileSync(
    experiment,
    JSON.stringify({
      name: 'overflow',
      network: { preset: 'mobilenet_cifar10', blocks: 2, width: 4 },
      data: { file: await hugeData(folder, 'train') },
      fit: { epochs: 0, batch: 8 },
      stop: { stages: 1 },
      output: join(folder, 'run'),
    }),
  );
  await expectRefused(['grow', experiment]);
});

test.each(['relu', 'relu6'])('%s after batch norm lets NaN through in training', async (kind) => {
  const graph = graphOf(SHAPE, [
    ['conv', 'conv2d', 'input', { out: 8, kernel: 3 }],
    ['norm', 'batch_norm', 'conv'],
    ['act', 'activation', 'norm', { kind }],
    ['pool', 'global_avg_pool', 'act'],
    ['out', 'linear', 'pool', { out: CLASSES }],
  ]);
  const network = networkOf(graph);
  const data = datasetOf(batchTensors(4).set('images', huge(4)), CLASSES);
  // The batch's own variance overflows: (infinity - infinity) / infinity.
  const { data: bytes } = await loadCore().forward(network, data, { mode: 'train', batch: 4 });
  const logits = new Float32Array(bytes.buffer, bytes.byteOffset, 4 * CLASSES);
  expect([...logits].every(Number.isNaN)).toBe(true);
});
