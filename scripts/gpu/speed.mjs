// How fast a device trains and splits: beside PyTorch eager and torch.compile, and one method beside the other.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPyTorch, HERE, runJson } from '../../benchmarks/common.mjs';
import { say } from '../steps.mjs';

/** Sizes of a real check, and of a rehearsal on a CPU that shows that every line runs. */
export const SIZES = {
  real: {
    ...{ resolution: 224, batch: 128, steps: 30, warmup: 10, widths: [0.3, 0.6, 1], splitImages: 512 },
    ...{ cifarImages: 50_000, cifarBatch: 128, compiles: true },
  },
  rehearsal: {
    ...{ resolution: 64, batch: 4, steps: 3, warmup: 1, widths: [0.1], splitImages: 8 },
    ...{ cifarImages: 64, cifarBatch: 16, compiles: false },
  },
};
const NETWORKS = ['mobilenet_v1', 'mobilenet_v2'];
const SPLIT_BATCH = 64;

/** Seeded noise as pictures; what is learnt does not matter here. */
function pictures(lib, graph, count, device) {
  const [channels, height, width] = graph.input.shape;
  const data = new Uint8Array(count * channels * height * width);
  let state = 7;
  for (let i = 0; i < data.length; i += 1) {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    data[i] = state >>> 24;
  }
  const { classes } = lib.lower(graph);
  const labels = new Uint8Array(BigInt64Array.from({ length: count }, (_, i) => BigInt(i % classes)).buffer);
  return lib
    .loadCore()
    .createDataset(
      { dtype: 'uint8', shape: [count, channels, height, width], data },
      { dtype: 'int64', shape: [count], data: labels },
      [],
      [],
      classes,
      device,
    );
}

function trainOptions(count, batch, precision) {
  return {
    ...{ batch, momentum: 0.9, nesterov: false, weightDecay: 1e-4, decay: 'all', labelSmoothing: 0.1 },
    learningRates: new Float64Array(Math.ceil(count / batch)).fill(1e-3),
    ...{ shuffle: true, flip: true, crop: 0, seed: 1, precision },
  };
}

/** Joules of the machine's one GPU; null where there is none, or several to tell apart. */
function joules(lib) {
  const gpus = lib.loadCore().energy();
  return gpus.length === 1 ? gpus[0].joules : null;
}

/** One warm epoch, then one that is timed. */
async function ourTraining(lib, graph, { device, batch, steps, precision }) {
  const network = lib.createNetwork(graph, { seed: 0, device });
  const count = batch * steps;
  const data = pictures(lib, graph, count, device);
  try {
    const options = trainOptions(count, batch, precision);
    await lib.fitEpoch(network, data, options);
    const before = joules(lib);
    const { seconds, graph: recorded } = await lib.fitEpoch(network, data, options);
    const after = joules(lib);
    const perImage = before === null || after === null ? null : (after - before) / count;
    const { peak } = lib.loadCore().memory(device);
    return { imagesPerSecond: count / seconds, seconds, recorded, joulesPerImage: perImage, peakBytes: peak };
  } finally {
    network.handle.dispose();
    data.dispose();
    lib.loadCore().emptyCache();
  }
}

async function theirTraining(python, file, options) {
  try {
    return await runJson(python, [join(HERE, 'pytorch', 'train.py'), file, JSON.stringify(options)]);
  } catch (error) {
    return { error: String(error.message).trim().split('\n').slice(-3).join(' ') };
  }
}

/** Images a second in training, by network. */
export async function training(lib, device, precision, sizes) {
  const pytorch = await findPyTorch();
  const folder = await mkdtemp(join(tmpdir(), 'splitgrow-gpu-'));
  const rows = [];
  try {
    for (const name of NETWORKS) {
      const graph = lib.buildPreset(name, { activation: 'relu6', resolution: sizes.resolution });
      const file = join(folder, `${name}.json`);
      await writeFile(file, JSON.stringify(graph));
      const ours = await ourTraining(lib, graph, { device, precision, ...sizes });
      const row = { name, batch: sizes.batch, resolution: sizes.resolution, precision, splitgrow: ours };
      const { classes } = lib.lower(graph);
      const common = { device, bfloat16: precision === 'bfloat16', classes, ...sizes };
      if (pytorch.python === null) row.pytorch = { error: pytorch.reason };
      else {
        row.pytorch = await theirTraining(pytorch.python, file, { ...common, compile: false });
        if (sizes.compiles)
          row.compiled = await theirTraining(pytorch.python, file, { ...common, compile: true });
      }
      say(
        `${name}: splitgrow ${ours.imagesPerSecond.toFixed(0)} images/s (graph ${ours.recorded}), PyTorch ` +
          `${row.pytorch.imagesPerSecond?.toFixed(0) ?? row.pytorch.error}, compiled ${row.compiled?.imagesPerSecond?.toFixed(0) ?? row.compiled?.error ?? 'not tried'}`,
      );
      rows.push(row);
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A Rayleigh step over a training step, and the exact method over ten Rayleigh epochs, by width. */
export async function splitting(lib, device, sizes) {
  const rows = [];
  for (const width of sizes.widths) {
    const graph = lib.buildPreset('mobilenet_v1', {
      activation: 'silu',
      width,
      resolution: sizes.resolution,
    });
    const network = lib.createNetwork(graph, { seed: 0, device });
    const data = pictures(lib, graph, sizes.splitImages, device);
    const batch = Math.min(SPLIT_BATCH, sizes.splitImages);
    const steps = Math.ceil(sizes.splitImages / batch);
    const indices = async (method, epochs) => {
      const request = {
        ...lib.INDEX_DEFAULTS,
        method,
        batch,
        epochs,
        images: sizes.splitImages,
        memoryLimit: 2 ** 33,
        seed: 1,
      };
      const found = await lib.computeIndices(network, data, request);
      found.directions.dispose();
      return found.seconds;
    };
    try {
      const options = trainOptions(sizes.splitImages, batch, 'float32');
      await lib.fitEpoch(network, data, options);
      const train = (await lib.fitEpoch(network, data, options)).seconds / steps;
      await indices('rayleigh', 1);
      const rayleigh = (await indices('rayleigh', 2)) / (2 * steps);
      const exact = await indices('exact', 1);
      const row = {
        width,
        images: sizes.splitImages,
        trainStepMs: 1e3 * train,
        rayleighStepMs: 1e3 * rayleigh,
      };
      rows.push({
        ...row,
        rayleighOverTrain: rayleigh / train,
        exactMs: 1e3 * exact,
        fastMs: 1e4 * rayleigh * steps,
      });
      say(
        `MobileNetV1 ${width}x: Rayleigh step ${(rayleigh / train).toFixed(2)} training steps; exact ${exact.toFixed(1)} s, ` +
          `ten Rayleigh epochs ${(10 * rayleigh * steps).toFixed(1)} s over ${sizes.splitImages} images`,
      );
    } finally {
      network.handle.dispose();
      data.dispose();
      lib.loadCore().emptyCache();
    }
  }
  return rows;
}

/** Seconds of an epoch at CIFAR's size, where launching kernels decides: with recorded graphs and without. */
export async function cifarEpoch(lib, device, sizes) {
  const graph = lib.buildPreset('mobilenet_cifar100', { activation: 'silu' });
  const of = async (graphs) => {
    process.env.SPLITGROW_GRAPHS = graphs;
    const steps = Math.ceil(sizes.cifarImages / sizes.cifarBatch);
    const { seconds, recorded } = await ourTraining(lib, graph, {
      ...{ device, batch: sizes.cifarBatch, steps, precision: 'float32' },
    });
    return { seconds, recorded };
  };
  try {
    const [recorded, launched] = [await of('1'), await of('0')];
    say(
      `CIFAR epoch: ${recorded.seconds.toFixed(2)} s (graph ${recorded.recorded}), launched ${launched.seconds.toFixed(2)} s`,
    );
    return {
      images: sizes.cifarImages,
      batch: sizes.cifarBatch,
      recorded,
      launched,
      stageOf160Seconds: 160 * recorded.seconds,
    };
  } finally {
    delete process.env.SPLITGROW_GRAPHS;
  }
}
