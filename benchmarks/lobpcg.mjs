// Passes that lobpcg takes beside Lanczos and three-vector LOBPCG, on networks trained on real images: node benchmarks/lobpcg.mjs [--help]
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { loadDataset } from '../dist/data/dataset.js';
import { takeImages, toDevice } from '../dist/data/part.js';
import { lower } from '../dist/graph/lower.js';
import { buildPreset } from '../dist/models/zoo.js';
import { loadCore } from '../dist/native/load.js';
import { indicesOptions } from '../dist/split/indices/indices.js';
import { INDEX_DEFAULTS } from '../dist/split/indices/settings.js';
import { createNetwork } from '../dist/train/network.js';
import { sampleIndices } from '../dist/train/seeds.js';
import { main } from '../scripts/steps.mjs';
import { markdown, median } from './common.mjs';

const USAGE = `node benchmarks/lobpcg.mjs [options]
  --data NAME     fashion-mnist or cifar10 (default fashion-mnist)
  --root DIR      where its files are (default: the images that are shipped)
  --width W       width of mobilenet_cifar10 (default 16)
  --epochs E      epochs of training before, on 8,192 images or all (default 2)
  --images N      images of the indices (default 2048)
  --neurons K     neurons of each layer that the two textbook methods take (default 24)
`;
const TRAINED = 8192;
const BATCH = 64;
const PASSES = 12;
const MOST = 60;

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const unit = (a) => a.map((x) => x / Math.sqrt(dot(a, a)));
const minus = (a, by, b) => a.map((x, i) => x - by * b[i]);
const outside = (a, rows) => rows.reduce((rest, row) => minus(rest, dot(row, rest), row), a);
const combined = (rows, shares) =>
  rows.reduce(
    (sum, row, i) => minus(sum, -shares[i], row),
    rows[0].map(() => 0),
  );

/** Ascending eigenvalues and unit eigenvectors of a small symmetric matrix, by Jacobi rotations. */
function eigen(matrix) {
  const a = matrix.map((row) => [...row]);
  const n = a.length;
  const v = a.map((_, i) => a.map((__, j) => Number(i === j)));
  for (let sweep = 0; sweep < 60; sweep += 1) {
    for (let p = 0; p < n; p += 1)
      for (let q = p + 1; q < n; q += 1) {
        if (Math.abs(a[p][q]) < 1e-17 * Math.sqrt(Math.abs(a[p][p] * a[q][q]))) continue;
        const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        if (!Number.isFinite(theta)) continue;
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const [c, s] = [1 / Math.hypot(t, 1), t / Math.hypot(t, 1)];
        const turn = (x, y) => [c * x - s * y, s * x + c * y];
        for (const row of a) [row[p], row[q]] = turn(row[p], row[q]);
        for (let k = 0; k < n; k += 1) [a[p][k], a[q][k]] = turn(a[p][k], a[q][k]);
        for (const row of v) [row[p], row[q]] = turn(row[p], row[q]);
      }
  }
  const order = [...a.keys()].sort((i, j) => a[i][i] - a[j][j]);
  return { values: order.map((i) => a[i][i]), vectors: order.map((i) => v.map((row) => row[i])) };
}

const ritz = (rows, products) =>
  eigen(rows.map((_, i) => rows.map((__, j) => (dot(rows[i], products[j]) + dot(rows[j], products[i])) / 2)));

/** The smallest Ritz value after each product, with all directions kept. */
function lanczos(times, start, most) {
  const [rows, products, found] = [[unit(start)], [], []];
  while (found.length < most) {
    products.push(times(rows.at(-1)));
    found.push(ritz(rows, products).values[0]);
    const rest = outside(outside(products.at(-1), rows), rows);
    if (!(dot(rest, rest) > 1e-24 * dot(products.at(-1), products.at(-1))) || rows.length === start.length)
      break;
    rows.push(unit(rest));
  }
  return found;
}

/** The same with three directions: v, its residual, and the step before. */
function threeVectors(times, start, most) {
  let v = unit(start);
  let sv = times(v);
  let step = null;
  const found = [dot(v, sv)];
  while (found.length < most) {
    const [rows, products] = [[v], [sv]];
    const add = (row, product) => {
      let [rest, image] = [row, product];
      for (const [i, one] of rows.entries()) {
        const share = dot(one, rest);
        rest = minus(rest, share, one);
        image = image && minus(image, share, products[i]);
      }
      const length = Math.sqrt(dot(rest, rest));
      if (!(length > 1e-9 * Math.sqrt(dot(row, row)))) return;
      rows.push(unit(rest));
      products.push(image ? image.map((x) => x / length) : times(rows.at(-1)));
    };
    add(minus(sv, dot(v, sv), v), null);
    if (step) add(step.row, step.product);
    if (rows.length === 1) break;
    const { values, vectors } = ritz(rows, products);
    const others = [0, ...vectors[0].slice(1)];
    step = { row: combined(rows, others), product: combined(products, others) };
    [v, sv] = [combined(rows, vectors[0]), combined(products, vectors[0])];
    found.push(values[0]);
  }
  return found;
}

/** Splitting matrices over the images: what an exact computation has summed when it is paused after the last minibatch. */
async function matricesOf(core, network, data, options) {
  const state = await core.createIndicesState(network.handle, options, []);
  let seen = 0;
  for (const all = Math.ceil(options.images / BATCH); seen < all; seen += 1) {
    const pause = core.createPause();
    core.pause(pause, 'checkpoint');
    await core.indices(network.handle, data, { ...options, pause, state }, null, null);
  }
  const tensors = core.readIndicesState(network.handle, options, state, 2 ** 40);
  const blocks = new BigInt64Array(tensors.find(([name]) => name === 'blocks')[1].data.slice().buffer);
  return new Map(
    tensors.flatMap(([name, tensor]) => {
      if (!name.startsWith('sums:')) return [];
      const chain = Number(blocks[4 * Number(name.slice(5)) + 1]);
      return [[chain, { sums: new Float32Array(tensor.data.slice().buffer), shape: tensor.shape }]];
    }),
  );
}

function random(seed) {
  let state = seed;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
}

/** First product after which the index is within 1 % of the exact one, or of a hundredth of the layer's largest. */
const within = (found, exact, floor) => {
  const at = found.findIndex((value) => Math.abs(value - exact) <= 0.01 * Math.max(Math.abs(exact), floor));
  return at < 0 ? Number.POSITIVE_INFINITY : at + 1;
};
const spread = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const text = (value) => (Number.isFinite(value) ? String(value) : `> ${MOST}`);
  return [median(sorted), sorted[Math.floor(0.9 * (sorted.length - 1))], sorted.at(-1)].map(text).join(' / ');
};

async function trained(core, graph, part, epochs) {
  const network = createNetwork(graph, { seed: 0, device: 'cpu' });
  const data = toDevice(graph, part, lower(graph).classes, 'cpu');
  for (let epoch = 0; epoch < epochs; epoch += 1)
    await core.train(
      network.handle,
      data,
      {
        ...{
          batch: BATCH,
          learningRates: new Float64Array(Math.ceil(part.images.shape[0] / BATCH)).fill(0.05),
          momentum: 0.9,
        },
        ...{ nesterov: false, weightDecay: 1e-4, decay: 'all', labelSmoothing: 0, shuffle: true },
        ...{ flip: true, crop: 2, seed: epoch },
      },
      null,
      null,
    );
  data.dispose();
  return network;
}

export async function passesTaken(args) {
  const { values } = parseArgs({
    args,
    options: {
      ...{
        data: { type: 'string', default: 'fashion-mnist' },
        root: { type: 'string' },
        help: { type: 'boolean' },
      },
      ...{ width: { type: 'string', default: '16' }, epochs: { type: 'string', default: '2' } },
      ...{ images: { type: 'string', default: '2048' }, neurons: { type: 'string', default: '24' } },
    },
  });
  if (values.help) return USAGE;
  const core = loadCore();
  const set = await loadDataset({ name: values.data, ...(values.root && { root: values.root }) });
  const count = set.train.images.shape[0];
  const [images, most] = [Number(values.images), Number(values.neurons)];
  const preset = buildPreset('mobilenet_cifar10', { width: Number(values.width), activation: 'silu' });
  const graph = {
    ...preset,
    input: { shape: set.train.images.shape.slice(1), mean: set.mean, std: set.std },
  };
  const sample = (size, seed) => takeImages(set.train, sampleIndices(count, size, seed));
  const network = await trained(core, graph, sample(TRAINED, 1), Number(values.epochs));
  const data = toDevice(graph, sample(images, 2), lower(graph).classes, 'cpu');
  const request = { ...INDEX_DEFAULTS, batch: BATCH, images, seed: 1, memoryLimit: 2 ** 34 };
  const options = (method) => ({ ...indicesOptions(network, { ...request, method }), images });
  const matrices = await matricesOf(core, network, data, options('exact'));
  const exact = await core.indices(network.handle, data, options('exact'), null, null);
  const byPasses = [];
  for (let passes = 1; passes <= PASSES; passes += 1)
    byPasses.push(await core.indices(network.handle, data, { ...options('lobpcg'), passes }, null, null));
  const rows = exact.chains.map(({ id, neurons, dimension: d, indices }, chain) => {
    const floor = Math.max(...indices.map(Math.abs)) / 100;
    const { sums, shape } = matrices.get(chain);
    const normal = random(7 + d);
    const taken = Array.from({ length: Math.min(most, neurons) }, (_, k) =>
      Math.floor((k * neurons) / Math.min(most, neurons)),
    );
    const textbook = taken.map((n) => {
      const at = (i, j) => sums[(Math.min(i, j) * d + Math.max(i, j)) * shape[2] + n];
      const s = Array.from({ length: d }, (_, i) => Array.from({ length: d }, (__, j) => at(i, j)));
      const times = (v) => s.map((row) => dot(row, v));
      const start = Array.from({ length: d }, normal);
      return {
        lanczos: within(lanczos(times, start, MOST), indices[n], floor),
        three: within(threeVectors(times, start, MOST), indices[n], floor),
      };
    });
    const found = [...indices].map((index, n) =>
      within(
        byPasses.map(({ chains }) => chains[chain].indices[n]),
        index,
        floor,
      ),
    );
    const last = byPasses.at(-1).chains[chain];
    return {
      ...{ id, neurons, d, lobpcg: spread(found), passes: last.epochs, above: last.above },
      lanczos: spread(textbook.map((one) => one.lanczos)),
      three: spread(textbook.map((one) => one.three)),
    };
  });
  const column = (title, name) => ({ title, cell: (row) => String(row[name]), isNumber: true });
  const table = markdown(
    [
      { title: 'layer', cell: ({ id }) => id },
      ...[column('neurons', 'neurons'), column('weights each', 'd')],
      ...[column('lobpcg', 'lobpcg'), column('Lanczos', 'lanczos'), column('three vectors', 'three')],
      ...[column('passes taken', 'passes'), column('above tolerance', 'above')],
    ],
    rows,
  );
  return `${table}\nPasses to 1 %: median / nine of ten / worst neuron.\n`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    process.stdout.write(await passesTaken(process.argv.slice(2)));
  });
}
