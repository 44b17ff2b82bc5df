// New neurons beside splits: channels that no parent has, put in so that the network computes what it did.
import { type ChannelGroup, channelGroups, type GroupId, groupsByNode } from '../../graph/channels.js';
import { shapes } from '../../graph/check.js';
import { type Channel, rewire, withWidths } from '../../graph/grow.js';
import { type Graph, type GraphNode, INPUT, type NodeId } from '../../graph/ir.js';
import { lower } from '../../graph/lower.js';
import { opOf } from '../../graph/ops.js';
import type { TensorMap } from '../../native/face.js';
import { loadCore } from '../../native/load.js';
import { type Network, networkOf } from '../../train/network.js';
import { normals } from '../../train/seeds.js';
import { floatsOf, lengthOf, weightsOf } from './neuron-weights.js';

/** New neurons by channel group. */
export type Inserted = ReadonlyMap<GroupId, number>;

/** New channels of every layer that makes some of them. */
export function newChannels(graph: Graph, inserted: Inserted): Readonly<Record<NodeId, number>> {
  const producers = channelGroups(graph).flatMap((group) => {
    const count = inserted.get(group.id) ?? 0;
    return count > 0 ? group.producers.map((producer) => [producer, count] as const) : [];
  });
  return Object.fromEntries(producers);
}

/** Two axes of a tensor, its kernel behind them: numbers of row r and column c are at ((r columns) + c) kernel. */
interface Matrix {
  readonly values: Float32Array | Float64Array;
  readonly rows: number;
  readonly columns: number;
  readonly kernel: number;
}

function matrixOf({
  shape,
  values,
}: {
  readonly shape: readonly number[];
  readonly values: Matrix['values'];
}): Matrix {
  const [rows = 1, columns = 1, ...window] = shape;
  return { values, rows, columns, kernel: window.reduce((product, size) => product * size, 1) };
}

/** The numbers of a column over the first `rows` rows, by their places. */
function columnPlaces(
  { columns, kernel }: Matrix,
  from: number,
  to: number,
  rows: number,
): readonly number[] {
  const places: number[] = [];
  for (let r = 0; r < rows; r += 1)
    for (let c = from; c < to; c += 1)
      for (let i = 0; i < kernel; i += 1) places.push((r * columns + c) * kernel + i);
  return places;
}

const pick = ({ values }: Matrix, places: readonly number[]): readonly number[] =>
  places.map((at) => values[at] ?? 0);

function put({ values }: Matrix, places: readonly number[], numbers: ArrayLike<number>, sign = 1): void {
  places.forEach((at, i) => {
    values[at] = sign * (numbers[i] ?? 0);
  });
}

/** A random direction of a given length. */
function random(draw: () => number, count: number, length: number): Float64Array {
  const drawn = Float64Array.from({ length: count }, draw);
  const factor = length / (lengthOf(drawn) || 1);
  return drawn.map((value) => value * factor);
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, one) => sum + one, 0) / Math.max(1, values.length);

/** Unit vectors of fan-in over a layer's old inputs, by group: of new neurons that nobody reads yet. */
export type FanIn = ReadonlyMap<GroupId, readonly Float64Array[]>;

/** Length of such fan-in, as a share of the mean length of the layer's neurons. */
const FAN_IN_LENGTH = 0.5;

/** What is written into the widened network; `fanIn`: null for pairs. */
interface Writing {
  readonly fanIn: FanIn | null;
  readonly weights: Map<string, Matrix>;
  readonly draw: () => number;
}

/** A node with the widths of its group and of what it reads, before, and how many channels are new. */
interface Around {
  readonly node: GraphNode;
  /** Of the channels that it makes. */
  readonly group: GroupId | undefined;
  readonly own: { readonly before: number; readonly added: number; readonly block: number };
  readonly input: { readonly before: number; readonly added: number; readonly block: number };
}

/** Fan-out Z and -Z for each pair: in the mean as long as that of the old channels. Rows that are new themselves get theirs later. */
function writeFanOut({ weights, draw }: Writing, { node, own, input }: Around): void {
  const matrix = weights.get(`${node.id}.weight`);
  if (matrix === undefined) return;
  const places = (channel: number): readonly number[] =>
    columnPlaces(matrix, channel * input.block, (channel + 1) * input.block, own.before);
  const old = Array.from({ length: input.before }, (_, channel) => lengthOf(pick(matrix, places(channel))));
  const length = meanOf(old);
  for (let k = 0; k < input.added; k += 2) {
    const [one, other] = [places(input.before + k), places(input.before + k + 1)];
    const z = random(draw, one.length, length);
    put(matrix, one, z);
    put(matrix, other, z, -1);
  }
}

/** A row of given fan-in: 0 for inputs that are new themselves. */
function givenRow(matrix: Matrix, vector: Float64Array, length: number): Float64Array {
  const row = new Float64Array(matrix.columns * matrix.kernel);
  row.set(vector.map((value) => value * length));
  return row;
}

/**
 * Rows of a layer or of a depthwise convolution, as long as the old ones in the mean; no bias. Those of a pair are the same.
 */
function writeRows({ weights, draw, fanIn }: Writing, { node, group = '', own }: Around): void {
  const matrix = weights.get(`${node.id}.weight`);
  if (matrix === undefined) return;
  const size = matrix.columns * matrix.kernel;
  const row = (at: number): readonly number[] => Array.from({ length: size }, (_, i) => at * size + i);
  const length = meanOf(Array.from({ length: own.before }, (_, at) => lengthOf(pick(matrix, row(at)))));
  const given = opOf(node).channels === 'source' ? fanIn?.get(group) : undefined;
  let drawn: Float64Array = new Float64Array(0);
  for (let k = 0; k < own.added; k += 1) {
    const vector = given?.[k];
    if (vector !== undefined)
      put(matrix, row(own.before + k), givenRow(matrix, vector, FAN_IN_LENGTH * length));
    if (vector !== undefined) continue;
    if (fanIn !== null || k % 2 === 0) drawn = random(draw, size, length);
    put(matrix, row(own.before + k), drawn);
  }
  const bias = weights.get(`${node.id}.bias`);
  for (let k = 0; k < own.added; k += 1) bias?.values.fill(0, own.before + k, own.before + k + 1);
}

/** Batch norm of new channels as of a new network. Its statistics are estimated later. */
function writeNorm({ weights }: Writing, { node, own }: Around): void {
  const [from, to] = [own.before * own.block, (own.before + own.added) * own.block];
  for (const [name, value] of Object.entries({ weight: 1, bias: 0, running_mean: 0, running_var: 1 }))
    weights.get(`${node.id}.${name}`)?.values.fill(value, from, to);
}

/** Where a node stands among the groups that get new channels. */
function aroundsOf(graph: Graph, inserted: Inserted): readonly Around[] {
  const groups = groupsByNode(graph);
  const values = shapes(graph);
  const at = (id: NodeId | undefined) => {
    const group = id === undefined || id === INPUT ? undefined : groups.get(id);
    return {
      before: group?.neurons ?? 0,
      added: group === undefined ? 0 : (inserted.get(group.id) ?? 0),
      block: (id === undefined ? undefined : values.get(id)?.block) ?? 1,
    };
  };
  return graph.nodes.map((node) => ({
    node,
    group: groups.get(node.id)?.id,
    own: at(node.id),
    input: at(node.inputs[0]),
  }));
}

function writeAll(writing: Writing, arounds: readonly Around[]): void {
  const isSource = ({ node }: Around): boolean => opOf(node).channels === 'source';
  const isRead = writing.fanIn === null;
  for (const around of arounds)
    if (isRead && isSource(around) && around.input.added > 0) writeFanOut(writing, around);
  for (const around of arounds) {
    if (around.own.added === 0) continue;
    if (opOf(around.node).chain === 'batch_norm') writeNorm(writing, around);
    else writeRows(writing, around);
  }
}

/** The wider network: every new channel is a copy of channel 0 that nobody reads. */
async function widened(network: Network, inserted: Inserted): Promise<Network> {
  const { graph } = network;
  const groups = groupsByNode(graph);
  const wanted = new Map<GroupId, ChannelGroup>(
    [...groups.values()].flatMap((group) => (inserted.has(group.id) ? [[group.id, group] as const] : [])),
  );
  const channels = new Map(
    [...wanted.values()].map((group): [ChannelGroup, readonly Channel[]] => [
      group,
      [
        ...Array.from({ length: group.neurons }, (_, source) => ({ source, share: 1, shift: 0 })),
        ...Array.from({ length: inserted.get(group.id) ?? 0 }, () => ({ source: 0, share: 0, shift: 0 })),
      ],
    ]),
  );
  const wide = withWidths(graph, inserted, wanted);
  const surgery = rewire(graph, groups, channels);
  return networkOf(wide, await loadCore().rewrite(network.handle, lower(wide), surgery, null, 0, 'keep'));
}

/** Takes over the numbers of the new channels' running statistics from another network of the same graph; those of a pair are one. */
function withStatistics(
  weights: TensorMap,
  from: TensorMap,
  arounds: readonly Around[],
  arePairs: boolean,
): TensorMap {
  const changed = new Map(weights);
  for (const { node, own } of arounds) {
    if (own.added === 0 || opOf(node).chain !== 'batch_norm') continue;
    for (const name of [`${node.id}.running_mean`, `${node.id}.running_var`]) {
      const [tensor, source] = [weights.get(name), from.get(name)];
      if (tensor === undefined || source === undefined) continue;
      const [values, found] = [floatsOf(tensor), floatsOf(source)];
      for (let i = own.before * own.block; i < values.length; i += 1) {
        const channel = Math.floor(i / own.block) - own.before;
        // The second of a pair takes the first's.
        values[i] = found[arePairs && channel % 2 === 1 ? i - own.block : i] ?? 0;
      }
      changed.set(name, { ...tensor, data: new Uint8Array(values.buffer) });
    }
  }
  return changed;
}

/** What estimates the running statistics of a network anew, in place. */
export type Estimate = (network: Network) => Promise<void>;

export interface InsertOptions {
  readonly seed: number;
  readonly estimate: Estimate;
  readonly fanIn?: FanIn | null;
}

/**
 * The network with new neurons in pairs (Yuan et al. 2023, "Accelerated Training via Incrementally Growing Neural Networks",
 * arXiv 2306.12700): two of equal random fan-in V, V and of opposite fan-out Z, -Z. So the function is kept, and their first
 * gradients are opposite: they part without a step. V and Z are as long as those of the layer's old neurons in the mean; so
 * are the depthwise filters between, which both have alike. Biases are 0, batch norms of scale 1 and shift 0, their statistics
 * those that `estimate` finds. Old channels keep theirs. Departs: the source
 * sets variances of old and new weights by its variance transfer; here the new ones follow the old.
 *
 * Layers tied by an add each get a fan-in of their own; readers see V twice in any case. The new channels come last, their
 * momentum is 0.
 *
 * With `fanIn` they are single neurons of that fan-in instead, and of fan-out 0 (`gradMaxFanIns`); depthwise filters are drawn.
 *
 * @param inserted Of splittable groups; of pairs even numbers, else as many as there are vectors.
 */
export async function insertNeurons(
  network: Network,
  inserted: Inserted,
  { seed, estimate, fanIn = null }: InsertOptions,
): Promise<Network> {
  const arounds = aroundsOf(network.graph, inserted);
  const made = await widened(network, inserted);
  try {
    const before = weightsOf(made);
    const weights = new Map(
      [...before].map(([name, tensor]) => [
        name,
        matrixOf({ shape: tensor.shape, values: floatsOf(tensor) }),
      ]),
    );
    writeAll({ weights, draw: normals(seed), fanIn }, arounds);
    const written = new Map(
      [...before].map(([name, tensor]) => {
        const bytes = weights.get(name)?.values.buffer;
        return [name, bytes === undefined ? tensor : { ...tensor, data: new Uint8Array(bytes) }] as const;
      }),
    );
    loadCore().writeNetwork(made.handle, 'weights', [...written]);
    if (!arounds.some(({ node, own }) => own.added > 0 && opOf(node).chain === 'batch_norm')) return made;
    await estimate(made);
    const found = weightsOf(made);
    loadCore().writeNetwork(made.handle, 'weights', [
      ...withStatistics(written, found, arounds, fanIn === null),
    ]);
    return made;
  } catch (error) {
    made[Symbol.dispose]();
    throw error;
  }
}
