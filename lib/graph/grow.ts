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

/** How growth shares weights and steps out. */
export interface GrowOptions {
  /** Consumers read the off-spring in place at 1/2 + delta of the parent's weights, its copy at 1/2 - delta; |delta| < 1/2. Default 0. */
  readonly outgoingDelta?: number | undefined;
  /**
   * Default true: where a layer's inputs are split too, its step is shared out like its weights. The authors' code
   * leaves the step whole (false): it is then twice as long along inputs that were split.
   */
  readonly directionHalving?: boolean | undefined;
}

/**
 * One channel of the grown network: a share of old channel `source`, its
 * weights moved by shift * epsilon * direction. Off-springs of one split are
 * {share (1/2 + delta), shift + 1 - 2 delta} in place and
 * {share (1/2 - delta), shift - 1 - 2 delta} appended: share times shift is
 * equal and opposite, so that the mean of the two stays where the parent was
 * and the step is one of second order for every delta. Departs: the paper has
 * delta = 0.
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

/** Refuses a layer's list of neurons that is not one: plans come from files. */
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
    // Tied layers share their channels: what another of them named already is the same split.
    const others = new Set(before);
    if (list.length > 0) picks.set(group, [...before, ...list.filter((n) => !others.has(n))]);
  }
  return picks;
}

/**
 * The plan with a list for every tied producer of every group that it splits,
 * so that width after = width before + length of the list. In node order.
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

/** The channels of a group after its picks: off-springs in place, copies appended in the order given. */
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

/** Old feature of each new feature: channel c owns features c * block to (c + 1) * block - 1. */
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

/** Channels after growth of the values around a node; undefined where they stay as they are. */
interface Around {
  readonly own: readonly Channel[] | undefined;
  readonly input: readonly Channel[] | undefined;
  readonly ownBlock: number;
  readonly inputBlock: number;
}

/** Gather and scale for one parameter, read off the roles of its axes. */
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
 * The graph with the planned neurons split in two, and how every tensor of the
 * new network follows from the old one: each parameter once, nulls where it is
 * unchanged. With epsilon 0 the network's function stays the same: consumers'
 * weights are shared out among the off-springs.
 *
 * @throws E_PLAN where the plan names no layer, a frozen one, or a neuron out of range; E_ARGUMENT for a delta of 1/2 or more.
 */
export function grow(graph: Graph, plan: Plan, options: GrowOptions = {}): GrownGraph {
  const { outgoingDelta = 0 } = options;
  if (!(Math.abs(outgoingDelta) < 0.5)) {
    throw new SplitgrowError(
      'E_ARGUMENT',
      `outgoingDelta must be above -0.5 and below 0.5, or an off-spring would be read by no one, got ${outgoingDelta}`,
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

/** Surgery on every tensor where some groups' channels become the given ones; the graph is the old one. */
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
