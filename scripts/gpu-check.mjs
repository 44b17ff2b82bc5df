// For a machine with an NVIDIA GPU: shows that the GPU computes what the CPU does, and times it.
// node scripts/gpu-check.mjs [--date TEXT] [--rehearse] [--help]
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bootstrap } from './bootstrap.mjs';
import { filesIn, main, ROOT, run, say, tool } from './steps.mjs';

const NEEDED = `no GPU can be used here. What this check needs:
  an NVIDIA GPU with a driver for CUDA 13;
  PyTorch 2.11.0 with its CUDA libraries: python3 -m pip install torch==2.11.0;
  splitgrow pointed to it: SPLITGROW_LIBTORCH=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))')
\`npx splitgrow doctor\` says which library does not open.`;

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
async function parts() {
  const from = (path) => import(`../dist/${path}`);
  const [native, network, zoo, fit, strategy, offSprings, indices, lower, dataset, run_, spec] =
    await Promise.all([
      from('native.js'),
      from('network.js'),
      from('models/zoo.js'),
      from('train/fit.js'),
      from('split/strategy.js'),
      from('split/off-springs.js'),
      from('split/indices.js'),
      from('graph/lower.js'),
      from('data/dataset.js'),
      from('experiment/run.js'),
      from('experiment/spec.js'),
    ]);
  return {
    ...native,
    ...network,
    ...zoo,
    ...fit,
    ...strategy,
    ...offSprings,
    ...indices,
    ...lower,
    ...dataset,
    ...run_,
    ...spec,
  };
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
  const request = { ...lib.PAPER, method, images: IMAGES, epochs: 20, seed: 5 };
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

async function compare(lib, device) {
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
  rows.push(await wholeRun(lib, device));
  return rows;
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

/** The native tests that know SPLITGROW_TEST_DEVICE, run on the GPU. */
async function nativeTests() {
  const files = filesIn(['test/native'], (path) => path.endsWith('.test.ts')).filter((path) =>
    readFileSync(path, 'utf8').includes('SPLITGROW_TEST_DEVICE'),
  );
  if (files.length === 0) return { files: 0, note: 'no test of test/native reads SPLITGROW_TEST_DEVICE' };
  const { code, output } = await run(tool('vitest'), ['run', '--maxWorkers=1', ...files], {
    quiet: true,
    env: { SPLITGROW_TEST_DEVICE: 'cuda' },
  });
  if (code !== 0) say(output);
  return { files: files.length, isMet: code === 0 };
}

async function gpuName() {
  const { code, output } = await run(
    'nvidia-smi',
    ['--query-gpu=name,driver_version', '--format=csv,noheader'],
    { quiet: true },
  );
  return code === 0 ? output.trim().split('\n')[0] : 'unknown GPU';
}

function report(rows) {
  for (const { what, found, limit, isMet } of rows) {
    say(`${isMet ? 'ok    ' : 'FAILED'}  ${what}: ${found.toExponential(1)}, at most ${limit}`);
  }
}

await main(async () => {
  const { values } = parseArgs({
    options: { date: { type: 'string' }, rehearse: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    say(
      'node scripts/gpu-check.mjs [--date TEXT] [--rehearse]   --rehearse: the CPU against itself, writes nothing',
    );
    return 0;
  }
  await bootstrap();
  const lib = await parts();
  const features = lib.loadCore().features();
  if (values.rehearse) {
    // The CPU against itself: shows that this script works, nothing else, and writes nothing.
    const rows = await compare(lib, 'cpu');
    report(rows);
    return rows.every(({ isMet }) => isMet) ? 0 : 1;
  }
  if (!features.cuda) {
    say(NEEDED);
    return 1;
  }
  const rows = await compare(lib, 'cuda');
  report(rows);
  const tests = await nativeTests();
  say(tests.note ?? `native tests on the GPU: ${tests.isMet ? 'passed' : 'FAILED'}`);
  const { machine, writeResult } = await import('../benchmarks/common.mjs');
  const { steps } = await import('../benchmarks/steps.mjs');
  const timings = await steps({ device: 'cuda', isKept: false }).catch((error) => ({
    error: String(error.message),
  }));
  const file = await writeResult('gpu', {
    format: 'splitgrow-gpu-check/1',
    machine: machine({ ...features, gpu: await gpuName(), ...(values.date && { date: values.date }) }),
    comparison: rows,
    nativeTests: tests,
    steps: timings,
  });
  say(`written: ${existsSync(file) ? file : 'nothing'} (in ${ROOT})`);
  return rows.every(({ isMet }) => isMet) && tests.isMet !== false && timings.error === undefined ? 0 : 1;
});
