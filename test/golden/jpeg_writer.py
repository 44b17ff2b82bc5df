"""Writes JPEG files of random coefficients, with any sampling factors and markers, for the generators beside it."""

import random
import struct

DC = ([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], list(range(12)))
# The end of a block, and runs of 0 to 3 zeros before numbers of 1 to 4 bits.
AC = ([0, 1, 0, 0, 0, 16] + [0] * 10, [0] + [run << 4 | size for size in range(1, 5) for run in range(4)])


def codes(table):
    lengths, values = table
    found, code, at = {}, 0, 0
    for length, count in enumerate(lengths, 1):
        for _ in range(count):
            found[values[at]] = format(code, f"0{length}b")
            code, at = code + 1, at + 1
        code <<= 1
    return found


DC_CODES, AC_CODES = codes(DC), codes(AC)


def segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def adobe(transform, extra=b""):
    return segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform) + extra)


JFIF = segment(0xE0, b"JFIF\0" + bytes([1, 1, 0, 0, 1, 0, 1, 0, 0]))


def number(value):
    size = abs(value).bit_length()
    return format(value if value > 0 else value + (1 << size) - 1, f"0{size}b") if size else ""


def packed(bits):
    bits += "1" * (-len(bits) % 8)
    data = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
    return data.replace(b"\xff", b"\xff\x00")


def jpeg(width, height, factors, *, ids=None, seed=0, before=b"", frame=0xC0, bits=8, restart=0, sos=(0, 63, 0), apart=False, tables=True):
    """`factors`: across and down, one pair a component; `before`: segments; `apart`: a scan a component."""
    draw, count = random.Random(seed), len(factors)
    ids = ids or list(range(1, count + 1))
    across, down = max(h for h, _ in factors), max(v for _, v in factors)
    levels = [draw.randint(-60, 60) for _ in factors]
    out = b"\xff\xd8" + before + segment(0xDB, bytes([0, 8] + [12] * 63))
    parts = b"".join(bytes([i, h << 4 | v, 0]) for i, (h, v) in zip(ids, factors))
    out += segment(frame, struct.pack(">BHHB", bits, height, width, count) + parts)
    if tables:
        out += segment(0xC4, b"\0" + bytes(DC[0]) + bytes(DC[1]) + b"\x10" + bytes(AC[0]) + bytes(AC[1]))
    if restart:
        out += segment(0xDD, struct.pack(">H", restart))

    def block(c, before):
        levels[c] = max(-100, min(100, levels[c] + draw.randint(-25, 25)))
        step, before[c] = levels[c] - before[c], levels[c]
        text = DC_CODES[abs(step).bit_length()] + number(step)
        for _ in range(draw.randint(0, 3)):
            value, run = draw.choice([-6, -3, -1, 1, 2, 5]), draw.randint(0, 3)
            text += AC_CODES[run << 4 | abs(value).bit_length()] + number(value)
        return text + AC_CODES[0]

    def units(components):
        if len(components) > 1:
            return -(-width // (8 * across)) * -(-height // (8 * down))
        h, v = factors[components[0]]
        return -(-(-(-width * h // across)) // 8) * -(-(-(-height * v // down)) // 8)

    for components in [[c] for c in range(count)] if apart or count == 1 else [list(range(count))]:
        out += segment(0xDA, bytes([len(components)]) + b"".join(bytes([ids[c], 0]) for c in components) + bytes(sos))
        text, last, total = "", [0] * count, units(components)
        for unit in range(total):
            for c in components:
                blocks = factors[c][0] * factors[c][1] if len(components) > 1 else 1
                text += "".join(block(c, last) for _ in range(blocks))
            if restart and (unit + 1) % restart == 0 and unit + 1 < total:
                out += packed(text) + bytes([0xFF, 0xD0 + (unit // restart) % 8])
                text, last = "", [0] * count
        out += packed(text)
    return out + b"\xff\xd9"
