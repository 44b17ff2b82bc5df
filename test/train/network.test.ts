// Network directories whose weights another program saved: taken where the values are the same, refused where they are not.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportNetwork } from '../../lib/api/export.js';
import { forward } from '../../lib/api/forward.js';
import { readSafetensors, writeSafetensors } from '../../lib/data/safetensors.js';
import { buildPreset } from '../../lib/models/zoo.js';
import type { TensorData } from '../../lib/native/face.js';
import { createNetwork, loadNetwork, readGraph, saveNetwork } from '../../lib/train/network.js';
import { core, floats, longs } from '../native/golden.js';
import { randomOf } from '../reference.js';
import { temporaryFolder } from '../run/tiny.js';

type Tensors = ReadonlyMap<string, TensorData>;

/** A small network, its weights changed on their way into another directory; what loading that tells, and its logits. */
async function saved(change: (weights: Tensors) => Tensors) {
  core();
  const folder = temporaryFolder();
  const [good, other] = [join(folder, 'good'), join(folder, 'other')];
  const graph = buildPreset('mobilenet_cifar10', { blocks: 1, width: 4, resolution: 8, classes: 3 });
  using made = createNetwork(graph, { seed: 1, device: 'cpu' });
  await saveNetwork(made, good);
  mkdirSync(other);
  writeFileSync(join(other, 'network.json'), JSON.stringify(await readGraph(good)));
  const weights = await readSafetensors(join(good, 'weights.safetensors'));
  await writeSafetensors(join(other, 'weights.safetensors'), change(weights));
  const batch = join(folder, 'batch.safetensors');
  const random = randomOf(3);
  await writeSafetensors(
    batch,
    new Map([
      ['images', floats([2, 3, 8, 8], () => random() - 0.5)],
      ['labels', longs([0, 2])],
    ]),
  );
  const notes: string[] = [];
  const control = {
    onEvent: (event: { readonly type: string; readonly text?: string }): void => {
      if (event.type === 'note') notes.push(event.text ?? '');
    },
  };
  const logits = async (network: string) => (await forward({ network, batch, threads: 1 }, control)).logits;
  return { folder, other, notes, right: await logits(good), logits: () => logits(other) };
}

const doubled = ({ shape, data }: TensorData): TensorData => ({
  dtype: 'float64',
  shape,
  data: new Uint8Array(Float64Array.from(new Float32Array(data.slice().buffer)).buffer),
});

const negated = ({ data, ...tensor }: TensorData): TensorData => ({
  ...tensor,
  data: new Uint8Array(new Float32Array(data.slice().buffer).map((value) => -value).buffer),
});

test('float64 weights are taken, and give the logits of the float32 ones', async () => {
  const { right, logits, notes } = await saved(
    (weights) => new Map([...weights].map(([name, tensor]) => [name, doubled(tensor)])),
  );
  expect(await logits()).toEqual(right);
  expect(notes).toEqual([]);
});

test('counters of batch norms and the prefix of a wrapper are left out, with a note', async () => {
  const { other, right, logits, notes } = await saved(
    (weights) =>
      new Map([
        ...[...weights].map(([name, tensor]) => [`module.${name}`, tensor] as const),
        ['module.stem_bn.num_batches_tracked', longs([7])],
      ]),
  );
  expect(await logits()).toEqual(right);
  expect(notes).toEqual([
    `${join(other, 'weights.safetensors')}: the prefix "module." of names is left out; num_batches_tracked of 1 batch norms is left out`,
  ]);
});

test('an export reads such weights as well', async () => {
  const { folder, other } = await saved(
    (weights) => new Map([...weights].map(([name, tensor]) => [`model.${name}`, doubled(tensor)])),
  );
  const file = join(folder, 'x.onnx');
  expect((await exportNetwork({ network: other, onnx: file })).file).toBe(file);
});

test('a tensor that belongs to no node is refused by its own name', async () => {
  const { logits } = await saved((weights) => new Map([...weights, ['extra.weight', floats([1], () => 0)]]));
  await expect(logits()).rejects.toMatchObject({
    code: 'E_WEIGHTS',
    message: expect.stringContaining('"extra.weight" belongs to no node'),
  });
});

test('weights that are a web page are named as one', async () => {
  const { other } = await saved((weights) => weights);
  writeFileSync(join(other, 'weights.safetensors'), '<!DOCTYPE html><html><body>Sign in</body></html>');
  await expect(loadNetwork(other, { device: 'cpu' })).rejects.toMatchObject({
    code: 'E_SAFETENSORS',
    message: expect.stringContaining('it is a web page (HTML)'),
  });
});

test('a network.json that is no JSON is named as what it is', async () => {
  const { other } = await saved((weights) => weights);
  writeFileSync(join(other, 'network.json'), 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n');
  await expect(readGraph(other)).rejects.toMatchObject({
    message: expect.stringContaining(
      'it is a git-lfs pointer, not the file itself; fetch the file itself: git lfs pull',
    ),
  });
});

test('a variance below 0 is refused by the name of its tensor', async () => {
  const { other, logits } = await saved(
    (weights) =>
      new Map(
        [...weights].map(([name, tensor]) => [
          name,
          name === 'stem_bn.running_var' ? negated(tensor) : tensor,
        ]),
      ),
  );
  await expect(logits()).rejects.toMatchObject({
    code: 'E_WEIGHTS',
    message: `${other}/weights.safetensors: "stem_bn.running_var" holds a variance below 0, which no images have; use the right file`,
  });
});
