"""AIFF and AIFC files that are whole pass; those that are cut short, or whose chunks do not agree, do not."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from mldata.integrity.base import CORRUPT, SUSPECT, VALID, Unsupported
from tests.integrity.sounds import chunk, codes, cuts, found, tone, with_size, written

ODD = {
    **{
        subtype: lambda subtype=subtype: written("AIFF", subtype)
        for subtype in (
            "PCM_S8",
            "PCM_16",
            "PCM_24",
            "PCM_32",
            "FLOAT",
            "DOUBLE",
            "ULAW",
            "ALAW",
            "IMA_ADPCM",
        )
    },
    "sowt": lambda: written("AIFF", "PCM_16", endian="LITTLE"),
    "odd-length": lambda: written("AIFF", "PCM_S8", tone()[:777]),
    "stereo": lambda: written("AIFF", "PCM_24", tone(0.1, 44100, 2), 44100),
}
RATE = bytes.fromhex("400cfa00000000000000")
"""16,000 as a number of 80 bits."""


def aiff(frames: int, body: bytes, codec: bytes = b"") -> bytes:
    """A file with this count and these bytes."""
    common = struct.pack(">HIH", 1, frames, 16) + RATE + (codec + b"\0\0" if codec else b"")
    kind = b"AIFC" if codec else b"AIFF"
    sound = chunk(b"SSND", bytes(8) + body, ">")
    return with_size(b"FORM\0\0\0\0" + kind + chunk(b"COMM", common, ">") + sound, ">")


@pytest.mark.parametrize("name", ODD)
def test_odd_files_are_valid(name: str, tmp_path: Path) -> None:
    """No codec, byte order or width makes a whole file anything but valid."""
    result = found("aiff", ODD[name](), tmp_path)
    assert (result.verdict, codes(result)) == (VALID, [])
    assert result.facts["samples"] > 0


@pytest.mark.parametrize("name", ["PCM_16", "IMA_ADPCM", "FLOAT"])
def test_cut_anywhere(name: str, tmp_path: Path) -> None:
    """A file that ends too early is corrupt, wherever it was cut."""
    for data in cuts(ODD[name](), 20):
        assert found("aiff", data, tmp_path).verdict == CORRUPT, len(data)


def test_missing_samples_are_counted(tmp_path: Path) -> None:
    """The message says how many samples missing: of a file that was cut, and of one that counts more than it has."""
    for data in (aiff(1000, b"\1\2" * 1000)[:-500], aiff(1000, b"\1\2" * 750)):
        (problem,) = found("aiff", data, tmp_path).problems
        assert problem.message == "expected 1,000 samples, found 750: 250 missing"
        assert problem.code == "truncated"


def test_what_is_off_is_suspect(tmp_path: Path) -> None:
    """Bytes behind the end, an unknown length, more samples than are counted, none at all: suspect, each for that reason alone."""
    whole = aiff(100, b"\1\2" * 100)
    for data, code in (
        (whole + bytes(500), "trailing-data"),
        (
            b"FORM" + bytes(4) + whole[8:22] + bytes(4) + whole[26:42] + bytes(4) + whole[46:],
            "unknown-length",
        ),
        (aiff(90, b"\1\2" * 100), "bad-count"),
        (aiff(0, b""), "no-samples"),
        (b"FORM\0\0\0\x20" + whole[8:], "bad-size"),
        (aiff(100, bytes(200)), "silence"),
    ):
        result = found("aiff", data, tmp_path)
        if code == "unknown-length":  # a count of 0 is all that the decoder goes by
            assert codes(result)[0] == code
        else:
            assert codes(result) == [code]
        assert result.verdict == SUSPECT


def test_headers_that_say_nothing(tmp_path: Path) -> None:
    """No channels, no rate, no samples' chunk, another kind of FORM: corrupt, each for its reason."""
    data = aiff(100, b"\1\2" * 100)
    for bad, code in (
        (data[:20] + b"\0\0" + data[22:], "bad-header"),
        (data[:28] + bytes(10) + data[38:], "bad-header"),
        (with_size(data[:38], ">"), "missing-chunk"),
        (data[:8] + b"ILBM" + data[12:], "bad-header"),
    ):
        result = found("aiff", bad, tmp_path)
        assert (result.verdict, codes(result)) == (CORRUPT, [code])


def test_a_codec_that_nobody_has(tmp_path: Path) -> None:
    """A codec that libsndfile does not know is unsupported, unless the file is cut short anyway."""
    data = aiff(100, b"\1\2" * 100, b"QDMC")
    with pytest.raises(Unsupported, match="QDMC"):
        found("aiff", data, tmp_path)
    assert found("aiff", data[:-50], tmp_path).verdict == CORRUPT
