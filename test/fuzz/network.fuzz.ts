// Fuzz target: a network.json. An accepted graph is walked, grown and, where it is small, run by the addon.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cost } from '../../lib/api/cost.js';
import { channelGroups } from '../../lib/graph/channels.js';
import { parseGraph, shapes } from '../../lib/graph/check.js';
import { macs, params } from '../../lib/graph/cost.js';
import { grow } from '../../lib/graph/grow.js';
import type { Graph } from '../../lib/graph/ir.js';
import { lower } from '../../lib/graph/lower.js';
import { OPS } from '../../lib/graph/ops.js';
import { featuresOf } from '../../lib/graph/rules.js';
import { loadCore } from '../../lib/native/load.js';
import { createNetwork, readGraph } from '../../lib/train/network.js';
import { EXAMPLE } from '../graph/example.js';
import { DOCUMENT_REFUSALS } from '../graph/refusals-document.js';
import { NODE_REFUSALS } from '../graph/refusals-node.js';
import { randomGraph } from '../random-graphs.js';
import { bytesOf, folderOf, jsonOf, onlyRefusals } from './outcome.js';

const FOLDER = folderOf('network');
const INPUT = join(FOLDER, 'network.json');

/** What an input may make the addon do: it takes about a millisecond. */
const SMALL = { macs: 2e6, params: 2e5, features: 2e5 } as const;

function isSmall(graph: Graph): boolean {
  const features = [...shapes(graph).values()].reduce((sum, value) => sum + featuresOf(value), 0);
  return macs(graph) <= SMALL.macs && params(graph) <= SMALL.params && features <= SMALL.features;
}

/** One image of grey through new weights: logits of the right shape. */
async function forwardOnce(graph: Graph): Promise<void> {
  const core = loadCore();
  const { classes } = lower(graph);
  using network = createNetwork(graph, { seed: 0, device: 'cpu' });
  const [channels, height, width] = graph.input.shape;
  const images = { dtype: 'float32', shape: [1, channels, height, width] } as const;
  const data = new Uint8Array(new Float32Array(channels * height * width).fill(0.5).buffer);
  const labels = { dtype: 'int64', shape: [1], data: new Uint8Array(8) } as const;
  using dataset = core.createDataset({ ...images, data }, labels, [], [], classes, 'cpu');
  const logits = await core.forward(network.handle, dataset, { mode: 'eval', batch: 1 });
  assert.deepEqual(logits.shape, [1, classes]);
}

/** Growth of every group by one neuron costs what `cost` says, and gives a graph that the checks accept. */
async function walk(graph: Graph): Promise<void> {
  assert.equal(JSON.stringify(parseGraph(JSON.parse(JSON.stringify(graph)))), JSON.stringify(graph));
  const document = await cost({ network: FOLDER });
  for (const count of [document.macs, document.params]) assert.ok(Number.isSafeInteger(count) && count >= 0);
  assert.equal(lower(graph).instructions.length, graph.nodes.length);
  const marginal = new Map(document.groups.map(({ id, marginalMacs }) => [id, marginalMacs]));
  for (const { id, isSplittable } of channelGroups(graph)) {
    if (!isSplittable) continue;
    const grown = grow(graph, { splits: { [id]: [0] } });
    assert.equal(macs(grown.graph) - document.macs, marginal.get(id));
    parseGraph(JSON.parse(JSON.stringify(grown.graph)));
  }
}

export async function fuzz(bytes: Buffer): Promise<void> {
  writeFileSync(INPUT, bytes);
  await onlyRefusals(async () => {
    const graph = await readGraph(FOLDER);
    await walk(graph);
    if (isSmall(graph)) await forwardOnce(graph);
  });
}

export async function seeds(): Promise<readonly Uint8Array[]> {
  const graphs = Array.from({ length: 12 }, (_, seed) => randomGraph(seed));
  const refused = [...DOCUMENT_REFUSALS, ...NODE_REFUSALS].flatMap(([, , , ...documents]) => documents);
  return bytesOf([EXAMPLE, ...graphs, ...refused].flatMap((value) => jsonOf(value) ?? []));
}

export function words(): readonly string[] {
  const fields = Object.values(OPS).flatMap((op) => Object.keys(op.fields));
  const keys = ['format', 'name', 'input', 'shape', 'mean', 'std', 'nodes', 'output', 'id', 'op', 'inputs'];
  const kinds = ['relu', 'relu6', 'silu', 'swish', 'softplus', 'tanh', 'sigmoid', 'gelu', 'identity'];
  const quoted = [...new Set([...keys, ...fields, ...Object.keys(OPS), ...kinds])].map(
    (word) => `"${word}":`,
  );
  return [
    ...quoted,
    'splitgrow-network/1',
    'true',
    'false',
    'null',
    '1e-5',
    '65536',
    '0',
    '-1',
    '2147483648',
  ];
}
