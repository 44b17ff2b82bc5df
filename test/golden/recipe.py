"""Writes recipe/: moving averages, clipped gradients and bfloat16 autocast by PyTorch 2.11, on the network of train/.

Run in the checkout, with torch 2.11, numpy and safetensors installed: python3 test/golden/recipe.py
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "benchmarks" / "pytorch"))
from network import load  # noqa: E402

RATES = [0.05, 0.05, 0.04, 0.03, 0.02, 0.01]
PLAIN = dict(momentum=0.9, labelSmoothing=0.1, dtype="float32")
RUNS = {
    "average": {**PLAIN, "average": {"decay": 0.75, "every": 1, "warmup": 0}},
    "average-every": {**PLAIN, "average": {"decay": 0.5, "every": 2, "warmup": 1}, "dtype": "float64"},
    "clip": {**PLAIN, "gradientClip": 0.5},
    "bfloat16": {**PLAIN, "precision": "bfloat16"},
    "clip-wide": {**PLAIN, "gradientClip": 1.5, "dtype": "float64"},
}


def started(dtype):
    network = load(HERE / "train" / "network.json")
    state = network.state_dict()
    for name, tensor in load_file(HERE / "train" / "weights.safetensors").items():
        state[f"nodes.{name}"].copy_(tensor)
    return network.to(dtype).train()


def batches(dtype):
    data = load_file(HERE / "train" / "batch.safetensors")
    return list(zip(data["images"].to(dtype).split(8), data["labels"].split(8)))


def trained(run):
    """Two epochs of batches of 8, 8 and 4, in order; the mean loss of each epoch, and the moving average.

    The average as in torchvision's references/classification/train.py: taken where the minibatch's place in the epoch
    divides by `every`, buffers and all; while the epoch warms up it starts again from the network.
    """
    dtype = getattr(torch, run["dtype"])
    network = started(dtype)
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0, momentum=run["momentum"])
    rule = run.get("average")
    average = rule and AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(rule["decay"]), use_buffers=True)
    losses, norms = [], []
    for step, rate in enumerate(RATES):
        epoch, place = divmod(step, 3)
        images, labels = batches(dtype)[place]
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=run.get("precision") == "bfloat16"):
            loss = F.cross_entropy(network(images), labels, label_smoothing=run["labelSmoothing"])
        loss.backward()
        if "gradientClip" in run:
            norms.append(torch.nn.utils.clip_grad_norm_(network.parameters(), run["gradientClip"]).item())
        optimizer.step()
        losses.append(loss.item() * len(labels))
        if rule and place % rule["every"] == 0:
            average.update_parameters(network)
            if epoch < rule["warmup"]:
                average.n_averaged.fill_(0)
    sums = torch.tensor(losses, dtype=torch.float64).view(2, 3).sum(1) / 20
    found = {**network.named(), "losses": sums}
    if rule:
        found |= {f"average.{name}": tensor for name, tensor in average.module.named().items()}
    if norms:
        found["norms"] = torch.tensor(norms, dtype=torch.float64)
    return found


def save(tensors, name):
    save_file({id: t.detach().clone().contiguous() for id, t in tensors.items()}, HERE / "recipe" / f"{name}.safetensors")


(HERE / "recipe").mkdir(exist_ok=True)
(HERE / "recipe" / "runs.json").write_text(json.dumps({"batch": 8, "rates": RATES, "runs": RUNS}, indent=1) + "\n")
for name, run in RUNS.items():
    save(trained(run), name)
# What bfloat16 is to come near.
save(trained({**PLAIN, "dtype": "float64"}), "float64")
