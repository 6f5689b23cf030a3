"""TIFF: directories and offsets, and what only another decoder reads."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from PIL import Image

from mldata.integrity.base import CORRUPT, SUSPECT, VALID, Unsupported
from tests.integrity.images import check, codes, float_tiff, photo, saved, tiff, tiled_tiff, valid, zeroed

PLAIN: list[tuple[int, str, Sequence[int]]] = [
    (256, "H", [4]), (257, "H", [3]), (258, "H", [8]), (259, "H", [1]), (262, "H", [1]),
    (273, "I", [16]), (277, "H", [1]), (278, "H", [3]), (279, "I", [12]),
]  # fmt: skip
PIXELS = bytes(range(12))


def plain(**changes: Sequence[int] | None) -> bytes:
    """4 x 3 pixels of grey, with other values of some tags (``t273``), or without them."""
    tags = []
    for tag, kind, values in PLAIN:
        new = changes.pop(f"t{tag}", values)
        if new is not None:
            tags.append((tag, kind, new))
    tags += [(int(name[1:]), "I", values) for name, values in changes.items() if values is not None]
    return tiff(tags, PIXELS)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_both_orders_and_both_sizes(order: str, big: bool) -> None:
    """TIFF and BigTIFF, little- and big-endian; of these four, Pillow takes a big-endian BigTIFF for no picture."""
    if big and order == ">":
        with pytest.raises(Unsupported):
            check("tiff", tiff(PLAIN, PIXELS, order=order, big=big))
        return
    assert check("tiff", tiff(PLAIN, PIXELS, order=order, big=big)).verdict == VALID


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"t273": [100_000]}, "truncated"),
        ({"t279": [100_000], "t259": [5]}, "truncated"),
        ({"t257": [300]}, "missing-pixels"),
        ({"t273": None}, "missing-pixels"),
        ({"t257": [40], "t278": [40]}, "truncated"),
        ({"t256": [0]}, "bad-dimensions"),
        ({"t273": [0]}, "bad-offset"),
        ({"t256": None}, "bad-dimensions"),
        ({"t273": [16, 20], "t278": [2], "t279": [8]}, "missing-pixels"),
        ({"t279": [0], "t259": [5]}, "missing-pixels"),
        ({"t258": [], "t278": [3], "t257": [2000]}, "missing-pixels"),
    ],
)
def test_offsets_and_lengths(changes: dict[str, Sequence[int] | None], code: str) -> None:
    """Beyond the end, too few, none."""
    found = check("tiff", plain(**changes))
    assert (found.verdict, codes(found)) == (CORRUPT, {code})
    assert found.problems[0].frame == 0


def test_a_length_that_is_only_wrong_is_a_warning() -> None:
    """All of the pixels are there."""
    assert codes(check("tiff", plain(t279=[50_000]))) == {"size-mismatch"}


def test_directories_that_lead_in_circles_or_nowhere() -> None:
    """Each is looked at once."""
    data = plain()
    first = struct.unpack_from("<I", data, 4)[0]
    at = first + 2 + 12 * len(PLAIN)
    for follow, code in ((first, "loop"), (1 << 30, "truncated"), (len(data) - 1, "truncated")):
        found = check("tiff", data[:at] + struct.pack("<I", follow) + data[at + 4 :])
        assert (found.verdict, codes(found)) == (CORRUPT, {code})
    assert codes(check("tiff", data[:4] + bytes(4) + data[8:])) == {"missing-pixels"}
    assert codes(check("tiff", data[:first] + bytes(2) + data[first + 2 :])) == {"bad-directory"}


def test_a_tag_beyond_the_end() -> None:
    """An error if pixels need it, else a warning."""
    offsets = plain(t273=[16, 20, 24], t278=[1], t279=[4, 4, 4])
    at = offsets.index(struct.pack("<HHI", 273, 4, 3)) + 8
    assert codes(check("tiff", offsets[:at] + b"\xff\xff\xff\x0f" + offsets[at + 4 :])) == {"bad-tag"}
    described = plain(t65000=list(range(40)))
    at = described.index(struct.pack("<HHI", 65000, 4, 40)) + 8
    found = check("tiff", described[:at] + b"\xff\xff\xff\x0f" + described[at + 4 :])
    assert found.verdict == SUSPECT and "bad-tag" in codes(found)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "jpeg"])
def test_holes_in_compressed_pixels_are_found(compression: str) -> None:
    """By the decoder, by the checksum behind deflated pixels, and as in a JPEG file."""
    data = saved(photo(300, 200), "TIFF", compression=compression)
    for at in range(2000, len(data) - 5000, len(data) // 9):
        assert check("tiff", zeroed(data, at, 4096)).verdict == CORRUPT, f"at byte {at}"


def test_a_damaged_page_is_named() -> None:
    """The third of three."""
    first, *rest = (photo(64, 48, seed) for seed in range(3))
    data = saved(first, "TIFF", save_all=True, append_images=rest, compression="tiff_adobe_deflate")
    found = check("tiff", zeroed(data, len(data) - 3000, 512))
    assert (found.verdict, [it.frame for it in found.problems]) == (CORRUPT, [2])


def test_what_pillow_does_not_decode_is_not_called_corrupt() -> None:
    """16-bit floating point, a compression of another world, a sparse file; the structure is looked at all the same."""
    for data in (float_tiff(16), plain(t259=[34887]), plain(t273=[0], t279=[0])):
        with pytest.raises(Unsupported):
            check("tiff", data)
    assert check("tiff", float_tiff(16)[:-20]).verdict == CORRUPT
    assert check("tiff", plain(t259=[34887], t273=[100_000])).verdict == CORRUPT


def test_tiles_are_counted_whole() -> None:
    """Those at the edge have all of their pixels."""
    data = tiled_tiff()
    at = data.index(struct.pack("<HH", 323, 3)) + 8
    assert check("tiff", data).verdict == VALID
    assert codes(check("tiff", data[:at] + b"\x08" + data[at + 1 :])) == {"missing-pixels"}


def test_a_page_of_zeros_is_a_blank_page() -> None:
    """Uncompressed pixels may have any value: one colour, a warning."""
    assert codes(check("tiff", saved(Image.new("L", (30, 20)), "TIFF"))) == {"one-colour"}
    assert valid("tiff", "rgb")
