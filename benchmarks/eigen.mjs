// npm run bench -- eigen: the smallest eigenpairs of splitting matrices against LibTorch's eigh of the same matrices, in turns.
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readBatch } from '../dist/api/batch.js';
import { toDevice } from '../dist/data/part.js';
import { parseGraph } from '../dist/graph/check.js';
import { lower } from '../dist/graph/lower.js';
import { loadCore } from '../dist/native/load.js';
import { createNetwork, loadNetwork } from '../dist/train/network.js';
import { machine, machineLine, markdown, median, numberColumn, say, writeResult } from './common.mjs';
import { prepare } from './networks.mjs';

/** Networks whose chains are taken: preset, images of the minibatch that S is summed over. */
const NETWORKS = [
  { title: 'CIFAR-100 seed, width 1', preset: ['mobilenet_cifar100', { activation: 'silu' }], batch: 64 },
  {
    title: 'CIFAR-100 seed, width 2',
    preset: ['mobilenet_cifar100', { activation: 'silu', width: 2 }],
    batch: 64,
  },
  {
    title: 'CIFAR-100 seed, width 4',
    preset: ['mobilenet_cifar100', { activation: 'silu', width: 4 }],
    batch: 64,
  },
  {
    title: 'MobileNetV1 0.3x at 224',
    preset: ['mobilenet_v1', { activation: 'silu', width: 0.3 }],
    batch: 2,
  },
];
/** Dimensions of layers made for the purpose, each with so many neurons. */
const MADE = [
  [9, 256],
  [27, 256],
  [32, 256],
  [48, 256],
  [64, 256],
  [96, 128],
  [128, 128],
  [192, 64],
  [256, 32],
  [384, 32],
  [512, 32],
  [960, 8],
];
const CLASSES = 10;
const WHAT = ['eigen', 'eigensystem'];
const MEMORY = 2 ** 31;

const OPTIONS = {
  rounds: { type: 'string', default: '7' },
  threads: { type: 'string', multiple: true, default: ['1', '2'] },
  date: { type: 'string' },
  'no-file': { type: 'boolean', default: false },
};

/** A layer of `neurons` neurons of d weights, and a batch of twice as many images as S has rows. */
async function made([d, neurons]) {
  const graph = parseGraph({
    format: 'splitgrow-network/1',
    name: 'made',
    input: { shape: [d, 1, 1] },
    nodes: [
      { id: 'layer', op: 'conv2d', inputs: ['input'], out: neurons, kernel: 1 },
      { id: 'act', op: 'activation', inputs: ['layer'], kind: 'silu' },
      { id: 'pool', op: 'global_avg_pool', inputs: ['act'] },
      { id: 'classes', op: 'linear', inputs: ['pool'], out: CLASSES },
    ],
    output: 'classes',
  });
  const batch = 2 * d;
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const images = Float32Array.from({ length: batch * d }, () => 4 * next() - 2);
  const labels = BigInt64Array.from({ length: batch }, () => BigInt(Math.floor(next() * CLASSES)));
  const data = loadCore().createDataset(
    { dtype: 'float32', shape: [batch, d, 1, 1], data: new Uint8Array(images.buffer) },
    { dtype: 'int64', shape: [batch], data: new Uint8Array(labels.buffer) },
    [],
    [],
    CLASSES,
    'cpu',
  );
  const network = createNetwork(graph, { seed: 0, device: 'cpu' });
  return { title: 'made', network, data, batch };
}

async function real({ title, preset, batch }) {
  const folder = await mkdtemp(join(tmpdir(), 'splitgrow-bench-'));
  try {
    await prepare(folder, { preset, batch });
    const network = await loadNetwork(folder, { device: 'cpu' });
    const images = await readBatch(join(folder, 'batch.safetensors'), network.graph);
    return {
      title,
      network,
      data: toDevice(network.graph, images, lower(network.graph).classes, 'cpu'),
      batch,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Median milliseconds of both, `rounds` times in turns after a first one. */
async function timed({ network, data, batch }, chains, rounds) {
  const options = { batch, repeats: 1, warmup: 0, memoryLimit: MEMORY, chains };
  const found = { eigen: [], eigensystem: [] };
  for (let round = 0; round <= rounds; round += 1)
    for (const what of WHAT) {
      const { milliseconds } = await loadCore().bench(network.handle, data, { ...options, what }, null);
      if (round > 0) found[what].push(milliseconds[0]);
    }
  return { smallestMs: median(found.eigen), wholeMs: median(found.eigensystem) };
}

/** One row a dimension, of the widest chain that has it, and number of threads. */
async function rowsOf(subject, { rounds, threads }) {
  const all = lower(subject.network.graph).chains;
  const dimensions = [...new Set(all.map(({ dimension }) => dimension))].sort((a, b) => a - b);
  const widest = (d) =>
    all
      .filter(({ dimension }) => dimension === d)
      .reduce((best, one) => (one.neurons > best.neurons ? one : best));
  const rows = [];
  for (const d of dimensions)
    for (const count of threads) {
      loadCore().setThreads(count);
      const { id: chosen, neurons } = widest(d);
      const chains = all.map(({ id }) => id === chosen);
      const { smallestMs, wholeMs } = await timed(subject, chains, rounds);
      const row = { of: subject.title, dimension: d, neurons, threads: count, smallestMs, wholeMs };
      rows.push({ ...row, ratio: smallestMs / wholeMs });
    }
  return rows;
}

function eigenMarkdown({ machine: about, settings, rows }) {
  const each = (milliseconds, { neurons }) => (1e3 * milliseconds) / neurons;
  const columns = [
    { title: 'matrices', cell: ({ of }) => of },
    numberColumn('dimension', ({ dimension }) => dimension),
    numberColumn('how many', ({ neurons }) => neurons),
    numberColumn('threads', ({ threads }) => threads),
    numberColumn('smallest pair, us a matrix', (row) => each(row.smallestMs, row), 1),
    numberColumn('whole eigensystem, us a matrix', (row) => each(row.wholeMs, row), 1),
    numberColumn('ratio', ({ ratio }) => ratio, 3),
  ];
  return [
    '# The eigensolver',
    `Written by \`npm run bench -- eigen\`. Medians of ${settings.rounds}, both in turns. Load of the machine before and after, its average over a minute: ` +
      `${settings.load.map((one) => one.toFixed(1)).join(' and ')}.`,
    machineLine(about),
    markdown(columns, rows),
  ].join('\n\n');
}

/** Measures, and writes results/eigen.json and eigen.md. */
export async function eigen(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const options = { rounds: Number(values.rounds), threads: values.threads.map(Number) };
  const before = loadavg()[0];
  const rows = [];
  for (const make of [...NETWORKS.map((one) => () => real(one)), ...MADE.map((one) => () => made(one))]) {
    const subject = await make();
    say(`${subject.title}: ${lower(subject.network.graph).chains.map(({ dimension }) => dimension)}`);
    rows.push(...(await rowsOf(subject, options)));
  }
  const { libtorch, cpuCapability } = loadCore().features();
  const document = {
    format: 'splitgrow-bench-eigen/1',
    machine: machine({ libtorch, cpuCapability, ...(values.date && { date: values.date }) }),
    settings: { ...options, load: [before, loadavg()[0]] },
    rows,
  };
  const text = `${eigenMarkdown(document)}\n`;
  if (!values['no-file']) say(`written: ${await writeResult('eigen', document, text)}`);
  return text;
}
