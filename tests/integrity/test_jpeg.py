"""JPEG: damage that Pillow takes for pixels."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from PIL import Image

from mldata.integrity.base import CORRUPT, ERROR, SUSPECT, VALID, WARNING, Unsupported
from mldata.integrity.jpegscan import Component, Frame, Scan, impossible_zeros, restarts
from tests.integrity.images import check, codes, photo, saved, thumbnail_jpeg, valid, zeroed

LARGE = {
    "baseline": {"quality": 90},
    "progressive": {"quality": 92, "progressive": True},
    "optimized": {"quality": 90, "optimize": True},
    "without subsampling": {"quality": 90, "subsampling": 0},
    "restart markers": {"quality": 90, "restart_marker_rows": 1},
}


def large(name: str, **more: object) -> bytes:
    """A photograph of 512 x 512."""
    return saved(photo(512, 512, **more), "JPEG", **LARGE[name])  # type: ignore[arg-type]


def coded(data: bytes) -> int:
    """Where coded pixels begin."""
    at = data.index(b"\xff\xda")
    return at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")


@pytest.mark.parametrize("name", LARGE)
def test_a_hole_of_4_kib_is_found_wherever_it_is(name: str) -> None:
    """All of them, in pixels of every coding: Pillow decodes most of them without a word."""
    data = large(name)
    for at in range(coded(data), len(data) - 4096, 1777):
        found = check("jpeg", zeroed(data, at, 4096))
        assert found.verdict == CORRUPT, f"at byte {at}"


@pytest.mark.parametrize("name", ["baseline", "without subsampling"])
def test_a_hole_of_a_sector_is_found_with_its_place(name: str) -> None:
    """512 bytes of zero say nothing that an encoder would: found by the tables of the file, where it begins."""
    data = large(name)
    for at in range(coded(data), len(data) - 512, 2999):
        found = check("jpeg", zeroed(data, at, 512))
        first = next(it for it in found.problems if it.code == "zero-filled")
        assert first.offset is not None and at - 2 <= first.offset <= at  # zeros may stand in front
        assert re.fullmatch(r"expected coded pixels, found 51\d bytes of zero", first.message)


def test_zeros_of_an_even_area_are_no_damage() -> None:
    """With tables made for the picture, a blank area can be coded as zeros, of any length."""
    sky = Image.new("L", (4000, 3000), 240)
    sky.paste(photo(64, 48).convert("L"), (100, 2900))
    data = saved(sky, "JPEG", optimize=True)
    assert bytes(2000) in data
    assert check("jpeg", data).verdict == VALID


def test_a_file_filled_up_with_zeros_says_where_they_begin() -> None:
    """A download that stopped, in a file of the right length."""
    data = large("baseline")
    at = len(data) // 2
    found = check("jpeg", data[:at] + bytes(len(data) - at))
    assert found.verdict == CORRUPT
    assert codes(found) == {"zero-filled", "missing-eoi"}
    assert abs(next(it.offset or 0 for it in found.problems if it.code == "zero-filled") - at) <= 2


@pytest.mark.parametrize("name", LARGE)
def test_a_piece_that_is_missing_is_found(name: str) -> None:
    """The middle of the pixels removed: too few are left."""
    data = large(name)
    for at in range(coded(data), len(data) - 4200, 9001):
        found = check("jpeg", data[:at] + data[at + 4096 :])
        assert found.verdict == CORRUPT, f"at byte {at}"


def test_restart_markers_are_counted() -> None:
    """One that is missing, or another than its turn is."""
    data = large("restart markers")
    at = data.index(b"\xff\xd3")
    swapped = check("jpeg", data[:at] + b"\xff\xd5" + data[at + 2 :])
    assert ("bad-restart", at) in {(it.code, it.offset) for it in swapped.problems}
    ends = [it.start() for it in re.finditer(rb"\xff[\xd0-\xd7]", data)]
    fewer = check("jpeg", data[: ends[8]] + data[ends[16] :])  # eight rows, so that the turn is right
    assert "expected 31 restart markers in the scan, found 23" in [it.message for it in fewer.problems]


def test_a_missing_end_marker_is_told_where_the_file_ends() -> None:
    """Even if all pixels are there: nothing says that they are."""
    data = valid("jpeg", "baseline")
    found = check("jpeg", data[:-2])
    assert [(it.code, it.offset) for it in found.problems] == [("missing-eoi", len(data) - 2)]
    assert found.facts["width"] == 160


def test_a_strange_marker_among_pixels() -> None:
    """No scan ends with a reserved marker, nor with another picture."""
    data = valid("jpeg", "baseline")
    at = coded(data) + 500
    for marker in (b"\xff\x05", b"\xff\xd8", b"\xff\xf3"):
        found = check("jpeg", data[:at] + marker + data[at + 2 :])
        assert ("bad-marker", at) in {(it.code, it.offset) for it in found.problems}


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (bytes(3), None),
        (bytes(4), "padding"),
        (bytes(100_000), "padding"),
        (b"#!/bin/sh\n", "trailing-data"),
        (b"junk of a phone" + b"SEFT", None),
    ],
)
def test_what_stands_behind_the_picture(more: bytes, code: str | None) -> None:
    """Rounding up and the trailers of phones are nothing; anything else is a warning, and never more."""
    data = valid("jpeg", "baseline")
    found = check("jpeg", data + more)
    assert [(it.code, it.severity, it.offset) for it in found.problems] == (
        [(code, WARNING, len(data))] if code else []
    )


def test_two_files_joined() -> None:
    """The second picture is seen by nobody: a warning, unless the first announces it."""
    data = valid("jpeg", "baseline")
    found = check("jpeg", data * 2)
    assert found.verdict == SUSPECT
    assert "another picture" in found.problems[0].message
    announced = data[:2] + b"\xff\xe2\x00\x06MPF\0" + data[2:]
    assert check("jpeg", announced + data).facts["frames"] == 2


def test_a_film_behind_the_picture_is_no_fault_if_it_is_announced() -> None:
    """A motion photo: the picture's XMP says so."""
    data = valid("jpeg", "baseline")
    xmp = b'http://ns.adobe.com/xap/1.0/\0 GCamera:MicroVideo="1"'
    data = data[:2] + b"\xff\xe1" + (len(xmp) + 2).to_bytes(2, "big") + xmp + data[2:]
    assert check("jpeg", data + b"\0\0\0\x18ftypmp42" + random.Random(3).randbytes(5000)).verdict == VALID


def test_a_damaged_second_picture_makes_it_suspect() -> None:
    """The first one is whole, and it is the one that is shown."""
    data = valid("jpeg", "several pictures")
    found = check("jpeg", data[:-200])
    assert found.verdict == SUSPECT
    assert {(it.code, it.frame) for it in found.problems} == {("missing-eoi", 2)}


def test_the_thumbnail_is_not_the_picture() -> None:
    """A file that is cut inside its Exif data ends with the end marker of the thumbnail, and is corrupt."""
    data = thumbnail_jpeg()
    at = data.index(b"\xff\xd9") + 2
    assert check("jpeg", data[:at]).verdict == CORRUPT
    assert check("jpeg", data).facts["width"] == 160


def test_garbage_between_segments_is_passed_over_and_told() -> None:
    """As decoders do; and what comes behind is still decoded strictly."""
    data = valid("jpeg", "baseline")
    at = data.index(b"\xff\xc4")
    found = check("jpeg", data[:at] + b"\1\2\3" + data[at:])
    assert [(it.code, it.severity, it.offset) for it in found.problems] == [("garbage", WARNING, at)]
    worse = check("jpeg", data[:at] + b"\1\2\3" + data[at:-3000] + data[-2:])
    assert codes(worse) == {"garbage", "premature-end"}


def test_few_bytes_left_over_are_a_warning_and_many_an_error() -> None:
    """Some cameras fill up behind the last pixel; a decoder that has lost track leaves pixels."""
    data = valid("jpeg", "baseline")
    left = {
        more: check("jpeg", data[:-2] + more + data[-2:]) for more in (b"\1" * 12, bytes(60), b"\1\2\3" * 100)
    }
    assert [it.verdict for it in left.values()] == [SUSPECT, SUSPECT, CORRUPT]
    assert all(codes(it) == {"left-over-data"} for it in left.values())


@pytest.mark.parametrize("name", ["baseline", "progressive"])
def test_flipped_bits_are_often_found(name: str) -> None:
    """A JPEG has no checksum: a bit of a coefficient may be any. Whatever sets the decoder back is found, at least one in twenty, and never by a crash."""
    data = large(name)
    draw = random.Random(5)
    hits = 0
    for _ in range(60):
        damaged = bytearray(data)
        damaged[draw.randrange(coded(data), len(data) - 2)] ^= 1 << draw.randrange(8)
        hits += check("jpeg", bytes(damaged)).verdict == CORRUPT
    assert hits >= 3


def test_segments_that_are_none() -> None:
    """Lengths beyond the end and below two, a second frame header, no size, no pixels."""
    data = valid("jpeg", "baseline")
    sof, dht = data.index(b"\xff\xc0"), data.index(b"\xff\xc4")
    header = data[sof:dht]
    for damaged, code, at in (
        (data[: dht + 2] + b"\xff\xff" + data[dht + 4 : 600], "truncated", dht + 2),
        (data[: dht + 2] + b"\0\1" + data[dht + 4 :], "bad-segment", dht + 2),
        (data[:dht] + header + data[dht:], "bad-segment", dht + 2),
        (data[: sof + 5] + b"\0\0\0\0" + data[sof + 9 :], "bad-dimensions", None),
        (data[:sof] + b"\xff\xd9", "missing-scan", sof),
    ):
        found = check("jpeg", damaged)
        assert (code, at) in {(it.code, it.offset) for it in found.problems}
        assert all(it.severity == ERROR for it in found.problems)


def test_what_is_not_decoded_is_not_called_corrupt() -> None:
    """12 bits, lossless, and a height that comes later."""
    data = valid("jpeg", "baseline")
    sof = data.index(b"\xff\xc0")
    twelve = data[:sof] + b"\xff\xc1" + data[sof + 2 : sof + 4] + b"\x0c" + data[sof + 5 :]
    lossless = data[: sof + 1] + b"\xc3" + data[sof + 2 :]
    later = data[: sof + 5] + b"\0\0" + data[sof + 7 : -2] + b"\xff\xdc\0\4\0\x78" + data[-2:]
    for damaged in (twelve, lossless, later):
        with pytest.raises(Unsupported):
            check("jpeg", damaged)


def test_a_progressive_file_without_its_last_scans() -> None:
    """Put together again with an end marker, it decodes to a coarse picture: a warning. Without a component, it is corrupt."""
    data = valid("jpeg", "progressive")
    scans = [it.start() for it in re.finditer(rb"\xff\xda", data)]
    tables = [data.rindex(b"\xff\xc4", 0, at) for at in scans[1:]]
    coarse = check("jpeg", data[: max(tables[-1], scans[-2])] + b"\xff\xd9")
    assert coarse.verdict == SUSPECT and codes(coarse) == {"coarse"}
    assert "missing-scan" in codes(check("jpeg", data[: data.index(b"\xff\xc4")] + b"\xff\xd9"))


def test_restarts_of_a_scan() -> None:
    """Of 100 x 50 pixels, sampled 2 x 1: 7 x 7 MCUs together, 13 x 7 and 7 x 7 blocks alone."""
    light, colour = Component(1, 2, 1), Component(2, 1, 1)
    frame = Frame(0xC0, 8, 100, 50, (light, colour))
    together = Scan(((light, 0, 0), (colour, 1, 1)), 0, 63, 0, 0)
    assert restarts(frame, together, 7) == 6
    assert restarts(frame, Scan(((light, 0, 0),), 0, 63, 0, 0), 13) == 6
    assert restarts(frame, Scan(((colour, 0, 0),), 0, 63, 0, 0), 48) == 1


def test_zeros_that_are_possible() -> None:
    """A run of any length where zeros say "empty block"; else so many as two MCUs of one coefficient take, and one begun."""
    one = Component(1, 1, 1)
    frame, scan = Frame(0xC0, 8, 64, 64, (one,)), Scan(((one, 0, 0),), 0, 63, 0, 0)
    assert impossible_zeros(frame, scan, {(0, 0): (2, 0), (1, 0): (1, 0x00)}) is None
    assert impossible_zeros(frame, scan, {(0, 0): (2, 0), (1, 0): (2, 0x01)}) == -(-3 * (2 + 63 * 3) // 8)
    assert impossible_zeros(frame, scan, {(0, 0): (2, 1), (1, 0): (1, 0x00)}) == 2050 * 4 // 8
    assert impossible_zeros(frame, scan, {}) is None


def _raises(text: str) -> Callable[..., None]:
    def decode(*args: object) -> None:
        raise ValueError(text)

    return decode


def test_what_the_first_decoder_cannot_show_goes_to_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rare samplings and colour spaces; the report says who decoded it."""
    told = "Could not determine subsampling level of JPEG image"
    monkeypatch.setattr("simplejpeg.decode_jpeg", _raises(told))
    found = check("jpeg", valid("jpeg", "baseline"))
    assert found.verdict == VALID and found.decoder.startswith("Pillow ")


def test_too_little_memory_says_nothing_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is skipped, not corrupt."""
    monkeypatch.setattr("simplejpeg.decode_jpeg", _raises("Insufficient memory (case 4)"))
    with pytest.raises(Unsupported, match="memory"):
        check("jpeg", valid("jpeg", "baseline"))
