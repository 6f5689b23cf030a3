"""Samples are decoded to the end, whatever a header promises, in blocks."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from mldata.integrity.content import Content
from mldata.integrity.faults import MOST, Faults
from mldata.integrity.samples import Block, Undecodable, decode
from tests.integrity.sounds import pcm_wav, tone, written


def test_every_sample_is_given_once(tmp_path: Path) -> None:
    """The blocks are all of the samples in order, from a file and from memory."""
    expected = (np.arange(300_000) % 30_000).astype("<i2")
    path = tmp_path / "long.wav"
    path.write_bytes(pcm_wav(expected.tobytes(), channels=2))
    for source in (Content(path), io.BytesIO(path.read_bytes())):
        blocks: list[Block] = []
        with source:
            samples = decode(source, lambda block, kept=blocks: kept.append(block.copy()))  # type: ignore[misc]
        assert len(blocks) > 1
        assert np.array_equal(np.concatenate(blocks).ravel(), expected)
        assert (samples.frames, samples.channels, samples.codec) == (150_000, 2, "pcm_16")


def test_facts_are_of_what_was_decoded() -> None:
    """The duration is in seconds, from samples and rate."""
    samples = decode(io.BytesIO(written("OGG", "VORBIS", tone(0.5, 44100, 2), 44100)))
    assert samples.facts == {
        "duration": 0.5, "sample_rate": 44100, "channels": 2, "samples": 22050, "codec": "vorbis"
    }  # fmt: skip


def test_what_is_no_sound() -> None:
    """Bytes that libsndfile does not open are undecodable, with its reason and no name of a file."""
    with pytest.raises(Undecodable) as raised:
        decode(io.BytesIO(b"no sound at all" * 99))
    assert "BytesIO" not in str(raised.value)


def test_problems_of_a_kind_are_counted() -> None:
    """Of thousands of problems of one kind the first are told, and how many there are more."""
    faults = Faults()
    for frame in range(1000):
        faults.error("bad-crc", "expected its checksum", frame=frame)
    faults.warning("silence", "expected sound")
    problems = faults.problems
    assert [problem.frame for problem in problems[:MOST]] == list(range(MOST))
    assert problems[-1].message == f"{1000 - MOST} more of the same kind"
    assert faults.broken and "silence" in faults and "truncated" not in faults
