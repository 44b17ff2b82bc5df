// That a device computes what the CPU does: forward passes, training, indices, growth, recorded steps, bfloat16.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * How far the GPU may be from the CPU, relative to the largest value. float32 sums in another order give 1e-6 to 1e-5;
 * over layers and steps of training that adds up. Wide until a GPU has been seen: TF32 (1e-3) would still pass.
 */
const TOLERANCES = {
  logits: 5e-3,
  weights: 2e-2,
  loss: 1e-2,
  exact: 5e-2,
  rayleigh: 1e-1,
  // The same kernels in the same order but for what cuDNN chooses; bfloat16 rounds every map by 4e-3.
  recorded: 1e-4,
  bfloat16: 5e-2,
  growth: 1e-6,
  step0: 1e-5,
};
const IMAGES = 256;
const BATCH = 64;

function floats({ data }) {
  return new Float32Array(data.slice().buffer);
}

/** max |a - b| / max |a|, NaN where one is. */
function difference(a, b) {
  let most = 0;
  let size = 0;
  a.forEach((value, i) => {
    const apart = Math.abs(value - b[i]);
    if (!(apart <= most)) most = apart;
    size = Math.max(size, Math.abs(value));
  });
  return size === 0 ? most : most / size;
}

function largest(entriesA, entriesB) {
  const other = new Map(entriesB);
  return Math.max(...entriesA.map(([name, tensor]) => difference(floats(tensor), floats(other.get(name)))));
}

/** The parts of splitgrow that the comparison uses, compiled by now. */
export async function parts() {
  const files = [
    ...['native/load', 'train/network', 'models/zoo', 'train/fit', 'graph/lower', 'run/run', 'run/spec/spec'],
    ...['split/choose/strategy', 'split/step/offspring', 'split/indices/indices', 'split/indices/settings'],
    ...['data/dataset', 'data/part'],
  ];
  return Object.assign({}, ...(await Promise.all(files.map((file) => import(`../../dist/${file}.js`)))));
}

/** Everything that is compared, computed on one device from the same seeds. */
async function computed(lib, device, { graph, images, start }) {
  const core = lib.loadCore();
  const { classes } = lib.lower(graph);
  const network = lib.createNetwork(graph, { seed: 0, device, weights: start });
  const data = lib.toDevice(graph, images, classes, device);
  const options = {
    batch: BATCH,
    momentum: 0.9,
    nesterov: true,
    weightDecay: 1e-4,
    decay: 'all',
    labelSmoothing: 0.1,
  };
  const learningRates = new Float64Array(IMAGES / BATCH).fill(0.05);
  const before = await core.forward(network.handle, data, { mode: 'eval', batch: BATCH });
  const { loss } = await lib.fitEpoch(network, data, {
    ...options,
    learningRates,
    shuffle: true,
    flip: true,
    crop: 2,
    seed: 3,
  });
  const weights = core.readNetwork(network.handle, 'weights');
  // From here on both devices go on with the CPU's weights: errors are told apart, not added up.
  return { network, data, before, loss, weights };
}

async function indicesOn(lib, device, { graph, images, weights }, method) {
  const network = lib.createNetwork(graph, { seed: 0, device, weights });
  const data = lib.toDevice(graph, images, lib.lower(graph).classes, device);
  const request = { ...lib.INDEX_DEFAULTS, method, images: IMAGES, epochs: 20, seed: 5 };
  const found = await lib.computeIndices(network, data, request);
  return { network, data, found, chains: new Map(found.chains.map(({ id, indices }) => [id, indices])) };
}

/** The same plan and directions on a device: the weights after, and how far step 0 moves the logits. */
async function grownOn(lib, { network, data }, plan, directions, device) {
  const core = lib.loadCore();
  const there = core.createDirections(directions, device);
  const probe = { data, images: IMAGES, batch: BATCH };
  const options = { epsilon: 0.1, grid: [], indices: new Map(), momentum: 'reset' };
  const { network: grown, step } = await lib.splitChecked(network, plan, there, probe, options);
  const weights = core.readNetwork(grown.handle, 'weights');
  grown.handle.dispose();
  there.dispose();
  return { weights, step };
}

export async function compare(lib, device) {
  const { graph, images } = await smallNetwork(lib);
  const initial = lib.createNetwork(graph, { seed: 0, device: 'cpu' });
  const core = lib.loadCore();
  const start = new Map(core.readNetwork(initial.handle, 'weights'));
  initial.handle.dispose();
  const rows = [];
  const row = (what, found, limit) => rows.push({ what, found, limit, isMet: found <= limit });

  const [a, b] = [
    await computed(lib, 'cpu', { graph, images, start }),
    await computed(lib, device, { graph, images, start }),
  ];
  row('logits in evaluation mode', difference(floats(a.before), floats(b.before)), TOLERANCES.logits);
  row(
    `weights after ${IMAGES / BATCH} SGD steps with augmentation`,
    largest(a.weights, b.weights),
    TOLERANCES.weights,
  );
  row('training loss of that epoch', Math.abs(a.loss - b.loss) / a.loss, TOLERANCES.loss);

  const weights = new Map(a.weights);
  const methods = {};
  for (const method of ['exact', 'rayleigh']) {
    const [host, there] = [
      await indicesOn(lib, 'cpu', { graph, images, weights }, method),
      await indicesOn(lib, device, { graph, images, weights }, method),
    ];
    methods[method] = { host, there };
    const apart = [...host.chains].map(([id, values]) => difference(values, there.chains.get(id)));
    row(`splitting indices, ${method}`, Math.max(...apart), TOLERANCES[method]);
  }
  const { host, there } = methods.exact;
  const directions = core.readDirections(host.found.directions);
  const { plan } = await lib.choose(graph, lib.groupIndices(graph, host.chains), { growthRatio: 0.5 });
  const [grownHost, grownThere] = [
    await grownOn(lib, host, plan, directions, 'cpu'),
    await grownOn(lib, there, plan, directions, device),
  ];
  row('weights after growth', largest(grownHost.weights, grownThere.weights), TOLERANCES.growth);
  row('change of the logits at epsilon 0', grownThere.step.functionError, TOLERANCES.step0);
  rows.push(...(await recordedRows(lib, device, { graph, images, start })));
  rows.push(await wideRow(lib, device));
  rows.push(await wholeRun(lib, device));
  return rows;
}

/** An epoch with recorded graphs beside one without, and one in bfloat16 where the device has it. */
async function recordedRows(lib, device, { graph, images, start }) {
  const core = lib.loadCore();
  const trained = async (graphs, precision) => {
    process.env.SPLITGROW_GRAPHS = graphs;
    const network = lib.createNetwork(graph, { seed: 0, device, weights: start });
    const data = lib.toDevice(graph, images, lib.lower(graph).classes, device);
    try {
      const options = {
        ...{
          batch: 32,
          momentum: 0.9,
          nesterov: false,
          weightDecay: 1e-4,
          decay: 'all',
          labelSmoothing: 0.1,
        },
        ...{ shuffle: true, flip: true, crop: 2, seed: 3, precision },
        learningRates: new Float64Array(IMAGES / 32).fill(0.05),
      };
      const { loss, graph: state } = await lib.fitEpoch(network, data, options);
      return { loss, state, weights: core.readNetwork(network.handle, 'weights') };
    } finally {
      delete process.env.SPLITGROW_GRAPHS;
      network.handle.dispose();
      data.dispose();
    }
  };
  const [on, off] = [await trained('1', 'float32'), await trained('0', 'float32')];
  const hasRecorder = core.features().accelerator !== 'none';
  const apart = largest(on.weights, off.weights);
  const rows = [
    {
      what: 'weights of recorded steps and of launched ones',
      ...{ found: apart, limit: TOLERANCES.recorded, isMet: apart <= TOLERANCES.recorded },
    },
    {
      what: `steps were recorded where there is an accelerator (${on.state})`,
      ...{ found: on.state === (hasRecorder ? 'on' : 'off') ? 0 : 1, limit: 0 },
      isMet: on.state === (hasRecorder ? 'on' : 'off'),
    },
  ];
  if (!core.features().bfloat16[device]) return rows;
  const narrow = await trained('1', 'bfloat16');
  const off16 = Math.abs(narrow.loss - off.loss) / off.loss;
  rows.push({
    what: 'training loss in bfloat16 and in float32',
    ...{ found: off16, limit: TOLERANCES.bfloat16, isMet: off16 <= TOLERANCES.bfloat16 },
  });
  return rows;
}

/** Exact indices of layers above 32 dimensions, which the batched eigensolver takes. */
async function wideRow(lib, device) {
  const data = await lib.loadDataset({ name: 'fashion-mnist', trainImages: 64 });
  const graph = lib.buildPreset('mobilenet_cifar100', {
    channels: 1,
    resolution: 28,
    activation: 'silu',
    width: 4,
  });
  const initial = lib.createNetwork(graph, { seed: 0, device: 'cpu' });
  const weights = new Map(lib.loadCore().readNetwork(initial.handle, 'weights'));
  initial.handle.dispose();
  const of = async (place) => {
    const there = await indicesOn(lib, place, { graph, images: data.train, weights }, 'exact');
    there.network.handle.dispose();
    there.data.dispose();
    return there.chains;
  };
  const [host, there] = [await of('cpu'), await of(device)];
  const most = Math.max(...lib.lower(graph).chains.map(({ dimension }) => dimension));
  const found = Math.max(...[...host].map(([id, values]) => difference(values, there.get(id))));
  return {
    what: `splitting indices of up to ${most} dimensions, exact`,
    ...{ found, limit: TOLERANCES.exact, isMet: found <= TOLERANCES.exact },
  };
}

async function smallNetwork(lib) {
  const data = await lib.loadDataset({ name: 'fashion-mnist', trainImages: IMAGES });
  const graph = lib.buildPreset('mobilenet_cifar10', { channels: 1, resolution: 28, activation: 'silu' });
  const { mean, std } = data;
  return { graph: { ...graph, input: { ...graph.input, mean, std } }, images: data.train };
}

/** A short run of Algorithm 1 on the device: it ends, its limits hold, step 0 keeps the function. */
async function wholeRun(lib, device) {
  const output = await mkdtemp(join(tmpdir(), 'splitgrow-gpu-'));
  try {
    const spec = lib.parseExperiment({
      name: 'gpu-check',
      network: { preset: 'mobilenet_cifar10', activation: 'silu' },
      data: { name: 'fashion-mnist', trainImages: 1024, testImages: 512 },
      fit: { epochs: 1, batch: BATCH },
      splitting: { method: 'auto', epsilon: 'line-search', images: 512 },
      stop: { stages: 2 },
      output: join(output, 'run'),
      device,
    });
    const { stages } = await lib.growExperiment(spec);
    const isWithin = stages.slice(1).every(({ macs }, i) => macs <= 1.5 * stages[i].macs);
    return {
      what: 'a run of two splitting stages ends within its limits',
      found: isWithin ? 0 : 1,
      limit: 0,
      isMet: isWithin,
    };
  } finally {
    await rm(output, { recursive: true, force: true });
  }
}
