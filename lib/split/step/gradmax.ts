// GradMax: where a direct map from a layer's input to its reader's output would change the loss most, as fan-in of new neurons.
import { type ChannelGroup, channelGroups, type GroupId } from '../../graph/channels.js';
import { inputsOf, parseGraph, shapes } from '../../graph/check.js';
import type { Graph, GraphNode, NodeId } from '../../graph/ir.js';
import { lower } from '../../graph/lower.js';
import { field, opOf } from '../../graph/ops.js';
import { consumersOf, isDepthwise } from '../../graph/readers.js';
import type { Device } from '../../native/face.js';
import { loadCore } from '../../native/load.js';
import { type Network, networkOf } from '../../train/network.js';
import { type GradientProbe, gradientsOf } from './gradients.js';
import { layerWeight, rowsOf, weightsOf } from './neuron-weights.js';
import { rightSingularVectors } from './singular-vectors.js';

/** A direct map beside a path from a layer to the one layer that reads it. */
interface Beside {
  /** The layer whose group is widened, and its reader. */
  readonly layer: GraphNode;
  readonly reader: GraphNode;
  /** How many pixels of the layer's output one of the reader's stands for. */
  readonly stride: number;
  /** The reader is behind a global pool. */
  readonly isPooled: boolean;
}

/** The way from a layer to its reader, where it is one that a convolution can stand beside; else why not. */
export function besideOf(graph: Graph, group: ChannelGroup): Beside | string {
  const [id = '', ...others] = group.producers;
  const layer = graph.nodes.find((node) => node.id === id);
  if (layer === undefined || others.length > 0) return 'several layers make its channels';
  if (opOf(layer).takes !== 'map') return 'its layer is no convolution';
  const consumers = consumersOf(graph);
  let [at, stride, isPooled] = [layer, 1, false];
  for (;;) {
    const [next, ...rest] = consumers.get(at.id) ?? [];
    if (next === undefined || rest.length > 0) return 'several nodes read its channels';
    if (opOf(next).channels === 'source') {
      const isLinear = opOf(next).takes === 'vector';
      const isPoint =
        !isLinear && Number(field(next, 'kernel')) === 1 && Number(field(next, 'padding')) === 0;
      if (isLinear ? !isPooled : !isPoint)
        return 'its reader is no 1x1 convolution, and no linear layer behind a global pool';
      const outer = isLinear ? 1 : Number(field(next, 'stride'));
      return { layer, reader: next, stride: stride * outer, isPooled };
    }
    if (opOf(next).native === 'global_avg_pool') isPooled = true;
    else if (isDepthwise(next)) {
      if (2 * Number(field(next, 'padding')) !== Number(field(next, 'kernel')) - 1)
        return `"${next.id}" does not keep the size of a map`;
      stride *= Number(field(next, 'stride'));
    } else if (opOf(next).chain === undefined && opOf(next).native !== 'dropout')
      return `"${next.id}" (${next.op}) is on the way to its reader`;
    at = next;
  }
}

/** Ids that the graph does not have. */
const MAP = 'gradmax_map';
const POOL = 'gradmax_pool';
const SUM = 'gradmax_sum';

/** The graph with a convolution from the layer's input to the reader's output beside the path, added to it. */
export function withDirectMap(
  graph: Graph,
  { layer, reader, stride, isPooled }: Beside,
): { readonly graph: Graph; readonly map: NodeId } {
  const fresh = (name: string): NodeId => {
    let id = name;
    while (graph.nodes.some((node) => node.id === id)) id = `${id}_`;
    return id;
  };
  const [map, pool, sum] = [fresh(MAP), fresh(POOL), fresh(SUM)];
  const direct: Record<string, unknown>[] = [
    {
      ...{
        id: map,
        op: 'conv2d',
        inputs: layer.inputs,
        out: field(reader, 'out'),
        kernel: field(layer, 'kernel'),
      },
      ...{ stride: Number(field(layer, 'stride')) * stride, padding: field(layer, 'padding'), bias: false },
    },
    ...(isPooled ? [{ id: pool, op: 'global_avg_pool', inputs: [map] }] : []),
    { id: sum, op: 'add', inputs: [reader.id, isPooled ? pool : map] },
  ];
  const nodes = graph.nodes.flatMap((node) => {
    const moved = { ...node, inputs: node.inputs.map((id) => (id === reader.id ? sum : id)) };
    return node.id === reader.id ? [node, ...direct] : [moved];
  });
  const output = graph.output === reader.id ? sum : graph.output;
  return { graph: parseGraph({ ...graph, nodes, output }), map };
}

/** How many new neurons a group can get: as many as its direct map can have singular values; 0, and why, where none stands beside it. */
export function directionsOf(
  graph: Graph,
  group: ChannelGroup,
): { readonly most: number; readonly because: string } {
  const beside = besideOf(graph, group);
  if (typeof beside === 'string') return { most: 0, because: beside };
  const { layer, reader } = beside;
  const [input] = inputsOf(layer, shapes(graph));
  const size = (input?.channels ?? 0) * Number(field(layer, 'kernel')) ** 2;
  const most = Math.min(Number(field(reader, 'out')), size);
  return { most, because: `its direct map has ${most} singular vectors` };
}

/** What GradMax finds. */
export interface FanIns {
  /** Unit vectors of fan-in, at most as many as were asked for, by group. */
  readonly vectors: ReadonlyMap<GroupId, readonly Float64Array[]>;
  /** The graphs that a gradient was taken of, each over all images of the probe. */
  readonly graphs: readonly Graph[];
}

/**
 * Fan-in for new neurons whose fan-out is 0 (Evci et al. 2022, "GradMax: Growing Neural Networks using Gradient Information",
 * arXiv 2201.05125). A zero convolution from the layer's input to its reader's output, beside the path, has the gradient M,
 * [reader's channels, weights of a neuron]. Its top right singular vectors are the fan-in along which fan-out of length 1 would
 * have the largest gradient, if nothing but a line lay between. Departs: the source sets fan-in to 0 and takes the fan-out so,
 * which a batch norm in front of the activation does not allow; and the map leaves out what lies between, depthwise filters too.
 */
export async function gradMaxFanIns(
  network: Network,
  wanted: ReadonlyMap<GroupId, number>,
  { device, ...probe }: GradientProbe & { readonly device: Device },
): Promise<FanIns> {
  const { graph } = network;
  const weights = weightsOf(network);
  const dtype = weights.values().next().value?.dtype === 'float64' ? 'float64' : 'float32';
  const vectors = new Map<GroupId, readonly Float64Array[]>();
  const graphs: Graph[] = [];
  for (const group of channelGroups(graph)) {
    const count = wanted.get(group.id) ?? 0;
    const beside = count === 0 ? '' : besideOf(graph, group);
    if (typeof beside === 'string') continue;
    const direct = withDirectMap(graph, beside);
    graphs.push(direct.graph);
    const program = lower(direct.graph);
    const map = program.instructions.find(({ id }) => id === direct.map)?.parameters[0];
    const shape = map?.shape ?? [0];
    const zeros = new Uint8Array(shape.reduce((a, b) => a * b, 1) * (dtype === 'float64' ? 8 : 4));
    const tensors = [...weights, [`${direct.map}.weight`, { dtype, shape, data: zeros }] as const];
    using made = networkOf(direct.graph, loadCore().createNetwork(program, tensors, 0, device, dtype));
    const gradient = layerWeight(await gradientsOf(made, probe), direct.map);
    const rows = rowsOf(gradient).map((row) => Float64Array.from(row));
    vectors.set(group.id, rightSingularVectors(rows).slice(0, count));
  }
  return { vectors, graphs };
}
