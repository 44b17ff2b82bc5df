// What happens once a stage or once a process: the knapsack, growth, loading. node benchmarks/selection.mjs [--help]

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { channelGroups } from '../dist/graph/channels.js';
import { macs } from '../dist/graph/cost.js';
import { grow } from '../dist/graph/grow.js';
import { lower } from '../dist/graph/lower.js';
import { buildPreset } from '../dist/models/zoo.js';
import { loadCore } from '../dist/native/load.js';
import { choose } from '../dist/split/choose/strategy.js';
import { splitNetwork } from '../dist/split/step/offspring.js';
import { createNetwork } from '../dist/train/network.js';
import { main, StepError } from '../scripts/steps.mjs';
import {
  fixed,
  HERE,
  machine,
  machineLine,
  markdown,
  median,
  runJson,
  say,
  targetsTable,
  verdict,
  writeResult,
} from './common.mjs';

const USAGE = `node benchmarks/selection.mjs [options]
  --repeats N   times of everything (default 9)
  --date TEXT   a date for the result file (default: none)
  --no-file     writes no result file
`;

/** Values of the activations: a third cost besides MACs and parameters, as a user would add it. */
const ACTIVATIONS = {
  name: 'activations',
  isInteger: true,
  ofNode: (_node, _inputs, { channels, block, size }) =>
    channels * block * (size === null ? 1 : size[0] * size[1]),
};

/** 25 layers of 400 neurons: 10,000 that may be split. */
const WIDE = () => buildPreset('mobilenet_cifar10', { blocks: 23, width: 400, activation: 'silu' });

function random(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Seeded negative indices, small ones more often. */
function indicesOf(graph, seed) {
  const next = random(seed);
  const splittable = channelGroups(graph).filter(({ isSplittable }) => isSplittable);
  return new Map(
    splittable.map(({ id, neurons }) => [
      id,
      Float64Array.from({ length: neurons }, () => -(next() ** 2) - 1e-6),
    ]),
  );
}

/** Unit rows for every chain. */
function directionsOf(graph) {
  const next = random(7);
  return lower(graph).chains.map(({ id, neurons, dimension }) => {
    const values = Float32Array.from({ length: neurons * dimension }, () => next() - 0.5);
    for (let i = 0; i < neurons; i += 1) {
      const row = values.subarray(i * dimension, (i + 1) * dimension);
      const size = Math.hypot(...row);
      row.forEach((value, j) => {
        row[j] = value / size;
      });
    }
    return [id, { dtype: 'float32', shape: [neurons, dimension], data: new Uint8Array(values.buffer) }];
  });
}

/** Times of repeated work; the first is apart, since it loads and compiles. */
async function timed(repeats, work) {
  const times = [];
  let result;
  for (let i = 0; i <= repeats; i += 1) {
    const start = performance.now();
    result = await work(i);
    times.push(performance.now() - start);
  }
  const [firstMs, ...rest] = times;
  return { firstMs, medianMs: median(rest), minMs: Math.min(...rest), result };
}

async function knapsack(costs, repeats) {
  const graph = WIDE();
  const indices = indicesOf(graph, 1);
  const { result, ...times } = await timed(repeats, () =>
    choose(graph, indices, { growthRatio: 0.5, costs }),
  );
  const { certificate, picks } = result;
  return {
    ...times,
    note: `${certificate.eligible.toLocaleString('en-US')} neurons with a negative index, ${picks.length.toLocaleString('en-US')} chosen by ${certificate.solver}, gap ${fixed(100 * certificate.gap, 3)} %`,
  };
}

/** A stage's growth of MobileNetV1 1.0x: half as many MACs again. */
async function growth(repeats) {
  const graph = buildPreset('mobilenet_v1', { activation: 'silu' });
  const { plan, picks } = await choose(graph, indicesOf(graph, 2), { growthRatio: 0.5 });
  const note = `${picks.length.toLocaleString('en-US')} neurons split, ${macs(graph).toLocaleString('en-US')} to ${macs(grow(graph, plan).graph).toLocaleString('en-US')} MACs`;
  const { result: _, ...pure } = await timed(repeats, () => lower(grow(graph, plan).graph));
  const network = createNetwork(graph, { seed: 0, device: 'cpu' });
  const directions = loadCore().createDirections(directionsOf(graph), 'cpu');
  const { result: last, ...whole } = await timed(repeats, async () => {
    const grown = await splitNetwork(network, plan, directions, { epsilon: 0.01, momentum: 'reset' });
    grown.handle.dispose();
    return macs(grown.graph);
  });
  for (const handle of [network.handle, directions]) handle.dispose();
  return {
    pure: { ...pure, note },
    whole: { ...whole, note: `${note}, weights rewritten (${last.toLocaleString('en-US')} MACs)` },
  };
}

async function loading(repeats) {
  const found = [];
  for (let i = 0; i <= repeats; i += 1) found.push(await runJson(process.execPath, [join(HERE, 'load.mjs')]));
  const times = found.map(({ importMs, loadMs }) => importMs + loadMs);
  const [firstMs, ...rest] = times;
  const { libtorch, cpuCapability } = found[0];
  return {
    versions: { libtorch, cpuCapability },
    load: {
      firstMs,
      medianMs: median(rest),
      minMs: Math.min(...rest),
      note: 'each in a process of its own, LibTorch’s libraries included',
    },
  };
}

const LIMITS = [
  { key: 'oneBudget', what: 'knapsack, 10,000 neurons, one budget', limit: 50 },
  { key: 'threeBudgets', what: 'knapsack, 10,000 neurons, three budgets', limit: 1000 },
  { key: 'growth', what: 'growth of MobileNetV1 1.0x, graph only', limit: 1000 },
  { key: 'growthRewrite', what: 'growth of MobileNetV1 1.0x, graph and weights', limit: 1000 },
  { key: 'load', what: 'loading the addon in a fresh process', limit: 500 },
];

/** Runs the benchmark; resolves to its document, which is also written to results/selection.json. */
export async function selection({ repeats = 9, date, isKept = true } = {}) {
  const { versions, load } = await loading(repeats);
  const { pure, whole } = await growth(repeats);
  const results = {
    oneBudget: await knapsack(['macs'], repeats),
    threeBudgets: await knapsack(['macs', 'params', ACTIVATIONS], repeats),
    growth: pure,
    growthRewrite: whole,
    load,
  };
  const targets = LIMITS.map(({ key, what, limit }) => {
    const target = { what, where: 'median', limit, found: results[key].medianMs, unit: ' ms' };
    return { ...target, isMet: verdict(target) };
  });
  const document = {
    format: 'splitgrow-bench-selection/1',
    machine: machine({ ...versions, ...(date && { date }) }),
    settings: { repeats },
    targets,
    results,
  };
  if (isKept) say(`written: ${await writeResult('selection', document)}`);
  return document;
}

/** The result as a section of results/README.md. */
export function selectionMarkdown({ machine: about, settings, targets, results }) {
  const rows = LIMITS.map(({ key, what }) => ({ what, ...results[key] }));
  return [
    '## Selection, growth, loading',
    `Median and least of ${settings.repeats} times after the first; the first, which also loads and compiles, is apart. ` +
      'The knapsack’s time is that of the whole choice: marginal costs, linear relaxation, rounding by true costs, certificate.',
    targetsTable(targets),
    markdown(
      [
        { title: 'what', cell: ({ what }) => what },
        { title: 'first ms', cell: ({ firstMs }) => fixed(firstMs, 1), isNumber: true },
        { title: 'median ms', cell: ({ medianMs }) => fixed(medianMs, 1), isNumber: true },
        { title: 'least ms', cell: ({ minMs }) => fixed(minMs, 1), isNumber: true },
        { title: 'of', cell: ({ note }) => note },
      ],
      rows,
    ),
    machineLine(about),
  ].join('\n\n');
}

const OPTIONS = {
  repeats: { type: 'string' },
  date: { type: 'string' },
  'no-file': { type: 'boolean' },
  help: { type: 'boolean' },
};

async function fromCommandLine() {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return USAGE;
  const { repeats = '9', date } = values;
  if (!/^[1-9]\d*$/.test(repeats))
    throw new StepError(`--repeats: expected a whole number of 1 or more, got "${repeats}"`);
  const document = await selection({ repeats: Number(repeats), date, isKept: values['no-file'] !== true });
  return `${selectionMarkdown(document)}\n`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    process.stdout.write(await fromCommandLine());
  });
}
