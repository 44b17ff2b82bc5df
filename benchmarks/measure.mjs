// A worker of the benchmarks: times splitgrow's steps on a network directory and its batch file, as it is asked to.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBatch } from '../dist/api/batch.js';
import { toDevice } from '../dist/data/part.js';
import { macs, params } from '../dist/graph/cost.js';
import { lower } from '../dist/graph/lower.js';
import { loadCore } from '../dist/native/load.js';
import { INDEX_DEFAULTS } from '../dist/split/indices/settings.js';
import { loadNetwork } from '../dist/train/network.js';
import { answerRequests } from './common.mjs';

const [folder, text] = process.argv.slice(2);
const { device, threads, batch } = JSON.parse(text);

const { memoryLimit } = INDEX_DEFAULTS;
const core = loadCore();
core.setThreads(threads);
const network = await loadNetwork(folder, { device });
const images = await readBatch(join(folder, 'batch.safetensors'), network.graph);
const data = toDevice(network.graph, images, lower(network.graph).classes, device);

/** Of the first `size` images of the batch. */
async function timesOf(what, { size, repeats, warmup }) {
  const options = { what, batch: size, repeats, warmup, memoryLimit };
  const { milliseconds, peakBytes } = await core.bench(network.handle, data, options, null);
  return { milliseconds: [...milliseconds], peakBytes };
}

/** In turns, so that a slow stretch of the machine falls on all. */
async function steps({ steps: names, repeats, warmup, turns = 1, size = batch }) {
  const found = Object.fromEntries(names.map((what) => [what, { milliseconds: [], peakBytes: 0 }]));
  for (let turn = 0; turn < turns; turn += 1) {
    for (const what of names) {
      // What takes long is told by fewer repeats.
      const times = ['auxiliary', 'eigen'].includes(what) ? Math.ceil(repeats / 4) : repeats;
      const options = { size, repeats: times, warmup: turn === 0 ? warmup : 1 };
      const { milliseconds, peakBytes } = await timesOf(what, options);
      found[what].milliseconds.push(...milliseconds);
      found[what].peakBytes = Math.max(found[what].peakBytes, peakBytes);
    }
  }
  return found;
}

/** Bytes of a row of /proc/self/status. */
function statusBytes(row) {
  return (
    1024 *
    Number(new RegExp(`^${row}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))[1])
  );
}

/** How far the resident memory of the process rises above what it is now in some training steps. */
async function resident({ repeats }) {
  // From here on the peak is that of what follows.
  writeFileSync('/proc/self/clear_refs', '5');
  const before = statusBytes('VmRSS');
  await timesOf('train', { size: batch, repeats, warmup: 0 });
  return { residentBytes: statusBytes('VmHWM') - before };
}

async function logits() {
  const found = await core.forward(network.handle, data, { mode: 'eval', batch });
  const values = new Float32Array(found.data.buffer, found.data.byteOffset, found.data.byteLength / 4);
  return { logits: [...values] };
}

const ANSWERS = { steps: async (request) => ({ steps: await steps(request) }), resident, logits };

const { libtorch, cpuCapability, threads: used } = core.features();
await answerRequests(
  { libtorch, cpuCapability, threads: used, macs: macs(network.graph), params: params(network.graph) },
  (request) => ANSWERS[request.what](request),
);
