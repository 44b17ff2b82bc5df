"""Writes the golden files in this folder, by PyTorch 2.11: forward passes, SGD steps, splitting matrices.

Run in the checkout, with torch 2.11, numpy and safetensors installed: python3 test/golden/generate.py
Networks are run by benchmarks/pytorch/network.py (torch.nn and autograd), which shares nothing with native/core.
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "benchmarks" / "pytorch"))
from curvature import second  # noqa: E402
from network import Network  # noqa: E402
from resized import resized  # noqa: E402

KINDS = ["relu", "relu6", "silu", "softplus", "tanh", "sigmoid", "gelu", "identity"]
PLAIN = dict(momentum=0.0, nesterov=False, weightDecay=0.0, labelSmoothing=0.0, dtype="float32")
RUNS = {
    "plain": PLAIN,
    "momentum": {**PLAIN, "momentum": 0.9, "weightDecay": 5e-3},
    "nesterov": {**PLAIN, "momentum": 0.9, "nesterov": True, "weightDecay": 1e-4, "labelSmoothing": 0.1},
    "penalties": {  # coefficients of sign(parameter), exact in float32
        **PLAIN, "momentum": 0.9, "weightDecay": 5e-3,
        "penalties": {"body_bn.weight": [0.0625] * 6, "stem_bn.weight": [0.25, 0.0, 0.125, 0.5], "pw.weight": [0.03125] * 24},
    },  # fmt: skip
    "float64": {**PLAIN, "momentum": 0.8, "nesterov": True, "weightDecay": 1e-3, "labelSmoothing": 0.2, "dtype": "float64"},
}


def node(id, op, *inputs, **fields):
    return {"id": id, "op": op, "inputs": list(inputs), **fields}


def act(id, source, kind):
    return node(id, "activation", source, kind=kind)


def graph(name, shape, *nodes):
    return {"format": "splitgrow-network/1", "name": name, "input": {"shape": shape}, "nodes": nodes, "output": nodes[-1]["id"]}


def maps():
    """Three channels, odd sizes: every convolution and pool, adds of two and of three, norms after each kind of node."""
    return graph(
        "maps", [3, 11, 9],
        node("stem", "conv2d", "input", out=6, kernel=3, stride=2, bias=False),
        node("stem_bn", "batch_norm", "stem", eps=1e-3, momentum=0.3),
        act("stem_act", "stem_bn", "sigmoid"),
        node("dw", "depthwise_conv2d", "stem_act", kernel=3, bias=True),
        node("dw_bn", "batch_norm", "dw"),
        act("dw_act", "dw_bn", "relu"),
        node("grouped", "conv2d", "dw_act", out=6, kernel=3, groups=3, bias=True),
        node("sum", "add", "stem_act", "grouped"),
        node("sum_bn", "batch_norm", "sum", eps=1e-4, momentum=0.05),
        act("sum_act", "sum_bn", "tanh"),
        node("max", "max_pool", "sum_act", kernel=3, stride=2, padding=1),
        node("max_bn", "batch_norm", "max"),
        act("max_act", "max_bn", "swish"),
        node("wide", "conv2d", "max_act", out=5, kernel=5, stride=1, padding=1, bias=True),
        act("wide_act", "wide", "gelu"),
        node("left", "conv2d", "wide_act", out=4, kernel=1, bias=False),
        node("left_bn", "batch_norm", "left"),
        node("right", "conv2d", "wide_act", out=4, kernel=1, bias=True),
        act("right_act", "right", "relu6"),
        node("middle", "conv2d", "wide_act", out=4, kernel=1),
        node("three", "add", "left_bn", "right_act", "middle"),
        node("avg", "avg_pool", "three", kernel=2, stride=2, padding=1),
        node("dw2", "depthwise_conv2d", "avg", kernel=2, stride=1, padding=1),
        act("dw2_act", "dw2", "identity"),
        node("flat", "flatten", "dw2_act"),
        node("flat_bn", "batch_norm", "flat"),
        act("flat_act", "flat_bn", "softplus"),
        node("hidden", "linear", "flat_act", out=7),
        node("hidden_bn", "batch_norm", "hidden", eps=1e-2, momentum=0.5),
        act("hidden_act", "hidden_bn", "silu"),
        node("classifier", "linear", "hidden_act", out=6),
    )  # fmt: skip


def gray():
    """One channel: no padding, unpadded average pool, global pool, dropout (evaluation mode only), no bias at the end."""
    return graph(
        "gray", [1, 8, 8],
        node("stem", "conv2d", "input", out=4, kernel=3, padding=0, bias=True),
        act("stem_act", "stem", "relu"),
        node("avg", "avg_pool", "stem_act", kernel=2),
        node("again", "add", "avg", "avg"),
        node("pw", "conv2d", "again", out=6, kernel=1),
        node("pw_bn", "batch_norm", "pw"),
        node("pool", "global_avg_pool", "pw_bn"),
        act("pool_act", "pool", "silu"),
        node("drop", "dropout", "pool_act", p=0.4),
        node("classifier", "linear", "drop", out=3, bias=False),
    )  # fmt: skip


def small():
    """What training runs on."""
    return graph(
        "small", [3, 8, 8],
        node("stem", "conv2d", "input", out=4, kernel=3),
        node("stem_bn", "batch_norm", "stem"),
        act("stem_act", "stem_bn", "relu"),
        node("dw", "depthwise_conv2d", "stem_act", kernel=3, stride=2),
        node("dw_bn", "batch_norm", "dw", momentum=0.2),
        act("dw_act", "dw_bn", "silu"),
        node("pw", "conv2d", "dw_act", out=6, kernel=1, bias=True),
        node("pw_bn", "batch_norm", "pw"),
        act("pw_act", "pw_bn", "relu6"),
        node("body", "conv2d", "pw_act", out=6, kernel=3),
        node("body_bn", "batch_norm", "body"),
        node("sum", "add", "pw_act", "body_bn"),
        act("sum_act", "sum", "relu"),
        node("pool", "global_avg_pool", "sum_act"),
        node("classifier", "linear", "pool", out=5),
    )  # fmt: skip


def chains(kind):
    """Chains with and without batch norm, activation, stride, bias; a residual; a linear layer behind a flatten."""
    return graph(
        "chains", [2, 6, 6],
        node("stem", "conv2d", "input", out=3, kernel=3),
        node("stem_bn", "batch_norm", "stem", eps=1e-3),
        act("stem_act", "stem_bn", kind),
        node("dw", "depthwise_conv2d", "stem_act", kernel=3, bias=True),
        node("dw_bn", "batch_norm", "dw"),
        act("dw_act", "dw_bn", kind),
        node("proj", "conv2d", "dw_act", out=3, kernel=1),
        node("proj_bn", "batch_norm", "proj"),
        node("sum", "add", "stem_act", "proj_bn"),
        node("sum_bn", "batch_norm", "sum"),
        act("sum_act", "sum_bn", kind),
        node("down", "conv2d", "sum_act", out=4, kernel=2, stride=2, padding=1, bias=True),
        act("down_act", "down", kind),
        node("avg", "avg_pool", "down_act", kernel=2),
        node("flat", "flatten", "avg"),
        node("hidden", "linear", "flat", out=3),
        node("hidden_bn", "batch_norm", "hidden"),
        act("hidden_act", "hidden_bn", kind),
        node("classifier", "linear", "hidden_act", out=4),
    )  # fmt: skip


# layer -> batch norm, activation, of `chains`.
CHAINS = {
    "stem": ("stem_bn", "stem_act"),
    "proj": ("proj_bn", None),
    "down": (None, "down_act"),
    "hidden": ("hidden_bn", "hidden_act"),
}


def made(description, seed, spread=1.0):
    """The network with weights, biases and batch-norm statistics that are all far from trivial."""
    torch.manual_seed(seed)
    network = Network(description)
    for name, tensor in network.named().items():
        parameter = name.split(".")[1]
        if parameter == "running_var":
            tensor.uniform_(0.5, 2.0)
        elif parameter == "weight" and tensor.dim() == 1:
            tensor.uniform_(0.6 * spread, 1.4 * spread)
        elif tensor.dim() == 1:
            tensor.normal_(0, 0.3)
        else:
            tensor.normal_(0, (2.5 / tensor[0].numel()) ** 0.5)
    return network


def batch(description, count, seed):
    generator = torch.Generator().manual_seed(seed)
    classes = description["nodes"][-1]["out"]
    images = torch.randn(count, *description["input"]["shape"], generator=generator)
    return {"images": images, "labels": torch.randint(0, classes, (count,), generator=generator)}


def write(folder, description, network, data):
    (HERE / folder).mkdir(exist_ok=True)
    (HERE / folder / "network.json").write_text(json.dumps(description, indent=1) + "\n")
    save(network.named(), folder, "weights")
    save(data, folder, "batch")


def save(tensors, *place):
    save_file({name: t.detach().clone().contiguous() for name, t in tensors.items()}, HERE.joinpath(*place).with_suffix(".safetensors"))


def forward_files(folder, description, seed, modes):
    network, data = made(description, seed), batch(description, 10, seed + 1)
    write(folder, description, network, data)
    network.double()
    logits = {}
    for mode in modes:
        network.train(mode == "train")
        logits[mode] = network(data["images"].double())
    save(logits, folder, "logits")


def statistics_files():
    """Norms' statistics by momentum=None over batches of 4, 4 and 2 in order, and the loss on each batch's own statistics."""
    network, data = made(maps(), 1).double(), batch(maps(), 10, 2)
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = None
            module.reset_running_stats()
    network.train()
    loss = 0.0
    for images, labels in zip(data["images"].split(4), data["labels"].split(4)):
        loss += F.cross_entropy(network(images.double()), labels, reduction="sum") / 10
    found = {name: t for name, t in network.named().items() if "running" in name}
    save({**found, "loss": loss.view(1)}, "maps", "statistics")


def training_files():
    """Two epochs of 20 images in batches of 8, 8 and 4, in order; one rate a minibatch."""
    description = small()
    network, data = made(description, 5), batch(description, 20, 6)
    write("train", description, network, data)
    start = {name: t.clone() for name, t in network.state_dict().items()}
    rates = [0.05, 0.05, 0.04, 0.03, 0.02, 0.01]
    (HERE / "train" / "runs.json").write_text(json.dumps({"batch": 8, "rates": rates, "runs": RUNS}, indent=1) + "\n")
    for name, run in RUNS.items():
        dtype = getattr(torch, run["dtype"])
        network.load_state_dict(start)
        network.to(dtype).train()
        optimizer = torch.optim.SGD(
            network.parameters(), lr=1.0, momentum=run["momentum"], nesterov=run["nesterov"], weight_decay=run["weightDecay"]
        )
        losses = []
        for step, rate in enumerate(rates):
            images, labels = (data[key].split(8)[step % 3] for key in ("images", "labels"))
            optimizer.param_groups[0]["lr"] = rate
            optimizer.zero_grad()
            loss = F.cross_entropy(network(images.to(dtype)), labels, label_smoothing=run["labelSmoothing"])
            loss.backward()
            for tensor, coefficients in run.get("penalties", {}).items():
                parameter = network.get_parameter(f"nodes.{tensor}")
                parameter.grad += torch.tensor(coefficients, dtype=dtype).view_as(parameter) * parameter.sign()
            optimizer.step()
            losses.append(loss.item() * len(labels))
        sums = torch.tensor(losses, dtype=torch.float64).view(2, 3).sum(1) / 20
        save({**network.named(), "losses": sums}, "train", name)


def splitting_files():
    """S of every neuron by the definition; linear chains with curvature 1. Batch norm is in evaluation mode, but in
    "drift" that behind the depthwise convolution is in training mode; its running statistics afterwards are kept."""
    description = chains("relu")
    # Norms that scale by more than 1 reach both ends of relu6 and the flat ends of the others.
    network, data = made(description, 7, spread=1.6), batch(description, 6, 8)
    write("split", description, network, data)
    weights = network.state_dict()
    for file, kind in [*((kind, kind) for kind in KINDS), ("drift", "silu")]:
        description = chains(kind)
        network = Network(description)
        network.load_state_dict(weights)
        network.double().eval()
        network.nodes["dw_bn"].train(file == "drift")
        values = {"input": data["images"].double()}
        for n in description["nodes"]:
            inputs = [values[name] for name in n["inputs"]]
            values[n["id"]] = network.nodes[n["id"]](*inputs) if n["id"] in network.nodes else sum(inputs[1:], inputs[0])
            values[n["id"]].retain_grad()
        F.cross_entropy(values["classifier"], data["labels"]).backward()
        found = {}
        by_id = {n["id"]: n for n in description["nodes"]}
        for layer, (norm, activation) in CHAINS.items():
            g = values[activation or norm].grad
            z = values[norm or layer]
            h = g * second(activation and kind, z)
            if norm:
                bn = network.nodes[norm]
                c = bn.weight / torch.sqrt(bn.running_var + bn.eps)
                h = h * (c**2).view([1, -1] + [1] * (h.dim() - 2))
            x = values[by_id[layer]["inputs"][0]]
            if x.dim() == 4:
                conv = network.nodes[layer]
                x = F.unfold(x, conv.kernel_size, padding=conv.padding, stride=conv.stride)
            else:
                x = x.unsqueeze(2)
            s = torch.einsum("bnp,bip,bjp->nij", h.flatten(2) if h.dim() == 4 else h.unsqueeze(2), x, x)
            lowest, vectors = torch.linalg.eigh(s)
            found |= {f"{layer}.S": s, f"{layer}.indices": lowest[:, 0], f"{layer}.directions": vectors[:, :, 0]}
        if file == "drift":
            found |= {name: tensor for name, tensor in network.named().items() if name.startswith("dw_bn.running")}
        save(found, "split", file)


forward_files("maps", maps(), 1, ["eval", "train"])
forward_files("gray", gray(), 3, ["eval"])
statistics_files()
training_files()
splitting_files()
save(resized(), "resize", "images")
