import { expect, test } from 'vitest';
import { channelGroups } from '../../../lib/graph/channels.js';
import { COSTS, macs, marginalCost } from '../../../lib/graph/cost.js';
import { widen } from '../../../lib/graph/grow.js';
import type { Graph } from '../../../lib/graph/ir.js';
import { buildPreset } from '../../../lib/models/zoo.js';
import {
  type EstimateOptions,
  estimateBudgets,
  halvesOf,
  ownLayerMacs,
} from '../../../lib/split/choose/estimate.js';
import { budgetsOf } from '../../../lib/split/choose/knapsack.js';
import { assertClose } from '../../reference.js';

const CIFAR100 = buildPreset('mobilenet_cifar100');
const V2 = buildPreset('mobilenet_v2', { width: 0.3, shortcut: 'conv' });

/** Heights of the maps of MobileNet's 14 layers, and widths of the CIFAR-100 seed. */
const HEIGHTS = [32, 32, 16, 16, 8, 8, 4, 4, 4, 4, 4, 4, 2, 2];
const WIDTHS = [8, 8, 8, 8, 16, 16, 24, 24, 24, 24, 24, 24, 32, 32];
/** Widths and heights of V2's seed: stem, first projection, then expansion and projection in turn, head. */
const V2_WIDTHS = [
  ...[11, 6, 30, 8, 40, 8, 40, 11, 55, 11, 55, 11, 55, 22, 110, 22, 110, 22, 100, 22],
  ...[110, 33, 165, 33, 165, 33, 165, 56, 280, 56, 280, 56, 280, 112, 448],
];
const V2_HEIGHTS = [
  ...[112, 112, 112, 56, 56, 56, 56, 28, 28, 28, 28, 28, 28, 14, 14, 14, 14, 14, 14, 14],
  ...[14, 14, 14, 14, 14, 14, 14, 7, 7, 7, 7, 7, 7, 7, 7],
];

const square = (x: number): number => x * x;
/** Layers of a preset by their place in the authors' lists; a group is named by its first producer. */
const inOrder = (graph: Graph, values: ReadonlyMap<string, unknown>) =>
  graph.nodes.flatMap(({ id }) => (values.has(id) ? [values.get(id)] : []));

test("the own-layer estimate of MobileNetV1 is the authors', counted by hand", () => {
  const want = WIDTHS.map((_, i) => {
    const area = square(HEIGHTS[i] ?? 0);
    const own = i === 0 ? 27 * area : ((WIDTHS[i - 1] ?? 0) + 9) * area;
    return own + (i === WIDTHS.length - 1 ? 100 : square(HEIGHTS[i + 1] ?? 0));
  });
  expect(inOrder(CIFAR100, ownLayerMacs(CIFAR100))).toEqual(want);
  expect(want.slice(0, 3)).toEqual([28 * 1024, 17 * 1024 + 256, 17 * 256 + 256]);
});

test("the own-layer estimate of MobileNetV2 is the authors', counted by hand", () => {
  const last = V2_WIDTHS.length - 1;
  const want = V2_WIDTHS.map((_, i) => {
    const [area, next] = [square(V2_HEIGHTS[i] ?? 0), square(V2_HEIGHTS[i + 1] ?? 0)];
    const own = i === 0 ? 27 * area : (V2_WIDTHS[i - 1] ?? 0) * area;
    const isExpansion = i % 2 === 0;
    if (i === last) return own + 1000;
    return own + (isExpansion ? next : next * (V2_WIDTHS[i + 1] ?? 0));
  });
  // A block that keeps its width has one channel group for projection, learned shortcut and add.
  const estimates = ownLayerMacs(V2);
  expect(estimates.size).toBe(35);
  expect(inOrder(V2, estimates)).toEqual(want);
});

test('the own-layer estimate leaves out the pointwise layer behind a depthwise one, which the true cost has', () => {
  const wider = widen(CIFAR100, 'b2_pw', 8);
  expect(ownLayerMacs(wider).get('b1_pw')).toBe(ownLayerMacs(CIFAR100).get('b1_pw'));
  expect(marginalCost(wider, 'b1_pw', 'macs') - marginalCost(CIFAR100, 'b1_pw', 'macs')).toBe(8 * 16 * 16);
});

test("the two groups are the authors': the first four layers of V1, expansions and projections of V2", () => {
  expect(inOrder(CIFAR100, halvesOf(CIFAR100))).toEqual([
    ...new Array(4).fill('early'),
    ...new Array(10).fill('late'),
  ]);
  const imagenet = buildPreset('mobilenet_v1', { width: 0.3 });
  expect(inOrder(imagenet, halvesOf(imagenet))).toEqual([
    ...new Array(4).fill('early'),
    ...new Array(10).fill('late'),
  ]);
  expect(inOrder(V2, halvesOf(V2))).toEqual(
    V2_WIDTHS.map((_, i) => (i % 2 === 0 && i < V2_WIDTHS.length - 1 ? 'expand' : 'project')),
  );
});

const budgetsFor = (graph: Graph, growthRatio: number) =>
  budgetsOf(graph, { growthRatio, costs: [COSTS.macs], known: Object.values(COSTS) });
const OPTIONS: EstimateOptions = {
  costEstimate: { estimate: 'own-layer', transform: 'sqrt' },
  budgets: 'two-groups',
  growthRatio: 0.5,
};

test('a group may spend growthRatio times the sum of the transformed estimates of all its neurons', () => {
  const own = inOrder(CIFAR100, ownLayerMacs(CIFAR100)) as number[];
  for (const [transform, f] of [
    ['none', (x: number) => x],
    ['sqrt', Math.sqrt],
    ['log', Math.log],
  ] as const) {
    const costEstimate = { estimate: 'own-layer', transform } as const;
    const found = estimateBudgets(CIFAR100, budgetsFor(CIFAR100, 0.5), { ...OPTIONS, costEstimate });
    expect(found.map(({ name, costs }) => [name, costs.size])).toEqual([
      ['macs early', 4],
      ['macs late', 10],
    ]);
    const spent = (from: number, to: number): number =>
      own.slice(from, to).reduce((sum, x, i) => sum + 0.5 * (WIDTHS[from + i] ?? 0) * f(x), 0);
    // float64: 14 terms.
    const tolerance = { rtol: 1e-12, atol: 0, note: transform };
    assertClose(
      found.map(({ allowed }) => allowed),
      [spent(0, 4), spent(4, 14)],
      tolerance,
    );
    assertClose([...(found[0]?.costs.values() ?? [])], own.slice(0, 4).map(f), tolerance);
  }
});

test('by default the relaxation has the true allowance and first-order costs', () => {
  const costEstimate = { estimate: 'marginal', transform: 'none' } as const;
  const [only, ...others] = estimateBudgets(CIFAR100, budgetsFor(CIFAR100, 0.5), {
    ...OPTIONS,
    costEstimate,
    budgets: 'total',
  });
  expect(others).toEqual([]);
  expect(only?.allowed).toBe(Math.floor(1.5 * macs(CIFAR100)) - macs(CIFAR100));
  for (const { id, isSplittable } of channelGroups(CIFAR100))
    if (isSplittable) expect(only?.costs.get(id)).toBe(marginalCost(CIFAR100, id, 'macs'));
});
