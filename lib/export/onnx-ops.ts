// Our ops in terms of ONNX operators (opset 17): one row an op of the op table, one row an activation.
import { SplitgrowError } from '../errors.js';
import { row } from '../graph/fields.js';
import type { GraphNode, Value } from '../graph/ir.js';
import { field, opOf } from '../graph/ops.js';

/** The newest operator below is AveragePool's and Conv's ordinary form; 17 is what ONNX Runtime 1.12 and TensorRT 8.5 already read. */
export const OPSET = 17;
/** IR version that belongs to opset 17. */
export const IR_VERSION = 8;

export type Attributes = Readonly<Record<string, number | readonly number[]>>;

/** What a row may use to write ONNX nodes; values and initializers are known by name. */
export interface Writer {
  /**
   * Appends a node; its output's name. The last one of a row becomes the value of our node; `value` says what the output of
   * another is, where that is not like ours.
   */
  readonly add: (op: string, inputs: readonly string[], attributes?: Attributes, value?: Value) => string;
  /** Name of a parameter of the node, by PyTorch's name; undefined where it has none. */
  readonly parameter: (name: string) => string | undefined;
  /** Name of a scalar float32 constant. */
  readonly scalar: (value: number) => string;
}

/** Writes one node that reads `inputs`; returns the name of its value. */
type Row = (node: GraphNode, inputs: readonly string[], writer: Writer, values: readonly Value[]) => string;

const number = (node: GraphNode, name: string): number => Number(field(node, name));
const pair = (value: number): readonly number[] => [value, value];
const sides = (value: number): readonly number[] => [value, value, value, value];
const given = (names: readonly (string | undefined)[]): readonly string[] =>
  names.filter((name) => name !== undefined);

const windowOf = (node: GraphNode): Attributes => ({
  kernel_shape: pair(number(node, 'kernel')),
  strides: pair(number(node, 'stride')),
  pads: sides(number(node, 'padding')),
});

const convolution =
  (groups: (node: GraphNode, values: readonly Value[]) => number): Row =>
  (node, inputs, { add, parameter }, values) =>
    add('Conv', given([...inputs, parameter('weight'), parameter('bias')]), {
      ...windowOf(node),
      group: groups(node, values),
    });

const unchanged: Row = (_node, [input = '']) => input;
const one =
  (op: string) =>
  (x: string, { add }: Writer) =>
    add(op, [x]);

/** By the kind as the op table resolves it. */
export const ONNX_ACTIVATIONS: Readonly<Record<string, (x: string, writer: Writer) => string>> = {
  relu: one('Relu'),
  relu6: (x, { add, scalar }) => add('Clip', [x, scalar(0), scalar(6)]),
  silu: (x, { add }) => add('Mul', [x, add('Sigmoid', [x])]),
  softplus: one('Softplus'),
  tanh: one('Tanh'),
  sigmoid: one('Sigmoid'),
  // x (1 + erf(x / sqrt 2)) / 2, PyTorch's default; Gelu is an operator from opset 20 only.
  gelu: (x, { add, scalar }) => {
    const erf = add('Erf', [add('Div', [x, scalar(Math.SQRT2)])]);
    return add('Mul', [add('Mul', [x, scalar(0.5)]), add('Add', [erf, scalar(1)])]);
  },
  identity: (x) => x,
};

export const ONNX_OPS: Readonly<Record<string, Row>> = {
  conv2d: convolution((node) => number(node, 'groups')),
  depthwise_conv2d: convolution((_node, [value]) => value?.channels ?? 1),
  linear: (_node, inputs, { add, parameter }) =>
    add('Gemm', given([...inputs, parameter('weight'), parameter('bias')]), { transB: 1 }),
  batch_norm: (node, inputs, { add, parameter }) =>
    add(
      'BatchNormalization',
      given([...inputs, ...['weight', 'bias', 'running_mean', 'running_var'].map(parameter)]),
      { epsilon: number(node, 'eps') },
    ),
  activation: (node, [x = ''], writer) => {
    const kind = String(opOf(node).attributes(node, []).kind);
    const write = row(ONNX_ACTIVATIONS, kind);
    if (write !== undefined) return write(x, writer);
    throw new SplitgrowError('E_INTERNAL', `no ONNX form of activation "${kind}" ("${node.id}")`);
  },
  // Two by two: quantisers know Add, few know Sum.
  add: (_node, [first = '', ...others], { add }) => others.reduce((sum, x) => add('Add', [sum, x]), first),
  max_pool: (node, inputs, { add }) => add('MaxPool', inputs, windowOf(node)),
  // As PyTorch's default, zeros of the border are counted.
  avg_pool: (node, inputs, { add }) =>
    add('AveragePool', inputs, { ...windowOf(node), count_include_pad: 1 }),
  global_avg_pool: (_node, inputs, { add }, [value]) => {
    const pooled: Value = { channels: value?.channels ?? 1, block: 1, size: [1, 1] };
    return add('Flatten', [add('GlobalAveragePool', inputs, {}, pooled)], { axis: 1 });
  },
  flatten: (_node, inputs, { add }) => add('Flatten', inputs, { axis: 1 }),
  dropout: unchanged,
};

/** @throws E_INTERNAL for an op that the table forgot. */
export function onnxRow(node: GraphNode): Row {
  const found = row(ONNX_OPS, node.op);
  if (found !== undefined) return found;
  throw new SplitgrowError('E_INTERNAL', `no ONNX form of op "${node.op}" ("${node.id}")`);
}
