import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { lower } from '../dist/graph/lower.js';
import { readRanks } from '../dist/machine/launchers.js';
import { buildPreset } from '../dist/models/zoo.js';
import { loadCore } from '../dist/native/load.js';
import { fixed, machine, machineLine, markdown, median, runJson, writeResult } from './common.mjs';
import { gradientBytes, plan, stepSeconds } from './scale-model.mjs';

const { values } = parseArgs({
  options: {
    'per-gpu': { type: 'string', default: '3000' },
    'gpu-batch': { type: 'string', default: '64' },
    'per-core': { type: 'string', default: '733' },
    'no-file': { type: 'boolean', default: false },
    rank: { type: 'boolean', default: false },
  },
});

/** The measured step: large gradients for its work, which is what strains the network. */
const MEASURED = { preset: 'mobilenet_v1', options: { resolution: 96 }, batch: 8, steps: 6 };
const BUCKET = 4 << 20;
const LARGE = 25 << 20;
const IMAGENET = 1_281_167;
/** Assumed, not measured: latency of a message in seconds, bytes a second that a GPU gets in a ring. */
const NETWORKS = {
  8: { what: 'one machine, NVLink', latency: 10e-6, bandwidth: 150e9 },
  64: { what: '8 machines, 200 Gbit/s each', latency: 20e-6, bandwidth: 20e9 },
};
const PLANNED = [
  ['mobilenet_v1', 1],
  ['mobilenet_v2', 1],
  ['resnet50', 1],
];

/** Seconds a step of each round, the first one aside, of this process's `batch` images (of all ranks: times their number). */
async function timeSteps(core, world) {
  const graph = buildPreset(MEASURED.preset, MEASURED.options);
  const count = MEASURED.batch * MEASURED.steps * world;
  const [c, h, w] = graph.input.shape;
  const pixels = Uint8Array.from({ length: count * c * h * w }, (_, i) => (i * 2654435761) >>> 24);
  const labels = new Uint8Array(BigInt64Array.from({ length: count }, (_, i) => BigInt(i % 10)).buffer);
  const data = core.createDataset(
    { dtype: 'uint8', shape: [count, c, h, w], data: pixels },
    { dtype: 'int64', shape: [count], data: labels },
    ...[[0.5, 0.5, 0.5], [0.25, 0.25, 0.25], lower(graph).classes, 'cpu'],
  );
  const network = core.createNetwork(lower(graph), [], 1, 'cpu');
  const options = {
    ...{ batch: MEASURED.batch * world, learningRates: new Float64Array(MEASURED.steps).fill(1e-3) },
    ...{ momentum: 0.9, nesterov: false, weightDecay: 1e-4, decay: 'all', labelSmoothing: 0.1 },
    ...{ shuffle: false, flip: false, crop: 0, seed: 1 },
  };
  const seconds = [];
  for (let round = 0; round < 6; round += 1)
    seconds.push((await core.train(network, data, options, null, null)).seconds / MEASURED.steps);
  return seconds.slice(1);
}

/** Seconds of a sum of so many bytes over the ranks, the calls' own copies included. */
async function timeSum(core, bytes, repeats) {
  const values = new Float64Array(bytes / 8);
  const times = [];
  for (let i = 0; i < repeats; i += 1) {
    const start = performance.now();
    await core.sumOverRanks(values);
    times.push((performance.now() - start) / 1000);
  }
  return median(times.slice(1));
}

/** One rank, or the one process without ranks: prints what it measured. */
async function work() {
  const core = loadCore();
  core.setThreads(1);
  const ranks = readRanks();
  const report = {};
  if (ranks !== null) {
    const { rank, world, localRank, host, port, isServer, attempt } = ranks;
    const group = { rank, world, localRank, host, port, isServer, prefix: attempt };
    const bucketBytes = Number(process.env.SPLITGROW_BUCKET_BYTES);
    await core.joinGroup({ ...group, settings: '', timeoutMs: 60_000, bucketBytes });
    report.latency = await timeSum(core, 8, 200);
    report.large = await timeSum(core, 32 << 20, 12);
  } else {
    report.copies = { small: await timeSum(core, 8, 200), large: await timeSum(core, 32 << 20, 12) };
  }
  report.steps = await timeSteps(core, ranks?.world ?? 1);
  await core.leaveGroup('');
  process.stdout.write(JSON.stringify(report));
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function together(bucketBytes) {
  const self = [fileURLToPath(import.meta.url), '--rank'];
  const env = { MASTER_ADDR: '127.0.0.1', MASTER_PORT: String(await freePort()), WORLD_SIZE: '2' };
  const all = { ...env, OMP_NUM_THREADS: '1', SPLITGROW_BUCKET_BYTES: String(bucketBytes) };
  const reports = await Promise.all(
    [0, 1].map((rank) => runJson(process.execPath, self, { env: { ...all, RANK: String(rank) } })),
  );
  return reports[0];
}

async function measure() {
  const self = [fileURLToPath(import.meta.url), '--rank'];
  const alone = () => runJson(process.execPath, self, { env: { WORLD_SIZE: '1', OMP_NUM_THREADS: '1' } });
  // Two single processes at once share the machine's memory and clock as two ranks do.
  const [one, [pair]] = [await alone(), await Promise.all([alone(), alone()])];
  const [buckets, whole] = [await together(BUCKET), await together(0)];
  const latency = Math.max(0, buckets.latency - one.copies.small) / 2;
  const carry = Math.max(1e-9, buckets.large - one.copies.large);
  return {
    network: { latency, bandwidth: (32 << 20) / carry },
    seconds: {
      one: median(one.steps),
      oneOfTwo: median(pair.steps),
      buckets: median(buckets.steps),
      whole: median(whole.steps),
    },
  };
}

function checked({ network, seconds }) {
  const graph = buildPreset(MEASURED.preset, MEASURED.options);
  const of = (bucketBytes) =>
    stepSeconds({ graph, compute: seconds.oneOfTwo, world: 2, network, bucketBytes });
  return [
    { what: 'one process', measured: seconds.one, model: null },
    { what: 'one of two that do not exchange', measured: seconds.oneOfTwo, model: null },
    { what: 'two ranks, in one piece', measured: seconds.whole, model: of(0) },
    { what: 'two ranks, in buckets of 4 MiB', measured: seconds.buckets, model: of(BUCKET) },
  ];
}

function planned() {
  const [perGpu, batch, perCore] = ['per-gpu', 'gpu-batch', 'per-core'].map((name) => Number(values[name]));
  return PLANNED.flatMap(([preset]) => {
    const graph = buildPreset(preset, {});
    return Object.entries(NETWORKS).flatMap(([world, network]) =>
      [BUCKET, LARGE, 0].map((bucketBytes) => ({
        ...{ preset, network: network.what, bucketBytes, megabytes: gradientBytes(graph) / 1e6 },
        ...plan({
          graph,
          perGpu,
          batch,
          world: Number(world),
          network,
          bucketBytes,
          images: IMAGENET,
          perCore,
        }),
      })),
    );
  });
}

/** Of cells in order: the first column is words. */
const columns = (titles) => titles.map((title, at) => ({ title, isNumber: at > 0, cell: (row) => row[at] }));

function report(about, measured, points, plans) {
  const { latency, bandwidth } = measured.network;
  const ms = (seconds) => fixed(seconds * 1000, 1);
  return [
    '# Scale',
    '',
    `Written by \`node benchmarks/scale.mjs\`. ${machineLine(about)}`,
    '',
    `Measured: ${MEASURED.preset} at ${MEASURED.options.resolution}, ${MEASURED.batch} images a rank, one thread each, Gloo on this machine's loopback: ` +
      `${fixed(latency * 1e6, 0)} µs a message, ${fixed(bandwidth / 1e9, 2)} GB/s. The model gets these two and the time of a step of one of two processes that do not exchange.`,
    '',
    markdown(
      columns(['step', 'measured, ms', 'model, ms']),
      points.map(({ what, measured: found, model }) => [what, ms(found), model === null ? '' : ms(model)]),
    ),
    '',
    `**Modelled, never measured**: ${values['per-gpu']} images/s of one GPU, ${values['gpu-batch']} images each, float32 gradients, ${values['per-core']} images/s a core that decodes; ` +
      Object.entries(NETWORKS)
        .map(
          ([world, one]) =>
            `${world} GPUs: ${one.what}, ${one.latency * 1e6} µs, ${one.bandwidth / 1e9} GB/s`,
        )
        .join('; ') +
      '.',
    '',
    markdown(
      columns([
        'network',
        'gradients, MB',
        'GPUs',
        'buckets',
        'images/s',
        'efficiency, %',
        'minutes an epoch',
        'cores a GPU',
      ]),
      plans.map((row) => [
        ...[
          row.preset,
          fixed(row.megabytes, 1),
          String(row.world),
          row.bucketBytes === 0 ? 'one piece' : `${row.bucketBytes >> 20} MiB`,
        ],
        ...[fixed(row.imagesPerSecond, 0), fixed(100 * row.efficiency, 1), fixed(row.minutesAnEpoch, 2)],
        fixed(row.coresPerGpu, 1),
      ]),
    ),
    '',
  ].join('\n');
}

const versionsOf = ({ libtorch, cpuCapability }) => ({ libtorch, cpuCapability });

if (values.rank) await work();
else {
  const about = machine(versionsOf(loadCore().features()));
  const measured = await measure();
  const [points, plans] = [checked(measured), planned()];
  const text = report(about, measured, points, plans);
  process.stdout.write(`${text}\n`);
  if (!values['no-file']) {
    const kept = { machine: about, measured, points, plans };
    await writeResult('scale', kept, text);
  }
}
