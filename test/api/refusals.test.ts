import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cost } from '../../lib/api/cost.js';
import { forward } from '../../lib/api/forward.js';
import { indices } from '../../lib/api/indices.js';
import { split } from '../../lib/api/split.js';
import { readSafetensors, writeSafetensors } from '../../lib/data/safetensors.js';
import type { TensorData } from '../../lib/native/face.js';
import { temporaryFolder } from '../run/tiny.js';
import { batchTensors, floats, labels, SHAPE, writeBatch, writeNetwork } from './batch-files.js';

const good = batchTensors(4);
const withTensor = (name: string, tensor: TensorData | null): Map<string, TensorData> => {
  const copy = new Map(good);
  if (tensor === null) copy.delete(name);
  else copy.set(name, tensor);
  return copy;
};
const size = 4 * SHAPE[0] * SHAPE[1] * SHAPE[2];

test.each([
  ['no images', withTensor('images', null), 'E_BATCH'],
  ['no labels', withTensor('labels', null), 'E_BATCH'],
  [
    'images of another size',
    withTensor(
      'images',
      floats([4, 1, 8, 9], () => 0),
    ),
    'E_BATCH',
  ],
  [
    'images without a batch axis',
    withTensor(
      'images',
      floats([1, 8, 8], () => 0),
    ),
    'E_BATCH',
  ],
  [
    'images that are bytes',
    withTensor('images', { dtype: 'uint8', shape: [4, ...SHAPE], data: new Uint8Array(size) }),
    'E_BATCH',
  ],
  ['fewer labels than images', withTensor('labels', labels([0, 1, 2])), 'E_BATCH'],
  [
    'labels that are floats',
    withTensor(
      'labels',
      floats([4], () => 0),
    ),
    'E_BATCH',
  ],
  ['a label too large', withTensor('labels', labels([0, 1, 2, 4])), 'E_LABELS'],
  ['a negative label', withTensor('labels', labels([0, -1, 2, 3])), 'E_LABELS'],
  [
    'NaN in an image',
    withTensor(
      'images',
      floats([4, ...SHAPE], (i) => (i === 100 ? Number.NaN : 0)),
    ),
    'E_BATCH',
  ],
  [
    'infinity in an image',
    withTensor(
      'images',
      floats([4, ...SHAPE], (i) => (i === 5 ? Infinity : 0)),
    ),
    'E_BATCH',
  ],
])('a batch file with %s is refused and nothing is written', async (_what, tensors, code) => {
  const folder = temporaryFolder();
  const [network, batch, out] = [
    await writeNetwork(folder),
    await writeBatch(folder, tensors),
    join(folder, 'out.safetensors'),
  ];
  await expect(forward({ network, batch, out })).rejects.toMatchObject({ code, exitCode: 2 });
  await expect(indices({ network, batch, directions: out })).rejects.toMatchObject({ code, exitCode: 2 });
  expect(existsSync(out)).toBe(false);
});

async function spoiled(
  change: (tensors: Map<string, TensorData>) => void,
): Promise<{ readonly network: string; readonly batch: string }> {
  const folder = temporaryFolder();
  const [network, batch] = [await writeNetwork(folder), await writeBatch(folder)];
  const file = join(network, 'weights.safetensors');
  const tensors = new Map(await readSafetensors(file));
  change(tensors);
  await writeSafetensors(file, tensors);
  return { network, batch };
}

test.each([
  ['a missing tensor', (tensors: Map<string, TensorData>) => tensors.delete('stem.weight'), '"stem.weight"'],
  [
    'an extra tensor',
    (tensors: Map<string, TensorData>) =>
      tensors.set(
        'spare.weight',
        floats([1], () => 0),
      ),
    '"spare.weight"',
  ],
  [
    'a wrong shape',
    (tensors: Map<string, TensorData>) =>
      tensors.set(
        'classifier.bias',
        floats([5], () => 0),
      ),
    '"classifier.bias" float32 [4]',
  ],
  [
    'a wrong type',
    (tensors: Map<string, TensorData>) => tensors.set('classifier.bias', labels([0, 0, 0, 0])),
    'got int64 [4]',
  ],
  [
    'NaN',
    (tensors: Map<string, TensorData>) =>
      tensors.set(
        'classifier.bias',
        floats([4], () => Number.NaN),
      ),
    'not finite',
  ],
])('weights with %s are refused by name', async (_what, change, text) => {
  const { network, batch } = await spoiled(change);
  await expect(forward({ network, batch })).rejects.toMatchObject({
    code: 'E_WEIGHTS',
    message: expect.stringContaining(text),
  });
});

test('a directory without weights is not initialised behind the back', async () => {
  const folder = temporaryFolder();
  const [network, batch] = [await writeNetwork(folder), await writeBatch(folder)];
  await rm(join(network, 'weights.safetensors'));
  await expect(forward({ network, batch })).rejects.toMatchObject({ code: 'E_FILE' });
});

test.each([
  ['no file', null, 'E_FILE'],
  ['no JSON', '{', 'E_PLAN'],
  ['another shape', '{"stem": [0]}', 'E_PLAN'],
  ['a list', '[]', 'E_PLAN'],
  ['no list of neurons', '{"splits": {"stem": 0}}', 'E_PLAN'],
  ['a neuron that is no integer', '{"splits": {"stem": [0.5]}}', 'E_PLAN'],
  ['a neuron out of range', '{"splits": {"stem": [4]}}', 'E_PLAN'],
  ['an unknown layer', '{"splits": {"stemm": [0]}}', 'E_PLAN'],
  ['a node that is no layer', '{"splits": {"stem_bn": [0]}}', 'E_PLAN'],
  ['the output', '{"splits": {"classifier": [0]}}', 'E_PLAN'],
  ['an inherited name', '{"splits": {"toString": [0]}}', 'E_PLAN'],
  ['a field beside splits', '{"splits": {"stem": [0]}, "split": {"stem": [1]}}', 'E_PLAN'],
])('a plan with %s is refused and nothing is written', async (_what, text, code) => {
  const folder = temporaryFolder();
  const [network, batch] = [await writeNetwork(folder), await writeBatch(folder)];
  const [directions, plan, out] = ['v.safetensors', 'plan.json', 'out'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await indices({ network, batch, method: 'exact', directions });
  if (text !== null) await writeFile(plan, text);
  await expect(split({ network, plan, directions, epsilon: 0.1, out })).rejects.toMatchObject({
    code,
    exitCode: 2,
  });
  expect(existsSync(out)).toBe(false);
});

test.each([
  ['lack the split layer', (v: Map<string, TensorData>) => v.delete('stem'), '"stem"'],
  [
    'have another shape',
    (v: Map<string, TensorData>) =>
      v.set(
        'stem',
        floats([4, 8], () => 0),
      ),
    '[4, 9]',
  ],
  ['have another type', (v: Map<string, TensorData>) => v.set('stem', labels([0])), 'int64'],
  [
    'are not finite',
    (v: Map<string, TensorData>) =>
      v.set(
        'stem',
        floats([4, 9], () => Infinity),
      ),
    'finite',
  ],
  [
    'name no layer',
    (v: Map<string, TensorData>) =>
      v.set(
        'conv1',
        floats([1], () => 0),
      ),
    '"conv1"',
  ],
])('directions that %s are refused', async (_what, change, text) => {
  const folder = temporaryFolder();
  const [network, batch] = [await writeNetwork(folder), await writeBatch(folder)];
  const [directions, out] = [join(folder, 'v.safetensors'), join(folder, 'out')];
  await indices({ network, batch, method: 'exact', directions });
  const tensors = new Map(await readSafetensors(directions));
  change(tensors);
  await writeSafetensors(directions, tensors);
  const splitting = split({ network, plan: { splits: { stem: [0] } }, directions, epsilon: 0.1, out });
  await expect(splitting).rejects.toMatchObject({
    code: 'E_DIRECTIONS',
    message: expect.stringContaining(text),
  });
  expect(existsSync(out)).toBe(false);
});

test('a network file that is no graph, and options of presets for a directory, are refused', async () => {
  const folder = temporaryFolder();
  const network = await writeNetwork(folder);
  await expect(cost({ network, width: 2 })).rejects.toMatchObject({ code: 'E_USAGE' });
  await expect(cost({ network: join(folder, 'none') })).rejects.toMatchObject({ code: 'E_FILE' });
  await writeFile(join(network, 'network.json'), '{"format":');
  await expect(cost({ network })).rejects.toMatchObject({ code: 'E_GRAPH_FORMAT' });
  await writeFile(join(network, 'network.json'), await readFile(join(network, 'weights.safetensors')));
  await expect(cost({ network })).rejects.toMatchObject({ code: 'E_GRAPH_FORMAT' });
});
