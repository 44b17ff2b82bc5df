// From the graph to the flat program that C++ runs: slots, shapes, attributes, and the chains that have splitting indices.
import { groupsByNode } from './channels.js';
import { inputsOf, shapes } from './check.js';
import { type Graph, type GraphNode, INPUT, type NodeId, type Value } from './ir.js';
import { opOf } from './ops.js';
import type { Chain, Instruction, Program } from './program.js';
import { consumersOf } from './readers.js';

/** Slot of every node's output; 0 is the network's input. */
function slotsOf(graph: Graph): ReadonlyMap<NodeId, number> {
  return new Map([[INPUT, 0], ...graph.nodes.map(({ id }, i) => [id, i + 1] as const)]);
}

function instructionOf(
  node: GraphNode,
  inputs: readonly Value[],
  slots: ReadonlyMap<NodeId, number>,
): Instruction {
  const op = opOf(node);
  const parameters = op.parameters(node, inputs).map(({ name, axes, initial, isTrained }) => ({
    name: `${node.id}.${name}`,
    shape: axes.map(({ size }) => size),
    initial,
    isTrained,
  }));
  const read = node.inputs.map((id) => slots.get(id) ?? 0);
  return { id: node.id, op: op.native, inputs: read, attributes: op.attributes(node, inputs), parameters };
}

/** layer -> [batch_norm] -> [activation]; a member that others read too, or that is the output, ends the chain. */
function membersOf(
  graph: Graph,
  layer: GraphNode,
  consumers: ReadonlyMap<NodeId, readonly GraphNode[]>,
): { readonly batch_norm?: GraphNode; readonly activation?: GraphNode } {
  const members: { batch_norm?: GraphNode; activation?: GraphNode } = {};
  let last = layer;
  for (const place of ['batch_norm', 'activation'] as const) {
    const [next, ...others] = consumers.get(last.id) ?? [];
    if (next === undefined || others.length > 0 || last.id === graph.output) break;
    if (opOf(next).chain !== place) continue;
    members[place] = next;
    last = next;
  }
  return members;
}

/**
 * The program of a checked graph. A chain for every layer of a splittable
 * channel group; layers of frozen groups have no splitting index.
 */
export function lower(graph: Graph): Program {
  const values = shapes(graph);
  const slots = slotsOf(graph);
  const groups = groupsByNode(graph);
  const consumers = consumersOf(graph);
  const instructions = graph.nodes.map((node) => instructionOf(node, inputsOf(node, values), slots));
  const chains = graph.nodes.flatMap((node, i): Chain[] => {
    if (opOf(node).channels !== 'source' || groups.get(node.id)?.isSplittable !== true) return [];
    const [neurons = 0, ...weights] = instructions[i]?.parameters[0]?.shape ?? [];
    const { batch_norm: batchNorm, activation } = membersOf(graph, node, consumers);
    const slotOf = (member: GraphNode | undefined): number => (member && slots.get(member.id)) ?? -1;
    return [
      {
        id: node.id,
        layer: slotOf(node),
        batchNorm: slotOf(batchNorm),
        activation: slotOf(activation),
        neurons,
        dimension: weights.reduce((n, size) => n * size, 1),
      },
    ];
  });
  const output = values.get(graph.output);
  return {
    inputShape: graph.input.shape,
    classes: output === undefined ? 0 : output.channels * output.block,
    instructions,
    output: slots.get(graph.output) ?? 0,
    chains,
  };
}
