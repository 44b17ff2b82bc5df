// Images that a network cannot take: what the message says to do is done, and then the run trains.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { train } from '../../../lib/api/train.js';
import { IMAGE_DEFAULTS } from '../../../lib/data/images/settings.js';
import { writeSafetensors } from '../../../lib/data/safetensors.js';
import type { TensorData } from '../../../lib/native/face.js';
import { parseExperiment } from '../../../lib/run/spec/spec.js';
import { startNetwork } from '../../../lib/run/stage/start.js';
import { saveNetwork } from '../../../lib/train/network.js';
import { onnxPython } from '../../export/python.js';
import { graphOf, networkOf as handleOf, longs } from '../../native/golden.js';
import { randomOf } from '../../reference.js';
import { asRead, temporaryFolder } from '../tiny.js';

const python = onnxPython();

function pixels(shape: readonly number[]): TensorData {
  const random = randomOf(4);
  const length = shape.reduce((product, size) => product * size, 1);
  return { dtype: 'uint8', shape, data: Uint8Array.from({ length }, () => Math.floor(256 * random())) };
}

async function write(folder: string, images: TensorData): Promise<string> {
  const file = join(folder, 'data.safetensors');
  const labels = longs(Array.from({ length: images.shape[0] ?? 0 }, (_, i) => i % 2));
  await writeSafetensors(
    file,
    new Map([
      ...['train', 'test'].map((part) => [`${part}_images`, images] as const),
      ...['train', 'test'].map((part) => [`${part}_labels`, labels] as const),
    ]),
  );
  return file;
}

function experiment(folder: string, network: Record<string, unknown>) {
  return {
    name: 'misfit',
    network,
    data: { file: join(folder, 'data.safetensors') },
    fit: { epochs: 1, batch: 4, schedule: { kind: 'constant' } },
    output: join(folder, 'run'),
    threads: 1,
  };
}

const graph = (shape: [number, number, number]) =>
  graphOf(shape, [
    ['conv', 'conv2d', 'input', { out: 2, kernel: 3 }],
    ['pool', 'global_avg_pool', 'conv'],
    ['out', 'linear', 'pool', { out: 2 }],
  ]);

/** The images that a line of NumPy makes of `images`, which it calls train_images. */
function followed(line: string, images: TensorData, folder: string): TensorData {
  const [from, to] = [join(folder, 'from.bin'), join(folder, 'to.bin')];
  writeFileSync(from, images.data);
  const program = `
import numpy
train_images = numpy.fromfile(${JSON.stringify(from)}, "uint8").reshape(${JSON.stringify(images.shape)})
made = ${line}
made.tofile(${JSON.stringify(to)})
print(list(made.shape))
`;
  const said = execFileSync(python.command, ['-c', program], { env: python.env }).toString();
  return { dtype: 'uint8', shape: JSON.parse(said) as number[], data: new Uint8Array(readFileSync(to)) };
}

const PRESET = { preset: 'mobilenet_cifar10', blocks: 1, width: 4 };

test.skipIf(python.reason !== '').each([
  ['channels last, for a preset', [6, 12, 12, 3], PRESET, [3, 12, 12]],
  ['channels last, for a graph', [6, 12, 10, 3], { graph: graph([3, 12, 10]) }, [3, 12, 10]],
  ['no square, for a preset', [6, 3, 12, 10], PRESET, [3, 12, 12]],
  ['height and width swapped, for a graph', [6, 3, 10, 12], { graph: graph([3, 12, 10]) }, [3, 12, 10]],
] as const)('%s: the line of NumPy makes images that it trains on', async (_, shape, network, becomes) => {
  const folder = temporaryFolder();
  const images = pixels(shape);
  await write(folder, images);
  const failure = await train({ experiment: asRead(experiment(folder, network)) }).then(
    () => '',
    (error: unknown) => (error instanceof Error ? error.message : ''),
  );
  const line = /in NumPy: (.*?), (?:in PyTorch|test_images)/.exec(failure)?.[1] ?? failure;
  const made = followed(line, images, folder);
  expect(made.shape).toEqual([shape[0], ...becomes]);
  await write(folder, made);
  expect((await train({ experiment: asRead(experiment(folder, network)) })).stages).toHaveLength(1);
});

test('other channels and other resolutions are told with the field to set', async () => {
  const folder = temporaryFolder();
  await write(folder, pixels([6, 3, 12, 12]));
  const refusal = (network: Record<string, unknown>) =>
    expect(train({ experiment: asRead(experiment(folder, network)) })).rejects;
  await refusal({ ...PRESET, channels: 1 }).toMatchObject({
    code: 'E_DATA',
    message: expect.stringMatching(/give a network of 3 channels \(of a preset: network\.channels 3\)/),
  });
  await refusal({ ...PRESET, resolution: 16 }).toMatchObject({
    code: 'E_DATA',
    message: expect.stringMatching(
      /\(of a preset: network\.resolution 12\), or evaluate by `splitgrow eval --resize`/,
    ),
  });
});

/** Notes of a run on image files that starts from a network directory with this mean and std. */
async function notesFor(
  input: Record<string, unknown>,
  asked: readonly number[],
): Promise<readonly string[]> {
  const folder = temporaryFolder();
  const made = { ...graph([3, 8, 8]), input: { shape: [3, 8, 8] as const, ...input } };
  await saveNetwork(
    { graph: made, handle: handleOf(made), [Symbol.dispose]: () => undefined },
    join(folder, 'net'),
  );
  const data = { name: 'image-folder', root: 'r', resolution: 8, mean: asked, std: asked };
  const spec = parseExperiment({
    ...experiment(folder, { directory: join(folder, 'net') }),
    data,
  });
  const labels = Int32Array.of(0, 1);
  const part = {
    source: { files: { root: '/', paths: ['a', 'b'], labels } },
    ...{ labels, settings: { ...IMAGE_DEFAULTS, ...data } },
  };
  const notes: string[] = [];
  const dataset = {
    name: 'image-folder',
    classesBy: 'name' as const,
    train: part,
    test: part,
    classes: 2,
    mean: asked,
    std: asked,
  };
  using _network = await startNetwork(spec, dataset, {
    onEvent: (event) => event.type === 'note' && notes.push(event.text),
  });
  return notes;
}

test("a network directory's own mean and std are kept, with a note where the experiment has others", async () => {
  const own = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
  const [note, ...more] = await notesFor(own, [0.1, 0.1, 0.1]);
  expect(more).toEqual([]);
  expect(note).toMatch(
    /^images are normalised by the mean 0\.5, 0\.5, 0\.5 and std 0\.5, 0\.5, 0\.5 of network/,
  );
  expect(note).toMatch(
    /not by data\.mean and data\.std \(mean 0\.1, 0\.1, 0\.1 and std 0\.1, 0\.1, 0\.1\); change input\.mean/,
  );
  expect(await notesFor(own, [0.5, 0.5, 0.5])).toEqual([]);
  expect((await notesFor({}, [0.1, 0.1, 0.1]))[0]).toMatch(
    /^images are pixels \/ 255, as network "\w+" has no mean and std/,
  );
});
