// A network for PyTorch: a safetensors file that carries its graph, and the Python module that rebuilds it.

import type { Graph, GraphNode } from '../graph/ir.js';
import { field, opOf } from '../graph/ops.js';
import { packageVersion } from '../machine/version.js';
import { metadataOf } from './metadata.js';

/** Every field written out and every alias resolved, so that the loader needs no defaults. */
function explicit(node: GraphNode): GraphNode {
  const { fields, attributes, chain } = opOf(node);
  const all = Object.fromEntries(Object.keys(fields).map((name) => [name, field(node, name)]));
  const resolved = chain === 'activation' ? attributes(node, []) : {};
  return { id: node.id, op: node.op, inputs: node.inputs, ...all, ...resolved };
}

/** Metadata of the safetensors file; `network` is its network.json with nothing left to defaults, which the loader reads. */
export function pytorchMetadata(graph: Graph): Readonly<Record<string, string>> {
  const network = { ...graph, nodes: graph.nodes.map(explicit) };
  return { ...metadataOf(graph), format: 'pt', network: JSON.stringify(network) };
}

/** Text within a Python comment or string must not end it. */
function plain(text: string): string {
  return text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '_');
}

/** True for the source of a loader of any network. */
export function isLoader(source: string): boolean {
  return /^# Rebuilds the network "[^"\n]*" in PyTorch: model = load\(\)\. Written by splitgrow /.test(
    source,
  );
}

/** The loader's source; it reads the safetensors file `file`, which lies beside it. */
export function pytorchLoader(graph: Graph, file: string): string {
  return `# Rebuilds the network "${plain(graph.name)}" in PyTorch: model = load(). Written by splitgrow ${packageVersion()}.
import json
from pathlib import Path

import torch
from safetensors import safe_open
from torch import nn

FILE = Path(__file__).parent / ${JSON.stringify(file)}


class BatchNorm(nn.modules.batchnorm._BatchNorm):
    def _check_input_dim(self, x):  # maps and vectors alike
        pass


class Add(nn.Module):
    def forward(self, first, *others):
        return sum(others, first)


ACTIVATIONS = dict(relu=nn.ReLU, relu6=nn.ReLU6, silu=nn.SiLU, softplus=nn.Softplus, tanh=nn.Tanh,
                   sigmoid=nn.Sigmoid, gelu=nn.GELU, identity=nn.Identity)
WINDOW = ("kernel", "stride", "padding")
MODULES = {  # n: the node's fields, s: the shape of its weight
    "conv2d": lambda n, s: nn.Conv2d(s[1] * n["groups"], s[0], *map(n.get, WINDOW), groups=n["groups"], bias=n["bias"]),
    "depthwise_conv2d": lambda n, s: nn.Conv2d(s[0], s[0], *map(n.get, WINDOW), groups=s[0], bias=n["bias"]),
    "linear": lambda n, s: nn.Linear(s[1], s[0], bias=n["bias"]),
    "batch_norm": lambda n, s: BatchNorm(s[0], n["eps"], n["momentum"]),
    "activation": lambda n, s: ACTIVATIONS[n["kind"]](),
    "add": lambda n, s: Add(),
    "max_pool": lambda n, s: nn.MaxPool2d(*map(n.get, WINDOW)),
    "avg_pool": lambda n, s: nn.AvgPool2d(*map(n.get, WINDOW)),
    "global_avg_pool": lambda n, s: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    "flatten": lambda n, s: nn.Flatten(),
    "dropout": lambda n, s: nn.Dropout(n["p"]),
}


class Network(nn.Module):
    def __init__(self, graph, shapes):
        super().__init__()
        self.graph = graph
        self.layers = nn.ModuleList(MODULES[n["op"]](n, shapes.get(n["id"] + ".weight")) for n in graph["nodes"])

    def forward(self, x):
        values = {"input": x}
        for node, layer in zip(self.graph["nodes"], self.layers):
            values[node["id"]] = layer(*(values[id] for id in node["inputs"]))
        return values[self.graph["output"]]


def load(file=FILE):
    """The module in evaluation mode; input float32 [N, C, H, W], normalised. Its metadata is in model.metadata."""
    with safe_open(str(file), "pt") as source:
        tensors = {name: source.get_tensor(name) for name in source.keys()}
        metadata = source.metadata()
    graph = json.loads(metadata["network"])
    model = Network(graph, {name: tensor.shape for name, tensor in tensors.items()})
    place = {node["id"]: f"layers.{i}" for i, node in enumerate(graph["nodes"])}
    split = {name: name.rpartition(".") for name in tensors}
    model.load_state_dict({f"{place[split[n][0]]}.{split[n][2]}": tensor for n, tensor in tensors.items()})
    model.metadata = metadata
    return model.eval()


if __name__ == "__main__":
    print(load())
`;
}
