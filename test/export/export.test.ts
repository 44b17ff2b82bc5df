import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportNetwork } from '../../lib/api/export.js';
import { readSafetensors } from '../../lib/data/safetensors.js';
import { encodeOnnx, exportOnnx } from '../../lib/export/onnx.js';
import { parseGraph } from '../../lib/graph/check.js';
import { macs } from '../../lib/graph/cost.js';
import { lower } from '../../lib/graph/lower.js';
import { floats, writeNetwork } from '../api/batch-files.js';
import { temporaryFolder } from '../run/tiny.js';

test('export without a format, and files of another format or of the network itself, are usage errors', async () => {
  const network = await writeNetwork(temporaryFolder());
  await expect(exportNetwork({ network })).rejects.toMatchObject({
    code: 'E_USAGE',
    message: expect.stringContaining('--safetensors FILE'),
  });
  for (const files of [
    { onnx: 'x', safetensors: './x' },
    // The module beside the weights.
    { onnx: 'x.py', safetensors: 'x.safetensors' },
    { onnx: join(network, 'network.json') },
    { safetensors: join(network, '..', 'network', 'weights.safetensors') },
  ]) {
    await expect(exportNetwork({ network, ...files })).rejects.toMatchObject({ code: 'E_USAGE' });
  }
  expect((await readdir(network)).sort()).toEqual(['network.json', 'weights.safetensors']);
});

test('a directory without weights is refused, and nothing is written', async () => {
  const folder = temporaryFolder();
  await expect(
    exportNetwork({ network: join(folder, 'none'), safetensors: join(folder, 'x.safetensors') }),
  ).rejects.toMatchObject({ code: 'E_FILE' });
});

test('the safetensors file holds the very tensors of the network', async () => {
  const folder = temporaryFolder();
  const network = await writeNetwork(folder);
  const file = join(folder, 'x.safetensors');
  // 7 convolutions with the 4 tensors of their batch norm, and the classifier's two.
  const { formats } = await exportNetwork({ network, safetensors: file });
  expect(formats.safetensors).toMatchObject({ file, tensors: 7 * 5 + 2 });
  expect(await readSafetensors(file)).toEqual(await readSafetensors(join(network, 'weights.safetensors')));
});

test('the document names the ONNX file and its opset at its top', async () => {
  const folder = temporaryFolder();
  const network = await writeNetwork(folder);
  const [onnx, safetensors] = [join(folder, 'x.onnx'), join(folder, 'x.safetensors')];
  expect(await exportNetwork({ network, safetensors, onnx })).toMatchObject({ file: onnx, opset: 17 });
  const alone = await exportNetwork({ network, safetensors });
  expect(alone).toMatchObject({ file: safetensors });
  expect(alone).not.toHaveProperty('opset');
});

test('--keep-batch-norm without ONNX, and a loader over a module, are usage errors', async () => {
  const folder = temporaryFolder();
  const network = await writeNetwork(folder);
  for (const options of [{ safetensors: 'x.safetensors', keepBatchNorm: true }, { safetensors: 'x.py' }])
    await expect(exportNetwork({ network, ...options })).rejects.toMatchObject({ code: 'E_USAGE' });
});

test('the metadata holds a network.json that is read again, with every field written out', async () => {
  const folder = temporaryFolder();
  const network = await writeNetwork(folder);
  const file = join(folder, 'x.safetensors');
  await exportNetwork({ network, safetensors: file });
  const bytes = await readFile(file);
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString());
  const graph = parseGraph(JSON.parse(header.__metadata__.network));
  const stem = graph.nodes.find(({ op }) => op === 'conv2d');
  expect(stem).toMatchObject({ padding: 1, groups: 1, bias: false, split: true });
  expect(macs(graph)).toBe(Number(header.__metadata__.macs));
});

const graphOf = (shape: readonly number[], nodes: readonly Readonly<Record<string, unknown>>[]) =>
  parseGraph({ format: 'splitgrow-network/1', name: 'made', input: { shape }, nodes, output: 'end' });

test('a network beyond the 2 GiB of an ONNX file is refused before its weights are read', async () => {
  const graph = graphOf(
    [1, 100, 100],
    [
      { id: 'flat', op: 'flatten', inputs: ['input'] },
      { id: 'wide', op: 'linear', inputs: ['flat'], out: 60_000 },
      { id: 'end', op: 'linear', inputs: ['wide'], out: 2 },
    ],
  );
  const weights = () => Promise.reject(new Error('weights were read'));
  const source = { directory: 'none', graph, weights };
  // 4 (60,000 (10,000 + 1) + 2 (60,000 + 1)) bytes.
  await expect(exportOnnx(source, 'none.onnx', {})).rejects.toMatchObject({
    code: 'E_ARGUMENT',
    message: expect.stringContaining('2400720008 bytes'),
  });
});

test('a batch norm that leaves float32 when it is folded is refused, and may be kept', async () => {
  const graph = graphOf(
    [1, 2, 2],
    [
      { id: 'a', op: 'conv2d', inputs: ['input'], out: 2, kernel: 1 },
      { id: 'norm', op: 'batch_norm', inputs: ['a'] },
      { id: 'flat', op: 'flatten', inputs: ['norm'] },
      { id: 'end', op: 'linear', inputs: ['flat'], out: 2 },
    ],
  );
  const ones = lower(graph).instructions.flatMap(({ parameters }) =>
    parameters.map(({ name, shape }) => [name, floats(shape, () => 1)] as const),
  );
  const weights = new Map(ones).set(
    'a.weight',
    floats([2, 1, 1, 1], () => 1e38),
  );
  weights.set(
    'norm.weight',
    floats([2], () => 10),
  );
  await expect(encodeOnnx({ graph, weights })).rejects.toMatchObject({
    code: 'E_NOT_FINITE',
    message: expect.stringContaining('"norm" folded into "a"'),
  });
  expect((await encodeOnnx({ graph, weights }, { keepBatchNorm: true })).length).toBeGreaterThan(100);
});
