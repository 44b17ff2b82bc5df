// The golden models of test/golden/imported.py: their weights, images and labels drawn anew, and written as files.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSafetensors } from '../../lib/data/safetensors.js';
import type { TensorData } from '../../lib/native/face.js';
import { floats, GOLDEN, longs } from '../native/golden.js';
import { randomOf, size } from '../reference.js';

export interface Imported {
  readonly preset: string;
  readonly from: 'torchvision' | 'timm';
  readonly options: { readonly width: number };
  readonly gain: number;
  readonly classes: number;
  readonly side: number;
  readonly images: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly tensors: readonly (readonly [string, readonly number[]])[];
  readonly logits: readonly number[];
  readonly top1: number;
  readonly top5: number;
  readonly loss: number;
}

const FOLDER = join(GOLDEN, 'imported');
export const MODELS = readdirSync(FOLDER).map((file) => file.replace('.json', ''));
export const modelOf = (name: string): Imported =>
  JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Imported;

/** As `drawn` of imported.py. */
function drawn(name: string, shape: readonly number[], seed: number, gain: number): TensorData {
  const random = randomOf(seed);
  const bound = Math.sqrt(6 / size(shape.slice(1)));
  if (shape.length > 1) return floats(shape, () => (2 * random() - 1) * bound);
  if (name.endsWith('weight')) return floats(shape, () => gain * (0.7 + 0.6 * random()));
  if (name.endsWith('running_var')) return floats(shape, () => 0.7 + 0.6 * random());
  return floats(shape, () => 0.4 * random() - 0.2);
}

/** The state dict: batch norms' counters are scalars of int64. */
export function stateOf({ tensors, gain }: Imported): Map<string, TensorData> {
  const counter = { ...longs([0]), shape: [] };
  return new Map(
    tensors.map(([name, shape], seed) => [
      name,
      shape.length === 0 ? counter : drawn(name, shape, seed, gain),
    ]),
  );
}

function pixels({ images, side }: Imported): TensorData {
  const random = randomOf(1001);
  const shape = [images, 3, side, side];
  return {
    dtype: 'uint8',
    shape,
    data: Uint8Array.from({ length: size(shape) }, () => Math.floor(256 * random())),
  };
}

function labelsOf({ images, classes }: Imported): TensorData {
  const random = randomOf(1002);
  return longs(Array.from({ length: images }, () => Math.floor(classes * random())));
}

/** A state dict, a dataset of the images, and a batch of them, normalised as the model takes them. */
export async function writeModel(model: Imported, folder: string) {
  const [weights, data, batch] = ['state', 'data', 'batch'].map((name) =>
    join(folder, `${name}.safetensors`),
  ) as [string, string, string];
  const [images, labels] = [pixels(model), labelsOf(model)];
  await writeSafetensors(weights, stateOf(model));
  await writeSafetensors(
    data,
    new Map([
      ['train_images', images],
      ['train_labels', labels],
      ['test_images', images],
      ['test_labels', labels],
    ]),
  );
  const area = model.side ** 2;
  const at = (i: number): number => Math.floor(i / area) % 3;
  const normalised = floats(
    images.shape,
    (i) => ((images.data[i] ?? 0) / 255 - (model.mean[at(i)] ?? 0)) / (model.std[at(i)] ?? 1),
  );
  await writeSafetensors(
    batch,
    new Map([
      ['images', normalised],
      ['labels', labels],
    ]),
  );
  return { weights, data, batch };
}
