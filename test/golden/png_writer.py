"""Writes PNG files of given samples, for the generators beside it."""

import struct
import zlib

import numpy as np


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def filtered(rows, pixel):
    """Rows of bytes with PNG's five filters in turn."""
    out, before = b"", bytes(len(rows[0]))
    for i, row in enumerate(rows):
        kind, line = i % 5, bytearray()
        for j, value in enumerate(row):
            a = row[j - pixel] if j >= pixel else 0
            b, c = before[j], before[j - pixel] if j >= pixel else 0
            p = a + b - c
            nearest = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line.append((value - [0, a, b, (a + b) // 2, nearest][kind]) % 256)
        out, before = out + bytes([kind]) + bytes(line), row
    return out


def png(samples, depth, colour, interlaced, extra=b""):
    """samples: integers [height, width, samples] of `depth` bits."""
    height, width, count = samples.shape

    def rows_of(part):
        bits = ((part.reshape(part.shape[0], -1, 1) >> np.arange(depth)[::-1]) & 1).reshape(part.shape[0], -1)
        return [bytes(np.packbits(row)) for row in bits]

    adam7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    passes = [samples[y::b, x::a] for x, y, a, b in (adam7 if interlaced else [(0, 0, 1, 1)])]
    pixel = max(1, depth * count // 8)
    data = zlib.compress(b"".join(filtered(rows_of(p), pixel) for p in passes if p.size))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    middle = len(data) // 2
    parts = [chunk(b"IHDR", header), extra, chunk(b"IDAT", data[:middle]), chunk(b"IDAT", data[middle:]), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
