"""What is read of an image: size as stored, mode, and how it is to be turned."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mldata.formats.base import SourceFile
from mldata.formats.exif import orientation
from mldata.formats.images import Images

KINDS = ("jpeg", "png", "webp", "tiff")
TAG = 0x0112


def exif(value: int, order: str = "<", kind: int = 3, count: int = 1) -> bytes:
    """EXIF data with one tag before the orientation."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    other = struct.pack(order + "HHIHH", 0x0100, 3, 1, 7, 0)
    return (
        head + struct.pack(order + "H", 2) + other + struct.pack(order + "HHIHH", TAG, kind, count, value, 0)
    )


def picture(kind: str, data: bytes | None) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (6, 4)).save(out, kind, **({} if data is None else {"exif": data}))
    return out.getvalue()


def read(folder: Path, data: bytes) -> tuple[object, ...]:
    path = folder / "object"
    path.write_bytes(data)
    return Images().read(SourceFile("a/b.png", path, "0" * 64, len(data)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", range(1, 9))
def test_orientation(kind: str, value: int, tmp_path: Path) -> None:
    """Each orientation is read from each kind of picture; width and height stay as stored."""
    tags = Image.Exif()
    tags[TAG] = value
    assert read(tmp_path, picture(kind, tags.tobytes())) == (6, 4, "RGB", value)


@pytest.mark.parametrize("kind", ("gif", "bmp", *KINDS[:3]))
def test_none(kind: str, tmp_path: Path) -> None:
    """A picture without EXIF data has none."""
    assert read(tmp_path, picture(kind, None))[3] is None


@pytest.mark.parametrize("order", "<>")
def test_both_byte_orders(order: str) -> None:
    """EXIF data of either byte order is read, with or without JPEG's prefix."""
    assert orientation(exif(6, order)) == orientation(b"Exif\0\0" + exif(6, order)) == 6


DAMAGED = {
    "empty": b"",
    "cut in the header": exif(6)[:7],
    "cut in the directory": exif(6)[:24],
    "no TIFF header": b"??*\0" + exif(6)[4:],
    "a directory far behind the end": exif(6)[:4] + struct.pack("<I", 2**32 - 1) + exif(6)[8:],
    "more entries than there are": exif(6)[:8] + b"\xff\xff" + exif(6)[10:22],
    "no such orientation": exif(9),
    "zero": exif(0),
    "not a number of 16 bits": exif(6, kind=2),
    "several": exif(6, count=2),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_damaged(what: str, tmp_path: Path) -> None:
    """A sound picture with damaged EXIF data is read, without an orientation."""
    for kind in ("jpeg", "webp"):
        assert read(tmp_path, picture(kind, DAMAGED[what] or b"\0")) == (6, 4, "RGB", None)


@given(st.binary(max_size=64) | st.tuples(st.integers(0, 40), st.binary(min_size=1, max_size=12)))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes | tuple[int, bytes]) -> None:
    """No EXIF data whatever fails a sound JPEG."""
    if isinstance(data, tuple):
        at, patch = data
        data = exif(6)[:at] + patch + exif(6)[at + len(patch) :]
    found = read(tmp_path_factory.getbasetemp(), picture("jpeg", data or b"\0"))
    assert found[:3] == (6, 4, "RGB") and found[3] in (None, *range(1, 9))
