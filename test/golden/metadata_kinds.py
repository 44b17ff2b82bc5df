"""Pictures that their metadata turn, of every kind that EXIF and XMP have; kinds.py asks Pillow about them."""

import struct
import zlib

import numpy as np
from jpeg_writer import jpeg, segment
from png_writer import chunk, png

TAG, NAMES = 0x0112, {1: "B", 2: "2s", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q"}


def tiff(order, *entries, at=8, behind=b""):
    """One directory: (tag, type, count, bytes) each, with what does not fit behind it."""
    head = order.encode() + pack(order, "HI", 42, at) + bytes(at - 8) + pack(order, "H", len(entries))
    place, rest = len(head) + 12 * len(entries) + 4, b""
    for tag, kind, count, value in entries:
        head += pack(order, "HHI", tag, kind, count)
        head += value.ljust(4, b"\0") if len(value) <= 4 else pack(order, "I", place + len(rest))
        rest += value if len(value) > 4 else b""
    return head + bytes(4) + rest + behind


def pack(order, form, *values):
    return struct.pack(("<" if order == "II" else ">") + form, *values)


def turned(order, value, kind=3):
    return tiff(order, (TAG, kind, 1, pack(order, NAMES[kind], value)))


def exifs():
    for order in ("II", "MM"):
        for value in (0, *range(1, 9), 9, 65535):
            yield f"{order}-short-{value}", turned(order, value)
            yield f"{order}-long-{value}", turned(order, value, 4)
        yield f"{order}-long-65542", turned(order, 65542, 4)
        for kind in (1, 6, 7, 8, 9, 11, 12, 13, 16):
            yield f"{order}-type-{kind}", turned(order, 6, kind)
        yield f"{order}-type-2", turned(order, b"6", 2)
        yield f"{order}-float-6.5", turned(order, 6.5, 11)
        for kind in (5, 10):
            for over, under in ((6, 1), (12, 2), (13, 2), (6, 0)):
                yield f"{order}-type-{kind}-{over}-{under}", tiff(order, (TAG, kind, 1, pack(order, "II", over, under)))
        six, three, long_six = pack(order, "H", 6), pack(order, "H", 3), pack(order, "I", 6)
        other = (0x010F, 2, 6, b"Maker\0")
        yield f"{order}-none", tiff(order, other)
        yield f"{order}-counts-0", tiff(order, (TAG, 3, 0, six))
        yield f"{order}-counts-2", tiff(order, (TAG, 3, 2, six + three))
        yield f"{order}-counts-3", tiff(order, (TAG, 3, 3, six + three + three))
        yield f"{order}-long-counts-2", tiff(order, (TAG, 4, 2, long_six + long_six))
        yield f"{order}-twice", tiff(order, (TAG, 3, 1, six), (TAG, 3, 1, three))
        yield f"{order}-unknown-type", tiff(order, (TAG, 99, 1, six), (TAG, 3, 1, three))
        yield f"{order}-behind-others", tiff(order, other, (TAG, 3, 1, six), (0x8769, 4, 1, pack(order, "I", 300)), at=20)
        yield f"{order}-behind-cut", tiff(order, (0x010F, 2, 30, b"far!"), (TAG, 3, 1, six))
        yield f"{order}-behind-huge", tiff(order, (0x010F, 2, 100000, b"far!"), (TAG, 3, 1, six))
        yield f"{order}-cut-entry", turned(order, 6)[:18]
        yield f"{order}-cut-behind", turned(order, 6)[:-4]
        yield f"{order}-nowhere", order.encode() + pack(order, "HI", 42, 5000) + bytes(20)
        yield f"{order}-swapped-42", order.encode() + turned("MM" if order == "II" else "II", 6)[2:4] + turned(order, 6)[4:]


def xmp(value, form='tiff:Orientation="{}"'):
    return f"<x:xmpmeta><rdf:Description {form.format(value)}/></x:xmpmeta>".encode()


def xmps():
    for value in range(10):
        yield f"attribute-{value}", xmp(value)
    for value in (1, 6):
        yield f"element-{value}", xmp(value, "><tiff:Orientation>{}</tiff:Orientation><")
    yield "two-digits", xmp(66)
    yield "other-quotes", xmp(6, "tiff:Orientation='{}'")
    yield "other-name", xmp(6, 'exif:Orientation="{}"')
    yield "twice", xmp(6) + xmp(3)
    yield "later", b'tiff:Orientation="x"' + xmp(6)


SIX, THREE, NONE = turned("II", 6), turned("MM", 3), tiff("II", (0x010F, 2, 6, b"Maker\0"))
X6, X3 = xmp(6), xmp(3)


def jpeg_turns():
    def exif(data):
        return segment(0xE1, b"Exif\0\0" + data)

    def packet(data):
        return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + data)

    def made(before):
        return jpeg(11, 9, [(1, 1)] * 3, before=before, seed=5)

    for name, data in exifs():
        yield f"turn-{name}", made(exif(data))
    for name, data in xmps():
        yield f"turn-xmp-{name}", made(packet(data))
    for name, before in {
        **{"exif-and-xmp": exif(SIX) + packet(X3), "xmp-and-exif": packet(X3) + exif(SIX), "no-exif-but-xmp": exif(NONE) + packet(X6)},
        **{"exif-1-xmp": exif(turned("II", 1)) + packet(X6), "exif-9-xmp": exif(turned("II", 9)) + packet(X6), "empty-exif-xmp": exif(b"") + packet(X6)},
        **{"broken-exif-xmp": exif(b"garbage" * 5) + packet(X6), "broken-exif": exif(b"garbage" * 5), "short-exif": exif(b"II*"), "empty-exif": exif(b"")},
        **{"two-packets": packet(X6) + packet(X3), "second-packet-none": packet(X6) + packet(b"<x/>")},
        **{"two-exifs": exif(SIX) + exif(THREE), "second-exif": exif(NONE) + exif(THREE), "split-exif": exif(SIX[:12]) + exif(SIX[12:])},
        **{"named-twice": exif(b"Exif\0\0" + SIX), "other-app1": exif(SIX) + segment(0xE1, b"Other\0stuff"), "app2": segment(0xE2, b"Exif\0\0" + SIX)},
        **{"small-letters": segment(0xE1, b"exif\0\0" + SIX), "thumbnail": exif(SIX + made(exif(THREE)))},
    }.items():
        yield f"turn-{name}", made(before)
    good, apart = made(b""), jpeg(11, 9, [(1, 1)] * 3, apart=True)
    scan, second = good.index(b"\xff\xda"), apart.index(b"\xff\xda", apart.index(b"\xff\xda") + 2)
    yield "turn-before-scan", good[:scan] + exif(SIX) + good[scan:]
    yield "turn-before-end", good[:-2] + exif(SIX) + good[-2:]
    yield "turn-behind-end", good + exif(SIX)
    yield "turn-between-scans", apart[:second] + exif(SIX) + apart[second:]
    yield "turn-four", jpeg(11, 9, [(1, 1)] * 4, before=exif(SIX))
    for value in range(1, 9):
        yield f"turn-420-{value}", jpeg(21, 13, [(2, 2), (1, 1), (1, 1)], before=exif(turned("MM", value, 4)))


def profile(data, head=b"\nexif\n{}\n"):
    digits = data.hex().encode()
    lines = b"\n".join(digits[i : i + 72] for i in range(0, len(digits), 72))
    return head.replace(b"{}", b"%8d" % len(data)) + lines + b"\n"


def png_turns():
    values = np.random.default_rng(2).integers(0, 256, (7, 9, 3))

    def made(extra, behind=b""):
        return png(values, 8, 2, False, extra)[:-12] + behind + chunk(b"IEND", b"")

    def text(key, value):
        return chunk(b"tEXt", key + b"\0" + value)

    def zipped(key, value):
        return chunk(b"zTXt", key + b"\0\0" + zlib.compress(value))

    def wide(key, value, isZipped=False, language=b""):
        return chunk(b"iTXt", key + (b"\0\1\0" if isZipped else b"\0\0\0") + language + b"\0\0" + (zlib.compress(value) if isZipped else value))

    for order in ("II", "MM"):
        for kind in (3, 4):
            yield f"png-turn-{order}-{kind}", made(chunk(b"eXIf", turned(order, 6, kind)))
    raw, packet = b"Raw profile type exif", b"XML:com.adobe.xmp"
    named = profile(b"Exif\0\0" + SIX)
    for name, extra in {
        **{"named": chunk(b"eXIf", b"Exif\0\0" + SIX), "two": chunk(b"eXIf", SIX) + chunk(b"eXIf", THREE), "empty": chunk(b"eXIf", b"")},
        **{"raw": text(raw, named), "raw-plain": text(raw, profile(SIX)), "raw-zipped": zipped(raw, named), "raw-wide": wide(raw, named), "raw-wide-zipped": wide(raw, named, True)},
        **{"raw-large-letters": text(raw, profile(SIX).upper()), "raw-wrong-length": text(raw, profile(SIX, b"\nexif\n 10\n")), "raw-no-head": text(raw, profile(SIX, b""))},
        **{"raw-app1": zipped(b"Raw profile type APP1", named), "raw-and-exif": text(raw, named) + chunk(b"eXIf", THREE), "raw-not-zipped": chunk(b"zTXt", raw + b"\0\0garbage")},
        **{"key": text(b"exif", SIX), "xmp": wide(packet, X6), "xmp-zipped": wide(packet, X6, True), "xmp-text": text(packet, X6), "xmp-language": wide(packet, X6, language=b"en")},
        **{"xmp-and-exif": wide(packet, X6) + chunk(b"eXIf", THREE), "xmp-no-exif": wide(packet, X6) + chunk(b"eXIf", NONE), "xmp-element": wide(packet, xmp(6, "><tiff:Orientation>{}</tiff:Orientation><"))},
    }.items():
        yield f"png-turn-{name}", made(extra)
    yield "png-turn-behind", made(b"", chunk(b"eXIf", SIX))
    yield "png-turn-raw-behind", made(b"", text(raw, named))
    yield "png-turn-xmp-behind", made(b"", wide(packet, X6))
