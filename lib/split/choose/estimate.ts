// What a neuron costs in the linear relaxation, and its budgets: first-order costs, or the estimates of the authors' code.
import { type ChannelGroup, channelGroups, type GroupId } from '../../graph/channels.js';
import { inputsOf, shapes } from '../../graph/check.js';
import { COSTS } from '../../graph/cost.js';
import { marginalCosts } from '../../graph/cost-of-widths.js';
import type { Graph, GraphNode, NodeId, Value } from '../../graph/ir.js';
import { opOf } from '../../graph/ops.js';
import { consumersOf, directReaders, isDepthwise } from '../../graph/readers.js';
import { allowed, type Budget } from './knapsack.js';

/** Cost of a neuron in the relaxation; fields of `splitting.costEstimate`. */
export interface CostEstimate {
  /** `marginal`: what one more channel adds to the whole network. `own-layer`: see `ownLayerMacs`; MACs only. */
  readonly estimate: 'marginal' | 'own-layer';
  /** What the relaxation spends: the estimate, its square root (authors' CIFAR code), or its logarithm (ImageNet). */
  readonly transform: 'none' | 'sqrt' | 'log';
}

export interface EstimateOptions {
  readonly costEstimate: CostEstimate;
  /** One budget over all layers, or one for each of `halvesOf`. */
  readonly budgets: 'total' | 'two-groups';
  readonly growthRatio: number;
}

/**
 * One row of the relaxation: sum over the splits of `costs` of their group <= `allowed`.
 *
 * A network of 1,000 MACs with growthRatio 0.5 may add 500. A neuron of "a" adds 40 MACs and one of "b" 60:
 *   { name: 'macs', allowed: 500, costs: { a: 40, b: 60 } }, so that 40 x splits of a + 60 x splits of b <= 500
 * With the transform `sqrt`, 8 neurons in "a" and 4 in "b": costs { a: 6.3, b: 7.7 }, allowed 0.5 (8 x 6.3 + 4 x 7.7) = 40.8
 */
export interface EstimateBudget {
  readonly name: string;
  readonly allowed: number;
  /** Per neuron of a group; groups that the budget does not hold for are missing. */
  readonly costs: ReadonlyMap<GroupId, number>;
}

const TRANSFORMS = {
  none: (cost: number) => cost,
  sqrt: Math.sqrt,
  // A cost below 1 would be a gain.
  log: (cost: number) => Math.log(Math.max(1, cost)),
} as const satisfies Readonly<Record<CostEstimate['transform'], (cost: number) => number>>;

const splittable = (graph: Graph): readonly ChannelGroup[] =>
  channelGroups(graph).filter(({ isSplittable }) => isSplittable);

/** The graph as the estimate reads it. */
interface Surroundings {
  readonly values: ReadonlyMap<NodeId, Value>;
  readonly nodes: ReadonlyMap<NodeId, GraphNode>;
  readonly readers: (id: NodeId) => readonly GraphNode[];
  readonly isShortcut: (id: NodeId) => boolean;
}

const ZERO: Value = { channels: 0, block: 1, size: null };
const positions = ({ size }: Value): number => (size === null ? 1 : size[0] * size[1]);

function surroundingsOf(graph: Graph): Surroundings {
  const consumers = consumersOf(graph);
  return {
    values: shapes(graph),
    nodes: new Map(graph.nodes.map((node) => [node.id, node] as const)),
    readers: (id) => directReaders(id, consumers),
    isShortcut: (id) => consumers.get(id)?.every((node) => opOf(node).channels === 'merge') ?? false,
  };
}

/** MACs of `node` with one more output channel, or with one more input channel, minus what it has. */
function macsOfOneMore(node: GraphNode, { values }: Surroundings, what: 'out' | 'in'): number {
  const [inputs, output] = [inputsOf(node, values), values.get(node.id) ?? ZERO];
  const wider = (value: Value): Value => ({ ...value, channels: value.channels + 1 });
  const { ofNode } = COSTS.macs;
  const more =
    what === 'in'
      ? ofNode(node, inputs.map(wider), output)
      : ofNode({ ...node, out: output.channels + 1 }, inputs, wider(output));
  return more - ofNode(node, inputs, output);
}

/** The depthwise convolution that `node` reads, through batch norms and activations; undefined where there is none. */
function depthwiseBefore(node: GraphNode, { nodes }: Surroundings): GraphNode | undefined {
  let at = nodes.get(node.inputs[0] ?? '');
  while (at !== undefined && opOf(at).chain !== undefined) at = nodes.get(at.inputs[0] ?? '');
  return at !== undefined && isDepthwise(at) ? at : undefined;
}

/**
 * The MACs that one more neuron adds according to the authors' code, as its three configurations have it:
 *
 * - the MACs of its own layer, k k in H W. A convolution that only joins an add (V2's learned shortcut) is left out;
 * - where the layer reads a depthwise convolution (MobileNetV1), that one's k k H W, at the layer's own positions;
 *   not where another convolution reads it directly (MobileNetV2's projections);
 * - one MAC for each output position of a depthwise convolution that reads it: its k k and the pointwise layer behind
 *   it, which is most of the true cost, are left out;
 * - all that a layer gains which reads it directly: MobileNetV2's expansions, and the classifier.
 */
export function ownLayerMacs(graph: Graph): ReadonlyMap<GroupId, number> {
  const around = surroundingsOf(graph);
  const ofProducer = (id: NodeId): number => {
    const node = around.nodes.get(id);
    if (node === undefined || around.isShortcut(id)) return 0;
    const before = depthwiseBefore(node, around);
    const isRead = around
      .readers(id)
      .some((reader) => !isDepthwise(reader) && around.values.get(reader.id)?.size !== null);
    const filter =
      before === undefined || isRead
        ? 0
        : Number(before.kernel) ** 2 * positions(around.values.get(id) ?? ZERO);
    return macsOfOneMore(node, around, 'out') + filter;
  };
  const ofReader = (node: GraphNode): number => {
    if (isDepthwise(node)) return positions(around.values.get(node.id) ?? ZERO);
    return around.isShortcut(node.id) ? 0 : macsOfOneMore(node, around, 'in');
  };
  const sum = (list: readonly number[]): number => list.reduce((total, one) => total + one, 0);
  return new Map(
    splittable(graph).map(({ id, producers }) => {
      const readers = new Set(producers.flatMap((producer) => around.readers(producer)));
      return [id, sum(producers.map(ofProducer)) + sum([...readers].map(ofReader))] as const;
    }),
  );
}

/**
 * The two groups of layers that the authors' code gives a budget each. MobileNetV1: `early` layers, whose maps are at
 * least half as high as the first layer's, and `late` ones. MobileNetV2, known by a convolution that reads a layer
 * directly: `expand`, layers that a depthwise convolution reads, and `project`, the others.
 */
export function halvesOf(graph: Graph): ReadonlyMap<GroupId, string> {
  const { values, readers } = surroundingsOf(graph);
  const groups = splittable(graph);
  const heightOf = (id: NodeId): number => values.get(id)?.size?.[0] ?? 1;
  const isExpansion = ({ producers }: ChannelGroup): boolean =>
    producers.some((id) => readers(id).some(isDepthwise));
  const isProjection = ({ producers }: ChannelGroup): boolean =>
    producers.some((id) =>
      readers(id).some((node) => !isDepthwise(node) && values.get(node.id)?.size !== null),
    );
  const isInverted = groups.some(isExpansion) && groups.some(isProjection);
  const first = heightOf(groups[0]?.id ?? '');
  return new Map(
    groups.map((group) => {
      if (isInverted) return [group.id, isExpansion(group) ? 'expand' : 'project'] as const;
      return [group.id, 2 * heightOf(group.id) >= first ? 'early' : 'late'] as const;
    }),
  );
}

/** True where the relaxation has the first-order costs and the true allowances: the default. */
export function isFirstOrder({ costEstimate, budgets }: EstimateOptions): boolean {
  return costEstimate.estimate === 'marginal' && costEstimate.transform === 'none' && budgets === 'total';
}

/** The true budgets with first-order costs: what one more channel alone adds. */
export function firstOrderBudgets(graph: Graph, budgets: readonly Budget[]): readonly EstimateBudget[] {
  return budgets.map((budget) => ({
    name: budget.cost.name,
    allowed: allowed(budget),
    costs: marginalCosts(graph, budget.cost),
  }));
}

/**
 * The budgets of the relaxation: the true ones with first-order costs, or, where anything differs from that, the
 * authors': growthRatio * sum over the neurons of the transformed estimate, over all layers or in two groups.
 *
 * @param budgets True budgets of the costs that grow, MACs first. Limits by `caps` alone have no estimate.
 */
export function estimateBudgets(
  graph: Graph,
  budgets: readonly Budget[],
  options: EstimateOptions,
): readonly EstimateBudget[] {
  if (isFirstOrder(options)) return firstOrderBudgets(graph, budgets);
  const { costEstimate, growthRatio } = options;
  const groups = splittable(graph);
  const halves = options.budgets === 'total' ? new Map<GroupId, string>() : halvesOf(graph);
  const names = new Set(groups.map(({ id }) => halves.get(id) ?? ''));
  return budgets.flatMap((budget) => {
    const costOf =
      costEstimate.estimate === 'own-layer' ? ownLayerMacs(graph) : marginalCosts(graph, budget.cost);
    const transform = TRANSFORMS[costEstimate.transform];
    return [...names].map((half): EstimateBudget => {
      const members = groups.filter(({ id }) => (halves.get(id) ?? '') === half);
      const costs = new Map(members.map(({ id }) => [id, transform(costOf.get(id) ?? 0)] as const));
      return {
        name: [budget.cost.name, half].filter(Boolean).join(' '),
        allowed: members.reduce(
          (sum, { id, neurons }) => sum + growthRatio * neurons * (costs.get(id) ?? 0),
          0,
        ),
        costs,
      };
    });
  });
}
