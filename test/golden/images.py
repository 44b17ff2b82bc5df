"""Small pictures in every format that is read, and what Pillow and torchvision make of them: python test/golden/images.py"""

import ctypes
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from png_writer import chunk, png
from safetensors.torch import save_file
from torchvision.transforms import v2

FOLDER = Path(__file__).parent / "images"
DECODER = "node_modules/@julusian/jpeg-turbo/prebuilds/jpeg-turbo-linux-x64/libturbojpeg.so.0"
ENLARGED = ("rgb.jpg", "turned-6.jpg", "colours.png")


def picture(width, height, channels=3, seed=0):
    """Waves, an edge and noise, uint8 [height, width, channels]."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    planes = [127 + 70 * np.sin(x / (5 + c)) * np.cos(y / (7 - c)) + 40 * (x > y + 3 * c) for c in range(channels)]
    noisy = np.stack(planes, -1) + random.normal(0, 6, (height, width, channels))
    return noisy.clip(0, 255).astype(np.uint8)


def ycck(pixels, quality):
    """CMYK pixels as a YCCK JPEG with Adobe's marker, by TurboJPEG: Pillow writes plain CMYK only."""
    tj = ctypes.CDLL(DECODER)
    tj.tj3Init.restype = tj.tj3Alloc.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(tj.tj3Init(0))
    for parameter, value in ((3, quality), (4, 2), (8, 4)):
        assert tj.tj3Set(handle, parameter, value) == 0
    out, size = ctypes.c_void_p(), ctypes.c_size_t()
    height, width, _ = pixels.shape
    data = np.ascontiguousarray(pixels).ctypes.data_as(ctypes.c_void_p)
    assert tj.tj3Compress8(handle, data, width, 0, height, 11, ctypes.byref(out), ctypes.byref(size)) == 0
    return ctypes.string_at(out.value, size.value)


def files():
    rgb = Image.fromarray(picture(61, 47))
    jpegs = {
        "rgb": (rgb, {}),
        "sharp": (rgb, {"subsampling": 0}),
        "half": (rgb, {"subsampling": 1}),
        "progressive": (rgb, {"progressive": True}),
        "grey": (Image.fromarray(picture(61, 47, 1)[..., 0]), {}),
        "cmyk": (Image.fromarray(picture(61, 47, 4), "CMYK"), {}),
        "odd": (Image.fromarray(picture(43, 97)), {}),
        "square": (Image.fromarray(picture(96, 96)), {}),
        "dot": (Image.fromarray(picture(1, 1)), {}),
        "line": (Image.fromarray(picture(90, 1)), {}),
    }
    for name, (image, options) in jpegs.items():
        image.save(FOLDER / f"{name}.jpg", quality=92, **options)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        rgb.save(FOLDER / f"turned-{orientation}.jpg", quality=92, exif=exif)
    (FOLDER / "ycck.jpg").write_bytes(ycck(picture(61, 47, 4), 92))
    for depth in (1, 2, 4, 8):
        samples = picture(53, 45, 1, depth).astype(int) >> (8 - depth)
        (FOLDER / f"grey-{depth}.png").write_bytes(png(samples, depth, 0, depth == 2))
        colours = chunk(b"PLTE", np.random.default_rng(depth).integers(0, 256, 3 << depth, dtype=np.uint8).tobytes())
        (FOLDER / f"palette-{depth}.png").write_bytes(png(samples, depth, 3, depth == 4, colours))
    for name, count, depth, colour in (("colours", 3, 8, 2), ("deep", 3, 16, 2), ("alpha", 4, 8, 6), ("grey-alpha", 2, 8, 4)):
        samples = picture(53, 45, count).astype(int)
        samples = samples * 256 + 99 if depth == 16 else samples
        (FOLDER / f"{name}.png").write_bytes(png(samples, depth, colour, False))
        (FOLDER / f"{name}-interlaced.png").write_bytes(png(samples, depth, colour, True))
    (FOLDER / "png-named.JPEG").write_bytes((FOLDER / "colours.png").read_bytes())


def places(width, height):
    """A picture whose red and green say where a pixel is, by as large steps as there is room for."""
    y, x = np.mgrid[0:height, 0:width]
    return png(np.stack([x * (255 // (width - 1)), y * (255 // (height - 1)), 0 * x], -1), 8, 2, False)


def crops(width, height, count=20000):
    """Mean and standard deviation of left, top, width and height of torchvision's random resized crops."""
    torch.manual_seed(1)
    image = torch.zeros(3, height, width, dtype=torch.uint8)
    drawn = [v2.RandomResizedCrop(8).make_params([image]) for _ in range(count)]
    values = torch.tensor([[d[k] for k in ("left", "top", "width", "height")] for d in drawn], dtype=torch.float64)
    return torch.stack([values.mean(0), values.std(0)])


FOLDER.mkdir(exist_ok=True)
files()
found = {}
for path in sorted(p for p in FOLDER.iterdir() if p.suffix != ".safetensors" and not p.name.startswith("places")):
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    side = min(image.size)
    evaluations = {"same": (side, side), "smaller": (24, 20)} if side > 24 else {"same": (side, side)}
    if path.name in ENLARGED:
        evaluations["larger"] = (70, 64)
    for name, (short, resolution) in evaluations.items():
        seen = v2.CenterCrop(resolution)(v2.Resize(short)(image))
        found[f"{path.name}/{name}/{short}"] = torch.tensor(np.asarray(seen)).permute(2, 0, 1).contiguous()
save_file(found, FOLDER / "expected.safetensors")
statistics = {}
for width, height in ((200, 150), (240, 20)):
    (FOLDER / f"places-{width}x{height}.png").write_bytes(places(width, height))
    statistics[f"{width}x{height}"] = crops(width, height)
save_file(statistics, FOLDER / "crops.safetensors")
