// Batch norms folded into the layers before them, in evaluation mode: the same function with fewer nodes.
import { SplitgrowError } from '../errors.js';
import { parseGraph } from '../graph/check.js';
import type { Graph, GraphNode, NodeId } from '../graph/ir.js';
import { field, opOf } from '../graph/ops.js';
import { consumersOf } from '../graph/readers.js';
import type { TensorData, TensorMap } from '../native/face.js';

export interface Weighted {
  readonly graph: Graph;
  /** `<node id>.<parameter>`, float32. */
  readonly weights: TensorMap;
}

export function floatsOf({ data }: TensorData): Float32Array {
  return new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
}

function parameter(weights: TensorMap, id: NodeId, name: string): Float32Array {
  const found = weights.get(`${id}.${name}`);
  if (found === undefined)
    throw new SplitgrowError('E_WEIGHTS', `expected "${id}.${name}", found no such tensor`);
  return floatsOf(found);
}

function tensor(shape: readonly number[], values: Float32Array): TensorData {
  return {
    dtype: 'float32',
    shape,
    data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
}

/**
 * weight' = s weight and bias' = s (bias - mean) + beta, s = gamma / sqrt(var + eps), computed in double and rounded
 * once. `layer` has filters along the first axis of its weight.
 */
function foldedInto(layer: GraphNode, norm: GraphNode, weights: TensorMap): readonly [string, TensorData][] {
  const shape = weights.get(`${layer.id}.weight`)?.shape ?? [];
  const weight = parameter(weights, layer.id, 'weight');
  const bias = field(layer, 'bias') === true ? parameter(weights, layer.id, 'bias') : null;
  const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((name) =>
    parameter(weights, norm.id, name),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const eps = Number(field(norm, 'eps'));
  const channels = gamma.length;
  const each = weight.length / channels;
  const scale = Float64Array.from(gamma, (value, c) => value / Math.sqrt((variance[c] ?? 0) + eps));
  const scaled = Float32Array.from(weight, (value, i) => value * (scale[Math.floor(i / each)] ?? 0));
  const shifted = Float32Array.from(
    beta,
    (value, c) => (scale[c] ?? 0) * ((bias?.[c] ?? 0) - (mean[c] ?? 0)) + value,
  );
  if (![scaled, shifted].every((values) => values.every(Number.isFinite))) {
    throw new SplitgrowError(
      'E_NOT_FINITE',
      `batch norm "${norm.id}" folded into "${layer.id}" gives weights beyond float32; keep batch norms as they are (--keep-batch-norm)`,
    );
  }
  return [
    [`${layer.id}.weight`, tensor(shape, scaled)],
    [`${layer.id}.bias`, tensor([channels], shifted)],
  ];
}

/** The batch norms that alone read a layer which can hold a bias, by the layer's id. */
function foldable(graph: Graph): ReadonlyMap<NodeId, GraphNode> {
  const consumers = consumersOf(graph);
  const pairs = graph.nodes.flatMap((node): [NodeId, GraphNode][] => {
    const [reader, ...others] = consumers.get(node.id) ?? [];
    const isAlone = reader !== undefined && others.length === 0 && node.id !== graph.output;
    return isAlone && 'bias' in opOf(node).fields && opOf(reader).chain === 'batch_norm'
      ? [[node.id, reader]]
      : [];
  });
  return new Map(pairs);
}

/**
 * The network with every batch norm that follows a layer folded into it; a layer read by others too keeps its own.
 * Values differ from the unfolded ones by float32 rounding.
 *
 * @throws E_NOT_FINITE where a folded weight is too large for float32
 */
export function foldBatchNorms({ graph, weights }: Weighted): Weighted {
  const pairs = foldable(graph);
  const gone = new Map([...pairs].map(([layer, norm]) => [norm.id, layer]));
  const follow = (id: NodeId): NodeId => gone.get(id) ?? id;
  const nodes = graph.nodes
    .filter(({ id }) => !gone.has(id))
    .map((node) => ({
      ...node,
      inputs: node.inputs.map(follow),
      ...(pairs.has(node.id) && { bias: true }),
    }));
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const kept = [...weights].filter(([name]) => !gone.has(name.slice(0, name.lastIndexOf('.'))));
  const folded = [...pairs].flatMap(([id, norm]) => {
    const layer = byId.get(id);
    return layer === undefined ? [] : foldedInto(layer, norm, weights);
  });
  return {
    graph: parseGraph({ ...graph, nodes, output: follow(graph.output) }),
    weights: new Map([...kept, ...folded]),
  };
}
