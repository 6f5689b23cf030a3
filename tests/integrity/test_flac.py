"""FLAC files that are whole pass, whatever form they have; no bit of the sound can be lost without being noticed."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mldata.integrity.base import CORRUPT, SUSPECT, VALID, Unsupported
from tests.integrity.sounds import codes, cuts, flac, flipped, found, tone, without, written, zeroed

FRAMES = 86
"""Where the frames of :func:`usual` begin."""


@cache
def usual() -> bytes:
    """A file of libFLAC's, with several frames and a comment."""
    return written("FLAC", "PCM_16", tone(1.5))


def blocks(*sizes: int, channels: int = 2, bits: int = 16) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    most = 1 << bits - 1
    return [rng.integers(-most, most, (size, channels)) for size in sizes]


ODD = {
    "libFLAC": usual,
    "libFLAC-24": lambda: written("FLAC", "PCM_24", tone(0.3, 48000, 6), 48000),
    "libFLAC-8": lambda: written("FLAC", "PCM_S8"),
    "no-md5": lambda: flac(blocks(256, 256, 100), md5=bytes(16)),
    "of-a-pipe": lambda: flac(blocks(256, 256, 100), md5=bytes(16), total=0),
    "variable": lambda: flac(blocks(64, 700, 16, 300), variable=True),
    "one-sample": lambda: flac(blocks(1, channels=1)),
    "eight-channels": lambda: flac(blocks(128, 128, channels=8)),
    "seek-table": lambda: flac(
        blocks(256, 256), metadata=[(3, struct.pack(">QQHQQH", 0, 0, 256, 2**64 - 1, 0, 0)), (1, bytes(99))]
    ),
    "application": lambda: flac(blocks(256), metadata=[(2, b"none" + bytes(8)), (100, b"reserved")]),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_files_are_valid(name: str, tmp_path: Path) -> None:
    """No width, block size, number of channels or further block makes a whole file anything but valid."""
    result = found("flac", ODD[name](), tmp_path)
    assert (result.verdict, codes(result)) == (VALID, [])


@pytest.mark.parametrize("bits", [12, 20])
def test_widths_that_the_decoder_lacks(bits: int, tmp_path: Path) -> None:
    """A whole file of 12 or 20 bits is never corrupt; one that is cut short, or has a bit flipped, always is."""
    data = flac(blocks(256, 256, bits=bits), bits)
    try:
        assert found("flac", data, tmp_path).verdict == VALID
    except Unsupported as error:
        assert f"{bits} bits" in str(error)
    for bad in (data[:-9], flipped(data, len(data) - 100), without(data, 100, 40)):
        assert found("flac", bad, tmp_path).verdict == CORRUPT


@pytest.mark.parametrize("name", ["libFLAC", "variable", "no-md5"])
def test_cut_anywhere(name: str, tmp_path: Path) -> None:
    """A file that ends too early is corrupt, wherever it was cut."""
    for data in cuts(ODD[name](), 25):
        assert found("flac", data, tmp_path).verdict == CORRUPT, len(data)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_any_bit_of_a_frame(place: int, bit: int, tmp_path: Path) -> None:
    """Whichever bit of the frames is flipped, the file is corrupt."""
    data = usual()
    at = FRAMES + place % (len(data) - FRAMES)
    assert found("flac", flipped(data, at, bit), tmp_path).verdict == CORRUPT


def test_any_bit_of_what_describes_the_samples(tmp_path: Path) -> None:
    """Rate, channels, bits, total and MD5 of the stream: a flipped bit in any of them is found."""
    data = usual()
    for at in range(18, 42):
        for bit in (0, 3, 7):
            assert found("flac", flipped(data, at, bit), tmp_path).verdict != VALID, (at, bit)


def test_damage_is_told_by_frame_and_byte(tmp_path: Path) -> None:
    """A flipped bit, a zeroed stretch and a missing one are told with the frame and the byte at which it begins."""
    data = flac(blocks(256, 256, 256, 256, 256))
    size = (len(data) - 42) // 5
    bad = found("flac", flipped(data, 42 + size + 50), tmp_path).problems[0]
    assert (bad.code, bad.frame, bad.offset) == ("bad-crc", 1, 42 + size)
    gone = found("flac", without(data, 42 + size, 2 * size), tmp_path).problems[0]
    assert (gone.code, gone.frame, gone.offset) == ("missing-frames", 1, 42 + size)
    assert gone.message == "expected the number 1 at this frame, found 3"
    lost = found("flac", zeroed(data, 42 + size, 2 * size), tmp_path)
    assert (lost.problems[0].code, lost.problems[0].frame) == ("missing-frames", 1)


def test_samples_that_are_others(tmp_path: Path) -> None:
    """Frames whose checksums hold, with samples that are not those of the MD5, are corrupt."""
    assert codes(found("flac", flac(blocks(256), md5=b"x" * 16), tmp_path)) == ["bad-md5"]


def test_what_stands_around_it(tmp_path: Path) -> None:
    """Tags in front or behind, padding, a second file: suspect, since all samples are there."""
    data = usual()
    tag = b"ID3\3\0\0\0\0\0\x0a" + bytes(10)
    for odd, code in (
        (tag + data, "foreign-tag"),
        (data + b"TAG" + b"x" * 125, "foreign-tag"),
        (data + bytes(4096), "trailing-data"),
        (data + b"junk" * 99, "trailing-data"),
        (data + data, "trailing-data"),
    ):
        result = found("flac", odd, tmp_path)
        assert (result.verdict, codes(result)) == (SUSPECT, [code])
        assert result.facts["samples"] == 24000


def test_metadata_that_is_wrong(tmp_path: Path) -> None:
    """No mark, a first block that is another, a block beyond the end: corrupt; a seek point to nowhere: suspect."""
    data = usual()
    for bad, code in (
        (b"flac" + data[4:], "bad-header"),
        (data[:4] + b"\1" + data[5:], "bad-header"),
        (data[:4] + b"\xff" + data[5:], "bad-header"),
        (data[:43] + b"\xff" + data[44:], "truncated"),
    ):
        assert codes(found("flac", bad, tmp_path)) == [code]
    seek = flac(blocks(256), metadata=[(3, struct.pack(">QQH", 0, 77, 256))])
    assert codes(found("flac", seek, tmp_path)) == ["bad-seek-table"]
