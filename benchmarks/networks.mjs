// The network directories and batch files that programs are compared on, and whether they compute the same.
import { join } from 'node:path';
import { writeSafetensors } from '../dist/data/safetensors.js';
import { macs } from '../dist/graph/cost.js';
import { buildPreset } from '../dist/models/zoo.js';
import { createNetwork, saveNetwork } from '../dist/train/network.js';

/** The network with seeded weights, and one synthetic batch: what both programs read. Resolves to the MACs of an image. */
export async function prepare(folder, { preset: [name, options], batch }) {
  const graph = buildPreset(name, options);
  const network = createNetwork(graph, { seed: 0, device: 'cpu' });
  await saveNetwork(network, folder);
  network.handle.dispose();
  const shape = [batch, ...graph.input.shape];
  const classes = graph.nodes.at(-1).out;
  let state = 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  // Uniform, of mean 0 and variance 1.
  const images = Float32Array.from(
    { length: shape.reduce((n, size) => n * size, 1) },
    () => (next() / 2 ** 31 - 1) * Math.sqrt(3),
  );
  const labels = BigInt64Array.from({ length: batch }, () => BigInt(next() % classes));
  await writeSafetensors(
    join(folder, 'batch.safetensors'),
    new Map([
      ['images', { dtype: 'float32', shape, data: new Uint8Array(images.buffer) }],
      ['labels', { dtype: 'int64', shape: [batch], data: new Uint8Array(labels.buffer) }],
    ]),
  );
  return macs(graph);
}

/** Logits of the two programs may differ by rounding only: relative to the largest. */
const SAME_LOGITS = { cpu: 1e-4, cuda: 2e-2 };

function largestDifference(a, b) {
  const size = a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0) / size;
}

/** The largest difference of the first program's logits from any other's; null where there is no other. @throws where it is more than rounding */
export function checkLogits(title, [first, ...others], device = 'cpu') {
  if (others.length === 0) return null;
  const difference = Math.max(...others.map((logits) => largestDifference(first, logits)));
  if (difference < SAME_LOGITS[device]) return difference;
  throw new Error(
    `${title}: the logits of the programs differ by ${difference}; these times compare nothing`,
  );
}
