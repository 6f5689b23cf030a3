"""WebP: RIFF, its chunks, and what they say of each other."""

from __future__ import annotations

import struct

import pytest

from mldata.integrity.base import CORRUPT, SUSPECT, VALID, WARNING
from tests.integrity.images import check, codes, photo, saved, valid, zeroed


def test_the_length_of_riff_against_that_of_the_file() -> None:
    """Shorter: cut. Longer: more behind, a warning."""
    data = valid("webp", "lossy")
    found = check("webp", data[:-100])
    assert [(it.code, it.offset) for it in found.problems] == [("truncated", len(data) - 100)]
    assert f"expected {len(data):,} bytes, as RIFF says" in found.problems[0].message
    more = check("webp", data * 2)
    assert [(it.code, it.severity, it.offset) for it in more.problems] == [
        ("trailing-data", WARNING, len(data))
    ]


def test_a_chunk_beyond_its_place() -> None:
    """A length of a chunk that is wrong by little or much."""
    data = valid("webp", "lossy")
    for by in (2, 1 << 30):
        wrong = struct.pack("<I", struct.unpack_from("<I", data, 16)[0] + by)
        assert codes(check("webp", data[:16] + wrong + data[20:])) == {"truncated"}


@pytest.mark.parametrize(("name", "at"), [("lossy", 23), ("lossless", 20)])
def test_pixels_with_another_beginning(name: str, at: int) -> None:
    """A key frame of VP8, or the signature of VP8L, is expected."""
    data = valid("webp", name)
    found = check("webp", data[:at] + b"\x77" + data[at + 1 :])
    assert [(it.code, it.offset) for it in found.problems] == [("bad-pixels", 20)]


def test_sizes_that_differ() -> None:
    """The canvas says one thing, the pixels another; and a frame that is not on the canvas."""
    data = valid("webp", "with alpha")
    assert codes(check("webp", data[:24] + b"\x10" + data[25:])) == {"bad-dimensions"}
    data = valid("webp", "animated")
    at = data.index(b"ANMF") + 8
    assert codes(check("webp", data[:at] + b"\x10" + data[at + 1 :])) == {"bad-dimensions"}


def test_frames_without_pixels() -> None:
    """Neither a picture, nor a frame of an animation, is empty."""
    data = valid("webp", "animated")
    head = data[:12] + data[12 : data.index(b"ANIM")]
    empty = head[:4] + struct.pack("<I", len(head) - 8) + head[8:]
    assert codes(check("webp", empty)) == {"missing-pixels"}
    at = data.index(b"VP8 ")
    assert codes(check("webp", data[:at] + b"ABCD" + data[at + 4 :])) == {"missing-pixels"}


def test_the_first_partition_is_within_the_chunk() -> None:
    """RFC 6386: nineteen bits of the first three bytes."""
    data = valid("webp", "lossy")
    assert codes(check("webp", data[:22] + b"\xff" + data[23:])) == {"truncated"}


@pytest.mark.parametrize(("lossless", "verdict"), [(False, CORRUPT), (True, SUSPECT)])
def test_a_hole_is_seen(lossless: bool, verdict: str) -> None:
    """There is no checksum: zeros in the midst of pixels are damage in VP8, and a warning in VP8L unless the decoder fails."""
    data = saved(photo(300, 300), "WEBP", quality=95, lossless=lossless)
    for at in range(60, len(data) - 4096, 9001):
        assert check("webp", zeroed(data, at, 4096)).verdict in (CORRUPT, verdict), f"at byte {at}"


def test_an_even_picture_is_no_hole() -> None:
    """Large even areas take few bytes, and no zeros."""
    page = photo(64, 48)
    white = photo(600, 450).point(lambda it: 255)
    white.paste(page, (300, 200))
    for lossless in (False, True):
        found = check("webp", saved(white, "WEBP", lossless=lossless))
        assert (found.verdict, codes(found)) == (VALID, set())
    assert check("webp", valid("webp", "lossy")[:12]).verdict == CORRUPT
