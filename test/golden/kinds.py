"""Pictures of every kind that JPEG and PNG have, and what Pillow 13.0.0 makes of them: python test/golden/kinds.py (needs Pillow, numpy, safetensors)

kinds.safetensors holds the file of each kind, and as KIND/rgb the square in the middle of its upright pixels, uint8 [3, n, n]; none where it is refused.
"""

import ctypes
import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from jpeg_writer import JFIF, adobe, jpeg, segment
from metadata_kinds import jpeg_turns, png_turns
from PIL import Image, ImageOps
from png_writer import chunk, png
from safetensors.numpy import save_file

FOLDER = Path(__file__).parent / "images"
DECODER = "node_modules/@julusian/jpeg-turbo/prebuilds/jpeg-turbo-linux-x64/libturbojpeg.so.0"
SAMPLINGS = {
    **{"444": [(1, 1)] * 3, "422": [(2, 1), (1, 1), (1, 1)], "420": [(2, 2), (1, 1), (1, 1)], "440": [(1, 2), (1, 1), (1, 1)]},
    **{"411": [(4, 1), (1, 1), (1, 1)], "441": [(1, 4), (1, 1), (1, 1)], "410": [(4, 2), (1, 1), (1, 1)], "24": [(2, 4), (1, 1), (1, 1)]},
    **{"422-red": [(2, 2), (1, 2), (1, 2)], "31": [(3, 1), (1, 1), (1, 1)], "32": [(3, 2), (1, 1), (1, 1)], "mixed": [(2, 2), (1, 2), (2, 1)]},
    **{"dense-blue": [(1, 1), (2, 2), (1, 1)], "fractions": [(3, 1), (2, 1), (1, 1)], "too-large": [(2, 2)] * 3},
}
FOUR = [(1, 1)] * 4
C420 = SAMPLINGS["420"]


def jpegs():
    side = (19, 17)
    for name, factors in SAMPLINGS.items():
        yield f"ycc-{name}", jpeg(37, 21, factors)
        yield f"ycc-{name}-dot", jpeg(1, 1, factors)
    yield "grey", jpeg(*side, [(1, 1)])
    yield "grey-22", jpeg(*side, [(2, 2)])
    yield "grey-adobe", jpeg(*side, [(1, 1)], before=adobe(0))
    yield "apart", jpeg(*side, C420, apart=True)
    for transform in (0, 1, 2, 5):
        for name, factors, ids in (("three", SAMPLINGS["444"], None), ("rgb-ids", SAMPLINGS["444"], [82, 71, 66]), ("four", FOUR, None)):
            yield f"{name}-adobe-{transform}", jpeg(*side, factors, ids=ids, before=adobe(transform))
            yield f"{name}-jfif-adobe-{transform}", jpeg(*side, factors, ids=ids, before=JFIF + adobe(transform))
    for name, ids in {"rgb": [82, 71, 66], "from-0": [0, 1, 2], "large": [1, 34, 35], "same": [1, 1, 1], "small": [114, 103, 98]}.items():
        yield f"three-ids-{name}", jpeg(*side, SAMPLINGS["444"], ids=ids)
        yield f"three-ids-{name}-jfif", jpeg(*side, C420, ids=ids, before=JFIF)
    yield "four", jpeg(*side, FOUR)
    yield "four-jfif", jpeg(*side, FOUR, before=JFIF)
    yield "four-ids-cmyk", jpeg(*side, FOUR, ids=[67, 77, 89, 75])
    yield "four-420", jpeg(*side, [(2, 2), (1, 1), (1, 1), (2, 2)])
    yield "four-short-adobe", jpeg(*side, FOUR, before=segment(0xEE, b"Adobe\0\x64"))
    yield "two", jpeg(*side, [(1, 1)] * 2)
    yield "extended", jpeg(*side, C420, frame=0xC1)
    yield "bits-12", jpeg(*side, C420, frame=0xC1, bits=12)
    yield "hierarchical", jpeg(*side, C420, frame=0xC5)
    for restart in (1, 3):
        yield f"restart-{restart}", jpeg(61, 37, C420, restart=restart)
    whole, lost = jpeg(61, 37, C420, restart=2), b"\xff\xd2"
    yield "restart-wrong", whole.replace(lost, b"\xff\xd5", 1)
    yield "restart-missing", whole[: whole.index(lost)] + whole[whole.index(b"\xff\xd3") :]
    for sos in ((0, 0, 0), (0, 63, 1), (1, 63, 0), (255, 255, 255)):
        yield "sos-{}-{}-{}".format(*sos), jpeg(*side, C420, sos=sos)
    yield from marked(side)


def marked(side):
    good = jpeg(*side, C420)
    scan = good.index(b"\xff\xda")
    before = {
        **{"jfif-3": segment(0xE0, b"JFIF\0" + bytes([3, 1, 0, 0, 1, 0, 1, 0, 0])), "jfxx": JFIF + segment(0xE0, b"JFXX\0\x10\xff\xd8\xff\xd9")},
        **{"icc": segment(0xE2, b"ICC_PROFILE\0\1\1" + b"abc" * 50), "icc-bad": segment(0xE2, b"ICC_PROFILE\0\1\3abc")},
        **{"comment": segment(0xFE, b"hello"), "padded": b"\xff\xff\xff", "stuffed": b"\xff\0\xff\0", "unknown": b"\xff\2\0\4ab", "arithmetic-tables": segment(0xCC, b"\0\x10")},
    }
    for name, bytes_before in before.items():
        yield f"marked-{name}", jpeg(*side, C420, before=bytes_before)
    yield "junk-before-scan", good[:scan] + b"\0\1\2" + good[scan:]
    yield "junk-before-end", good[:-2] + b"junk" * 9 + b"\xff\xd9"
    yield "behind-end", good + b"behind" * 9
    yield "behind-end-jpeg", good + good
    yield "no-end", good[:-2]
    yield "zeros-for-end", good[:-2] + bytes(64)
    yield "cut", good[:-20]
    yield "cut-and-ended", good[:-20] + b"\xff\xd9"
    yield "cut-and-zeros", good[: scan + 30] + bytes(64)
    yield "twice-started", b"\xff\xd8" + good
    yield "scanned-twice", good[:-2] + good[scan:]
    yield "no-tables", jpeg(*side, C420, tables=False)


def turbo():
    tj = ctypes.CDLL(DECODER)
    tj.tj3Init.restype = ctypes.c_void_p
    y, x = np.mgrid[0:21, 0:37]
    picture = np.stack([127 + 100 * np.sin(x / 5 + c) * np.cos(y / 7 - c) for c in range(4)], -1).clip(0, 255).astype(np.uint8)

    def encoded(parameters, channels=3, pixels=0):
        handle = ctypes.c_void_p(tj.tj3Init(0))
        for parameter, value in {3: 90, **parameters}.items():
            assert tj.tj3Set(handle, parameter, value) == 0
        out, size, part = ctypes.c_void_p(), ctypes.c_size_t(), np.ascontiguousarray(picture[..., :channels])
        data = part.ctypes.data_as(ctypes.c_void_p)
        assert tj.tj3Compress8(handle, data, 37, 0, 21, pixels, ctypes.byref(out), ctypes.byref(size)) == 0
        return ctypes.string_at(out.value, size.value)

    progressive, arithmetic = 12, 14
    for name, options in {"progressive": {progressive: 1}, "arithmetic": {arithmetic: 1}, "both": {progressive: 1, arithmetic: 1}}.items():
        yield f"{name}-420", encoded({4: 2, **options})
        yield f"{name}-grey", encoded({4: 3, **options}, 1, 6)
        yield f"{name}-cmyk", encoded({4: 0, 8: 3, **options}, 4, 11)
        yield f"{name}-ycck", encoded({4: 2, 8: 4, **options}, 4, 11)
    yield "rgb", encoded({4: 0, 8: 0})
    yield "lossless", encoded({15: 1, 16: 1})


def pngs():
    header = chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"sRGB", b"\0")
    for colour, samples, depths in ((0, 1, (1, 2, 4, 8, 16)), (2, 3, (8, 16)), (3, 1, (1, 2, 4, 8)), (4, 2, (8, 16)), (6, 4, (8, 16))):
        for depth in depths:
            draw = np.random.default_rng(depth)
            palette = chunk(b"PLTE", draw.integers(0, 256, 3 << depth, dtype=np.uint8).tobytes()) if colour == 3 else b""
            for width, height in ((13, 11), (3, 5), (1, 1)):
                values = draw.integers(0, 1 << depth, (height, width, samples))
                for interlaced in (False, True):
                    yield f"png-{colour}-{depth}-{width}x{height}{'-interlaced' * interlaced}", png(values, depth, colour, interlaced, palette)
            values = draw.integers(0, 1 << depth, (11, 13, samples))
            yield f"png-{colour}-{depth}-gamma", png(values, depth, colour, False, header + palette)
            if colour in (0, 2, 3):
                hidden = bytes([0, 100]) if colour == 3 else b"\0\1" * samples
                yield f"png-{colour}-{depth}-transparent", png(values, depth, colour, False, palette + chunk(b"tRNS", hidden))
            if colour == 3:
                yield f"png-{colour}-{depth}-few-colours", png(values, depth, colour, False, chunk(b"PLTE", b"abcdefg"))
    values = np.random.default_rng(1).integers(0, 256, (9, 9, 3))
    good = png(values, 8, 2, False)
    pixels = good.index(b"IDAT") - 4
    size = struct.unpack(">I", good[pixels : pixels + 4])[0]
    yield "png-pixels-checksum", good[: pixels + 8 + size] + b"abcd" + good[pixels + 12 + size :]
    yield "png-end-checksum", good[:-4] + b"abcd"
    yield "png-text-checksum", png(values, 8, 2, False, chunk(b"tEXt", b"a\0b")[:-4] + b"abcd")
    yield "png-header-checksum", good[:29] + b"abcd" + good[33:]
    for cut in (12, 16, 17, 20, 60):
        yield f"png-cut-{cut}", good[:-cut]
    yield "png-behind-end", good + b"behind"
    yield "png-no-palette", png(values[..., :1], 8, 3, False)
    yield "png-two-palettes", png(values[..., :1] % 3, 8, 3, False, chunk(b"PLTE", bytes(range(9))) + chunk(b"PLTE", bytes(range(50, 56))))
    rows, shape = b"".join(b"\0" + bytes(row.reshape(-1).astype(np.uint8)) for row in values), struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0)
    packed = zlib.compress(rows)
    for name, data in {"no-checksum": packed[:-4], "wrong-checksum": packed[:-4] + b"abcd", "too-short": zlib.compress(rows[:-30]), "too-long": zlib.compress(rows + bytes(9999)), "filter-7": zlib.compress(b"\7" + rows[1:])}.items():
        yield f"png-data-{name}", good[:8] + chunk(b"IHDR", shape) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def reference(name, data):
    """Pillow's pixels. It clips grey of 16 bits, so that nearly all is white: there, the upper 8 bits, as it takes of colours of 16 bits."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]))
    if image.mode == "I;16":
        return np.repeat((np.asarray(image) >> 8).astype(np.uint8)[..., None], 3, 2)
    return np.asarray(image.convert("RGB"))


warnings.simplefilter("ignore")
# A palette that is missing makes Pillow's picture black, as do rows that are: no picture at all.
REFUSED = ("png-no-palette", "png-data-too-short")
found = {}
for make in (jpegs, turbo, pngs, jpeg_turns, png_turns):
    for name, data in make():
        assert name not in found
        found[name] = np.frombuffer(data, np.uint8)
        try:
            pixels = reference(name, data)
        except Exception:
            continue
        if name in REFUSED:
            continue
        side = min(pixels.shape[:2])
        y, x = (round((n - side) / 2) for n in pixels.shape[:2])
        found[f"{name}/rgb"] = np.ascontiguousarray(pixels[y : y + side, x : x + side].transpose(2, 0, 1))
save_file(found, FOLDER / "kinds.safetensors")
