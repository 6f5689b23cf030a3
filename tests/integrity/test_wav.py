"""WAV files that are whole pass, whatever form they have; those that are cut short, or that lie, do not."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mldata.integrity.base import CORRUPT, SUSPECT, VALID, Unsupported
from tests.integrity.sounds import chunk, codes, cuts, found, pcm_wav, tone, with_size, written

LIST = chunk(b"LIST", b"INFOIART" + struct.pack("<I", 4) + b"me\0\0")

ODD = {
    **{
        subtype: lambda subtype=subtype: written("WAV", subtype)
        for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
    },
    "ima": lambda: written("WAV", "IMA_ADPCM"),
    "ms": lambda: written("WAV", "MS_ADPCM"),
    "gsm": lambda: written("WAV", "GSM610", rate=8000),
    "five-one": lambda: written("WAVEX", "PCM_24", tone(0.1, 48000, 6), 48000),
    "rf64": lambda: written("RF64", "PCM_16"),
    "rifx": lambda: written("WAV", "PCM_16", endian="BIG"),
    "odd-length": lambda: written("WAV", "PCM_U8", tone()[:777]),
    "list-in-front": lambda: with_size(pcm_wav(b"\1\2" * 50)[:36] + LIST + pcm_wav(b"\1\2" * 50)[36:]),
    "list-behind": lambda: with_size(pcm_wav(b"\1\2" * 50) + LIST + chunk(b"id3 ", b"ID3\3\0" + bytes(5))),
    "twelve-bits": lambda: pcm_wav(b"\x10\x02" * 50, bits=12),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_files_are_valid(name: str, tmp_path: Path) -> None:
    """No codec, byte order, width or further chunk makes a whole file anything but valid."""
    result = found("wav", ODD[name](), tmp_path)
    assert (result.verdict, codes(result)) == (VALID, [])
    assert result.facts["samples"] > 0


@pytest.mark.parametrize("name", ["PCM_16", "ima", "five-one", "rf64", "rifx", "list-behind"])
def test_cut_anywhere(name: str, tmp_path: Path) -> None:
    """A file that ends too early is corrupt, wherever it was cut."""
    for data in cuts(ODD[name](), 20):
        assert found("wav", data, tmp_path).verdict == CORRUPT, len(data)


def test_missing_samples_are_counted(tmp_path: Path) -> None:
    """The message on a file that was cut says how many samples missing, and where it ends."""
    data = pcm_wav(b"\1\2" * 1000)
    (problem,) = found("wav", data[:-500], tmp_path).problems
    assert problem.message == "expected 1,000 samples, found 750: 250 missing"
    assert (problem.code, problem.offset) == ("truncated", len(data) - 500)


@pytest.mark.parametrize(
    ("riff", "size"), [(0xFFFFFFFF, 0xFFFFFFFF), (0, 0), (0x7FFFF024, 0x7FFFF000), (0xFFFFFFFF, 0x80000000)]
)
def test_written_into_a_pipe(riff: int, size: int, tmp_path: Path) -> None:
    """A file whose sizes were never known is suspect, and all its samples are decoded."""
    data = pcm_wav(tone_bytes(500))
    data = data[:4] + struct.pack("<I", riff) + data[8:40] + struct.pack("<I", size) + data[44:]
    result = found("wav", data, tmp_path)
    assert (result.verdict, codes(result)) == (SUSPECT, ["unknown-length"])
    assert result.facts["samples"] == 500


def tone_bytes(samples: int) -> bytes:
    return (tone()[:samples] * 32767).astype("<i2").tobytes()


DOUBTFUL = {
    "trailing-data": lambda: pcm_wav(tone_bytes(100)) + bytes(5000),
    "no-samples": lambda: pcm_wav(b""),
    "silence": lambda: pcm_wav(bytes(400)),
    "not-finite": lambda: written("WAV", "FLOAT", np.array([0.1, np.nan, 0.2, np.inf])),
    "bad-byte-rate": lambda: pcm_wav(tone_bytes(100))[:28] + b"\1\0\0\0" + pcm_wav(tone_bytes(100))[32:],
    "bad-block": lambda: (
        pcm_wav(tone_bytes(99), channels=3)[:32] + b"\4" + pcm_wav(tone_bytes(99), channels=3)[33:]
    ),
    "partial-sample": lambda: pcm_wav(tone_bytes(100) + b"\1"),
    "no-padding": lambda: with_size(pcm_wav(b"\1\2\3", bits=8)[:-1] + LIST),
    "bad-size": lambda: b"RIFF" + struct.pack("<I", 36) + pcm_wav(tone_bytes(100))[8:],
}


@pytest.mark.parametrize("code", DOUBTFUL)
def test_what_is_off_is_suspect(code: str, tmp_path: Path) -> None:
    """A file that decodes but has something wrong with it is suspect, for that reason alone."""
    result = found("wav", DOUBTFUL[code](), tmp_path)
    assert (result.verdict, codes(result)) == (SUSPECT, [code])


def test_fewer_samples_than_are_told(tmp_path: Path) -> None:
    """A compressed file with fewer blocks than its count of samples needs is suspect, even if its sizes were put right."""
    data = written("WAV", "IMA_ADPCM")
    at = data.index(b"data")
    size = struct.unpack("<I", data[at + 4 : at + 8])[0] // 2
    short = with_size(data[: at + 4] + struct.pack("<I", size) + data[at + 8 : at + 8 + size])
    result = found("wav", short, tmp_path)
    assert (result.verdict, codes(result)) == (SUSPECT, ["duration-mismatch"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    channels=st.integers(1, 8),
    width=st.sampled_from([8, 16, 24, 32]),
    samples=st.integers(1, 300),
    before=st.lists(st.binary(max_size=40), max_size=3),
    after=st.lists(st.binary(max_size=40), max_size=3),
    cut=st.integers(1, 10**6),
)
def test_any_order_of_chunks(
    channels: int, width: int, samples: int, before: list[bytes], after: list[bytes], cut: int, tmp_path: Path
) -> None:
    """Whatever chunks stand around the samples, a whole file is valid, and one that is cut short within them is corrupt."""
    body = bytes(range(1, 256)) * (samples * channels * width // 8 // 255 + 1)
    plain = pcm_wav(body[: samples * channels * width // 8], channels, width)
    data = plain[:36] + b"".join(chunk(b"LIST", each) for each in before) + plain[36:]
    end = len(data)
    data = with_size(data + b"".join(chunk(b"cue ", each) for each in after))
    assert codes(found("wav", data, tmp_path)) == []
    padded = samples * channels * width // 8 % 2
    assert found("wav", data[: (end - padded) - 1 - cut % (end - padded - 1)], tmp_path).verdict == CORRUPT


def test_headers_that_say_nothing(tmp_path: Path) -> None:
    """No channels, no rate, no format, no samples' chunk, another kind of RIFF: corrupt, each for its reason."""
    data = pcm_wav(tone_bytes(100))
    for bad, code in (
        (data[:22] + b"\0\0" + data[24:], "bad-header"),
        (data[:24] + bytes(4) + data[28:], "bad-header"),
        (with_size(data[:12] + data[36:]), "missing-chunk"),
        (with_size(data[:36]), "missing-chunk"),
        (data[:8] + b"AVI " + data[12:], "bad-header"),
        (b"", "truncated"),
    ):
        result = found("wav", bad, tmp_path)
        assert (result.verdict, codes(result)) == (CORRUPT, [code])


def test_a_codec_that_nobody_has(tmp_path: Path) -> None:
    """A codec, or a width, that libsndfile does not know is unsupported, unless the file is cut short anyway."""
    with pytest.raises(Unsupported, match="64 bits"):
        found("wav", pcm_wav(tone_bytes(400), bits=64), tmp_path)
    data = pcm_wav(tone_bytes(100), codec=0x4242)
    with pytest.raises(Unsupported, match="0x4242"):
        found("wav", data, tmp_path)
    assert found("wav", data[:-50], tmp_path).verdict == CORRUPT
