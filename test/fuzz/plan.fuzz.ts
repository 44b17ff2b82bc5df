// Fuzz target: a plan file, by which `split` grows a small network of every kind of tie.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { split } from '../../lib/api/split.js';
import { writeSafetensors } from '../../lib/data/safetensors.js';
import { parseGraph } from '../../lib/graph/check.js';
import { macs } from '../../lib/graph/cost.js';
import { lower } from '../../lib/graph/lower.js';
import type { TensorData } from '../../lib/native/face.js';
import { createNetwork, readGraph, saveNetwork } from '../../lib/train/network.js';
import { bytesOf, folderOf, onlyRefusals } from './outcome.js';

/** A residual, a depthwise and a grouped convolution, a frozen layer, flatten. */
const GRAPH = parseGraph({
  format: 'splitgrow-network/1',
  name: 'tied',
  input: { shape: [1, 4, 4] },
  nodes: [
    { id: 'a', op: 'conv2d', inputs: ['input'], out: 4, kernel: 3 },
    { id: 'a_bn', op: 'batch_norm', inputs: ['a'] },
    { id: 'a_act', op: 'activation', inputs: ['a_bn'], kind: 'silu' },
    { id: 'dw', op: 'depthwise_conv2d', inputs: ['a_act'], kernel: 3 },
    { id: 'b', op: 'conv2d', inputs: ['dw'], out: 4, kernel: 1 },
    { id: 'sum', op: 'add', inputs: ['a_act', 'b'] },
    { id: 'grouped', op: 'conv2d', inputs: ['sum'], out: 4, kernel: 1, groups: 2 },
    { id: 'kept', op: 'conv2d', inputs: ['grouped'], out: 2, kernel: 1, split: false },
    { id: 'flat', op: 'flatten', inputs: ['kept'] },
    { id: 'hidden', op: 'linear', inputs: ['flat'], out: 3 },
    { id: 'hidden_act', op: 'activation', inputs: ['hidden'], kind: 'relu' },
    { id: 'out', op: 'linear', inputs: ['hidden_act'], out: 2 },
  ],
  output: 'out',
});

const FOLDER = folderOf('plan');
const INPUT = join(FOLDER, 'plan.json');
const NETWORK = join(FOLDER, 'network');
const GROWN = join(FOLDER, 'grown');
const DIRECTIONS = join(FOLDER, 'directions.safetensors');

let ready: Promise<void> | null = null;

/** The network and a direction of ones for each of its chains, once a process. */
async function prepare(): Promise<void> {
  using network = createNetwork(GRAPH, { seed: 0, device: 'cpu' });
  await saveNetwork(network, NETWORK);
  const directions = lower(GRAPH).chains.map(({ id, neurons, dimension }): [string, TensorData] => {
    const data = new Uint8Array(new Float32Array(neurons * dimension).fill(1).buffer);
    return [id, { dtype: 'float32', shape: [neurons, dimension], data }];
  });
  await writeSafetensors(DIRECTIONS, new Map(directions));
}

export async function fuzz(bytes: Buffer): Promise<void> {
  ready ??= prepare();
  await ready;
  writeFileSync(INPUT, bytes);
  await onlyRefusals(async () => {
    const options = { network: NETWORK, plan: INPUT, directions: DIRECTIONS, epsilon: 0.01, out: GROWN };
    const { macsBefore, macsAfter, split: done } = await split(options);
    const grown = await readGraph(GROWN);
    assert.equal(macs(grown), macsAfter);
    assert.ok(macsAfter >= macsBefore);
    const widths = new Map(grown.nodes.map((node) => [node.id, Number(node.out)]));
    for (const { id, out } of GRAPH.nodes) {
      if (out !== undefined) assert.equal(widths.get(id), Number(out) + (done[id]?.length ?? 0), id);
    }
  });
}

export async function seeds(): Promise<readonly Uint8Array[]> {
  return bytesOf([
    '{"splits":{}}',
    '{"splits":{"a":[0]}}',
    '{"splits":{"a":[3,0,3],"hidden":[2]}}',
    '{"splits":{"b":[1],"a":[2]}}',
    '{"splits":{"grouped":[0]}}',
    '{"splits":{"kept":[1]}}',
    '{"splits":{"hidden":[0,0,0,0,0]}}',
    '{"splits":{"out":[0]}}',
    '{"splits":{"a":[4]}}',
    '{"splits":{"a":[-1]}}',
    '{"splits":{"a":[0.5]}}',
    '{"splits":{"a":null}}',
    '{"splits":{"__proto__":[0]}}',
    '{"splits":[[0]]}',
    '[]',
    'null',
    '{"splits":',
  ]);
}

export function words(): readonly string[] {
  const ids = GRAPH.nodes.map(({ id }) => `"${id}":`);
  return ['"splits":', ...ids, '[0]', '[1,2]', '[3,3]', '"__proto__":', '"toString":', '1e0', '-0', 'null'];
}
