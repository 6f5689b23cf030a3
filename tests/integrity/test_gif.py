"""GIF: blocks up to the trailer."""

from __future__ import annotations

from mldata.integrity.base import CORRUPT, SUSPECT, VALID, WARNING
from tests.integrity.images import check, codes, photo, saved, valid, zeroed


def pixels(data: bytes) -> int:
    """Where the first frame's pixels begin: at the bits of the first codes."""
    at = data.index(b"\x2c", 13 + 3 * (2 << (data[10] & 7)))
    return at + 10 + (3 * (2 << (data[at + 9] & 7)) if data[at + 9] & 0x80 else 0)


def test_a_missing_trailer_is_told_where_it_should_be() -> None:
    """Frames may be missing as well: nobody can tell."""
    data = valid("gif", "animated")
    found = check("gif", data[:-1])
    assert [(it.code, it.offset) for it in found.problems] == [("missing-trailer", len(data) - 1)]


def test_damage_in_a_block_says_where_it_begins() -> None:
    """Cut in a frame's pixels: the frame is named."""
    data = valid("gif", "animated")
    found = check("gif", data[:-400])
    assert [(it.code, it.frame) for it in found.problems] == [("truncated", 2)]
    assert "a frame that begins at byte" in found.problems[0].message


def test_pixels_that_end_early() -> None:
    """A frame with one of its sub-blocks, or without any, and everything else in order."""
    data = valid("gif", "still")
    at = pixels(data)
    one = data[: at + 2 + data[at + 1]] + b"\0;"
    assert check("gif", one).verdict == CORRUPT
    assert codes(check("gif", data[: at + 1] + b"\0;")) == {"premature-end"}
    assert codes(check("gif", data[:at] + b"\x0c" + data[at + 1 :])) == {"bad-pixels"}


def test_holes_are_found() -> None:
    """Zeros end a chain of sub-blocks, and what follows is no block."""
    data = saved(photo(400, 300).quantize(128), "GIF")
    for at in range(pixels(data), len(data) - 512, 3001):
        assert check("gif", zeroed(data, at, 512)).verdict == CORRUPT, f"at byte {at}"


def test_what_stands_behind_the_trailer() -> None:
    """Rounding up is nothing, another file a warning."""
    data = valid("gif", "still")
    assert check("gif", data + bytes(3)).verdict == VALID
    found = check("gif", data + data)
    assert [(it.code, it.severity, it.offset) for it in found.problems] == [
        ("trailing-data", WARNING, len(data))
    ]


def test_a_frame_beyond_the_screen_is_a_warning() -> None:
    """Decoders show what is on it, or more."""
    data = valid("gif", "still")
    found = check("gif", data[:6] + b"\x64\0\x50\0" + data[10:])
    assert (found.verdict, codes(found)) == (SUSPECT, {"beyond-screen"})


def test_no_frame_at_all() -> None:
    """A header and a trailer are no picture; nor is a frame without size."""
    data = valid("gif", "still")
    assert codes(check("gif", b"GIF89a\1\0\1\0\0\0\0;")) == {"missing-pixels"}
    at = data.index(b"\x2c\0\0\0\0")
    assert codes(check("gif", data[: at + 5] + b"\0\0" + data[at + 7 :])) == {"bad-dimensions"}
    assert codes(check("gif", data[:at] + b"\x99" + data[at + 1 :])) == {"bad-block"}
