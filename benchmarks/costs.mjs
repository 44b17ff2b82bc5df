// What WORK of lib/split/indices/auto.ts stands for, measured: node benchmarks/costs.mjs [WIDTHS]. One thread; pin it to an idle core.
import { loadavg } from 'node:os';
import { syntheticData } from '../dist/bench/images.js';
import { shapes } from '../dist/graph/check.js';
import { macs } from '../dist/graph/cost.js';
import { lower } from '../dist/graph/lower.js';
import { buildPreset } from '../dist/models/zoo.js';
import { loadCore } from '../dist/native/load.js';
import { keptOf, numbersOf } from '../dist/split/indices/auto.js';
import { computeIndices } from '../dist/split/indices/indices.js';
import { INDEX_DEFAULTS } from '../dist/split/indices/settings.js';
import { createNetwork } from '../dist/train/network.js';

const BATCH = 64;
const REPEATS = 5;
/** Each time is the least of so many rounds over all networks, because other work on the machine comes and goes. */
const ROUNDS = 2;
/** Images of whole searches by lobpcg: few, where the small eigenproblems show, and many, where products do. */
const SEARCHED = [BATCH, 8 * BATCH];
/** How many products a search takes depends on the network: fewer with relu. */
const ACTIVATIONS = ['silu', 'relu'];
const widths = (process.argv[2] ?? '1,2,4,8').split(',').map(Number);

/** The numbers >= 0 whose combinations, and what is known beside them, come nearest to what was measured, relative to it; by coordinate descent. */
function fitted(rows, count) {
  const at = new Array(count).fill(0);
  for (let turn = 0; turn < 10_000; turn += 1)
    for (let k = 0; k < count; k += 1) {
      let [above, below] = [0, 0];
      for (const { parts, seconds, rest: known = 0 } of rows) {
        const rest = seconds - known - parts.reduce((sum, part, i) => sum + (i === k ? 0 : part * at[i]), 0);
        above += (parts[k] * rest) / seconds ** 2;
        below += (parts[k] / seconds) ** 2;
      }
      at[k] = below > 0 ? Math.max(0, above / below) : 0;
    }
  return at;
}

const core = loadCore();
core.setThreads(1);

/** Seconds of benchmarks and of whole searches at one width, this time. */
async function timesOf({ network, images }) {
  const step = async (what, repeats) => {
    const options = { what, batch: BATCH, repeats, warmup: 1, memoryLimit: 2 ** 34 };
    return (
      Math.min(...(await core.bench(network.handle, images.get(BATCH), options, null)).milliseconds) / 1000
    );
  };
  const search = async (count) => {
    const lobpcg = { ...INDEX_DEFAULTS, method: 'lobpcg', batch: BATCH, memoryLimit: 2 ** 34 };
    const request = { ...lobpcg, images: count, seed: 1 };
    const { directions, seconds } = await computeIndices(network, images.get(count), request);
    directions.dispose();
    return seconds;
  };
  const times = [await step('rayleigh', REPEATS), await step('exact', REPEATS), await step('eigen', 2)];
  for (const count of SEARCHED) times.push(await search(count));
  return times;
}

async function subjectOf(width, activation) {
  const graph = buildPreset('mobilenet_cifar100', { activation, width });
  const network = createNetwork(graph, { seed: 0, device: 'cpu' });
  const images = new Map();
  for (const count of SEARCHED) images.set(count, await syntheticData(graph, count, 'cpu'));
  return { graph, network, images, least: new Array(3 + SEARCHED.length).fill(Number.POSITIVE_INFINITY) };
}

/** What the times of one width are made of. */
function rowsOf({ graph, network, least: [rayleigh, exact, eigen, ...searches] }) {
  const values = shapes(graph);
  const layers = lower(graph).chains.map(({ id, neurons: n, dimension: d }) => {
    const [height, wide] = values.get(id)?.size ?? [1, 1];
    return { n, d, p: height * wide };
  });
  const sum = (of, all = layers) => all.reduce((total, layer) => total + of(layer), 0);
  const [products, matrices] = [({ n, d, p }) => 2 * n * d * p, ({ n, d, p }) => n * d * d * p];
  const [convolutions, numbers] = [2 * macs(graph), numbersOf(graph)].map((one) => BATCH * one);
  return {
    passes: [
      { parts: [convolutions + BATCH * sum(products), numbers, 0], seconds: rayleigh },
      { parts: [convolutions, numbers, BATCH * sum(matrices)], seconds: exact },
    ],
    eigen: [{ parts: [sum(({ n, d }) => n * d ** 2), sum(({ n, d }) => n * d ** 3)], seconds: eigen }],
    searches: SEARCHED.map((count, i) => {
      const kept = keptOf(network, { images: count });
      const [summed, read] = ['matrices', 'inputs'].map((form) =>
        layers.filter((_, k) => kept[k].form === form),
      );
      return {
        known: [convolutions, numbers, BATCH * sum(matrices, summed)].map((one) => (one * count) / BATCH),
        parts: [
          sum(({ n, d }) => n * d ** 2, summed),
          count * sum(products, read),
          sum(({ n, d }) => n * d, read),
        ],
        seconds: searches[i],
      };
    }),
  };
}

const subjects = [];
for (const width of widths)
  for (const activation of ACTIVATIONS) subjects.push(await subjectOf(width, activation));
for (let round = 0; round < ROUNDS; round += 1)
  for (const subject of subjects) {
    const times = await timesOf(subject);
    subject.least = subject.least.map((least, i) => Math.min(least, times[i]));
  }
const rows = subjects.map(rowsOf);
const pass = fitted(
  rows.flatMap(({ passes }) => passes),
  3,
);
const [unit, value, matrices] = pass;
const [eigenSquare, eigenCube] = fitted(
  rows.flatMap(({ eigen }) => eigen),
  2,
);
const [pairs, kept, search] = fitted(
  rows
    .flatMap(({ searches }) => searches)
    .map(({ known, ...row }) => ({ ...row, rest: known.reduce((sum, part, i) => sum + part * pass[i], 0) })),
  3,
);
process.stdout.write(`load ${loadavg()[0].toFixed(1)}; a unit: ${(1e9 * unit).toFixed(4)} ns\n`);
for (const [name, cost] of Object.entries({ value, matrices, eigenSquare, eigenCube, pairs, kept, search }))
  process.stdout.write(`${name}: ${(cost / unit).toPrecision(2)}\n`);
process.exit(0);
