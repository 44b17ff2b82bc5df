// A process of test/native/exit.test.ts: work of the built library begins, and the process ends in the midst of it, in the
// way that the first argument names. The work would take minutes.
import { createServer } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { parseGraph } from '../../dist/graph/check.js';
import { lower } from '../../dist/graph/lower.js';
import { loadCore, loadImageCore } from '../../dist/native/load.js';

const SHAPE = [3, 12, 12];
const CLASSES = 4;
const COUNT = 8192;
const { ending, kind, folder } = workerData ?? {
  ending: process.argv[2],
  kind: process.argv[3],
  folder: process.argv[4],
};

function graphOf(shape) {
  const nodes = [
    { id: 'conv', op: 'conv2d', inputs: ['input'], out: 8, kernel: 3, bias: true },
    { id: 'act', op: 'activation', inputs: ['conv'], kind: 'silu' },
    { id: 'second', op: 'conv2d', inputs: ['act'], out: 8, kernel: 3 },
    { id: 'norm', op: 'batch_norm', inputs: ['second'] },
    { id: 'act2', op: 'activation', inputs: ['norm'], kind: 'silu' },
    { id: 'pool', op: 'global_avg_pool', inputs: ['act2'] },
    { id: 'out', op: 'linear', inputs: ['pool'], out: CLASSES },
  ];
  return parseGraph({ format: 'splitgrow-network/1', name: 'exit', input: { shape }, nodes, output: 'out' });
}

const PROGRAM = lower(graphOf(SHAPE));
const images = Float32Array.from({ length: COUNT * 432 }, (_, i) => Math.sin(i));
const labels = BigInt64Array.from({ length: COUNT }, (_, i) => BigInt(i % CLASSES));
const batch = 2;
const steps = COUNT / batch;
const noAugment = { flip: false, crop: 0 };

function inMemory(core) {
  return core.createDataset(
    { dtype: 'float32', shape: [COUNT, ...SHAPE], data: new Uint8Array(images.buffer) },
    { dtype: 'int64', shape: [COUNT], data: new Uint8Array(labels.buffer) },
    ...[[], [], CLASSES, 'cpu'],
  );
}

const indexing = (method) => ({
  ...{
    methods: PROGRAM.chains.map(() => method),
    batch,
    epochs: 50,
    learningRate: 1e-3,
    alpha: 0.99,
    momentum: 0,
  },
  ...{
    rmsEpsilon: 1e-8,
    decayFactor: 1,
    decayEvery: 1,
    decayFirst: 1,
    mostEpochs: 50,
    passes: 12,
    tolerance: 0,
    trainedNorms: [],
    reluBeta: 3,
    identityCurvature: 0,
    shuffle: true,
    seed: 1,
  },
  ...{ memoryLimit: 2 ** 30, auxiliary: false },
});
const training = {
  ...{
    batch,
    learningRates: new Float64Array(steps).fill(1e-4),
    momentum: 0.9,
    nesterov: false,
    weightDecay: 0,
  },
  ...{ decay: 'all', labelSmoothing: 0, shuffle: true, ...noAugment, seed: 1 },
};

/** What works: each calls `told` again and again. */
const KINDS = {
  train: (core, told) =>
    core.train(core.createNetwork(PROGRAM, [], 1, 'cpu'), inMemory(core), training, told, null),
  exact: (core, told) =>
    core.indices(core.createNetwork(PROGRAM, [], 1, 'cpu'), inMemory(core), indexing('exact'), told, null),
  rayleigh: (core, told) =>
    core.indices(core.createNetwork(PROGRAM, [], 1, 'cpu'), inMemory(core), indexing('rayleigh'), told, null),
  evaluate: (core, told) =>
    core.evaluate(core.createNetwork(PROGRAM, [], 1, 'cpu'), inMemory(core), { batch }, told, null),
  // A pass over image files, decoded by threads of its own.
  images: (core, told) => {
    const chosen = Array.from({ length: COUNT }, (_, i) => `${i % 4}.png`);
    const files = { root: folder, paths: chosen, labels: Int32Array.from(chosen, (_, i) => i % CLASSES) };
    const data = loadImageCore().createImageDataset(
      { files },
      {
        ...{ maxPixels: 1e6, maxScans: 100, resolution: 12, shortSide: 12, classes: CLASSES, device: 'cpu' },
        ...{ mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2], workers: 3, prefetch: 2 },
        ...{ scaledDecoding: true, skipUnreadable: false },
      },
    );
    return core.train(core.createNetwork(PROGRAM, [], 1, 'cpu'), data, training, told, null);
  },
  // A group of ranks, with its threads, in which this one trains.
  ranks: async (core, told) => {
    const port = await new Promise((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const found = server.address().port;
        server.close(() => resolve(found));
      });
    });
    await core.joinGroup({
      ...{ rank: 0, world: 1, localRank: 0, host: '127.0.0.1', port, isServer: true, prefix: 'exit' },
      ...{ settings: '', timeoutMs: 20_000, bucketBytes: 1 << 20 },
    });
    return KINDS.train(core, told);
  },
};

/** Resolves when the work is well under way. */
function underWay(core) {
  return new Promise((resolve, reject) => {
    let count = 0;
    KINDS[kind](core, () => {
      count += 1;
      if (count === 2) resolve();
    }).then(() => reject(new Error('the work ended')), reject);
  });
}

/** Resolves when a Worker's work is under way. */
function workerAt(how) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { ending: how, kind, folder } });
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve(worker)).once('error', reject);
  });
}

/** A short epoch, to the end. */
async function trainOn(core) {
  const options = { ...training, stop: 20 };
  const network = core.createNetwork(PROGRAM, [], 1, 'cpu');
  const { images: done } = await core.train(network, inMemory(core), options, null, null);
  process.stdout.write(`trained on ${done}\n`);
}

const ENDINGS = {
  exit: async (core) => {
    await underWay(core);
    process.stdout.write('last words\n');
    process.exit(7);
  },
  // process.exit without the event that listeners hear.
  reallyExit: async (core) => {
    await underWay(core);
    process.reallyExit(7);
  },
  throw: async (core) => {
    await underWay(core);
    setImmediate(() => {
      throw new Error('uncaught');
    });
  },
  // The main thread ends while a Worker works, and works itself or has never loaded the core.
  workerWorks: async () => {
    await workerAt('work');
    process.exit(7);
  },
  bothWork: async (core) => {
    await Promise.all([workerAt('work'), underWay(core)]);
    process.exit(7);
  },
  // A Worker ends in one way or another while the main thread goes on.
  workerExits: async (core) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { ending: 'exit', kind, folder } });
    const code = new Promise((resolve) => worker.once('exit', resolve));
    await trainOn(core);
    process.stdout.write(`the Worker ended with ${await code}\n`);
  },
  workerTerminates: async (core) => {
    const worker = await workerAt('work');
    const [code] = await Promise.all([worker.terminate(), trainOn(core)]);
    process.stdout.write(`the Worker ended with ${code}\n`);
  },
  // In a Worker alone.
  work: async (core) => {
    await underWay(core);
    parentPort.postMessage('under way');
  },
  // The end of the program's text is not the end of the work.
  return: (core) => void trainOn(core),
};

const isWithout = isMainThread && ending === 'workerWorks';
const core = isWithout ? null : loadCore();
core?.setThreads(2);
await ENDINGS[ending](core);
