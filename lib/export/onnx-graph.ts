// From a checked graph and its weights to an ONNX model as plain data, which protobufjs encodes.
import { inputsOf, shapes } from '../graph/check.js';
import { type Graph, type GraphNode, INPUT, type NodeId, type Value } from '../graph/ir.js';
import { opOf } from '../graph/ops.js';
import type { TensorData, TensorMap } from '../native/face.js';
import type { Weighted } from './fold.js';
import { type Attributes, onnxRow, type Writer } from './onnx-ops.js';
import { ATTRIBUTE, FLOAT } from './onnx-schema.js';

/** Names of the model's input and output. */
export const INPUT_NAME = 'input';
export const OUTPUT_NAME = 'logits';
/** Name of the batch axis, whose length is free. */
const BATCH = 'N';

interface AttributeProto {
  readonly name: string;
  readonly type: number;
  readonly f?: number;
  readonly i?: number;
  readonly ints?: readonly number[];
}
interface NodeProto {
  readonly input: readonly string[];
  output: readonly string[];
  name: string;
  readonly opType: string;
  readonly attribute: readonly AttributeProto[];
}
interface TensorProto {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly rawData: Uint8Array;
}
interface ValueInfo {
  readonly name: string;
  readonly type: unknown;
}
export interface GraphProto {
  readonly name: string;
  readonly node: readonly NodeProto[];
  readonly initializer: readonly TensorProto[];
  readonly input: readonly ValueInfo[];
  readonly output: readonly ValueInfo[];
  readonly valueInfo: readonly ValueInfo[];
}

/** Never met: every id of a checked graph has a value. */
const NOTHING: Value = { channels: 0, block: 1, size: null };

/** Attributes that ONNX types as float; whole numbers are int otherwise. */
const FLOATS: readonly string[] = ['epsilon'];

function attributeProtos(attributes: Attributes): AttributeProto[] {
  return Object.entries(attributes).map(([name, value]) => {
    if (typeof value !== 'number') return { name, type: ATTRIBUTE.ints, ints: value };
    return FLOATS.includes(name)
      ? { name, type: ATTRIBUTE.float, f: value }
      : { name, type: ATTRIBUTE.int, i: value };
  });
}

/** [N, C, H, W], or [N, features] for a vector. */
function infoOf(name: string, { channels, block, size }: Value): ValueInfo {
  const dims = size === null ? [channels * block] : [channels, ...size];
  const dim = [{ dimParam: BATCH }, ...dims.map((dimValue) => ({ dimValue }))];
  return { name, type: { tensorType: { elemType: FLOAT, shape: { dim } } } };
}

/** Hands out names that nothing else has: a value "stem.weight" may be a node's id, and a parameter's name. */
function namer(): (wish: string) => string {
  const taken = new Set<string>();
  return (wish) => {
    let name = wish;
    for (let n = 2; taken.has(name); n += 1) name = `${wish}_${n}`;
    taken.add(name);
    return name;
  };
}

function tensorProto(name: string, { shape, data }: Pick<TensorData, 'shape' | 'data'>): TensorProto {
  return { name, dims: shape, dataType: FLOAT, rawData: data };
}

/** Nodes and initializers as they come, with the names of all values, and what every node's output is. */
function build(graph: Graph, weights: TensorMap) {
  const unique = namer();
  const values = shapes(graph);
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const scalars = new Map<number, string>();
  const outputs = new Map<string, Value>();
  const names = new Map<NodeId, string>([[INPUT, unique(INPUT_NAME)]]);
  unique(OUTPUT_NAME);

  const scalar = (value: number): string => {
    const name = scalars.get(value) ?? unique(`constant.${value}`);
    if (!scalars.has(value)) {
      const data = new Uint8Array(Float32Array.of(value).buffer);
      initializers.push(tensorProto(name, { shape: [], data }));
      scalars.set(value, name);
    }
    return name;
  };

  const write = (node: GraphNode): string => {
    const own = new Map<string, string>();
    for (const { name } of opOf(node).parameters(node, inputsOf(node, values))) {
      const found = weights.get(`${node.id}.${name}`);
      if (found === undefined) continue;
      const free = unique(`${node.id}.${name}`);
      own.set(name, free);
      initializers.push(tensorProto(free, found));
    }
    const first = nodes.length;
    const writer: Writer = {
      add: (op, inputs, attributes = {}, value = values.get(node.id) ?? NOTHING) => {
        const output = unique(`${node.id}.${op}`);
        outputs.set(output, value);
        nodes.push({
          input: inputs,
          output: [output],
          name: output,
          opType: op,
          attribute: attributeProtos(attributes),
        });
        return output;
      },
      parameter: (name) => own.get(name),
      scalar,
    };
    const inputs = node.inputs.map((id) => names.get(id) ?? id);
    const result = onnxRow(node)(node, inputs, writer, inputsOf(node, values));
    // The last node written carries our id; an op that wrote none hands its input on.
    const last = nodes.at(-1);
    if (nodes.length === first || last === undefined) return result;
    const name = unique(node.id);
    outputs.delete(result);
    outputs.set(name, values.get(node.id) ?? NOTHING);
    last.output = [name];
    last.name = name;
    return name;
  };
  for (const node of graph.nodes) names.set(node.id, write(node));
  return { values, nodes, initializers, names, outputs };
}

/** The graph of the model: input `input` [N, C, H, W], output `logits` [N, classes], float32. */
export function onnxGraph({ graph, weights }: Weighted): GraphProto {
  const { values, nodes, initializers, names, outputs } = build(graph, weights);
  // Every node leads to the output, which a node of its own gives: a map never is the output, and nothing reads it.
  const last = names.get(graph.output);
  const node = nodes.map((one) =>
    one.output[0] === last ? { ...one, name: OUTPUT_NAME, output: [OUTPUT_NAME] } : one,
  );
  return {
    name: graph.name,
    node,
    initializer: initializers,
    input: [infoOf(INPUT_NAME, values.get(INPUT) ?? NOTHING)],
    output: [infoOf(OUTPUT_NAME, values.get(graph.output) ?? NOTHING)],
    valueInfo: [...outputs].flatMap(([name, value]) => (name === last ? [] : [infoOf(name, value)])),
  };
}
