"""Pictures for tests: valid ones of every odd kind, and what happens to files on disks and wires."""

from __future__ import annotations

import io
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from mldata.integrity import load_checker
from mldata.integrity.base import Found
from mldata.integrity.content import Content


def check(kind: str, data: bytes) -> Found:
    """What the checker of this kind finds in these bytes."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with Content(file.name) as content:
            return load_checker(kind).check(content)


def codes(found: Found) -> set[str]:
    """The codes of what was found."""
    return {problem.code for problem in found.problems}


def photo(width: int = 160, height: int = 120, seed: int = 0, noise: int = 10) -> Image.Image:
    """Something with soft areas, edges and grain, as a camera sees it. A copy: Pillow leaves settings in a picture that it saves."""
    return _photo(width, height, seed, noise).copy()


@cache
def _photo(width: int, height: int, seed: int, noise: int) -> Image.Image:
    random = np.random.default_rng(seed)
    small = random.integers(0, 255, (height // 16 + 2, width // 16 + 2, 3), dtype=np.uint8)
    soft = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    grain = random.integers(-noise, noise + 1, soft.shape)
    return Image.fromarray((soft + grain).clip(0, 255).astype(np.uint8))


def saved(image: Image.Image, name: str, **options: Any) -> bytes:
    """The bytes that Pillow writes."""
    out = io.BytesIO()
    image.save(out, name, **options)
    return out.getvalue()


def frames(count: int = 3) -> list[Image.Image]:
    """Pictures of an animation."""
    return [photo(64, 48, seed) for seed in range(count)]


def animation(name: str, **options: Any) -> bytes:
    """Several frames in one file."""
    first, *rest = frames()
    return saved(first, name, save_all=True, append_images=rest, **options)


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of PNG with its checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(
    width: int, height: int, depth: int, colour: int, rows: bytes, *, interlaced: int = 0, before: bytes = b""
) -> bytes:
    """A PNG of these filtered rows."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + before
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def interlaced_png() -> bytes:
    """Adam7 in 8-bit grey, 13 x 11, each pass filtered by nothing."""
    pixels = np.arange(13 * 11, dtype=np.uint8).reshape(11, 13)
    passes = (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    )
    rows = b"".join(b"\0" + row.tobytes() for x, y, dx, dy in passes for row in pixels[y::dy, x::dx])
    return png(13, 11, 8, 0, rows, interlaced=1)


def tiff(
    tags: Sequence[tuple[int, str, Sequence[int]]], pixels: bytes, *, order: str = "<", big: bool = False
) -> bytes:
    """A TIFF, or BigTIFF, of one directory behind its pixels; tags (of types H, I, Q) have the offsets as they end up: pixels begin at byte 16."""
    types, word = {"H": 3, "I": 4, "Q": 16}, "Q" if big else "I"
    size = 8 if big else 4
    at = 16 + len(pixels) + len(pixels) % 2
    mark = b"II" if order == "<" else b"MM"
    head = mark + (struct.pack(f"{order}HHHQ", 43, 8, 0, at) if big else struct.pack(f"{order}HI8x", 42, at))
    entries, extra = b"", b""
    after = at + (8 if big else 2) + len(tags) * (20 if big else 12) + size
    for tag, kind, values in sorted(tags):
        body = struct.pack(f"{order}{len(values)}{kind}", *values)
        if len(body) > size:
            value = struct.pack(f"{order}{word}", after + len(extra))
            extra += body
        else:
            value = body.ljust(size, b"\0")
        entries += struct.pack(f"{order}HH{word}", tag, types[kind], len(values)) + value
    count = struct.pack(f"{order}{'Q' if big else 'H'}", len(tags))
    return head + pixels.ljust(at - 16, b"\0") + count + entries + bytes(size) + extra


def float_tiff(bits: int, *, big: bool = False, order: str = "<") -> bytes:
    """Floating point, of 16 or 32 bits."""
    values = np.linspace(0, 1, 12 * 10).astype(f"{order}f{bits // 8}")
    return tiff(
        [(256, "H", [12]), (257, "H", [10]), (258, "H", [bits]), (259, "H", [1]), (262, "H", [1]), (273, "I", [16]),
         (277, "H", [1]), (278, "H", [10]), (279, "I", [len(values.tobytes())]), (339, "H", [3])],
        values.tobytes(), order=order, big=big,
    )  # fmt: skip


def tiled_tiff() -> bytes:
    """20 x 18 pixels of grey in tiles of 16 x 16."""
    tile = np.arange(256, dtype=np.uint8).tobytes()
    return tiff(
        [(256, "H", [20]), (257, "H", [18]), (258, "H", [8]), (259, "H", [1]), (262, "H", [1]), (277, "H", [1]),
         (322, "H", [16]), (323, "H", [16]), (324, "I", [16 + 256 * n for n in range(4)]), (325, "I", [256] * 4)],
        tile * 4,
    )  # fmt: skip


def bmp(depth: int, *, top_down: bool = False, os2: bool = False) -> bytes:
    """30 x 20 pixels of a pattern, by hand."""
    stride = (30 * depth + 31) // 32 * 4
    pixels = bytes(n * 37 % 251 for n in range(stride * 20))
    colours = 1 << depth if depth <= 8 else 0
    palette = b"".join(bytes((n, 255 - n, n // 2, 0)[: 3 if os2 else 4]) for n in range(colours))
    if os2:
        header = struct.pack("<IHHHH", 12, 30, 20, 1, depth)
    else:
        header = struct.pack(
            "<IiiHHIIiiII", 40, 30, -20 if top_down else 20, 1, depth, 0, len(pixels), 0, 0, colours, 0
        )
    start = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + palette + pixels


def rle_bmp() -> bytes:
    """RLE8: 8 x 4, runs and a literal, with the mark of the end."""
    rows = (b"\x08\x01\0\0", b"\0\x03\1\2\3\0\x05\x07\0\0", b"\x04\x02\x04\x03\0\0", b"\x08\x04\0\0\0\1")
    pixels = b"".join(rows)
    palette = bytes(range(64)) * 16
    header = struct.pack("<IiiHHIIiiII", 40, 8, 4, 1, 8, 1, len(pixels), 0, 0, 256, 0)
    start = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + palette + pixels


def adobe_ycck() -> bytes:
    """CMYK as Photoshop writes it: YCCK, told by the Adobe segment."""
    data = saved(photo().convert("CMYK"), "JPEG")
    at = data.index(b"Adobe")
    return data[: at + 11] + b"\x02" + data[at + 12 :]


def thumbnail_jpeg() -> bytes:
    """Exif data with a whole JPEG inside."""
    inner = saved(photo(32, 24), "JPEG")
    body = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + inner
    data = saved(photo(), "JPEG")
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


VALID: dict[str, dict[str, Callable[[], bytes]]] = {
    "jpeg": {
        "baseline": lambda: saved(photo(), "JPEG", quality=90),
        "progressive": lambda: saved(photo(), "JPEG", progressive=True),
        "optimized": lambda: saved(photo(), "JPEG", optimize=True),
        "grey": lambda: saved(photo().convert("L"), "JPEG"),
        "cmyk": lambda: saved(photo().convert("CMYK"), "JPEG"),
        "ycck": adobe_ycck,
        "rgb": lambda: saved(photo(), "JPEG", keep_rgb=True),
        "without subsampling": lambda: saved(photo(), "JPEG", subsampling=0),
        "restart markers": lambda: saved(photo(), "JPEG", restart_marker_blocks=3),
        "progressive with restart markers": lambda: saved(photo(), "JPEG", progressive=True, restart_marker_rows=1),
        "best quality": lambda: saved(photo(), "JPEG", quality=100),
        "worst quality": lambda: saved(photo(), "JPEG", quality=1),
        "one pixel high": lambda: saved(photo(150, 1), "JPEG"),
        "thumbnail": thumbnail_jpeg,
        "fill bytes": lambda: saved(photo(), "JPEG").replace(b"\xff\xdb", b"\xff\xff\xff\xdb").replace(b"\xff\xd9", b"\xff\xff\xd9"),
        "several pictures": lambda: animation("MPO"),
        "two bytes more": lambda: saved(photo(), "JPEG") + b"\0\0",
        "even areas": lambda: saved(Image.linear_gradient("L").resize((900, 900)), "JPEG", optimize=True),
        "nearly white": lambda: saved(_dotted("RGB"), "JPEG", optimize=True, quality=30),
        "nearly white, progressive": lambda: saved(_dotted("L"), "JPEG", progressive=True, quality=30),
    },
    "png": {
        "rgb": lambda: saved(photo(), "PNG"),
        "grey": lambda: saved(photo().convert("L"), "PNG"),
        "grey with alpha": lambda: saved(photo().convert("LA"), "PNG"),
        "rgba": lambda: saved(photo().convert("RGBA"), "PNG"),
        "palette": lambda: saved(photo().quantize(16), "PNG", bits=4),
        "transparent colour": lambda: saved(photo().quantize(7), "PNG", transparency=3),
        "bilevel": lambda: saved(photo().convert("1"), "PNG"),
        "grey of 16 bits": lambda: saved(Image.fromarray(np.arange(9000, dtype=np.uint16).reshape(90, 100)), "PNG"),
        "rgb of 16 bits": lambda: png(5, 4, 16, 2, b"".join(b"\0" + bytes(range(n, n + 30)) for n in range(4))),
        "interlaced": interlaced_png,
        "animated": lambda: animation("PNG"),
        "text and profile": lambda: png(3, 2, 8, 0, b"\0\1\2\3\0\4\5\6", before=chunk(b"gAMA", b"\0\0\xb1\x8f") + chunk(b"tEXt", b"a\0b")),
    },
    "gif": {
        "still": lambda: saved(photo().quantize(64), "GIF"),
        "interlaced": lambda: saved(photo().quantize(64), "GIF", interlace=1),
        "animated": lambda: animation("GIF", duration=40, loop=0),
        "bilevel": lambda: saved(photo().convert("1"), "GIF"),
        "with a comment": lambda: saved(photo().quantize(8), "GIF", comment=b"one\0two"),
    },
    "bmp": {
        **{f"{depth} bits": (lambda depth=depth: bmp(depth)) for depth in (1, 4, 8, 16, 24, 32)},
        "from the top": lambda: bmp(24, top_down=True),
        "os/2": lambda: bmp(8, os2=True),
        "run-length coded": rle_bmp,
        "by Pillow": lambda: saved(photo(), "BMP"),
        "no stated length": lambda: b"BM\0\0\0\0" + bmp(24)[6:],
        "two bytes more": lambda: bmp(24) + b"\0\0",
    },
    "webp": {
        "lossy": lambda: saved(photo(), "WEBP"),
        "lossless": lambda: saved(photo(), "WEBP", lossless=True),
        "with alpha": lambda: saved(_with_alpha(), "WEBP"),
        "animated": lambda: animation("WEBP"),
        "odd length": lambda: next(it for n in range(9) if _odd(it := saved(photo(40 + n, 30), "WEBP", lossless=True))),
        "profile and Exif": lambda: saved(photo(), "WEBP", icc_profile=b"p" * 301, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"),
    },
    "tiff": {
        "rgb": lambda: saved(photo(), "TIFF"),
        **{
            name: (lambda name=name: saved(photo(), "TIFF", compression=name))
            for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
        },
        "fax": lambda: saved(photo().convert("1"), "TIFF", compression="group4"),
        "several pages": lambda: animation("TIFF"),
        "big": lambda: saved(photo(), "TIFF", big_tiff=True),
        "16 bits": lambda: saved(Image.fromarray(np.arange(9000, dtype=np.uint16).reshape(90, 100)), "TIFF"),
        "float": lambda: saved(Image.fromarray(np.linspace(0, 1, 9000, dtype=np.float32).reshape(90, 100)), "TIFF"),
        "float of 32 bits": lambda: float_tiff(32),
        "float of 32 bits, big-endian": lambda: float_tiff(32, order=">"),
        "float of 16 bits": lambda: float_tiff(16),
        "float of 16 bits, BigTIFF": lambda: float_tiff(16, big=True),
        "tiles": tiled_tiff,
        "cmyk": lambda: saved(photo().convert("CMYK"), "TIFF"),
    },
}  # fmt: skip
"""Files that are sound, by kind and by what is odd about them."""


def _dotted(mode: str) -> Image.Image:
    image = Image.new(mode, (1200, 900), "white")
    image.paste(photo(64, 48).convert(mode), (300, 400))
    return image


def _with_alpha() -> Image.Image:
    image = photo().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def _odd(data: bytes) -> bool:
    return bool(struct.unpack_from("<I", data, 16)[0] % 2)


@cache
def valid(kind: str, name: str) -> bytes:
    """A sound file, made once."""
    return VALID[kind][name]()


def all_valid() -> Iterator[tuple[str, str]]:
    """Every kind and name of :data:`VALID`."""
    for kind, names in VALID.items():
        for name in names:
            yield kind, name


def cuts(data: bytes, count: int = 25) -> Iterator[bytes]:
    """The file cut short: near both ends, and at many places between."""
    size = len(data)
    places = {*range(0, size, max(1, size // count)), *range(max(0, size - 12), size), *range(min(size, 20))}
    for end in sorted(places):
        yield data[:end]


def zeroed(data: bytes, start: int, count: int) -> bytes:
    """The file with a block of zeros, of the same length."""
    count = min(count, len(data) - start)
    return data[:start] + bytes(count) + data[start + count :]
