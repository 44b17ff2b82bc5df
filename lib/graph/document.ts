// The rules that network.json as a whole must meet, and how its output must be; check.ts walks them in this order.

import { repeatedName, wrongName } from './classes.js';
import { show } from './fields.js';
import { isFloat32 } from './float32.js';
import { FORMAT, type GraphNode, INPUT, type NodeId, type Value } from './ir.js';
import { MAX_WIDTH } from './op-fields.js';
import { isTable, LIMITS, member, type Rule, unknownKey } from './rules.js';

const isInteger = (value: unknown, min: number, max: number): boolean =>
  Number.isInteger(value) && Number(value) >= min && Number(value) <= max;

/** Fields of the document, and of its `input`. */
export const DOCUMENT_FIELDS = ['$schema', 'format', 'name', 'input', 'classes', 'nodes', 'output'] as const;
export const INPUT_FIELDS = ['shape', 'mean', 'std', 'shortSide'] as const;

function badStatistics(json: unknown, key: 'mean' | 'std'): string | undefined {
  const values = member(member(json, 'input'), key);
  if (values === undefined) return undefined;
  const [channels] = member(member(json, 'input'), 'shape') as number[];
  if (!Array.isArray(values) || values.length !== channels) {
    return `input.${key} must be a list of ${channels} numbers, one a channel, got ${show(values)}`;
  }
  const bad = values.find((v) => typeof v !== 'number' || !isFloat32(v) || (key === 'std' && v <= 0));
  return bad === undefined
    ? undefined
    : `input.${key} must hold finite numbers of float32${key === 'std' ? ' above 0' : ''}, got ${show(bad)}`;
}

export const DOCUMENT_RULES: readonly Rule<unknown>[] = [
  {
    name: 'the document is an object',
    code: 'E_GRAPH_FORMAT',
    finds: (json) => (isTable(json) ? undefined : `must be an object, got ${show(json)}`),
  },
  {
    name: 'the format is known',
    code: 'E_GRAPH_FORMAT',
    finds: (json) => {
      const format = member(json, 'format');
      return format === FORMAT ? undefined : `format must be "${FORMAT}", got ${show(format)}`;
    },
  },
  {
    name: 'the fields of the document are known',
    code: 'E_GRAPH_FORMAT',
    finds: (json) => unknownKey(json, DOCUMENT_FIELDS),
  },
  {
    // For editors alone: the graph does not keep it.
    name: 'the schema is named by a text',
    code: 'E_GRAPH_FORMAT',
    finds: (json) => {
      const schema = member(json, '$schema');
      const isFine = schema === undefined || typeof schema === 'string';
      return isFine ? undefined : `$schema must be a text, got ${show(schema)}`;
    },
  },
  {
    name: 'the name is a line of text',
    code: 'E_GRAPH_FORMAT',
    finds: (json) => {
      const name = member(json, 'name');
      const isFine = typeof name === 'string' && name.length <= LIMITS.nameLength && !/\p{Cc}/u.test(name);
      return isFine
        ? undefined
        : `name must be one line of at most ${LIMITS.nameLength} characters, got ${show(name)}`;
    },
  },
  {
    name: 'the input is an object of known fields',
    code: 'E_GRAPH_FORMAT',
    finds: (json) => {
      const input = member(json, 'input');
      return isTable(input) ? unknownKey(input, INPUT_FIELDS) : `input must be an object, got ${show(input)}`;
    },
  },
  {
    name: 'the input shape is [channels, height, width]',
    code: 'E_GRAPH_FORMAT',
    finds: (json) => {
      const shape = member(member(json, 'input'), 'shape');
      const isFine =
        Array.isArray(shape) &&
        shape.length === 3 &&
        shape.every((n, i) => isInteger(n, 1, i === 0 ? MAX_WIDTH : LIMITS.inputSize)) &&
        shape[0] * shape[1] * shape[2] <= LIMITS.features;
      const size = `positive integers, at most ${LIMITS.inputSize} pixels a side`;
      return isFine
        ? undefined
        : `input.shape must be [channels, height, width], ${size}, got ${show(shape)}`;
    },
  },
  {
    name: 'the means fit the channels',
    code: 'E_GRAPH_FORMAT',
    finds: (json) => badStatistics(json, 'mean'),
  },
  {
    name: 'the deviations fit the channels',
    code: 'E_GRAPH_FORMAT',
    finds: (json) => badStatistics(json, 'std'),
  },
  {
    name: 'mean and std come together',
    code: 'E_GRAPH_FORMAT',
    finds: (json) => {
      const input = member(json, 'input');
      const isFine = (member(input, 'mean') === undefined) === (member(input, 'std') === undefined);
      return isFine ? undefined : 'input.mean and input.std must be given together';
    },
  },
  {
    name: 'the shorter side holds the input',
    code: 'E_GRAPH_FORMAT',
    finds: (json) => {
      const input = member(json, 'input');
      const shortSide = member(input, 'shortSide');
      const [, height, width] = member(input, 'shape') as number[];
      const least = Math.max(height ?? 1, width ?? 1);
      return shortSide === undefined || isInteger(shortSide, least, LIMITS.inputSize)
        ? undefined
        : `input.shortSide must be an integer from ${least}, the input's longer side, to ${LIMITS.inputSize}, got ${show(shortSide)}`;
    },
  },
  {
    name: 'the class names are lines of text',
    code: 'E_GRAPH_FORMAT',
    finds: (json) => {
      const classes = member(json, 'classes');
      if (classes === undefined) return undefined;
      if (!Array.isArray(classes)) return `classes must be a list of names, got ${show(classes)}`;
      const at = classes.findIndex((name) => wrongName(name) !== undefined);
      return at < 0 ? undefined : `classes[${at}] ${wrongName(classes[at])}`;
    },
  },
  {
    name: 'the class names are unique',
    code: 'E_GRAPH_FORMAT',
    finds: (json) => {
      const at = repeatedName((member(json, 'classes') ?? []) as string[]);
      return at === null
        ? undefined
        : `classes[${at.second}] must be another name than classes[${at.first}], got ${show(at.name)} twice`;
    },
  },
  {
    name: 'the nodes are a list',
    code: 'E_GRAPH_FORMAT',
    finds: (json) => {
      const nodes = member(json, 'nodes');
      const isFine = Array.isArray(nodes) && nodes.length >= 1 && nodes.length <= LIMITS.nodes;
      return isFine ? undefined : `nodes must be a list of 1 to ${LIMITS.nodes} nodes, got ${show(nodes)}`;
    },
  },
];

/** Nodes from which the output can be reached, the output included. */
function reaching(nodes: readonly GraphNode[], output: NodeId): ReadonlySet<NodeId> {
  const reached = new Set<NodeId>([output]);
  for (const node of [...nodes].reverse()) {
    if (reached.has(node.id)) for (const id of node.inputs) reached.add(id);
  }
  return reached;
}

export const OUTPUT_RULES: readonly Rule<{
  readonly output: unknown;
  readonly classes: readonly string[] | undefined;
  readonly nodes: readonly GraphNode[];
  readonly values: ReadonlyMap<NodeId, Value>;
}>[] = [
  {
    name: 'the output is a node',
    code: 'E_GRAPH_OUTPUT',
    finds: ({ output, values }) => {
      const isNode = typeof output === 'string' && output !== INPUT && values.has(output);
      return isNode ? undefined : `output must be the id of a node, got ${show(output)}`;
    },
  },
  {
    name: 'the output is a vector of two classes or more',
    code: 'E_GRAPH_OUTPUT',
    finds: ({ output, values }) => {
      const value = values.get(String(output));
      if (value === undefined || value.size !== null)
        return `output "${output}" must be a vector of classes, got a feature map`;
      const classes = value.channels * value.block;
      return classes >= 2 ? undefined : `output "${output}" must have two classes or more, got ${classes}`;
    },
  },
  {
    name: 'every class has a name, or none has',
    code: 'E_GRAPH_OUTPUT',
    finds: ({ output, values, classes }) => {
      const value = values.get(String(output));
      const width = value === undefined ? 0 : value.channels * value.block;
      return classes === undefined || classes.length === width
        ? undefined
        : `classes must name the ${width} classes of output "${output}", got ${classes.length} names`;
    },
  },
  {
    // A dead end would be paid for and never trained.
    name: 'every node leads to the output',
    code: 'E_GRAPH_OUTPUT',
    finds: ({ output, nodes }) => {
      const reached = reaching(nodes, String(output));
      const stray = nodes.find(({ id }) => !reached.has(id));
      return stray === undefined
        ? undefined
        : `node "${stray.id}" does not lead to output "${output}"; remove it`;
    },
  },
];
