import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bench } from '../../lib/api/bench.js';
import { cost } from '../../lib/api/cost.js';
import { evaluate } from '../../lib/api/evaluate.js';
import { forward } from '../../lib/api/forward.js';
import { indices } from '../../lib/api/indices.js';
import { split } from '../../lib/api/split.js';
import { readSafetensors } from '../../lib/data/safetensors.js';
import { lower } from '../../lib/graph/lower.js';
import { METHODS } from '../../lib/split/indices/settings.js';
import { readGraph } from '../../lib/train/network.js';
import { assertClose } from '../reference.js';
import { temporaryFolder, writeTinyData } from '../run/tiny.js';
import { CLASSES, writeBatch, writeNetwork } from './batch-files.js';

async function prepared() {
  const folder = temporaryFolder();
  const [network, batch] = [await writeNetwork(folder), await writeBatch(folder)];
  const directions = join(folder, 'v.safetensors');
  return {
    folder,
    network,
    batch,
    directions,
    found: await indices({ network, batch, method: 'exact', directions }),
  };
}

test('cost counts a preset and a directory alike, and one more neuron of every group', async () => {
  const preset = { blocks: 2, activation: 'silu', channels: 1, classes: CLASSES };
  const counted = await cost({ network: 'mobilenet_cifar10', width: 4, resolution: 8, preset });
  expect(counted).toEqual(await cost({ network: await writeNetwork(temporaryFolder()) }));
  expect(counted.macs).toBe(counted.nodes.reduce((sum, node) => sum + node.macs, 0));
  const wider = await cost({ network: 'mobilenet_cifar10', width: 5, resolution: 8, preset });
  // One more neuron in each group costs at least what each alone costs: neighbours share no saving.
  expect(wider.macs - counted.macs).toBeGreaterThanOrEqual(
    counted.groups.reduce((sum, group) => sum + group.marginalMacs, 0),
  );
});

test('indices gives a row a chain, with unit directions in the file', async () => {
  const { network, directions, found } = await prepared();
  const chains = lower(await readGraph(network)).chains;
  expect(found.layers.map(({ id, neurons, dimension }) => ({ id, neurons, dimension }))).toEqual(
    chains.map(({ id, neurons, dimension }) => ({ id, neurons, dimension })),
  );
  const tensors = await readSafetensors(directions);
  for (const { id, neurons, dimension, indices: values } of found.layers) {
    expect(values).toHaveLength(neurons);
    const tensor = tensors.get(id);
    expect(tensor?.shape).toEqual([neurons, dimension]);
    const rows = new Float32Array(tensor?.data.slice().buffer ?? new ArrayBuffer(0));
    for (let n = 0; n < neurons; n += 1) {
      // float32 eigenvectors.
      assertClose([Math.hypot(...rows.subarray(n * dimension, (n + 1) * dimension))], [1], {
        rtol: 0,
        atol: 1e-5,
      });
    }
  }
});

test('every method of indices gives residuals beside indices, and lobpcg those of exact within its passes', async () => {
  const { network, batch, found } = await prepared();
  for (const method of METHODS) {
    const { layers } = await indices({ network, batch, method, ...(method === 'rayleigh' && { epochs: 1 }) });
    expect(layers.map(({ indices: values, residuals }) => values.length === residuals.length)).not.toContain(
      false,
    );
    expect(layers.flatMap(({ residuals }) => residuals).every((one) => one >= 0)).toBe(true);
    if (method !== 'lobpcg') continue;
    for (const [i, { id, indices: values, epochs }] of layers.entries()) {
      const want = found.layers[i]?.indices ?? [];
      const floor = Math.max(...want.map(Math.abs)) / 100;
      const shares = want.map(
        (index, n) => Math.abs(index - (values[n] ?? Number.NaN)) / Math.max(Math.abs(index), floor),
      );
      expect(Math.max(...shares), id).toBeLessThan(0.01);
      expect(epochs).toBeLessThanOrEqual(12);
    }
  }
});

test('indices takes as many images as asked for, chosen by the seed, and no more than there are', async () => {
  const { network, batch, found } = await prepared();
  const of = async (more: object) => (await indices({ network, batch, method: 'exact', ...more })).layers;
  const all = found.layers;
  expect(await of({ images: 1_000_000 })).toEqual(all);
  const [some, again, other] = [
    await of({ images: 5 }),
    await of({ images: 5 }),
    await of({ images: 5, seed: 3 }),
  ];
  expect(again).toEqual(some);
  expect(some).not.toEqual(all);
  expect(other).not.toEqual(some);
  await expect(of({ images: 0 })).rejects.toMatchObject({ code: 'E_ARGUMENT' });
  await expect(indices({ network, batch, method: 'lobpcg', passes: 0 })).rejects.toMatchObject({
    code: 'E_ARGUMENT',
    message: 'indices: expected passes to be a whole number of 1 or more, got 0',
  });
});

test('split with epsilon 0 leaves the logits as they are, and says what it split and what it costs', async () => {
  const { folder, network, batch, directions } = await prepared();
  const out = join(folder, 'grown');
  const plan = { splits: { stem: [2], b1_pw: [0, 3] } };
  const document = await split({ network, plan, directions, epsilon: 0, out });
  const [before, after] = [await cost({ network }), await cost({ network: out })];
  expect(document).toEqual({ macsBefore: before.macs, macsAfter: after.macs, split: plan.splits });
  const logits = async (directory: string): Promise<number[]> =>
    (await forward({ network: directory, batch })).logits.flat();
  // Regrouped float32 sums.
  assertClose(await logits(out), await logits(network), { rtol: 1e-4, atol: 1e-6 });
});

test('a neuron that a plan names twice is split twice, and a note says so', async () => {
  const { folder, network, directions } = await prepared();
  const notes: string[] = [];
  const plan = { splits: { stem: [2, 0, 2], b1_pw: [0] } };
  const document = await split(
    { network, plan, directions, epsilon: 0, out: join(folder, 'grown') },
    { onEvent: (event) => void (event.type === 'note' && notes.push(event.text)) },
  );
  expect(document.split).toEqual(plan.splits);
  expect(notes).toEqual([
    'the plan names a neuron of "stem" more than once: 2; each time it is split once more',
  ]);
});

test('offspring are theta + epsilon v in place and theta - epsilon v appended, consumers halved', async () => {
  const { folder, network, directions } = await prepared();
  const out = join(folder, 'grown');
  const planFile = join(folder, 'plan.json');
  await writeFile(planFile, JSON.stringify({ splits: { b3_pw: [2] } }));
  await split({ network, plan: planFile, directions, epsilon: 0.25, out });
  const [before, after, v] = await Promise.all(
    [join(network, 'weights.safetensors'), join(out, 'weights.safetensors'), directions].map(readSafetensors),
  );
  const numbers = (tensors: typeof before, name: string): number[] => [
    ...new Float32Array(tensors?.get(name)?.data.slice().buffer ?? new ArrayBuffer(0)),
  ];
  const [theta, direction] = [numbers(before, 'b3_pw.weight').slice(8, 12), numbers(v, 'b3_pw').slice(8, 12)];
  const moved = (sign: number): number[] =>
    theta.map((weight, i) => weight + sign * 0.25 * (direction[i] ?? 0));
  const grown = numbers(after, 'b3_pw.weight');
  assertClose(grown.slice(8, 12), moved(1), { rtol: 0, atol: 1e-7 });
  assertClose(grown.slice(16, 20), moved(-1), { rtol: 0, atol: 1e-7 });
  expect(grown.slice(0, 8)).toEqual(numbers(before, 'b3_pw.weight').slice(0, 8));
  const [old, now] = [numbers(before, 'classifier.weight'), numbers(after, 'classifier.weight')];
  for (let row = 0; row < CLASSES; row += 1) {
    const [a = 0, b = 0, c = 0, d = 0] = old.slice(4 * row, 4 * row + 4);
    expect(now.slice(5 * row, 5 * row + 5)).toEqual([a, b, c / 2, d, c / 2]);
  }
});

test('forward writes the logits that it returns, and leaves the network alone in either mode', async () => {
  const { folder, network, batch } = await prepared();
  const out = join(folder, 'logits.safetensors');
  const before = await readFile(join(network, 'weights.safetensors'));
  const train = await forward({ network, batch, mode: 'train' });
  const { logits } = await forward({ network, batch, out });
  expect(train.logits).not.toEqual(logits);
  expect((await readFile(join(network, 'weights.safetensors'))).equals(before)).toBe(true);
  const written = (await readSafetensors(out)).get('logits');
  expect(written?.shape).toEqual([24, CLASSES]);
  expect([...new Float32Array(written?.data.slice().buffer ?? new ArrayBuffer(0))]).toEqual(logits.flat());
});

test('evaluate says top-1, top-5, loss and images', async () => {
  const folder = temporaryFolder();
  const network = await writeNetwork(folder);
  const file = await writeTinyData(folder, { train: 8, test: 30 });
  const data = { file, augment: [], trainImages: null, testImages: null, shuffle: true, cropPadding: 4 };
  const document = await evaluate({ network, data });
  expect(document).toMatchObject({ images: 30, top5: 100 });
  expect(document.top1).toBeGreaterThanOrEqual(0);
  expect(document.loss).toBeGreaterThan(0);
});

test('bench gives a time for every step', async () => {
  const document = await bench({
    network: await writeNetwork(temporaryFolder()),
    batchSize: 4,
    repeats: 3,
    threads: 1,
  });
  for (const step of ['trainStep', 'rayleighStep', 'auxiliaryStep', 'exactStep', 'forward'] as const) {
    expect(document[step].medianMs).toBeGreaterThan(0);
  }
  expect(document).toMatchObject({ threads: 1, device: 'cpu', precision: 'float32' });
  expect(document.peakBytes).toBeGreaterThan(0);
});

test.each([
  ['thesis.txt', 'all of it'],
  ['weights.safetensors', 'of another program'],
  ['network.json', '{"format": "of another program"}'],
  ['network.json/x', 'in a folder'],
  ['stage.json', '{}'],
])('split never replaces a directory that holds %s of somebody else', async (name, text) => {
  const { folder, network, directions } = await prepared();
  const out = join(folder, 'precious');
  await mkdir(join(out, name, '..'), { recursive: true });
  await writeFile(join(out, name), text);
  const splitting = split({ network, plan: { splits: { stem: [0] } }, directions, epsilon: 0, out });
  await expect(splitting).rejects.toMatchObject({
    code: 'E_ARGUMENT',
    message: expect.stringContaining(`found "${name.split('/')[0]}" in it`),
  });
  expect(await readdir(out)).toEqual([name.split('/')[0]]);
  expect(await readFile(join(out, name), 'utf8')).toBe(text);
});
