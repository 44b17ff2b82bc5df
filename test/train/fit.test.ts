import { expect, test } from 'vitest';
import { takeImages, toDevice } from '../../lib/data/part.js';
import { buildPreset } from '../../lib/models/zoo.js';
import type { RunEvent } from '../../lib/native/events.js';
import type { TensorData, TrainOptions } from '../../lib/native/face.js';
import { loadCore } from '../../lib/native/load.js';
import { evaluateNetwork, fitEpoch } from '../../lib/train/fit.js';
import { createNetwork, type Network } from '../../lib/train/network.js';
import { assertClose } from '../reference.js';
import { tinyImages } from '../run/tiny.js';

const GRAPH = buildPreset('mobilenet_cifar10', {
  blocks: 2,
  width: 4,
  activation: 'silu',
  resolution: 8,
  channels: 1,
  classes: 4,
});
const IMAGES = tinyImages(64, 1);
const OPTIONS: TrainOptions = {
  ...{ batch: 16, momentum: 0.9, nesterov: false, weightDecay: 1e-4, decay: 'all', labelSmoothing: 0 },
  ...{ shuffle: true, flip: true, crop: 1, seed: 11, learningRates: new Float64Array(4).fill(0.05) },
};

function fresh(graph = GRAPH): Network {
  loadCore().setThreads(1);
  return createNetwork(graph, { seed: 2, device: 'cpu' });
}

const weightsOf = ({ handle }: Network): [string, TensorData][] => loadCore().readNetwork(handle, 'weights');

test('an epoch depends on its seed alone: equal seeds give equal bits, another seed others', async () => {
  const trained = async (seed: number): Promise<[string, TensorData][]> => {
    using network = fresh();
    using data = toDevice(GRAPH, IMAGES, 4, 'cpu');
    await fitEpoch(network, data, { ...OPTIONS, seed });
    return weightsOf(network);
  };
  const one = await trained(11);
  expect(await trained(11)).toEqual(one);
  expect(await trained(12)).not.toEqual(one);
});

test('pixels are normalised by the mean and std of the network, and by 255 alone where it has none', async () => {
  const [mean, std] = [0.4, 0.2];
  const normalised = { ...GRAPH, input: { ...GRAPH.input, mean: [mean], std: [std] } };
  const floats = (shift: number, scale: number): TensorData => {
    const values = Float32Array.from(IMAGES.images.data, (pixel) => (pixel / 255 - shift) / scale);
    return { dtype: 'float32', shape: IMAGES.images.shape, data: new Uint8Array(values.buffer) };
  };
  for (const [graph, shift, scale] of [
    [normalised, mean, std],
    [GRAPH, 0, 1],
  ] as const) {
    using network = fresh(graph);
    using pixels = toDevice(graph, IMAGES, 4, 'cpu');
    using plain = toDevice(graph, { ...IMAGES, images: floats(shift, scale) }, 4, 'cpu');
    const [a, b] = [
      await evaluateNetwork(network, pixels, { batch: 64 }),
      await evaluateNetwork(network, plain, { batch: 64 }),
    ];
    // The same float32 arithmetic but for the order of subtraction and division.
    assertClose([a.loss], [b.loss], { rtol: 1e-5, atol: 0 });
  }
});

test('taking images keeps each with its label', () => {
  const taken = takeImages(IMAGES, Int32Array.of(5, 0, 5));
  expect(taken.images.shape).toEqual([3, 1, 8, 8]);
  const whole = IMAGES.images.data;
  expect([...taken.images.data]).toEqual([
    ...whole.slice(320, 384),
    ...whole.slice(0, 64),
    ...whole.slice(320, 384),
  ]);
  const label = (at: number): bigint => new DataView(IMAGES.labels.data.buffer).getBigInt64(8 * at, true);
  expect([...new BigInt64Array(taken.labels.data.buffer)]).toEqual([label(5), label(0), label(5)]);
});

test('progress is told with its place, up to the last minibatch', async () => {
  using network = fresh();
  using data = toDevice(GRAPH, IMAGES, 4, 'cpu');
  const events: RunEvent[] = [];
  await fitEpoch(network, data, OPTIONS, {
    control: { onEvent: (event) => events.push(event) },
    where: { stage: 3, epoch: 1, epochs: 9 },
  });
  const last = events.at(-1);
  expect(last).toMatchObject({ type: 'progress', stage: 3, phase: 'fit', epoch: 1, epochs: 9 });
  expect(last?.type === 'progress' && last.progress).toMatchObject({ done: 4, total: 4, images: 64 });
});

test('an epoch is aborted before and while it runs, and leaves no listener behind', async () => {
  using network = fresh();
  using data = toDevice(GRAPH, IMAGES, 4, 'cpu');
  await expect(
    fitEpoch(network, data, OPTIONS, { control: { signal: AbortSignal.abort() } }),
  ).rejects.toMatchObject({ code: 'E_ABORTED' });
  const controller = new AbortController();
  // Long enough that the abort comes before its end.
  using many = toDevice(GRAPH, tinyImages(4096, 1), 4, 'cpu');
  const long = { ...OPTIONS, batch: 1, learningRates: new Float64Array(4096) };
  const fitting = fitEpoch(network, many, long, { control: { signal: controller.signal } });
  controller.abort();
  await expect(fitting).rejects.toMatchObject({ code: 'E_ABORTED' });
});

test('what a listener throws ends the epoch and is what it rejects with', async () => {
  using network = fresh();
  using data = toDevice(GRAPH, IMAGES, 4, 'cpu');
  const fault = new Error('the listener is at fault');
  const onEvent = (): never => {
    throw fault;
  };
  await expect(fitEpoch(network, data, OPTIONS, { control: { onEvent } })).rejects.toBe(fault);
});

test('a loss that is not finite is an error with a remedy', async () => {
  using network = fresh();
  using data = toDevice(GRAPH, IMAGES, 4, 'cpu');
  const wild = { ...OPTIONS, learningRates: new Float64Array(4).fill(1e30) };
  await expect(fitEpoch(network, data, wild)).rejects.toMatchObject({
    code: 'E_NOT_FINITE',
    message: expect.stringContaining('learningRate'),
  });
});
