// Network directories and batch files for the tests of the commands.
import { join } from 'node:path';
import { writeSafetensors } from '../../lib/data/safetensors.js';
import { buildPreset } from '../../lib/models/zoo.js';
import type { TensorData } from '../../lib/native/face.js';
import { loadCore } from '../../lib/native/load.js';
import { createNetwork, saveNetwork } from '../../lib/train/network.js';
import { randomOf } from '../reference.js';

export const SHAPE = [1, 8, 8] as const;
export const CLASSES = 4;

/** A network directory of random weights. */
export async function writeNetwork(folder: string, name = 'network'): Promise<string> {
  loadCore().setThreads(1);
  const [channels, resolution] = SHAPE;
  const options = { blocks: 2, width: 4, activation: 'silu', resolution, channels, classes: CLASSES };
  const graph = buildPreset('mobilenet_cifar10', options);
  using network = createNetwork(graph, { seed: 1, device: 'cpu' });
  const directory = join(folder, name);
  await saveNetwork(network, directory);
  return directory;
}

export function floats(shape: readonly number[], of: (i: number) => number): TensorData {
  const values = Float32Array.from({ length: shape.reduce((n, size) => n * size, 1) }, (_, i) => of(i));
  return { dtype: 'float32', shape, data: new Uint8Array(values.buffer) };
}

export function labels(values: readonly number[]): TensorData {
  return {
    dtype: 'int64',
    shape: [values.length],
    data: new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer),
  };
}

/** The tensors of a good batch file. */
export function batchTensors(count: number, seed = 1): Map<string, TensorData> {
  const random = randomOf(seed);
  return new Map([
    ['images', floats([count, ...SHAPE], () => 2 * random() - 1)],
    ['labels', labels(Array.from({ length: count }, () => Math.floor(random() * CLASSES)))],
  ]);
}

export async function writeBatch(
  folder: string,
  tensors = batchTensors(24),
  name = 'batch.safetensors',
): Promise<string> {
  const file = join(folder, name);
  await writeSafetensors(file, tensors);
  return file;
}
