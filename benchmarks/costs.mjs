// What WORK of lib/split/indices/auto.ts stands for, measured: node benchmarks/costs.mjs [WIDTHS]. One thread; pin it to an idle core.
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
const REPEATS = 10;
/** Images of whole searches by lobpcg: few, where its small eigenproblems show, and as many as are usual. */
const SEARCHED = [BATCH, 512, 2048];
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
const [passes, eigen, searches] = [[], [], []];
for (const width of widths) {
  const graph = buildPreset('mobilenet_cifar100', { activation: 'silu', width });
  const network = createNetwork(graph, { seed: 0, device: 'cpu' });
  const data = await syntheticData(graph, BATCH, 'cpu');
  const seconds = async (what, repeats = REPEATS) => {
    const options = { what, batch: BATCH, repeats, warmup: 1, memoryLimit: 2 ** 34 };
    return Math.min(...(await core.bench(network.handle, data, options, null)).milliseconds) / 1000;
  };
  const values = shapes(graph);
  const sum = (of) =>
    lower(graph).chains.reduce((all, { id, neurons, dimension }) => {
      const [height, wide] = values.get(id)?.size ?? [1, 1];
      return all + of(neurons, dimension, height * wide);
    }, 0);
  const [pass, numbers] = [2 * BATCH * macs(graph), BATCH * numbersOf(graph)];
  const product = 2 * BATCH * sum((n, d, p) => n * d * p);
  const matrices = BATCH * sum((n, d, p) => n * d * d * p);
  passes.push({ parts: [pass + product, numbers, 0], seconds: await seconds('rayleigh') });
  passes.push({ parts: [pass, numbers, matrices], seconds: await seconds('exact') });
  const [square, cube] = [2, 3].map((power) => sum((n, d) => n * d ** power));
  eigen.push({ parts: [square, cube], seconds: await seconds('eigen', 3) });
  for (const images of SEARCHED) {
    const all = await syntheticData(graph, images, 'cpu');
    const times = [];
    for (let turn = 0; turn < (images > BATCH ? 2 : 3); turn += 1) {
      const request = {
        ...INDEX_DEFAULTS,
        method: 'lobpcg',
        batch: BATCH,
        images,
        seed: turn,
        memoryLimit: 2 ** 34,
      };
      const { directions, seconds: spent } = await computeIndices(network, all, request);
      directions.dispose();
      times.push(spent);
    }
    const kept = keptOf(network, { images });
    let at = 0;
    const sumOf = (form, of) => {
      at = 0;
      return sum((n, d, p) => (kept[at++].form === form ? of(n, d, p) : 0));
    };
    searches.push({
      known: [pass, numbers, BATCH * sumOf('matrices', (n, d, p) => n * d * d * p)],
      times: images / BATCH,
      parts: [
        sumOf('matrices', (n, d) => n * d ** 2),
        sumOf('inputs', (n, d, p) => 2 * images * n * d * p),
        sumOf('inputs', (n, d) => n * d),
      ],
      seconds: Math.min(...times),
    });
  }
}
const found = fitted(passes, 3);
const [unit, value, matrices] = found;
const [eigenSquare, eigenCube] = fitted(eigen, 2);
const [pairs, kept, search] = fitted(
  searches.map(({ known, times, ...row }) => ({
    ...row,
    rest: times * known.reduce((sum, part, i) => sum + part * found[i], 0),
  })),
  3,
);
process.stdout.write(`a unit: ${(1e9 * unit).toFixed(4)} ns\n`);
for (const [name, cost] of Object.entries({ value, matrices, eigenSquare, eigenCube, pairs, kept, search }))
  process.stdout.write(`${name}: ${(cost / unit).toPrecision(2)}\n`);
process.exit(0);
