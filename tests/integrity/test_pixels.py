"""What holds for pictures of every kind."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mldata.integrity.base import CORRUPT, SUSPECT, VALID, WARNING, Unsupported
from mldata.integrity.pixels import FRAME_PIXELS, one_colour
from tests.integrity import images

KINDS = tuple(images.VALID)
SMALL = {
    "jpeg": "baseline",
    "png": "rgb",
    "gif": "still",
    "bmp": "24 bits",
    "webp": "lossy",
    "tiff": "tiff_lzw",
}


@pytest.mark.parametrize(("kind", "name"), list(images.all_valid()))
def test_an_odd_file_is_valid(kind: str, name: str) -> None:
    """Progressive, CMYK, 16-bit, interlaced, animated, tiled: nothing is said against a sound file, unless Pillow has no decoder for it."""
    try:
        found = images.check(kind, images.valid(kind, name))
    except Unsupported as error:
        assert "16 bits" in name and kind == "tiff", str(error)
        return
    assert (found.verdict, list(found.problems)) == (VALID, [])
    assert found.facts["width"] >= 1 and found.facts["height"] >= 1 and found.facts["mode"]
    assert found.facts["frames"] == (3 if name in ("animated", "several pages", "several pictures") else 1)


@pytest.mark.parametrize(("kind", "name"), list(images.all_valid()))
def test_a_file_that_is_cut_short_is_corrupt(kind: str, name: str) -> None:
    """Wherever it is cut: at every one of the last and first bytes, and at places all over."""
    data = images.valid(kind, name)
    # Bytes that nothing needs: what rounds up a file, and between the pages of a TIFF.
    spare = {"two bytes more": 2, "several pages": 4}.get(name, 0)
    if name == "several pictures":
        data = data[: data.index(b"\xff\xd9") + 2]
    for cut in images.cuts(data[: len(data) - spare]):
        if not _recognized(kind, cut):
            continue
        # A BMP without the mark at its end, or the filling of its last row, has all of its pixels.
        bad = (CORRUPT, SUSPECT) if kind == "bmp" and len(data) - len(cut) <= 4 else (CORRUPT,)
        assert images.check(kind, cut).verdict in bad, f"cut to {len(cut)} of {len(data)} bytes"


def _recognized(kind: str, data: bytes) -> bool:
    """Whether it is taken for this kind at all."""
    return len(data) >= {"jpeg": 3, "png": 8, "gif": 6, "bmp": 2, "webp": 12, "tiff": 4}[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_a_beginning_followed_by_garbage_is_corrupt(kind: str) -> None:
    """A valid header does not make a picture."""
    data = images.valid(kind, SMALL[kind])
    head = 14 if kind == "bmp" else 40  # which has nothing but pixels from there
    noise = random.Random(1).randbytes(len(data) - head)
    assert images.check(kind, data[:head] + noise).verdict == CORRUPT


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, deadline=None)
@given(drawn=st.data())
def test_damage_of_any_kind_gives_an_answer(kind: str, drawn: st.DataObject) -> None:
    """Bytes changed, removed or doubled anywhere: a verdict or "unsupported", the same again, and texts without addresses."""
    data = bytearray(images.valid(kind, drawn.draw(st.sampled_from(sorted(images.VALID[kind])))))
    for _ in range(drawn.draw(st.integers(1, 4))):
        at = drawn.draw(st.integers(0, len(data) - 1))
        how = drawn.draw(st.sampled_from(("flip", "set", "remove", "double")))
        if how == "flip":
            data[at] ^= 1 << drawn.draw(st.integers(0, 7))
        elif how == "set":
            data[at : at + 4] = drawn.draw(
                st.sampled_from((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"))
            )
        elif how == "remove" and len(data) > 100:
            del data[at : at + drawn.draw(st.integers(1, 60))]
        else:
            data[at:at] = data[at : at + 50]
    try:
        found = images.check(kind, bytes(data))
        again = images.check(kind, bytes(data))
    except Unsupported:
        return
    assert found == again
    assert found.verdict in (VALID, SUSPECT, CORRUPT)
    assert not any(re.search("0x[0-9a-f]{6}|/tmp", problem.message) for problem in found.problems)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_of_one_colour_is_suspect(kind: str) -> None:
    """A blank frame decodes, and is a defect in most data sets: a warning, and no more."""
    name = {"jpeg": "JPEG", "png": "PNG", "gif": "GIF", "bmp": "BMP", "webp": "WEBP", "tiff": "TIFF"}[kind]
    found = images.check(kind, images.saved(Image.new("RGB", (50, 40), "navy"), name, lossless=True))
    assert found.verdict == SUSPECT
    assert [(it.code, it.severity) for it in found.problems] == [("one-colour", WARNING)]


def test_one_pixel_is_enough_to_differ() -> None:
    """The few pixels that are looked at first decide nothing but that there are several colours."""
    image = Image.new("RGB", (50, 40), "white")
    assert one_colour(image)
    image.putpixel((7, 9), (255, 255, 254))
    assert not one_colour(image)


def _absurd(kind: str) -> bytes:
    """A small file that promises a huge picture."""
    if kind == "png":
        return images.png(60_000, 60_000, 8, 2, b"")
    if kind == "tiff":
        return images.tiff([(256, "I", [60_000]), (257, "I", [60_000]), (273, "I", [16])], b"pixels")
    data = images.valid(kind, {"webp": "with alpha"}.get(kind, SMALL[kind]))
    at, size = {
        "bmp": (18, b"\x60\xea\0\0" * 2),
        "gif": (6, b"\xff" * 4),
        "webp": (24, b"\xff\xff\0" * 2),
        "jpeg": (data.find(b"\xff\xc0") + 5, b"\xff\xf0\xff\xf0"),
    }[kind]
    return data[:at] + size + data[at + len(size) :]


@pytest.mark.parametrize("kind", KINDS)
def test_absurd_dimensions_are_refused(kind: str) -> None:
    """Before anything is decoded, with the number that is allowed."""
    found = images.check(kind, _absurd(kind))
    assert "too-large" in images.codes(found)
    assert f"at most {FRAME_PIXELS:,} pixels" in found.problems[0].message
    assert found.verdict == CORRUPT


def test_too_many_pixels_altogether_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An animation without end is given up, and nothing is said against it."""
    monkeypatch.setattr("mldata.integrity.pixels.ALL_PIXELS", 2 * 64 * 48)
    with pytest.raises(Unsupported, match="altogether"):
        images.check("gif", images.valid("gif", "animated"))


def test_what_pillow_warns_of_is_told() -> None:
    """As a warning: an animation of no frames, of which Pillow shows the still picture."""
    data = images.png(3, 2, 8, 0, b"\0\1\2\3\0\4\5\6", before=images.chunk(b"acTL", bytes(8)))
    found = images.check("png", data)
    assert [(it.code, it.severity) for it in found.problems] == [("decoder-warning", WARNING)]
    assert "Invalid APNG" in found.problems[0].message


def test_a_mapped_file_is_checked_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large files are mapped; the map could not be closed while a view of it is left."""
    monkeypatch.setattr("mldata.integrity.content.MAPPED", 1000)
    for kind, name in SMALL.items():
        data = images.valid(kind, name)
        assert images.check(kind, data).verdict == VALID
        assert images.check(kind, data[:-100]).verdict == CORRUPT
        assert images.check(kind, images.zeroed(data, len(data) // 3, 4096)).verdict == (
            VALID if kind == "bmp" else CORRUPT
        )


def test_few_problems_of_each_kind_are_told() -> None:
    """A file of many faults does not fill the report."""
    unknown = images.chunk(b"ABCD", b"") * 500
    found = images.check("png", images.png(3, 2, 8, 0, b"\0\1\2\3\0\4\5\6", before=unknown))
    assert len(found.problems) == 10
    data = images.valid("jpeg", "baseline")
    found = images.check("jpeg", data[:2] + b"\1\xff\xfe\0\2" * 5000 + data[2:])
    assert found.verdict == CORRUPT and len(found.problems) == 11
