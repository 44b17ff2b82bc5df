// From untrusted JSON to a Graph, or one error that names the rule broken and the place.
import { SplitgrowError } from '../errors.js';
import { withClasses } from './classes.js';
import { DOCUMENT_RULES, OUTPUT_RULES } from './document.js';
import { show } from './fields.js';
import { FORMAT, type Graph, type GraphInput, type GraphNode, INPUT, type NodeId, type Value } from './ir.js';
import { opOf } from './ops.js';
import { addTotals, type Draft, NODE_RULES, type Rule, TOTAL_RULES, type Totals } from './rules.js';

function enforce<T>(rules: readonly Rule<T>[], subject: T, place: string): void {
  for (const { code, finds } of rules) {
    const found = finds(subject);
    if (found !== undefined) throw new SplitgrowError(code, `${place}: ${found}`);
  }
}

/** 'conv2d "stem"' where the node says so much, else its place in the list. */
function placeOf(raw: unknown, index: number): string {
  const { id, op } = typeof raw === 'object' && raw !== null ? (raw as Partial<GraphNode>) : {};
  const isNamed = typeof id === 'string' && typeof op === 'string';
  return isNamed ? `network.json, node ${index} (${show(op)} ${show(id)})` : `network.json, node ${index}`;
}

interface Document {
  readonly name: string;
  readonly input: GraphInput;
  readonly classes?: readonly string[];
  readonly nodes: readonly unknown[];
  readonly output: unknown;
}

/** A copy that holds nothing but what the rules looked at. */
function copied(raw: unknown): GraphNode {
  const node = raw as GraphNode;
  return { ...node, inputs: [...node.inputs] };
}

const inputValue = ({ shape: [channels, height, width] }: GraphInput): Value => ({
  channels,
  block: 1,
  size: [height, width],
});

/**
 * The graph of a parsed network.json, every rule of rules.ts checked. Nodes stay
 * as given: defaults are applied by `field`, never written in.
 *
 * @param json What JSON.parse gave; untrusted.
 * @throws E_GRAPH_* naming node, expectation, received value and the nearest known name.
 */
export function parseGraph(json: unknown): Graph {
  enforce(DOCUMENT_RULES, json, 'network.json');
  const document = json as Document;
  const ids = new Set<unknown>(document.nodes.map((raw) => (raw as Partial<GraphNode> | null)?.id));
  const values = new Map<NodeId, Value>([[INPUT, inputValue(document.input)]]);
  const nodes: GraphNode[] = [];
  let totals: Totals = { features: 0, parameters: 0, macs: 0 };
  for (const [index, raw] of document.nodes.entries()) {
    const place = placeOf(raw, index);
    const draft: Draft = { raw, place, values, ids };
    enforce(NODE_RULES, draft, place);
    const node = copied(raw);
    const inputs = inputsOf(node, values);
    const value = opOf(node).shape(node, inputs);
    totals = addTotals(totals, node, opOf(node), inputs, value);
    enforce(TOTAL_RULES, totals, place);
    values.set(node.id, value);
    nodes.push(node);
  }
  const { classes } = document;
  enforce(OUTPUT_RULES, { output: document.output, classes, nodes, values }, 'network.json');
  const { shape, mean, std, shortSide } = document.input;
  const [channels, height, width] = shape;
  const input: GraphInput = {
    shape: [channels, height, width],
    ...(mean && { mean: [...mean] }),
    ...(std && { std: [...std] }),
    ...(shortSide !== undefined && { shortSide }),
  };
  return withClasses(
    { format: FORMAT, name: document.name, input, nodes, output: String(document.output) },
    classes,
  );
}

/** Values of a node's inputs, in order, out of those of the whole graph. */
export function inputsOf(node: GraphNode, values: ReadonlyMap<NodeId, Value>): Value[] {
  return node.inputs.map((id) => {
    const value = values.get(id);
    if (value === undefined)
      throw new SplitgrowError('E_GRAPH_INPUT', `"${node.id}": input "${id}" does not exist or comes later`);
    return value;
  });
}

/** The value that each node gives, by its id; that of the network's input has the id `input`. */
export type Shapes = ReadonlyMap<NodeId, Value>;

/** The shapes of a checked graph: a new map on each call. */
export function shapes(graph: Graph): Map<NodeId, Value> {
  const values = new Map<NodeId, Value>([[INPUT, inputValue(graph.input)]]);
  for (const node of graph.nodes) values.set(node.id, opOf(node).shape(node, inputsOf(node, values)));
  return values;
}
