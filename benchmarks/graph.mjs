// npm run bench -- graph: milliseconds that the graph's own code takes for networks of about 100, 1,000 and 10,000 nodes; all of it grows as the nodes do.
import { parseArgs } from 'node:util';
import { costOf } from '../dist/api/cost.js';
import { dotOf } from '../dist/export/dot.js';
import { channelGroups } from '../dist/graph/channels.js';
import { parseGraph } from '../dist/graph/check.js';
import { grow } from '../dist/graph/grow.js';
import { lower } from '../dist/graph/lower.js';
import { printGraph } from '../dist/graph/print.js';
import { prune } from '../dist/graph/prune.js';
import { choose } from '../dist/split/choose/strategy.js';
import {
  machine,
  machineLine,
  markdown,
  median,
  numberColumn,
  say,
  targetsTable,
  writeResult,
} from './common.mjs';

const SIZES = [100, 1_000, 9_990];
const WIDTH = 8;
const REPEATS = 3;
const WORK = ['parse', 'cost', 'print', 'dot', 'lower', 'grow', 'prune', 'choose'];
/** Ten times the nodes take at most so many times as long: between the linear 10 and the quadratic 100. */
const LIMIT = 30;

const OPTIONS = { date: { type: 'string' }, 'no-file': { type: 'boolean', default: false } };

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

/** Median milliseconds of each kind of work, by its name in WORK. */
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

/** Of each network: the time of all work for the most nodes, over that for a tenth of them. */
function targetsOf(rows) {
  const total = (row) => WORK.reduce((sum, name) => sum + row[name], 0);
  return Object.keys(SHAPES).map((name) => {
    const [before, last] = rows.filter((row) => row.name === name).slice(-2);
    return {
      what: `all of it for ${last.nodes.toLocaleString('en-US')} nodes, over ${before.nodes.toLocaleString('en-US')}`,
      where: name,
      limit: LIMIT,
      found: total(last) / total(before),
      unit: 'x',
    };
  });
}

function graphMarkdown({ machine: about, rows, targets }) {
  const columns = [
    { title: 'network', cell: ({ name }) => name },
    numberColumn('nodes', ({ nodes }) => nodes),
    numberColumn('channel groups', ({ groups }) => groups),
    ...WORK.map((name) => numberColumn(`${name}, ms`, (row) => row[name], 1)),
  ];
  return [
    '# The graph',
    `Written by \`npm run bench -- graph\`. Medians of ${REPEATS}.`,
    machineLine(about),
    markdown(columns, rows),
    targetsTable(targets),
  ].join('\n\n');
}

/** Measures, and writes results/graph.json and graph.md. */
export async function graph(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const rows = [];
  for (const name of Object.keys(SHAPES))
    for (const count of SIZES) {
      say(`${name}, ${count} nodes`);
      rows.push(await rowOf(name, count));
    }
  const document = {
    format: 'splitgrow-bench-graph/1',
    machine: machine(values.date && { date: values.date }),
    settings: { repeats: REPEATS, width: WIDTH },
    rows,
    targets: targetsOf(rows),
  };
  const text = `${graphMarkdown(document)}\n`;
  if (!values['no-file']) say(`written: ${await writeResult('graph', document, text)}`);
  return text;
}
