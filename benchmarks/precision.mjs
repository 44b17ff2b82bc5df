// npm run bench -- precision: training steps in bfloat16 beside float32, and what networks learn in both.
import { access } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { syntheticData } from '../dist/bench/images.js';
import { loadDataset } from '../dist/data/dataset.js';
import { countOf, takeImages, toDevice } from '../dist/data/part.js';
import { buildPreset } from '../dist/models/zoo.js';
import { loadCore } from '../dist/native/load.js';
import { fitEpoch } from '../dist/train/fit.js';
import { createNetwork } from '../dist/train/network.js';
import {
  machine,
  machineLine,
  markdown,
  mean,
  median,
  numberColumn,
  say,
  standardError,
  writeResult,
} from './common.mjs';

const OPTIONS = {
  seeds: { type: 'string', default: '8' },
  epochs: { type: 'string', default: '6' },
  images: { type: 'string', default: '20000' },
  turns: { type: 'string', default: '5' },
  repeats: { type: 'string', default: '5' },
  threads: { type: 'string', multiple: true, default: ['1', '2'] },
  data: { type: 'string' },
  date: { type: 'string' },
  'no-file': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};
const USAGE = `npm run bench -- precision [options]
  --seeds N      networks that are trained in each precision; 0: none (default 8)
  --epochs E     of each, over --images images (default 6)
  --images N     of CIFAR-10's training images; 10,000 others of them say how well it learned (default 20000)
  --turns N      times that both precisions take their turn; 0: no times (default 5)
  --repeats N    timed steps in a turn (default 5)
  --threads T    may be given again (default 1 and 2)
  --data DIR     the folder of CIFAR-10's binary files (default: where \`splitgrow data get\` puts it)
  --date TEXT    a date for the result file (default: none)
  --no-file      writes no result file
`;

const PRECISIONS = ['float32', 'bfloat16'];
const BATCH = 64;
const CLASSES = 10;
const VALIDATION = 10_000;
const RATE = 0.1;

/** By what a row calls them. */
const NETWORKS = {
  'CIFAR seed': ['mobilenet_cifar100', { activation: 'silu' }],
  'CIFAR seed, width 4': ['mobilenet_cifar100', { activation: 'silu', width: 4 }],
  'MobileNetV1 0.3x at 96': ['mobilenet_v1', { activation: 'silu', width: 0.3, resolution: 96 }],
  'MobileNetV1 1.0x at 96': ['mobilenet_v1', { activation: 'silu', resolution: 96 }],
  'MobileNetV2 1.0x at 96': ['mobilenet_v2', { activation: 'relu6', resolution: 96 }],
  'ResNet-18 at 32': ['resnet18', { activation: 'relu', resolution: 32, stem: 'small' }],
};
/** Trained: its layers without a window have 48 channels. */
const TRAINED = ['mobilenet_cifar10', { activation: 'silu', blocks: 3, width: 48 }];

/** Median milliseconds of a training step in each precision; they take turns, so that a slow stretch falls on both. */
async function timesOf([name, settings], { threads, turns, repeats }) {
  const core = loadCore();
  core.setThreads(threads);
  const graph = buildPreset(name, settings);
  const network = createNetwork(graph, { seed: 0, device: 'cpu' });
  const data = await syntheticData(graph, BATCH, 'cpu');
  const found = Object.fromEntries(PRECISIONS.map((precision) => [precision, []]));
  for (let turn = 0; turn < turns; turn += 1)
    for (const precision of PRECISIONS) {
      const options = { what: 'train', batch: BATCH, repeats, warmup: 2, precision, memoryLimit: 2 ** 30 };
      const { milliseconds } = await core.bench(network.handle, data, options, null);
      found[precision].push(median(milliseconds));
    }
  network.handle.dispose();
  data.dispose();
  // Of turns side by side, so that the load of the machine is much alike.
  const ratios = found.bfloat16.map((ms, i) => ms / found.float32[i]);
  return { ...Object.fromEntries(PRECISIONS.map((one) => [one, median(found[one])])), ratio: median(ratios) };
}

/** CIFAR-10's first images to train on and its last training images to hold what is learned against; null where it is missing. */
async function datasets(graph, { images, data: root }) {
  if (root !== undefined) await access(join(root, 'data_batch_1.bin'));
  try {
    const { train } = await loadDataset({ name: 'cifar10', ...(root && { root }) });
    const part = (from, count) => {
      const rows = Int32Array.from({ length: count }, (_, i) => from + i);
      return toDevice(graph, takeImages(train, rows), CLASSES, 'cpu');
    };
    return { fit: part(0, images), unseen: part(countOf(train) - VALIDATION, VALIDATION) };
  } catch (error) {
    if (error.code !== 'E_DATA' && error.code !== 'E_DATA_MISSING' && error.code !== 'E_IO') throw error;
    say(`no network is trained: ${error.message}`);
    return null;
  }
}

/** Accuracy in % after training, and the loss of the last epoch. */
async function learned(graph, data, seed, precision, { epochs, images }) {
  const network = createNetwork(graph, { seed, device: 'cpu' });
  const steps = Math.ceil(images / BATCH);
  let loss = 0;
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    // From RATE to 0 by half a cosine.
    const rate = (_, i) => (RATE / 2) * (1 + Math.cos((Math.PI * (epoch * steps + i)) / (epochs * steps)));
    const options = {
      ...{ batch: BATCH, learningRates: Float64Array.from({ length: steps }, rate), precision },
      ...{ momentum: 0.9, nesterov: false, weightDecay: 1e-4, decay: 'all', labelSmoothing: 0 },
      ...{ shuffle: true, flip: true, crop: 4, seed: 1000 * seed + epoch },
    };
    loss = (await fitEpoch(network, data.fit, options)).loss;
  }
  const { top1 } = await loadCore().evaluate(network.handle, data.unseen, { batch: 250 }, null, null);
  network.handle.dispose();
  return { accuracy: top1, loss };
}

async function training(options) {
  const graph = buildPreset(...TRAINED);
  const data = options.seeds > 0 ? await datasets(graph, options) : null;
  if (data === null) return [];
  const rows = [];
  for (let seed = 1; seed <= options.seeds; seed += 1) {
    const row = { seed };
    for (const precision of PRECISIONS) row[precision] = await learned(graph, data, seed, precision, options);
    rows.push(row);
    say(`seed ${seed}: ${PRECISIONS.map((one) => `${one} ${row[one].accuracy.toFixed(2)} %`).join(', ')}`);
  }
  for (const part of Object.values(data)) part.dispose();
  return rows;
}

const spread = (values) => ({ mean: mean(values), standardError: standardError(values) });

/** Of all seeds: accuracies, and the differences of networks that began alike. */
function summaryOf(rows) {
  const of = (precision, key) => rows.map((row) => row[precision][key]);
  const by = (key) => ({
    ...Object.fromEntries(PRECISIONS.map((one) => [one, spread(of(one, key))])),
    difference: spread(of('bfloat16', key).map((value, i) => value - of('float32', key)[i])),
  });
  return { accuracy: by('accuracy'), loss: by('loss') };
}

const TIMES = [
  { title: 'network', cell: ({ network }) => network },
  numberColumn('threads', ({ threads }) => threads),
  numberColumn('float32, ms', ({ float32 }) => float32, 2),
  numberColumn('bfloat16, ms', ({ bfloat16 }) => bfloat16, 2),
  numberColumn('ratio', ({ ratio }) => ratio, 2),
];
const plusMinus = ({ mean: value, standardError: error }, digits) =>
  `${value.toFixed(digits)} ± ${error.toFixed(digits)}`;
const LEARNED = [
  { title: 'precision', cell: ({ name }) => name },
  { title: 'accuracy, %', cell: ({ accuracy }) => plusMinus(accuracy, 2) },
  { title: 'loss of the last epoch', cell: ({ loss }) => plusMinus(loss, 4) },
];

function trainingText(rows, summary, { epochs, images }) {
  if (rows.length === 0) return 'No network was trained: CIFAR-10 is missing, or no seed was asked for.';
  const lines = [...PRECISIONS, 'difference'].map((name) => ({
    name,
    accuracy: summary.accuracy[name],
    loss: summary.loss[name],
  }));
  return [
    `\`${TRAINED[0]}\` of 3 blocks of ${TRAINED[1].width} channels, ${epochs} epochs over CIFAR-10's first ${images} training images, ` +
      `held against its last ${VALIDATION} training images; ${rows.length} seeds, mean ± standard error. Both precisions begin from the same ` +
      'weights and see the same minibatches, so the difference is by seed.',
    markdown(LEARNED, lines),
  ].join('\n\n');
}

/** Measures, and writes results/precision.json and precision.md. */
export async function precision(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  if (values.help) return USAGE;
  const numbers = Object.fromEntries(
    ['seeds', 'epochs', 'images', 'turns', 'repeats'].map((key) => [key, Number(values[key])]),
  );
  const { bfloat16 } = loadCore().features();
  if (!bfloat16.cpu) return 'This processor multiplies no bfloat16; nothing was measured.\n';
  const before = loadavg()[0];
  const times = [];
  const threadCounts = numbers.turns > 0 ? values.threads.map(Number) : [];
  for (const [network, preset] of Object.entries(NETWORKS))
    for (const threads of threadCounts) {
      times.push({ network, threads, ...(await timesOf(preset, { ...numbers, threads })) });
      say(`${network}, threads ${threads}: ratio ${times.at(-1).ratio.toFixed(2)}`);
    }
  loadCore().setThreads(1);
  const rows = await training({ ...numbers, data: values.data });
  const summary = rows.length === 0 ? null : summaryOf(rows);
  const load = { before, after: loadavg()[0] };
  const about = machine({ ...(values.date && { date: values.date }) });
  const text = [
    '# bfloat16 beside float32',
    'Written by `npm run bench -- precision`: training steps of 64 images as `splitgrow bench --precision` times them, in turns, and accuracy after training. ' +
      `Loops: ${bfloat16.engine || 'LibTorch'}.`,
    machineLine(about),
    `Load average before: ${load.before.toFixed(1)}; after: ${load.after.toFixed(1)}.`,
    ...(times.length > 0 ? [markdown(TIMES, times)] : []),
    trainingText(rows, summary, numbers),
  ].join('\n\n');
  const document = {
    ...{ format: 'splitgrow-bench-precision/1', machine: about, load, loops: bfloat16.engine },
    ...{ settings: { ...numbers, batch: BATCH, trained: TRAINED }, times, training: rows, summary },
  };
  if (!values['no-file']) say(`written: ${await writeResult('precision', document, `${text}\n`)}`);
  return `${text}\n`;
}
