// One process of benchmarks/steps.mjs: times splitgrow's steps on a network directory and a batch file, prints JSON.
import { join } from 'node:path';
import { readBatch } from '../dist/api/batch.js';
import { toDevice } from '../dist/data/part.js';
import { lower } from '../dist/graph/lower.js';
import { loadCore } from '../dist/native/load.js';
import { INDEX_DEFAULTS } from '../dist/split/indices/settings.js';
import { loadNetwork } from '../dist/train/network.js';

const [folder, text] = process.argv.slice(2);
const { device, threads, batch, steps, repeats, warmup, turns } = JSON.parse(text);

const { memoryLimit } = INDEX_DEFAULTS;
const core = loadCore();
core.setThreads(threads);
const network = await loadNetwork(folder, { device });
const images = await readBatch(join(folder, 'batch.safetensors'), network.graph);
const data = toDevice(network.graph, images, lower(network.graph).classes, device);
const logits = await core.forward(network.handle, data, { mode: 'eval', batch });

const found = Object.fromEntries(steps.map((what) => [what, { milliseconds: [], peakBytes: 0 }]));
// In turns, so that a slow stretch of the machine falls on all.
for (let turn = 0; turn < turns; turn += 1) {
  for (const what of steps) {
    // What takes long is told by fewer repeats.
    const times = ['auxiliary', 'eigen'].includes(what) ? Math.ceil(repeats / 4) : repeats;
    const options = { what, batch, repeats: times, warmup: turn === 0 ? warmup : 1, memoryLimit };
    const { milliseconds, peakBytes } = await core.bench(network.handle, data, options, null);
    found[what].milliseconds.push(...milliseconds);
    found[what].peakBytes = Math.max(found[what].peakBytes, peakBytes);
  }
}
const { libtorch, cpuCapability, threads: used } = core.features();
const values = new Float32Array(logits.data.buffer, logits.data.byteOffset, logits.data.byteLength / 4);
process.stdout.write(
  `${JSON.stringify({ libtorch, cpuCapability, threads: used, logits: [...values], steps: found })}\n`,
);
