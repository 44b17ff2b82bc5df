// A dataset of 8 x 8 images that a tiny network learns in seconds, and experiments on it.

import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { writeSafetensors } from '../../lib/data/safetensors.js';
import type { TensorData } from '../../lib/native/face.js';
import type { ExperimentInput } from '../../lib/run/spec/experiment-input.js';
import { randomOf } from '../reference.js';

const SIDE = 8;
const CLASSES = 4;

/** A folder of its own, removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'splitgrow-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Class k is bright in quadrant k, with noise. */
export function tinyImages(
  count: number,
  seed: number,
): { readonly images: TensorData; readonly labels: TensorData } {
  const random = randomOf(seed);
  const pixels = new Uint8Array(count * SIDE * SIDE);
  const labels = new BigInt64Array(count);
  for (let i = 0; i < count; i += 1) {
    const label = Math.floor(random() * CLASSES);
    labels[i] = BigInt(label);
    for (let p = 0; p < SIDE * SIDE; p += 1) {
      const [row, column] = [Math.floor(p / SIDE), p % SIDE];
      const quadrant = 2 * Math.floor((2 * row) / SIDE) + Math.floor((2 * column) / SIDE);
      pixels[i * SIDE * SIDE + p] = Math.floor((quadrant === label ? 100 : 60) + 100 * random());
    }
  }
  return {
    images: { dtype: 'uint8', shape: [count, 1, SIDE, SIDE], data: pixels },
    labels: { dtype: 'int64', shape: [count], data: new Uint8Array(labels.buffer) },
  };
}

export interface Sizes {
  readonly train: number;
  readonly test: number;
}

/** Writes the dataset file of an experiment. */
export async function writeTinyData(
  folder: string,
  { train, test }: Sizes = { train: 96, test: 40 },
): Promise<string> {
  const file = join(folder, 'data.safetensors');
  const [a, b] = [tinyImages(train, 1), tinyImages(test, 2)];
  await writeSafetensors(
    file,
    new Map([
      ['train_images', a.images],
      ['train_labels', a.labels],
      ['test_images', b.images],
      ['test_labels', b.labels],
    ]),
  );
  return file;
}

/** An experiment of seconds: two splitting stages of two epochs. */
export function tinyExperiment(folder: string, output = join(folder, 'run')): ExperimentInput {
  return {
    name: 'tiny',
    network: { preset: 'mobilenet_cifar10', blocks: 2, width: 4, activation: 'silu' },
    data: { file: join(folder, 'data.safetensors'), augment: ['flip', 'crop'], cropPadding: 1 },
    fit: { epochs: 2, batch: 16, schedule: { kind: 'cosine' } },
    splitting: {
      method: 'auto',
      epsilon: 'line-search',
      lineSearch: { grid: [0.05, 0.2], images: 64 },
      growthRatio: 0.5,
    },
    stop: { stages: 2 },
    seed: 3,
    threads: 1,
    output,
  };
}

/** An experiment whose types are not known where the test is compiled, as of one that was read from a file. */
export function asRead(json: unknown): ExperimentInput {
  return json as ExperimentInput;
}

export async function readJson<T>(...path: readonly string[]): Promise<T> {
  return JSON.parse(await readFile(join(...path), 'utf8')) as T;
}
