// The op table: one row an op. Shapes, MACs, channel groups, growth and lowering follow from these rows alone.
import { SplitgrowError } from '../errors.js';
import { type Field, row } from './fields.js';
import type { Axis, AxisRole, FieldValue, GraphNode, Initial, Parameter, Value } from './ir.js';
import { BATCH_NORM, CONV2D, DEPTHWISE, DROPOUT, LINEAR, POOL } from './op-fields.js';

/** Why channels cannot be split: those of the node alone, or those of its input too. */
export interface Freeze {
  readonly what: 'out' | 'both';
  readonly because: string;
}

/** One row of the op table. `inputs` below are the values of the node's inputs, in order. */
export interface Op {
  readonly fields: Readonly<Record<string, Field>>;
  /** Fewest and most inputs. */
  readonly arity: readonly [number, number];
  /** What kind of value the inputs must be. */
  readonly takes: 'map' | 'vector' | 'any';
  /** source: makes channels (field `out`); pass: hands its input's on; merge: ties its inputs' together. */
  readonly channels: 'source' | 'pass' | 'merge';
  /** Place in a neuron's chain layer -> [batch_norm] -> [activation], if any. */
  readonly chain?: 'batch_norm' | 'activation';
  /** What is wrong between the node's own fields, if anything. */
  readonly limits?: (node: GraphNode) => string | undefined;
  /** Why the op cannot take these inputs, if it cannot (kind and size aside). */
  readonly refuses?: (node: GraphNode, inputs: readonly Value[]) => string | undefined;
  /** Why channels that the op touches cannot be split, if they cannot. */
  readonly freezes?: (node: GraphNode) => Freeze | undefined;
  readonly shape: (node: GraphNode, inputs: readonly Value[]) => Value;
  /** In PyTorch's order; an axis of role `in` follows the first input, `out` the node's own channels. */
  readonly parameters: (node: GraphNode, inputs: readonly Value[]) => readonly Parameter[];
  /** Multiply-accumulates for one image; one multiply-add counts 1 (docs/reference.md). */
  readonly macs: (node: GraphNode, inputs: readonly Value[], output: Value) => number;
  /** Row of the native op table, and the attributes it reads. */
  readonly native: string;
  readonly attributes: (
    node: GraphNode,
    inputs: readonly Value[],
  ) => Readonly<Record<string, number | string>>;
}

const ACTIVATIONS = ['relu', 'relu6', 'silu', 'softplus', 'tanh', 'sigmoid', 'gelu', 'identity'] as const;
/** A non-linearity by name; `swish` is another name of `silu`. */
export type Activation = (typeof ACTIVATIONS)[number] | 'swish';
/** Without a second derivative, nor one that stands for it. */
export const LINEAR_ACTIVATIONS: readonly unknown[] = ['identity'] satisfies (typeof ACTIVATIONS)[number][];
/** Other names that network files may use for an activation. */
const ALIASES: Readonly<Record<string, string>> = { swish: 'silu' };
/** Every name that an activation's `kind` may have. */
export const ACTIVATION_KINDS: readonly string[] = [...ACTIVATIONS, ...Object.keys(ALIASES)];

/**
 * A field's value: the node's own, else the op table's default.
 * @throws E_GRAPH_FIELD where the op has no such field, or it is required and missing.
 */
export function field(node: GraphNode, name: string): FieldValue {
  if (Object.hasOwn(node, name)) {
    const own = node[name];
    if (typeof own === 'number' || typeof own === 'string' || typeof own === 'boolean') return own;
  }
  const fallback = row(opOf(node).fields, name)?.default;
  if (fallback === undefined)
    throw new SplitgrowError('E_GRAPH_FIELD', `${node.op} "${node.id}" has no field "${name}"`);
  return typeof fallback === 'function' ? fallback(node) : fallback;
}

function number(node: GraphNode, name: string): number {
  return Number(field(node, name));
}

const axis = (size: number, role: AxisRole): Axis => ({ size, role });
const parameter = (name: string, axes: readonly Axis[], initial: Initial, isTrained = true): Parameter => ({
  name,
  axes,
  initial,
  isTrained,
});
const constant = (value: number): Initial => ({ kind: 'constant', value });
const features = (value: Value): number => value.channels * value.block;
const area = (value: Value): number => (value.size === null ? 1 : value.size[0] * value.size[1]);
const VECTOR: Value = { channels: 0, block: 1, size: null };
const first = (inputs: readonly Value[]): Value => inputs[0] ?? VECTOR;
const same = (_node: GraphNode, inputs: readonly Value[]): Value => first(inputs);
const none = (): readonly Parameter[] => [];
const free = (): number => 0;
const splitFalse = (node: GraphNode): Freeze | undefined =>
  field(node, 'split') === false ? { what: 'out', because: `"${node.id}" has split: false` } : undefined;

/** Spatial size after a square window: floor((n + 2 padding - kernel) / stride) + 1. */
function window(node: GraphNode, inputs: readonly Value[]): readonly [number, number] | null {
  const { size } = first(inputs);
  const [k, s, p] = [number(node, 'kernel'), number(node, 'stride'), number(node, 'padding')];
  const after = (n: number): number => Math.floor((n + 2 * p - k) / s) + 1;
  return size === null ? null : [after(size[0]), after(size[1])];
}

const windowAttributes = (node: GraphNode): Record<string, number> => ({
  kernel: number(node, 'kernel'),
  stride: number(node, 'stride'),
  padding: number(node, 'padding'),
});
const convAttributes = (node: GraphNode, groups: number): Record<string, number> => ({
  stride: number(node, 'stride'),
  padding: number(node, 'padding'),
  groups,
});
/** He et al.'s normal, by fan-out: std sqrt(2 / (k k out / groups)). */
const fanOut = (k: number, outPerGroup: number): Initial => ({
  kind: 'normal',
  std: Math.sqrt(2 / (k * k * outPerGroup)),
});
const convBias = (node: GraphNode, channels: number): readonly Parameter[] =>
  field(node, 'bias') === true ? [parameter('bias', [axis(channels, 'out')], constant(0))] : [];

const pool: Op = {
  fields: POOL,
  arity: [1, 1],
  takes: 'map',
  channels: 'pass',
  limits: (node) =>
    2 * number(node, 'padding') > number(node, 'kernel')
      ? `padding must be at most half of kernel ${number(node, 'kernel')}, got ${number(node, 'padding')}`
      : undefined,
  shape: (node, inputs) => ({ ...first(inputs), size: window(node, inputs) }),
  parameters: none,
  macs: free,
  native: 'max_pool',
  attributes: windowAttributes,
};

const elementwise: Op = {
  fields: {},
  arity: [1, 1],
  takes: 'any',
  channels: 'pass',
  shape: same,
  parameters: none,
  macs: free,
  native: 'activation',
  attributes: () => ({}),
};

export const OPS: Readonly<Record<string, Op>> = {
  conv2d: {
    fields: CONV2D,
    arity: [1, 1],
    takes: 'map',
    channels: 'source',
    refuses: (node, inputs) => {
      const [groups, out, into] = [number(node, 'groups'), number(node, 'out'), first(inputs).channels];
      const isFine = out % groups === 0 && into % groups === 0;
      return isFine ? undefined : `groups must divide in ${into} and out ${out}, got ${groups}`;
    },
    // A copy appended after the last channel would land in the last group.
    freezes: (node) =>
      number(node, 'groups') > 1
        ? { what: 'both', because: `"${node.id}" is a grouped convolution` }
        : splitFalse(node),
    shape: (node, inputs) => ({ channels: number(node, 'out'), block: 1, size: window(node, inputs) }),
    parameters: (node, inputs) => {
      const [out, k, groups] = [number(node, 'out'), number(node, 'kernel'), number(node, 'groups')];
      const axes = [
        axis(out, 'out'),
        axis(first(inputs).channels / groups, 'in'),
        axis(k, 'none'),
        axis(k, 'none'),
      ];
      return [parameter('weight', axes, fanOut(k, out / groups)), ...convBias(node, out)];
    },
    macs: (node, inputs, output) => {
      const perOutput = (first(inputs).channels / number(node, 'groups')) * number(node, 'kernel') ** 2;
      return perOutput * output.channels * area(output);
    },
    native: 'conv2d',
    attributes: (node) => convAttributes(node, number(node, 'groups')),
  },
  depthwise_conv2d: {
    fields: DEPTHWISE,
    arity: [1, 1],
    takes: 'map',
    channels: 'pass',
    shape: (node, inputs) => ({ ...first(inputs), size: window(node, inputs) }),
    parameters: (node, inputs) => {
      const [c, k] = [first(inputs).channels, number(node, 'kernel')];
      const axes = [axis(c, 'out'), axis(1, 'none'), axis(k, 'none'), axis(k, 'none')];
      return [parameter('weight', axes, fanOut(k, 1)), ...convBias(node, c)];
    },
    macs: (node, _inputs, output) => number(node, 'kernel') ** 2 * output.channels * area(output),
    native: 'conv2d',
    attributes: (node, inputs) => convAttributes(node, first(inputs).channels),
  },
  linear: {
    fields: LINEAR,
    arity: [1, 1],
    takes: 'vector',
    channels: 'source',
    freezes: splitFalse,
    shape: (node) => ({ ...VECTOR, channels: number(node, 'out') }),
    parameters: (node, inputs) => {
      const [out, into] = [number(node, 'out'), features(first(inputs))];
      // PyTorch's nn.Linear: uniform within 1 / sqrt(in), bias too.
      const initial: Initial = { kind: 'uniform', bound: 1 / Math.sqrt(into) };
      const weight = parameter('weight', [axis(out, 'out'), axis(into, 'in')], initial);
      return field(node, 'bias') === true
        ? [weight, parameter('bias', [axis(out, 'out')], initial)]
        : [weight];
    },
    macs: (_node, inputs, output) => features(first(inputs)) * output.channels,
    native: 'linear',
    attributes: () => ({}),
  },
  batch_norm: {
    ...elementwise,
    fields: BATCH_NORM,
    chain: 'batch_norm',
    parameters: (_node, inputs) => {
      const axes = [axis(features(first(inputs)), 'out')];
      return [
        parameter('weight', axes, constant(1)),
        parameter('bias', axes, constant(0)),
        parameter('running_mean', axes, constant(0), false),
        parameter('running_var', axes, constant(1), false),
      ];
    },
    native: 'batch_norm',
    attributes: (node) => ({ eps: number(node, 'eps'), momentum: number(node, 'momentum') }),
  },
  activation: {
    ...elementwise,
    fields: { kind: { kind: 'choice', choices: ACTIVATION_KINDS, about: 'the function' } },
    chain: 'activation',
    attributes: (node) => {
      const kind = String(field(node, 'kind'));
      return { kind: row(ALIASES, kind) ?? kind };
    },
  },
  add: { ...elementwise, arity: [2, 1_024], channels: 'merge', native: 'add' },
  max_pool: pool,
  avg_pool: { ...pool, native: 'avg_pool' },
  global_avg_pool: {
    ...elementwise,
    takes: 'map',
    shape: (_node, inputs) => ({ ...first(inputs), size: null }),
    native: 'global_avg_pool',
  },
  flatten: {
    ...elementwise,
    shape: (_node, inputs) => ({
      ...first(inputs),
      block: first(inputs).block * area(first(inputs)),
      size: null,
    }),
    native: 'flatten',
  },
  dropout: {
    ...elementwise,
    fields: DROPOUT,
    native: 'dropout',
    attributes: (node) => ({ p: number(node, 'p') }),
  },
};

/**
 * The table's row of a node.
 * @throws E_GRAPH_OP where there is none; a graph that passed `parseGraph` never throws.
 */
export function opOf(node: GraphNode): Op {
  const found = row(OPS, node.op);
  if (found === undefined) throw new SplitgrowError('E_GRAPH_OP', `"${node.id}" has unknown op "${node.op}"`);
  return found;
}
