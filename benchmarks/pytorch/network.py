"""Runs a network.json with PyTorch: the independent reference of benchmarks and golden files."""

import json

import torch
from torch import nn


def activation(kind):
    rows = {
        "relu": nn.ReLU,
        "relu6": nn.ReLU6,
        "silu": nn.SiLU,
        "swish": nn.SiLU,
        "softplus": nn.Softplus,
        "tanh": nn.Tanh,
        "sigmoid": nn.Sigmoid,
        "gelu": nn.GELU,
        "identity": nn.Identity,
    }
    return rows[kind]()


def make(node, channels, size):
    """One node as a module, and the (channels, size) it gives; size None: a vector of `channels` features."""
    op = node["op"]
    if op in ("conv2d", "depthwise_conv2d"):
        k, s = node["kernel"], node.get("stride", 1)
        p = node.get("padding", k // 2)
        out = node["out"] if op == "conv2d" else channels
        groups = node.get("groups", 1) if op == "conv2d" else channels
        size = tuple((x + 2 * p - k) // s + 1 for x in size)
        return nn.Conv2d(channels, out, k, s, p, groups=groups, bias=node.get("bias", False)), out, size
    if op == "linear":
        return nn.Linear(channels, node["out"], bias=node.get("bias", True)), node["out"], None
    if op == "batch_norm":
        kind = nn.BatchNorm2d if size else nn.BatchNorm1d
        return kind(channels, node.get("eps", 1e-5), node.get("momentum", 0.1)), channels, size
    if op == "activation":
        return activation(node["kind"]), channels, size
    if op in ("max_pool", "avg_pool"):
        k = node["kernel"]
        s, p = node.get("stride", k), node.get("padding", 0)
        kind = nn.MaxPool2d if op == "max_pool" else nn.AvgPool2d
        return kind(k, s, p), channels, tuple((x + 2 * p - k) // s + 1 for x in size)
    if op == "global_avg_pool":
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), channels, None
    if op == "flatten":
        return nn.Flatten(), channels * size[0] * size[1], None
    if op == "dropout":
        return nn.Dropout(node.get("p", 0.5)), channels, size
    if op == "add":
        return None, channels, size
    raise ValueError(op)


class Network(nn.Module):
    def __init__(self, graph):
        super().__init__()
        self.graph = graph
        shape = graph["input"]["shape"]
        shapes = {"input": (shape[0], tuple(shape[1:]))}
        self.nodes = nn.ModuleDict()
        for node in graph["nodes"]:
            channels, size = shapes[node["inputs"][0]]
            module, out, size = make(node, channels, size)
            shapes[node["id"]] = (out, size)
            if module is not None:
                self.nodes[node["id"]] = module

    def forward(self, x):
        values = {"input": x}
        for node in self.graph["nodes"]:
            inputs = [values[name] for name in node["inputs"]]
            module = self.nodes[node["id"]] if node["id"] in self.nodes else None
            values[node["id"]] = module(inputs[0]) if module else sum(inputs[1:], inputs[0])
        return values[self.graph["output"]]

    def named(self):
        """Tensors by the names of weights.safetensors."""
        return {
            name[len("nodes.") :]: tensor
            for name, tensor in self.state_dict().items()
            if not name.endswith("num_batches_tracked")
        }


def load(path):
    with open(path) as file:
        return Network(json.load(file))
