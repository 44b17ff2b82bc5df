// Milliseconds that the graph's own code takes for networks of 100, 1,000 and 9,990 nodes: all of it grows as the nodes do. node benchmarks/graph.mjs
import { costOf } from '../dist/api/cost.js';
import { dotOf } from '../dist/export/dot.js';
import { channelGroups } from '../dist/graph/channels.js';
import { parseGraph } from '../dist/graph/check.js';
import { grow } from '../dist/graph/grow.js';
import { lower } from '../dist/graph/lower.js';
import { printGraph } from '../dist/graph/print.js';
import { prune } from '../dist/graph/prune.js';
import { choose } from '../dist/split/strategy.js';
import { main } from '../scripts/steps.mjs';
import { fixed, machine, markdown, median } from './common.mjs';

const SIZES = [100, 1_000, 9_990];
const WIDTH = 8;
const REPEATS = 3;

const conv = (id, from) => ({ id, op: 'conv2d', inputs: [from], out: WIDTH, kernel: 3 });
const activation = (id, from) => ({ id, op: 'activation', inputs: [from], kind: 'silu' });

/** Blocks of a network, each as its nodes and the id of the last. */
const SHAPES = {
  chain: (last, k) => [
    conv(`c${k}`, last),
    { id: `n${k}`, op: 'batch_norm', inputs: [`c${k}`] },
    activation(`a${k}`, `n${k}`),
  ],
  residual: (last, k) => [
    conv(`c${k}`, last),
    activation(`a${k}`, `c${k}`),
    conv(`d${k}`, `a${k}`),
    { id: `s${k}`, op: 'add', inputs: [last, `d${k}`] },
  ],
};

/** network.json of about so many nodes. */
function documentOf(block, count) {
  const nodes = [conv('stem', 'input')];
  for (let k = 0; nodes.length < count - 2; k += 1) nodes.push(...block(nodes.at(-1).id, k));
  nodes.push({ id: 'pool', op: 'global_avg_pool', inputs: [nodes.at(-1).id] });
  nodes.push({ id: 'classes', op: 'linear', inputs: ['pool'], out: 10 });
  return {
    format: 'splitgrow-network/1',
    name: 'made',
    input: { shape: [3, 8, 8] },
    nodes,
    output: 'classes',
  };
}

async function milliseconds(work) {
  const all = [];
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const start = performance.now();
    await work();
    all.push(performance.now() - start);
  }
  return median(all);
}

async function rowOf(name, count) {
  const json = documentOf(SHAPES[name], count);
  const graph = parseGraph(json);
  const groups = channelGroups(graph).filter(({ isSplittable }) => isSplittable);
  const indices = new Map(
    groups.map(({ id, neurons }, k) => [
      id,
      Float64Array.from({ length: neurons }, (_, i) => -((7 * k + 3 * i) % 11)),
    ]),
  );
  const plan = { splits: Object.fromEntries(groups.map(({ id }) => [id, [0, 1]])) };
  const keep = new Map(groups.map(({ id }) => [id, [0, 1, 2]]));
  return {
    name,
    nodes: graph.nodes.length,
    groups: groups.length,
    parse: await milliseconds(() => parseGraph(json)),
    cost: await milliseconds(() => costOf(graph)),
    print: await milliseconds(() => printGraph(graph)),
    dot: await milliseconds(() => dotOf(graph)),
    lower: await milliseconds(() => lower(graph)),
    grow: await milliseconds(() => grow(graph, plan)),
    prune: await milliseconds(() => prune(graph, keep)),
    choose: await milliseconds(() => choose(graph, indices, { growthRatio: 0.5 })),
  };
}

await main(async () => {
  const rows = [];
  for (const name of Object.keys(SHAPES)) for (const count of SIZES) rows.push(await rowOf(name, count));
  const times = ['parse', 'cost', 'print', 'dot', 'lower', 'grow', 'prune', 'choose'];
  const columns = [
    { title: 'network', cell: (row) => row.name },
    { title: 'nodes', cell: (row) => row.nodes, isNumber: true },
    { title: 'groups', cell: (row) => row.groups, isNumber: true },
    ...times.map((title) => ({ title: `${title}, ms`, cell: (row) => fixed(row[title], 0), isNumber: true })),
  ];
  const { cpu, cores, node } = machine();
  process.stdout.write(
    `${markdown(columns, rows)}\n\n${cpu}, ${cores} cores, Node.js ${node}; median of ${REPEATS}\n`,
  );
});
