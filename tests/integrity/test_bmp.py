"""BMP: sizes and offsets."""

from __future__ import annotations

import struct

import pytest

from mldata.integrity.base import CORRUPT, SUSPECT, WARNING, Unsupported
from tests.integrity.images import bmp, check, codes, rle_bmp


def changed(data: bytes, at: int, form: str, value: int) -> bytes:
    """The file with another value in its header."""
    return data[:at] + struct.pack(form, value) + data[at + struct.calcsize(form) :]


@pytest.mark.parametrize("depth", [1, 4, 8, 16, 24, 32])
def test_missing_rows_are_counted_in_bytes(depth: int) -> None:
    """Whatever the depth: where the pixels should end."""
    data = bmp(depth)
    found = check("bmp", data[:-40])
    last = len(data) - (4 - (30 * depth // 8) % 4) % 4 if depth > 1 else len(data)
    assert [it.code for it in found.problems] == ["truncated"]
    assert f"expected pixels to byte {last:,}" in found.problems[0].message or depth in (1, 4)


@pytest.mark.parametrize(
    ("at", "form", "value", "code"),
    [
        (14, "<I", 66, "bad-header"),
        (14, "<I", 5_000, "bad-header"),
        (18, "<i", -30, "bad-dimensions"),
        (22, "<i", 0, "bad-dimensions"),
        (28, "<H", 23, "bad-header"),
        (30, "<I", 99, "bad-header"),
        (10, "<I", 5, "bad-offset"),
        (10, "<I", 1 << 31, "bad-offset"),
        (46, "<I", 1 << 30, "bad-palette"),
        (18, "<i", 3000, "truncated"),
    ],
)
def test_headers_that_are_none(at: int, form: str, value: int, code: str) -> None:
    """Each is told, and nothing is decoded."""
    found = check("bmp", changed(bmp(8), at, form, value))
    assert (found.verdict, codes(found)) == (CORRUPT, {code})


def test_the_stated_length_is_a_warning_at_most() -> None:
    """No decoder reads it."""
    data = bmp(24)
    assert codes(check("bmp", changed(data, 2, "<I", len(data) + 100))) == {"size-mismatch"}
    assert not check("bmp", changed(data, 2, "<I", 1)).problems
    found = check("bmp", data + b"more")
    assert [(it.code, it.severity, it.offset) for it in found.problems] == [
        ("trailing-data", WARNING, len(data))
    ]


def test_runs_are_followed_to_their_end() -> None:
    """Without the last rows, beyond the width, without the mark at the end."""
    data = rle_bmp()
    assert codes(check("bmp", data[:-9])) == {"truncated"}
    start = struct.unpack_from("<I", data, 10)[0]
    assert codes(check("bmp", data[:start] + b"\xff" + data[start + 1 :])) == {"bad-pixels"}
    found = check("bmp", data[:-2])
    assert found.verdict == SUSPECT and "missing-end" in codes(found)


@pytest.mark.parametrize(("depth", "compression"), [(0, 4), (0, 5), (24, 11)])
def test_what_pillow_does_not_decode(depth: int, compression: int) -> None:
    """A JPEG, a PNG or CMYK in a BMP is rare, and no damage."""
    with pytest.raises(Unsupported):
        check("bmp", changed(changed(bmp(24), 28, "<H", depth), 30, "<I", compression))
