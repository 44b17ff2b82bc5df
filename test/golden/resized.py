"""Images at other resolutions, by PyTorch's antialiased bilinear interpolation; generate.py keeps them."""

import torch
import torch.nn.functional as F


def resized():
    """Bilinear and antialiased, of pixels as floats: not rounded to grey levels."""
    torch.manual_seed(11)
    x, y = torch.meshgrid(torch.arange(12.0), torch.arange(12.0), indexing="ij")
    waves = torch.stack([127 + 100 * torch.sin(x / 3 + c) * torch.cos(y / 2) for c in range(3)])
    pixels = (waves + 60 * torch.rand(4, 3, 12, 12) - 30).clamp(0, 255).byte()
    found = {"pixels": pixels}
    for size in (1, 5, 8, 12, 17):
        found[f"to-{size}"] = F.interpolate(pixels.float(), (size, size), mode="bilinear", align_corners=False, antialias=True)
    return found
