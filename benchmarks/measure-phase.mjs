// One process of benchmarks/engine.mjs: seconds of training epochs and of whole computations of splitting indices, and
// how far these are from the exact ones. Prints one JSON document.

import { distanceOf } from '../dist/bench/distance.js';
import { syntheticData } from '../dist/bench/images.js';
import { loadDataset } from '../dist/data/dataset.js';
import { limited, toDevice } from '../dist/data/part.js';
import { loadCore } from '../dist/native/load.js';
import { computeIndices } from '../dist/split/indices/indices.js';
import { INDEX_DEFAULTS } from '../dist/split/indices/settings.js';
import { fitEpoch } from '../dist/train/fit.js';
import { loadNetwork } from '../dist/train/network.js';

const [folder, text] = process.argv.slice(2);
const { threads, batch, epochs, epochImages, images, methods, root, isUntrained = false } = JSON.parse(text);
const CLASSES = 10;
const RATE = 0.05;

loadCore().setThreads(threads);
const network = await loadNetwork(folder, { device: 'cpu' });

/** The first so many images of CIFAR-10 where it is, else synthetic ones. */
async function datasets() {
  try {
    const { train } = await loadDataset({ name: 'cifar10', ...(root && { root }) });
    const first = (count) =>
      toDevice(network.graph, limited(train, count, { name: 'cifar10', part: 'train' }), CLASSES, 'cpu');
    return { name: 'CIFAR-10', fit: first(epochImages), split: first(images) };
  } catch {
    const made = (count) => syntheticData(network.graph, count, 'cpu');
    return { name: 'synthetic', fit: await made(epochImages), split: await made(images) };
  }
}

async function seconds(work) {
  const start = performance.now();
  const result = await work();
  return { seconds: (performance.now() - start) / 1000, result };
}

const errorsOf = ({ ofLayer, ofNeuron }) => ({ error: ofLayer, worst: ofNeuron });

async function phaseBy(method, split) {
  const request = { ...INDEX_DEFAULTS, method, images, batch, seed: 1 };
  try {
    const found = await seconds(() => computeIndices(network, split, request));
    const { chains, directions } = found.result;
    directions.dispose();
    return { seconds: found.seconds, passes: Math.max(...chains.map(({ epochs: count }) => count)), chains };
  } catch (error) {
    return { leftOut: `${error.code ?? error.name}: ${error.message}` };
  }
}

const { name, fit, split } = await datasets();

/** All methods on the network as it is now. */
async function phases() {
  const found = {};
  for (const method of methods) found[method] = await phaseBy(method, split);
  const { chains: exact } = found.exact ?? {};
  return Object.fromEntries(
    Object.entries(found).map(([method, { chains, ...rest }]) => [
      method,
      { ...rest, ...(chains && exact && errorsOf(distanceOf(exact, chains))) },
    ]),
  );
}

const untrained = isUntrained ? await phases() : null;
const steps = Math.ceil(epochImages / batch);
const epochSeconds = [];
for (let epoch = 0; epoch < epochs; epoch += 1) {
  const options = {
    ...{ batch, learningRates: new Float64Array(steps).fill(RATE), momentum: 0.9, nesterov: false },
    ...{
      weightDecay: 1e-4,
      decay: 'all',
      labelSmoothing: 0,
      shuffle: true,
      flip: true,
      crop: 4,
      seed: epoch,
    },
  };
  epochSeconds.push((await seconds(() => fitEpoch(network, fit, options))).seconds);
}

process.stdout.write(
  `${JSON.stringify({ data: name, epochSeconds, methods: await phases(), ...(isUntrained && { untrained }) })}\n`,
);
