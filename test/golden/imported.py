"""Golden files of `splitgrow import`: narrow models of torchvision and timm, their tensors by name and shape, and what PyTorch makes of them.

    python test/golden/imported.py        (PyTorch 2.11.0, torchvision 0.26.0, timm 1.0.31)

Weights, running statistics, images and labels are drawn by mulberry32 from seeds that stand in the files' order, so that
test/models/imported.ts makes the same ones: no file holds a weight.
"""

import json
from pathlib import Path

import numpy as np
import timm
import torch
import torch.nn.functional as F
import torchvision

HERE = Path(__file__).parent / "imported"
CLASSES, IMAGES, SIDE = 7, 24, 48


def uniform(seed, count):
    """mulberry32: uniform in [0, 1), as `randomOf` of test/reference.ts."""
    low = np.uint64(0xFFFFFFFF)
    state = np.uint64((seed * 0x9E3779B1) & 0xFFFFFFFF)
    t = (state + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x6D2B79F5)) & low
    t = ((t ^ (t >> np.uint64(15))) * (t | np.uint64(1))) & low
    t = t ^ ((t + ((t ^ (t >> np.uint64(7))) * (t | np.uint64(61)) & low)) & low)
    return (t ^ (t >> np.uint64(14))).astype(np.float64) / 2**32


def drawn(name, shape, seed, gain):
    u = uniform(seed, int(np.prod(shape)))
    if len(shape) > 1:
        values = (2 * u - 1) * np.sqrt(6 / np.prod(shape[1:]))
    elif name.endswith("weight"):
        values = gain * (0.7 + 0.6 * u)
    elif name.endswith("running_var"):
        values = 0.7 + 0.6 * u
    else:
        values = 0.4 * u - 0.2
    return torch.tensor(values.astype(np.float32)).view(shape)


def narrow(model, factor):
    """Every layer with a share of its channels; the input and the classes stay."""
    size = lambda n: n if n in (3, CLASSES) else round(n * factor)  # noqa: E731
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, torch.nn.Conv2d):
                new = torch.nn.Conv2d(
                    size(child.in_channels), size(child.out_channels), child.kernel_size, child.stride, child.padding, bias=False
                )
            elif isinstance(child, torch.nn.BatchNorm2d):
                new = torch.nn.BatchNorm2d(size(child.num_features), child.eps)
            elif isinstance(child, torch.nn.Linear):
                new = torch.nn.Linear(size(child.in_features), child.out_features)
            else:
                continue
            setattr(parent, name, new)
    return model


MODELS = {
    "torchvision-mobilenet_v2": (lambda: torchvision.models.mobilenet_v2(width_mult=0.35, num_classes=CLASSES), {"width": 0.35}),
    "torchvision-resnet18": (lambda: narrow(torchvision.models.resnet18(num_classes=CLASSES), 1 / 8), {"width": 0.125}),
    "torchvision-resnet50": (lambda: narrow(torchvision.models.resnet50(num_classes=CLASSES), 1 / 8), {"width": 0.125}),
    "timm-mobilenet_v1": (
        lambda: timm.models.efficientnet._gen_mobilenet_v1("mobilenetv1_100", channel_multiplier=0.25, num_classes=CLASSES),
        {"width": 0.25},
    ),
    "timm-mobilenet_v2": (lambda: timm.create_model("mobilenetv2_035", num_classes=CLASSES), {"width": 0.35}),
    "timm-resnet18": (lambda: narrow(timm.create_model("resnet18", num_classes=CLASSES), 1 / 8), {"width": 0.125}),
    "timm-resnet50": (lambda: narrow(timm.create_model("resnet50", num_classes=CLASSES), 1 / 8), {"width": 0.125}),
}
# Scales of batch norm under which logits are of the order of 1.
GAINS = {"mobilenet_v1": 1.2, "mobilenet_v2": 0.9, "resnet18": 0.6, "resnet50": 0.5}
# What the models' pretrained weights were trained with; timm's own configurations say it, torchvision's transforms too.
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def golden(name, make, options):
    source, preset = name.split("-")
    model = make()
    state = model.state_dict()
    tensors = [(key, list(t.shape)) for key, t in state.items()]
    for seed, (key, shape) in enumerate(tensors):
        if shape:
            state[key] = drawn(key, shape, seed, GAINS[preset])
    model.load_state_dict(state)
    mean, std = (model.default_cfg["mean"], model.default_cfg["std"]) if preset == "mobilenet_v1" else IMAGENET
    pixels = np.floor(256 * uniform(1001, IMAGES * 3 * SIDE * SIDE)).reshape(IMAGES, 3, SIDE, SIDE)
    labels = torch.tensor(np.floor(CLASSES * uniform(1002, IMAGES)).astype(np.int64))
    at = lambda values: torch.tensor(values, dtype=torch.float64).view(1, 3, 1, 1)  # noqa: E731
    with torch.no_grad():
        logits = model.double().eval()((torch.tensor(pixels) / 255 - at(mean)) / at(std))
    order = logits.argsort(1, descending=True)
    hits = order == labels[:, None]
    return {
        "preset": preset,
        "from": source,
        "options": options,
        "gain": GAINS[preset],
        "classes": CLASSES,
        "side": SIDE,
        "images": IMAGES,
        "mean": list(mean),
        "std": list(std),
        "tensors": tensors,
        "logits": [round(x, 9) for x in logits.flatten().tolist()],
        "top1": 100 * hits[:, :1].any(1).double().mean().item(),
        "top5": 100 * hits[:, :5].any(1).double().mean().item(),
        "loss": F.cross_entropy(logits, labels).item(),
    }


HERE.mkdir(exist_ok=True)
for name, (make, options) in MODELS.items():
    text = json.dumps(golden(name, make, options), separators=(",", ":"))
    (HERE / f"{name}.json").write_text(text.replace('],["', '],\n["') + "\n")
