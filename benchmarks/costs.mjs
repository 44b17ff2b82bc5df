// What WORK of lib/split/indices/auto.ts stands for, measured: node benchmarks/costs.mjs [WIDTHS]. One thread; pin it to an idle core.
import { syntheticData } from '../dist/bench/images.js';
import { shapes } from '../dist/graph/check.js';
import { macs } from '../dist/graph/cost.js';
import { lower } from '../dist/graph/lower.js';
import { buildPreset } from '../dist/models/zoo.js';
import { loadCore } from '../dist/native/load.js';
import { createNetwork } from '../dist/train/network.js';

const BATCH = 64;
const REPEATS = 10;
const widths = (process.argv[2] ?? '2,4,8').split(',').map(Number);

/** The numbers >= 0 whose combinations come nearest to what was measured, relative to it; by coordinate descent. */
function fitted(rows, count) {
  const at = new Array(count).fill(0);
  for (let turn = 0; turn < 10_000; turn += 1)
    for (let k = 0; k < count; k += 1) {
      let [above, below] = [0, 0];
      for (const { parts, seconds } of rows) {
        const rest = seconds - parts.reduce((sum, part, i) => sum + (i === k ? 0 : part * at[i]), 0);
        above += (parts[k] * rest) / seconds ** 2;
        below += (parts[k] / seconds) ** 2;
      }
      at[k] = below > 0 ? Math.max(0, above / below) : 0;
    }
  return at;
}

const core = loadCore();
core.setThreads(1);
const [passes, eigen] = [[], []];
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
  const pass = 3 * BATCH * macs(graph);
  const product = 2 * BATCH * sum((n, d, p) => n * d * p);
  const matrices = BATCH * sum((n, d, p) => n * d * d * p);
  passes.push({ parts: [pass, product, 0], seconds: await seconds('rayleigh') });
  passes.push({ parts: [pass, 0, matrices], seconds: await seconds('exact') });
  const [square, cube] = [2, 3].map((power) => sum((n, d) => n * d ** power));
  eigen.push({ parts: [square, cube], seconds: await seconds('eigen', 3) });
}
const [pass, product, matrices] = fitted(passes, 3);
const [square, cube] = fitted(eigen, 2);
process.stdout.write(`a unit (pass 1): ${(1e9 * pass).toFixed(4)} ns\n`);
for (const [name, value] of Object.entries({ matrices, product, eigenSquare: square, eigenCube: cube }))
  process.stdout.write(`${name}: ${(value / pass).toPrecision(2)}\n`);
process.exit(0);
