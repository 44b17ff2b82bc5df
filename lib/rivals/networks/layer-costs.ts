// FLOPs of layers as bilinear functions of the channels around them: what MorphNet's regulariser is made of.
import { type ChannelGroup, groupsByNode } from '../../graph/channels.js';
import { inputsOf, shapes } from '../../graph/check.js';
import { type Graph, INPUT, type NodeId } from '../../graph/ir.js';
import { opOf } from '../../graph/ops.js';

/** A layer that costs MACs. */
export interface LayerCost {
  readonly id: NodeId;
  readonly input: NodeId;
  /** True where the layer makes channels: MACs = perPair * inputs * outputs; else MACs = perPair * outputs. */
  readonly isBilinear: boolean;
  readonly perPair: number;
  /** Channels read and made. */
  readonly inputs: number;
  readonly outputs: number;
  /** Groups of the channels read and made; undefined for the network's input. */
  readonly from: ChannelGroup | undefined;
  readonly to: ChannelGroup | undefined;
}

/** Every node that costs MACs, in order. Channels behind a flatten count once; their features are in `perPair`. */
export function layerCosts(graph: Graph): readonly LayerCost[] {
  const [groups, values] = [groupsByNode(graph), shapes(graph)];
  return graph.nodes.flatMap((node): LayerCost[] => {
    const [input = INPUT] = node.inputs;
    const into = inputsOf(node, values);
    const [inputs, output] = [into[0]?.channels ?? 0, values.get(node.id)];
    const outputs = output?.channels ?? 0;
    const macs = output === undefined ? 0 : opOf(node).macs(node, into, output);
    if (macs === 0) return [];
    const isBilinear = opOf(node).channels === 'source';
    const perPair = macs / (isBilinear ? inputs * outputs : outputs);
    const [from, to] = [input === INPUT ? undefined : groups.get(input), groups.get(node.id)];
    return [{ id: node.id, input, isBilinear, perPair, inputs, outputs, from, to }];
  });
}
