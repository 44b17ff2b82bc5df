import { expect, test } from 'vitest';
import { channelGroups } from '../../lib/graph/channels.js';
import { parseGraph } from '../../lib/graph/check.js';
import {
  COSTS,
  type Cost,
  costNamed,
  costOfGraph,
  costs,
  macs,
  marginalCost,
  params,
} from '../../lib/graph/cost.js';
import { costOfWidths, marginalCosts } from '../../lib/graph/cost-of-widths.js';
import { widen } from '../../lib/graph/grow.js';
import { FORMAT, type Graph } from '../../lib/graph/ir.js';
import { printGraph, widths } from '../../lib/graph/print.js';
import { buildPreset } from '../../lib/models/zoo.js';
import { drawOf, randomGraph, randomWeights } from '../random-graphs.js';
import { codeOf, messageOf } from '../reference.js';

/** Not an integer, and not a sum of products of widths. */
const ODD: Cost = {
  name: 'odd',
  isInteger: false,
  ofNode: (_node, inputs, output) => Math.sqrt(output.channels) * 0.1 + Math.log1p(inputs.length),
};
const SEEDS = Array.from({ length: 100 }, (_, i) => i);

test('MACs are what a hand count gives, node by node', () => {
  const counted = costs(buildPreset('mobilenet_cifar10')).filter((row) => row.macs > 0);
  expect(Object.fromEntries(counted.map((row) => [row.id, row.macs]))).toEqual({
    stem: 27 * 8 * 32 * 32,
    b1_dw: 9 * 8 * 16 * 16,
    b1_pw: 8 * 8 * 16 * 16,
    b2_dw: 9 * 8 * 8 * 8,
    b2_pw: 8 * 8 * 8 * 8,
    b3_dw: 9 * 8 * 4 * 4,
    b3_pw: 8 * 8 * 4 * 4,
    b4_dw: 9 * 8 * 4 * 4,
    b4_pw: 8 * 8 * 4 * 4,
    classifier: 80,
  });
  expect(macs(buildPreset('mobilenet_cifar10'))).toBe(269_136);
});

test('parameters are the trained tensors: no running statistics', () => {
  for (const seed of SEEDS) {
    const graph = randomGraph(seed);
    const trained = [...randomWeights(graph, seed)].filter(([name]) => !name.includes('running_'));
    expect(params(graph), `seed ${seed}`).toBe(trained.reduce((sum, [, { data }]) => sum + data.length, 0));
  }
  // torchvision's count of MobileNetV2
  expect(params(buildPreset('mobilenet_v2'))).toBe(3_504_872);
});

test('the costs of the nodes add up to the costs of the graph', () => {
  for (const seed of SEEDS) {
    const graph = randomGraph(seed);
    expect(costs(graph).reduce((sum, row) => sum + row.macs, 0)).toBe(macs(graph));
    expect(costs(graph).reduce((sum, row) => sum + row.params, 0)).toBe(params(graph));
  }
});

test('the marginal cost of the cifar10 stem is its own, its depthwise filter and its column of the next layer', () => {
  const graph = buildPreset('mobilenet_cifar10');
  expect(marginalCost(graph, 'stem', 'macs')).toBe(27 * 1024 + 9 * 256 + 8 * 256);
  // stem filter, two batch norms' scale and shift, depthwise filter, next layer's column
  expect(marginalCost(graph, 'stem', 'params')).toBe(27 + 4 + 9 + 8);
});

test('the evaluator of widths equals the cost of the widened graph exactly, in any order of calls', () => {
  for (const seed of SEEDS) {
    const [graph, { below, chance }] = [randomGraph(seed), drawOf(seed)];
    const groups = channelGroups(graph).filter(({ isSplittable }) => isSplittable);
    for (const cost of [COSTS.macs, COSTS.params, ODD]) {
      const costOf = costOfWidths(graph, cost);
      for (let call = 0; call < 6; call += 1) {
        const added = new Map(groups.filter(() => chance(0.6)).map(({ id }) => [id, below(5)] as const));
        const wide = [...added].reduce((g: Graph, [id, by]) => widen(g, id, by), graph);
        expect(costOf(added), `seed ${seed} ${cost.name}`).toBe(costOfGraph(wide, cost));
      }
    }
  }
});

test('the marginal costs of all groups are those of each, which counts the widened graph', () => {
  const whole: Cost = { name: 'whole', isInteger: false, ofGraph: (graph) => costOfGraph(graph, ODD) ** 1.1 };
  for (const seed of SEEDS) {
    const graph = randomGraph(seed);
    const splittable = channelGroups(graph).filter(({ isSplittable }) => isSplittable);
    for (const cost of [...Object.values<Cost>(COSTS), ODD, whole]) {
      const want = splittable.map(({ id }) => [id, marginalCost(graph, id, cost)]);
      expect([...marginalCosts(graph, cost)], `seed ${seed} ${cost.name}`).toEqual(want);
    }
  }
});

/** A chain of so many convolutions, one channel group each. */
function chainOf(count: number): Graph {
  const nodes = Array.from({ length: count }, (_, i) => ({
    ...{ id: `c${i}`, op: 'conv2d', inputs: [i === 0 ? 'input' : `c${i - 1}`], out: 4, kernel: 3 },
  }));
  const end = [
    { id: 'pool', op: 'global_avg_pool', inputs: [`c${count - 1}`] },
    { id: 'classes', op: 'linear', inputs: ['pool'], out: 2 },
  ];
  const input = { shape: [3, 4, 4] };
  return parseGraph({ format: FORMAT, name: 'chain', input, nodes: [...nodes, ...end], output: 'classes' });
}

test('the marginal costs of all groups look at every node a few times, however many groups there are', () => {
  const looks = (count: number): number => {
    let seen = 0;
    const counting: Cost = {
      ...COSTS.macs,
      ofNode: (node, inputs, output) => {
        seen += 1;
        return COSTS.macs.ofNode(node, inputs, output);
      },
    };
    marginalCosts(chainOf(count), counting);
    return seen;
  };
  // A group has its own node and the reader: each is looked at as it widens and as it goes back, and once at first.
  for (const count of [100, 1_000, 3_300]) expect(looks(count)).toBeLessThanOrEqual(6 * count);
});

test('a cost of the whole network that falls for a wider group is refused for all groups at once', () => {
  const falling: Cost = { name: 'falling', isInteger: false, ofGraph: (graph) => 1e9 - macs(graph) };
  expect(codeOf(() => marginalCosts(chainOf(3), falling))).toBe('E_CALLBACK');
});

test('a cost of the whole graph is given the shapes of the graph that it is asked for', () => {
  const graph = buildPreset('mobilenet_cifar10', { blocks: 3, width: 8 });
  // Values that convolutions give: 8 channels of 32 x 32 pixels from the stem, and so on, as MACs over weights a channel.
  const pixels: Cost = {
    name: 'pixels',
    isInteger: true,
    ofGraph: ({ nodes }, values) =>
      nodes
        .filter(({ op }) => op === 'conv2d')
        .reduce(
          (sum, { id }) => sum + Number(values.get(id)?.channels) * (values.get(id)?.size?.[0] ?? 0) ** 2,
          0,
        ),
  };
  const stem = graph.nodes.find(({ op }) => op === 'conv2d');
  const added = new Map([[String(stem?.id), 3]]);
  expect(costOfWidths(graph, pixels)(added) - costOfGraph(graph, pixels)).toBe(3 * 32 * 32);
});

test('an unknown cost is refused, naming the nearest', () => {
  expect(codeOf(() => costNamed('mac'))).toBe('E_ARGUMENT');
  expect(messageOf(() => costNamed('mac'))).toMatch(/"macs"/);
  expect(codeOf(() => costNamed('toString'))).toBe('E_ARGUMENT');
  expect(costNamed(ODD)).toBe(ODD);
});

test('printed rows have the shapes and costs, and widths name every layer', () => {
  const graph = buildPreset('mobilenet_cifar10', { blocks: 3, channels: 1, resolution: 28 });
  const [stem] = printGraph(graph);
  expect(stem).toEqual({
    ...{ id: 'stem', op: 'conv2d', form: 'conv2d 3x3', inputs: ['input'], shape: [8, 28, 28] },
    ...{ params: 72, macs: 9 * 8 * 784, macsShare: (9 * 8 * 784) / macs(graph) },
    ...{ group: 'stem', isSplittable: true },
  });
  expect(printGraph(graph).at(-1)).toMatchObject({ shape: [10], group: 'classifier', isSplittable: false });
  expect(widths(graph)).toEqual({ stem: 8, b1_pw: 8, b2_pw: 8, b3_pw: 8, b4_pw: 8, classifier: 10 });
});
