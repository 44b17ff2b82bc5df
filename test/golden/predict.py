"""What Pillow and numpy make of pictures and two small networks: python test/golden/predict.py (after images.py)"""

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from safetensors.numpy import save_file

FOLDER = Path(__file__).parent / "predict"
PICTURES = Path(__file__).parent / "images"
SIDE, POOL, CLASSES = 24, 4, 5
COLOURS = {
    "input": {"shape": [3, SIDE, SIDE], "mean": [0.49, 0.48, 0.45], "std": [0.25, 0.24, 0.26], "shortSide": 30},
    "classes": ["ash", "birch", "cedar", "Douglas fir", "elm"],
}
GREY = {"input": {"shape": [1, SIDE, SIDE]}}
PNGS = ("colours.png", "colours-interlaced.png", "palette-8.png", "grey-8.png", "grey-alpha.png", "alpha.png", "deep.png")
JPEGS = ("rgb.jpg", "grey.jpg", "turned-6.jpg", "cmyk.jpg")


def write(name, fields, seed):
    """A network that pools and adds up; gives its weight and bias."""
    random = np.random.default_rng(seed)
    features = fields["input"]["shape"][0] * (SIDE // POOL) ** 2
    weight = random.normal(0, 0.5, (CLASSES, features)).astype(np.float32)
    bias = random.normal(0, 0.5, CLASSES).astype(np.float32)
    nodes = [
        {"id": "pool", "op": "avg_pool", "inputs": ["input"], "kernel": POOL},
        {"id": "flat", "op": "flatten", "inputs": ["pool"]},
        {"id": "classifier", "op": "linear", "inputs": ["flat"], "out": CLASSES},
    ]
    document = {"format": "splitgrow-network/1", "name": name, **fields, "nodes": nodes, "output": "classifier"}
    (FOLDER / name).mkdir(parents=True, exist_ok=True)
    (FOLDER / name / "network.json").write_text(json.dumps(document, indent=2) + "\n")
    save_file({"classifier.weight": weight, "classifier.bias": bias}, FOLDER / name / "weights.safetensors")
    return weight.astype(float), bias.astype(float)


def probabilities(file, fields, weights, short):
    image = ImageOps.exif_transpose(Image.open(PICTURES / file)).convert("RGB")
    width, height = image.size
    size = (short, int(short * height / width)) if width <= height else (int(short * width / height), short)
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = round((size[0] - SIDE) / 2), round((size[1] - SIDE) / 2)
    image = image.crop((left, top, left + SIDE, top + SIDE))
    channels = fields["input"]["shape"][0]
    image = image.convert("L") if channels == 1 else image
    pixels = np.asarray(image).reshape(SIDE, SIDE, channels).transpose(2, 0, 1) / 255
    one = (channels, 1, 1)
    mean = np.reshape(fields["input"].get("mean", [0] * channels), one)
    std = np.reshape(fields["input"].get("std", [1] * channels), one)
    cells = ((pixels - mean) / std).reshape(channels, SIDE // POOL, POOL, SIDE // POOL, POOL)
    logits = weights[0] @ cells.mean((2, 4)).reshape(-1) + weights[1]
    shares = np.exp(logits - logits.max())
    return (shares / shares.sum()).tolist()


cases = []
for name, fields, seed in (("colours", COLOURS, 1), ("grey", GREY, 2)):
    weights = write(name, fields, seed)
    own = fields["input"].get("shortSide", SIDE)
    for file in PNGS + JPEGS:
        whole = min(Image.open(PICTURES / file).size)
        for short, kind in ((whole, "same"), (own, "resized")):
            found = probabilities(file, fields, weights, short)
            cases.append({"network": name, "file": file, "kind": kind, "shortSide": short, "probabilities": found})
(FOLDER / "expected.json").write_text(json.dumps(cases) + "\n")
