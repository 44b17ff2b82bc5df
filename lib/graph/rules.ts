// The rules that every node of network.json must meet, one named row a rule; check.ts walks them in this order.
import type { ErrorCode } from '../errors.js';
import { complaint, didYouMean, row, show } from './fields.js';
import { type GraphNode, INPUT, type NodeId, type Value } from './ir.js';
import { OPS, type Op, opOf } from './ops.js';

/** What a hostile file may ask for at most. */
export const LIMITS = {
  nodes: 10_000,
  nameLength: 200,
  inputSize: 16_384,
  /** Features of one value for one image (1 GiB in float32), and of all values together. */
  features: 2 ** 28,
  allFeatures: 2 ** 31,
  parameters: 2 ** 31,
  /** Largest count that stays an exact integer with room for growth. */
  macs: 2 ** 52,
} as const;

/** One rule: what it finds wrong in `T`, or undefined. A rule may rely on every rule before it. */
export interface Rule<T> {
  readonly name: string;
  readonly code: ErrorCode;
  readonly finds: (subject: T) => string | undefined;
}

/** A node under check, with what the nodes before it gave. */
export interface Draft {
  readonly raw: unknown;
  readonly place: string;
  readonly values: ReadonlyMap<NodeId, Value>;
  /** Ids of the whole file, to tell "comes later" from "does not exist". */
  readonly ids: ReadonlySet<unknown>;
}
export interface Totals {
  readonly features: number;
  readonly parameters: number;
  readonly macs: number;
}

type Table = Readonly<Record<string, unknown>>;
export const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const member = (value: unknown, key: string): unknown =>
  isTable(value) && Object.hasOwn(value, key) ? value[key] : undefined;

/** The first of `keys` that is not in `known`, as a complaint. */
export function unknownKey(value: unknown, known: readonly string[]): string | undefined {
  const stray = Object.keys(value as Table).find((key) => !known.includes(key));
  return stray === undefined ? undefined : `unknown field ${show(stray)}${didYouMean(stray, known)}`;
}

// Safe once the rules above each use have passed.
const nodeOf = (draft: Draft): GraphNode => draft.raw as GraphNode;
const inputsOf = (draft: Draft): Value[] => nodeOf(draft).inputs.flatMap((id) => draft.values.get(id) ?? []);
const outputOf = (draft: Draft): Value => opOf(nodeOf(draft)).shape(nodeOf(draft), inputsOf(draft));
const kindOf = (value: Value): string => (value.size === null ? 'vector' : 'map');
const sizeOf = (value: Value): string =>
  value.size === null ? 'a vector' : `${value.size[0]} x ${value.size[1]}`;

/** Ids of any two inputs whose `key` differs from the first's. */
function differing(draft: Draft, key: (value: Value) => string): string | undefined {
  const inputs = inputsOf(draft);
  const [a] = inputs;
  if (opOf(nodeOf(draft)).channels !== 'merge' || a === undefined) return undefined;
  const i = inputs.findIndex((value) => key(value) !== key(a));
  const b = inputs[i];
  const ids = nodeOf(draft).inputs;
  return b === undefined ? undefined : `got ${key(a)} ("${ids[0]}") and ${key(b)} ("${ids[i]}")`;
}

const widthOf = (value: Value): string =>
  value.block === 1 ? `${value.channels}` : `${value.channels} x ${value.block}`;

export const NODE_RULES: readonly Rule<Draft>[] = [
  {
    name: 'a node is an object',
    code: 'E_GRAPH_FORMAT',
    finds: ({ raw }) => (isTable(raw) ? undefined : `must be an object, got ${show(raw)}`),
  },
  {
    name: 'an id is of safe characters and not reserved',
    code: 'E_GRAPH_ID',
    finds: ({ raw }) => {
      const id = member(raw, 'id');
      const isFine = typeof id === 'string' && id.length <= LIMITS.nameLength && /^[A-Za-z0-9_.-]+$/.test(id);
      if (!isFine)
        return `id must be 1 to ${LIMITS.nameLength} letters, digits, "_", "." or "-", got ${show(id)}`;
      return id === INPUT || id === '__proto__' ? `id "${id}" is reserved` : undefined;
    },
  },
  {
    name: 'an id occurs once',
    code: 'E_GRAPH_ID',
    finds: (draft) =>
      draft.values.has(nodeOf(draft).id) ? `id "${nodeOf(draft).id}" occurs twice` : undefined,
  },
  {
    name: 'the op is known',
    code: 'E_GRAPH_OP',
    finds: ({ raw }) => {
      const op = member(raw, 'op');
      if (typeof op !== 'string') return `op must be a name, got ${show(op)}`;
      return row(OPS, op) === undefined
        ? `unknown op ${show(op)}${didYouMean(op, Object.keys(OPS))}`
        : undefined;
    },
  },
  {
    name: 'the inputs are a list of ids',
    code: 'E_GRAPH_INPUT',
    finds: ({ raw }) => {
      const inputs = member(raw, 'inputs');
      const isFine = Array.isArray(inputs) && inputs.every((id) => typeof id === 'string');
      return isFine ? undefined : `inputs must be a list of node ids, got ${show(inputs)}`;
    },
  },
  {
    name: 'the number of inputs suits the op',
    code: 'E_GRAPH_ARITY',
    finds: (draft) => {
      const [least, most] = opOf(nodeOf(draft)).arity;
      const count = nodeOf(draft).inputs.length;
      const wanted = least === most ? `${least}` : `${least} to ${most}`;
      return count >= least && count <= most ? undefined : `takes ${wanted} inputs, got ${count}`;
    },
  },
  {
    name: 'the fields of a node are known',
    code: 'E_GRAPH_FIELD',
    finds: (draft) =>
      unknownKey(draft.raw, ['id', 'op', 'inputs', ...Object.keys(opOf(nodeOf(draft)).fields)]),
  },
  { name: 'the fields of a node are of the right kind', code: 'E_GRAPH_FIELD', finds: badField },
  {
    name: 'the fields of a node agree with each other',
    code: 'E_GRAPH_FIELD',
    finds: (draft) => opOf(nodeOf(draft)).limits?.(nodeOf(draft)),
  },
  {
    name: 'the inputs exist and come earlier',
    code: 'E_GRAPH_INPUT',
    finds: (draft) => {
      const missing = nodeOf(draft).inputs.find((id) => !draft.values.has(id));
      if (missing === undefined) return undefined;
      if (draft.ids.has(missing)) return `input ${show(missing)} must come earlier in the list`;
      const near = didYouMean(missing, [...draft.values.keys()].slice(-200));
      return `input ${show(missing)} does not exist${near.length < 300 ? near : ''}`;
    },
  },
  {
    name: 'the inputs are of the kind that the op takes',
    code: 'E_GRAPH_SHAPE',
    finds: (draft) => {
      const { takes } = opOf(nodeOf(draft));
      const i = inputsOf(draft).findIndex((value) => takes !== 'any' && kindOf(value) !== takes);
      const remedy =
        takes === 'vector' ? 'a vector (put global_avg_pool or flatten before it)' : 'a feature map';
      return i < 0
        ? undefined
        : `needs ${remedy}, got the ${takes === 'vector' ? 'map' : 'vector'} of "${nodeOf(draft).inputs[i]}"`;
    },
  },
  {
    name: 'merged inputs are of equal width',
    code: 'E_GRAPH_WIDTH',
    finds: (draft) => {
      const found = differing(draft, widthOf);
      return found && `inputs must have equal widths, ${found}`;
    },
  },
  {
    name: 'merged inputs are of equal size',
    code: 'E_GRAPH_SHAPE',
    finds: (draft) => {
      const found = differing(draft, sizeOf);
      return found && `inputs must have equal sizes, ${found}`;
    },
  },
  {
    name: 'the op can take its inputs',
    code: 'E_GRAPH_SHAPE',
    finds: (draft) => opOf(nodeOf(draft)).refuses?.(nodeOf(draft), inputsOf(draft)),
  },
  {
    name: 'the window fits its input',
    code: 'E_GRAPH_SHAPE',
    finds: (draft) => {
      const { size } = outputOf(draft);
      const isFine = size === null || (size[0] >= 1 && size[1] >= 1);
      return isFine
        ? undefined
        : `its window is larger than its input of ${inputsOf(draft).map(sizeOf).join(', ')} with padding`;
    },
  },
  {
    name: 'a value is of bearable size',
    code: 'E_GRAPH_SHAPE',
    finds: (draft) => {
      const count = featuresOf(outputOf(draft));
      return count <= LIMITS.features
        ? undefined
        : `gives ${count} features an image, more than ${LIMITS.features}`;
    },
  },
];

function badField(draft: Draft): string | undefined {
  for (const [name, field] of Object.entries(opOf(nodeOf(draft)).fields)) {
    const value = member(draft.raw, name);
    if (value === undefined && field.default === undefined) return `field "${name}" is missing`;
    const found = value === undefined ? undefined : complaint(field, value);
    if (found !== undefined) return `field "${name}" ${found}`;
  }
  return undefined;
}

/** Features of a value for one image. */
export function featuresOf(value: Value): number {
  return value.channels * value.block * (value.size === null ? 1 : value.size[0] * value.size[1]);
}

/** What a checked node adds to the totals of its graph. */
export function addTotals(
  totals: Totals,
  node: GraphNode,
  op: Op,
  inputs: readonly Value[],
  output: Value,
): Totals {
  const parameters = op
    .parameters(node, inputs)
    .reduce((sum, { axes }) => sum + axes.reduce((n, { size }) => n * size, 1), 0);
  return {
    features: totals.features + featuresOf(output),
    parameters: totals.parameters + parameters,
    macs: totals.macs + op.macs(node, inputs, output),
  };
}

const atMost = (name: string, limit: number, of: (totals: Totals) => number): Rule<Totals> => ({
  name: `the ${name} are of bearable number`,
  code: 'E_GRAPH_SHAPE',
  finds: (totals) =>
    of(totals) <= limit ? undefined : `the network has ${of(totals)} ${name} up to here, more than ${limit}`,
});

export const TOTAL_RULES: readonly Rule<Totals>[] = [
  atMost('features', LIMITS.allFeatures, (totals) => totals.features),
  atMost('parameters', LIMITS.parameters, (totals) => totals.parameters),
  atMost('MACs', LIMITS.macs, (totals) => totals.macs),
];
