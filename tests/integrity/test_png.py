"""PNG: checksums, order, and pixels that end as they should."""

from __future__ import annotations

import struct
import zlib

import pytest

from mldata.integrity.base import CORRUPT, ERROR, SUSPECT, WARNING, Unsupported
from tests.integrity.images import VALID, check, chunk, codes, png, valid, zeroed

PIXELS = b"\0\1\2\3\0\4\5\6"
"""Of 3 x 2 in 8-bit grey."""


def parts(data: bytes) -> list[bytes]:
    """The signature and each chunk."""
    found, at = [data[:8]], 8
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        found.append(data[at:end])
        at = end
    return found


def with_pixels(body: bytes) -> bytes:
    """A PNG whose IDAT is this."""
    first, header, _, end = parts(png(3, 2, 8, 0, PIXELS))
    return first + header + chunk(b"IDAT", body) + end


@pytest.mark.parametrize("name", VALID["png"])
def test_every_flipped_bit_is_found(name: str) -> None:
    """Every byte is under some checksum, or is one; or a length, a name or the signature."""
    data = valid("png", name)
    for at in range(0, len(data), max(1, len(data) // 60)):
        damaged = bytearray(data)
        damaged[at] ^= 1 << at % 8
        assert check("png", bytes(damaged)).verdict in (CORRUPT, SUSPECT), f"at byte {at}"


def test_a_hole_is_found_with_the_chunk() -> None:
    """A sector of zeros: the checksum of its chunk is wrong, and the message has both."""
    data = valid("png", "rgb")
    at = data.index(b"IDAT") - 4
    found = check("png", zeroed(data, 5000, 512))
    assert [(it.code, it.offset) for it in found.problems] == [("bad-crc", at)]
    assert found.problems[0].message.startswith("expected IDAT with checksum ")
    assert found.facts == {"width": 160, "height": 120}


def test_a_wrong_checksum_of_text_is_a_warning() -> None:
    """The pixels are what they were. The same of a critical chunk is an error."""
    data = valid("png", "text and profile")
    for name, severity in ((b"tEXt", WARNING), (b"gAMA", WARNING), (b"IHDR", ERROR)):
        at = data.index(name) + 4
        damaged = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        first = check("png", damaged).problems[0]
        assert (first.code, first.severity, first.offset) == ("bad-crc", severity, at - 8)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (zlib.compress(PIXELS[:-1]), "premature-end"),
        (zlib.compress(PIXELS + b"\0"), "bad-pixels"),
        (zlib.compress(PIXELS * 10_000), "bad-pixels"),
        (zlib.compress(PIXELS)[:-1], "bad-pixels"),
        (zlib.compress(PIXELS)[:-4] + b"\0\0\0\1", "bad-pixels"),
        (b"no zlib", "bad-pixels"),
        (zlib.compress(b"\x07" + PIXELS[1:]), "undecodable"),
    ],
)
def test_pixels_that_are_not_those_of_the_header(body: bytes, code: str) -> None:
    """Too few, too many, without their end or its checksum, or with a filter that there is not; their chunks are sound."""
    found = check("png", with_pixels(body))
    assert (found.verdict, codes(found)) == (CORRUPT, {code})


def test_bytes_behind_the_compressed_pixels_are_a_warning() -> None:
    """Some writers fill up IDAT."""
    found = check("png", with_pixels(zlib.compress(PIXELS) + b"\0\0"))
    assert [(it.code, it.severity) for it in found.problems] == [("trailing-pixels", WARNING)]


def test_a_bomb_is_not_inflated() -> None:
    """Rows beyond what the header promises are not even counted: it ends at the first mebibyte too many."""
    bomb = with_pixels(zlib.compress(bytes(30 << 20), 1))
    found = check("png", bomb)
    assert codes(found) == {"bad-pixels"}


def test_order_of_chunks() -> None:
    """IHDR first and once, pixels in a row and there, a palette where it is needed."""
    first, header, pixels, end = parts(png(3, 2, 8, 0, PIXELS))
    text = chunk(b"tEXt", b"a\0b")
    palette = parts(png(3, 2, 8, 3, PIXELS))
    half = zlib.compress(PIXELS)
    split = chunk(b"IDAT", half[:5]) + text + chunk(b"IDAT", half[5:])
    for damaged, code in (
        (first + pixels + header + end, "bad-order"),
        (first + header + header + pixels + end, "bad-order"),
        (first + header + end, "missing-pixels"),
        (first + header + pixels + text, "truncated"),
        (b"".join(palette), "missing-palette"),
        (first + header + chunk(b"PLTE", b"1234") + pixels + end, "bad-chunk"),
        (first + chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 7, 0, 0, 0, 0)) + pixels + end, "bad-header"),
        (
            first + chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 2, 8, 0, 0, 0, 0)) + pixels + end,
            "bad-dimensions",
        ),
    ):
        found = check("png", damaged)
        assert found.verdict == CORRUPT and code in codes(found)
    assert check("png", first + header + split + end).verdict == CORRUPT
    assert codes(check("png", first + header + pixels + end + b"more")) == {"trailing-data"}


def test_frames_of_an_animation_are_counted() -> None:
    """A frame taken out, doubled, or promised."""
    data = parts(valid("png", "animated"))
    control = [n for n, it in enumerate(data) if it[4:8] == b"fcTL"]
    assert codes(check("png", b"".join(data[: control[1]] + data[control[2] :]))) == {"bad-sequence"}
    assert codes(check("png", b"".join(data[: control[2]] + data[-1:]))) == {"bad-sequence"}
    assert codes(check("png", b"".join(data[:-1] + data[control[2] :]))) == {"bad-sequence"}
    at = next(n for n, it in enumerate(data) if it[4:8] == b"fdAT")
    short = chunk(b"fdAT", data[at][8:-30])
    found = check("png", b"".join([*data[:at], short, *data[at + 1 :]]))
    assert found.verdict == CORRUPT and [it.frame for it in found.problems] == [1]


def test_apples_own_is_none() -> None:
    """A PNG of an iPhone's application has a chunk of its own in front, and no decoder reads its pixels."""
    first, *rest = parts(png(3, 2, 8, 0, PIXELS))
    with pytest.raises(Unsupported, match="CgBI"):
        check("png", first + chunk(b"CgBI", b"\x50\0\x20\6") + b"".join(rest))


def test_too_much_text_is_a_warning() -> None:
    """Pillow opens no file with more than a mebibyte of compressed text; other decoders do."""
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2 << 20)))
    found = check("png", png(3, 2, 8, 0, PIXELS, before=text))
    assert (found.verdict, codes(found)) == (SUSPECT, {"large-text"})
