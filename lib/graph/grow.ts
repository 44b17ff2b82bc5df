// Growth as a pure function: picks -> a wider graph and the surgery on its tensors.
import { SplitgrowError } from '../errors.js';
import { type ChannelGroup, type GroupId, groupsByNode } from './channels.js';
import { inputsOf, shapes } from './check.js';
import { didYouMean, show } from './fields.js';
import { type Graph, type GraphNode, INPUT, type NodeId, type Parameter, type Value } from './ir.js';
import { MAX_WIDTH } from './op-fields.js';
import { opOf } from './ops.js';
import type { Surgery, TensorSurgery } from './program.js';

/** Neurons to split, per layer (docs/reference.md). A neuron named twice is split twice. */
export interface Plan {
  /** Neurons, from 0, by layer. */
  readonly splits: Readonly<Record<NodeId, readonly number[]>>;
}

/** How the offspring divide their parent's outgoing weights, and the step. */
export interface GrowOptions {
  /** Layers that read the channel give the offspring in place 1/2 + delta of the parent's weight, and the copy 1/2 - delta; |delta| < 1/2. Default 0. */
  readonly outgoingDelta?: number | undefined;
  /**
   * Default true: where the inputs of a split layer are split too, its step is divided among them as its weights are. The
   * authors' code does not divide the step (false). It is then twice as long along the inputs that were split.
   */
  readonly directionHalving?: boolean | undefined;
}

/**
 * One channel of the grown network: it carries a `share` of old channel `source`, and its weights are moved by
 * shift * epsilon * direction. A layer of 3 channels whose channel 1 is split gets 4, the copy last:
 *
 *     {source 0, share 1, shift 0}  {source 1, share 1/2, shift +1}  {source 2, share 1, shift 0}  {source 1, share 1/2, shift -1}
 *
 * With `outgoingDelta` the two offspring have {share 1/2 + delta, shift + 1 - 2 delta} and {share 1/2 - delta,
 * shift - 1 - 2 delta}. Their shares times their shifts add up to 0 for every delta, so the step changes the function in
 * second order only. Departs: the paper has delta = 0.
 */
export interface Channel {
  readonly source: number;
  readonly share: number;
  readonly shift: number;
}

/**
 * A graph whose group has `by` channels more; negative `by` takes channels away.
 *
 * @throws E_PLAN for an unknown or frozen group, or a width below 1.
 */
export function widen(graph: Graph, groupId: GroupId, by: number): Graph {
  const group = [...groupsByNode(graph).values()].find(({ id }) => id === groupId);
  if (group === undefined) throw new SplitgrowError('E_PLAN', `there is no channel group "${groupId}"`);
  if (!group.isSplittable) throw frozen(group, groupId);
  if (!Number.isInteger(by) || group.neurons + by < 1) {
    throw new SplitgrowError(
      'E_PLAN',
      `group "${groupId}" of ${group.neurons} channels cannot change by ${by}`,
    );
  }
  return withWidths(graph, new Map([[groupId, by]]), new Map([[groupId, group]]));
}

function frozen(group: ChannelGroup, id: NodeId): SplitgrowError {
  return new SplitgrowError('E_PLAN', `"${id}" cannot be split: ${group.frozenBecause}`);
}

/** The graph with so many channels more in some splittable groups, or fewer where negative. */
export function withWidths(
  graph: Graph,
  added: ReadonlyMap<GroupId, number>,
  groups: ReadonlyMap<GroupId, ChannelGroup>,
): Graph {
  const outs = new Map<NodeId, number>();
  for (const [id, by] of added) {
    const group = groups.get(id);
    for (const producer of group?.producers ?? []) outs.set(producer, (group?.neurons ?? 0) + by);
  }
  const nodes = graph.nodes.map((node): GraphNode => {
    const out = outs.get(node.id);
    return out === undefined ? node : { ...node, out };
  });
  return { ...graph, nodes };
}

/** Checks a layer's list of neurons, for plans come from files. @throws E_PLAN */
function checkList(id: NodeId, list: unknown, group: ChannelGroup): asserts list is readonly number[] {
  if (!Array.isArray(list)) {
    throw new SplitgrowError('E_PLAN', `the plan must list the neurons of "${id}", got ${show(list)}`);
  }
  const isNeuron = (n: unknown): boolean =>
    Number.isInteger(n) && Number(n) >= 0 && Number(n) < group.neurons;
  const bad = list.findIndex((n) => !isNeuron(n));
  if (bad >= 0) {
    const range = `an integer from 0 to ${group.neurons - 1}`;
    throw new SplitgrowError('E_PLAN', `a neuron of "${id}" must be ${range}, got ${show(list[bad])}`);
  }
  if (list.length > 0 && !group.isSplittable) throw frozen(group, id);
  if (group.neurons + list.length > MAX_WIDTH) {
    throw new SplitgrowError('E_PLAN', `"${id}" would be wider than ${MAX_WIDTH} channels`);
  }
}

/** The neurons that a plan splits in each group, in order. */
function picksOf(
  graph: Graph,
  plan: Plan,
  groups: ReadonlyMap<NodeId, ChannelGroup>,
): Map<ChannelGroup, number[]> {
  const sources = graph.nodes.filter((node) => opOf(node).channels === 'source').map(({ id }) => id);
  const known = new Set(sources);
  const splits: unknown = plan?.splits;
  if (typeof splits !== 'object' || splits === null || Array.isArray(splits)) {
    throw new SplitgrowError(
      'E_PLAN',
      `the plan must be {"splits": {"<layer id>": [neurons]}}, got ${show(splits)}`,
    );
  }
  const picks = new Map<ChannelGroup, number[]>();
  for (const [id, list] of Object.entries(splits)) {
    const group = groups.get(id);
    if (group === undefined || !known.has(id)) {
      throw new SplitgrowError(
        'E_PLAN',
        `the plan names ${show(id)}, which is not a layer${didYouMean(id, sources)}`,
      );
    }
    checkList(id, list, group);
    const before = picks.get(group) ?? [];
    // Tied layers have the same channels: a neuron that another of them names already is the same split.
    const others = new Set(before);
    if (list.length > 0) picks.set(group, [...before, ...list.filter((n) => !others.has(n))]);
  }
  return picks;
}

/**
 * The plan with the same list for every layer that is tied to a planned one, in node order. Then the width of each layer
 * after growth is its width before plus the length of its list.
 *
 * @throws E_PLAN as `grow`.
 */
export function normalizedPlan(graph: Graph, plan: Plan): Plan {
  const groups = groupsByNode(graph);
  const picks = picksOf(graph, plan, groups);
  const splits = graph.nodes.flatMap((node) => {
    const group = groups.get(node.id);
    const neurons = group && picks.get(group);
    return opOf(node).channels === 'source' && neurons ? [[node.id, neurons] as const] : [];
  });
  return { splits: Object.fromEntries(splits) };
}

/** The channels of a group after its picks: the first offspring in place, the second at the end, in the order of the picks. */
function channelsAfter(neurons: number, picks: readonly number[], delta: number): Channel[] {
  const channels = Array.from({ length: neurons }, (_, source): Channel => ({ source, share: 1, shift: 0 }));
  for (const pick of picks) {
    const parent = channels[pick];
    if (parent === undefined) continue;
    const { share, shift } = parent;
    channels[pick] = { ...parent, share: share * (0.5 + delta), shift: shift + 1 - 2 * delta };
    channels.push({ ...parent, share: share * (0.5 - delta), shift: shift - 1 - 2 * delta });
  }
  return channels;
}

/** The old feature of each new feature. Channel c has the features c * block to (c + 1) * block - 1. */
function gather(channels: readonly Channel[], block: number): Int32Array {
  return Int32Array.from({ length: channels.length * block }, (_, i) => {
    const channel = channels[Math.floor(i / block)];
    return (channel?.source ?? 0) * block + (i % block);
  });
}

function spread(channels: readonly Channel[], block: number, of: (channel: Channel) => number): Float32Array {
  return Float32Array.from({ length: channels.length * block }, (_, i) => {
    const channel = channels[Math.floor(i / block)];
    return channel === undefined ? 0 : of(channel);
  });
}

/** The channels after growth at a node's output (`own`) and input; undefined where they do not change. */
interface Around {
  readonly own: readonly Channel[] | undefined;
  readonly input: readonly Channel[] | undefined;
  readonly ownBlock: number;
  readonly inputBlock: number;
}

/** The surgery on one parameter. The roles of its axes say which of them is gathered and which is scaled. */
function surgeryOf(
  node: GraphNode,
  parameter: Parameter,
  around: Around,
  { directionHalving = true }: GrowOptions,
): TensorSurgery {
  const { own, input, ownBlock, inputBlock } = around;
  const rows = parameter.axes[0]?.role === 'out' ? own : undefined;
  const columns = parameter.axes[1]?.role === 'in' ? input : undefined;
  // The splitting direction is that of the weights of the layer itself: bias, batch norm and depthwise filters are copied.
  const isMoved = rows !== undefined && opOf(node).channels === 'source' && parameter.name === 'weight';
  return {
    name: `${node.id}.${parameter.name}`,
    rows: rows === undefined ? null : gather(rows, ownBlock),
    shift: isMoved ? spread(rows, ownBlock, ({ shift }) => shift) : null,
    direction: isMoved ? node.id : null,
    rowShares: rows === undefined ? null : spread(rows, ownBlock, ({ share }) => share),
    columns: columns === undefined ? null : gather(columns, inputBlock),
    scales: columns === undefined ? null : spread(columns, inputBlock, ({ share }) => share),
    ...(isMoved && columns !== undefined && !directionHalving ? { scalesStep: false } : {}),
  };
}

/** A grown graph, and how its tensors follow from the old ones. */
export interface GrownGraph {
  /** The wider graph. */
  readonly graph: Graph;
  /** What becomes of every tensor. */
  readonly surgery: Surgery;
}

/**
 * The graph with the planned neurons split in two, and the surgery that makes every tensor of the new network from an old
 * one. Each parameter is listed once, with nulls where an axis does not change. With epsilon 0 the network computes the
 * same function, because the layers that read a split channel divide their weight between the offspring.
 *
 * @throws E_PLAN where the plan names no layer, a frozen one, or a neuron out of range; E_ARGUMENT for a delta of 1/2 or more.
 */
export function grow(graph: Graph, plan: Plan, options: GrowOptions = {}): GrownGraph {
  const { outgoingDelta = 0 } = options;
  if (!(Math.abs(outgoingDelta) < 0.5)) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `outgoingDelta must be above -0.5 and below 0.5, or no layer would read one of the offspring, got ${outgoingDelta}`,
    );
  }
  const groups = groupsByNode(graph);
  const picks = picksOf(graph, plan, groups);
  const channels = new Map(
    [...picks].map(([group, list]) => [group, channelsAfter(group.neurons, list, outgoingDelta)] as const),
  );
  const grown = withWidths(
    graph,
    new Map([...picks].map(([group, list]) => [group.id, list.length])),
    new Map([...picks.keys()].map((group) => [group.id, group])),
  );
  return { graph: grown, surgery: rewire(graph, groups, channels, options) };
}

/** The surgery on every tensor when the channels of some groups become the given ones. `graph` is the old one. */
export function rewire(
  graph: Graph,
  groups: ReadonlyMap<NodeId, ChannelGroup>,
  channels: ReadonlyMap<ChannelGroup, readonly Channel[]>,
  options: GrowOptions = {},
): Surgery {
  const values = shapes(graph);
  const after = (id: NodeId): readonly Channel[] | undefined => {
    const group = id === INPUT ? undefined : groups.get(id);
    return group && channels.get(group);
  };
  const blockOf = (id: NodeId | undefined): number => (id === undefined ? 1 : (values.get(id)?.block ?? 1));
  return graph.nodes.flatMap((node) => {
    const [input] = node.inputs;
    const inputs: readonly Value[] = inputsOf(node, values);
    const around: Around = {
      own: after(node.id),
      input: input === undefined ? undefined : after(input),
      ownBlock: blockOf(node.id),
      inputBlock: blockOf(input),
    };
    return opOf(node)
      .parameters(node, inputs)
      .map((parameter) => surgeryOf(node, parameter, around, options));
  });
}
