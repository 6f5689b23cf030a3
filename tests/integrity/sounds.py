"""Recordings for tests: sound ones, odd ones, and ways in which they are damaged."""

from __future__ import annotations

import hashlib
import importlib
import io
import struct
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from mldata.integrity import KINDS
from mldata.integrity.base import Found
from mldata.integrity.content import Content
from mldata.integrity.crc import crc8


def found(kind: str, data: bytes, tmp_path: Any) -> Found:
    """What the checker of this kind finds in these bytes."""
    path = tmp_path / "content"
    path.write_bytes(data)
    info = KINDS[kind]
    checker = getattr(importlib.import_module(info.module), info.factory)()
    with Content(path) as content:
        result: Found = checker.check(content)
    for problem in result.problems:
        assert str(tmp_path) not in problem.message, "a text must hold no path"
    return result


def codes(result: Found) -> list[str]:
    """The codes of what was found."""
    return [problem.code for problem in result.problems]


@cache
def tone(seconds: float = 0.3, rate: int = 16000, channels: int = 1) -> npt.NDArray[np.float64]:
    """A tone that rises, with a little noise: no two stretches of it are equal."""
    t = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(7).standard_normal((len(t), channels))
    sweep = 0.4 * np.sin(2 * np.pi * (200 + 900 * t) * t)[:, None] * np.linspace(1, 0.5, channels)
    made: npt.NDArray[np.float64] = sweep + 0.01 * noise
    made.flags.writeable = False
    return made


def written(format: str, subtype: str, samples: Any = None, rate: int = 16000, **more: Any) -> bytes:
    """A file as libsndfile writes it."""
    out = io.BytesIO()
    soundfile.write(out, tone() if samples is None else samples, rate, format=format, subtype=subtype, **more)
    return out.getvalue()


def chunk(name: bytes, body: bytes, order: str = "<") -> bytes:
    """A chunk of RIFF (or IFF), padded."""
    return name + struct.pack(order + "I", len(body)) + body + b"\0" * (len(body) % 2)


def with_size(data: bytes, order: str = "<") -> bytes:
    """A RIFF or FORM file with the size in its header put right."""
    return data[:4] + struct.pack(order + "I", len(data) - 8) + data[8:]


def pcm_wav(body: bytes, channels: int = 1, bits: int = 16, rate: int = 16000, codec: int = 1) -> bytes:
    """A WAV file of these bytes."""
    block = channels * -(-bits // 8)
    head = struct.pack("<HHIIHH", codec, channels, rate, rate * block, block, bits)
    return with_size(b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", head) + chunk(b"data", body))


def cuts(data: bytes, pieces: int) -> Iterator[bytes]:
    """Beginnings of it: all short ones, the long ones that lack little, and so many in between."""
    lengths = {*range(1, 64), *range(len(data) - 16, len(data)), *range(64, len(data), len(data) // pieces)}
    for length in sorted(lengths):
        yield data[:length]


def flipped(data: bytes, at: int, bit: int = 0) -> bytes:
    """It with one bit the other way."""
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def zeroed(data: bytes, at: int, size: int) -> bytes:
    """It with a stretch that was never written."""
    return data[:at] + b"\0" * len(data[at : at + size]) + data[at + size :]


def without(data: bytes, at: int, size: int) -> bytes:
    """It with a stretch taken out."""
    return data[:at] + data[at + size :]


def flac(
    blocks: Sequence[npt.NDArray[Any]],
    bits: int = 16,
    rate: int = 44100,
    *,
    variable: bool = False,
    total: int | None = None,
    md5: bytes | None = None,
    metadata: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    """A FLAC file of blocks (samples x channels) as they stand, in verbatim subframes (RFC 9639, 9.2.2): any width, any block size."""
    channels = blocks[0].shape[1]
    size = -(-bits // 8)
    plain = b"".join(
        int(value).to_bytes(size, "little", signed=True) for block in blocks for value in block.ravel()
    )
    samples = sum(len(block) for block in blocks)
    packed = rate << 44 | channels - 1 << 41 | bits - 1 << 36 | (samples if total is None else total)
    lengths = [len(block) for block in blocks]
    least, most = (min(lengths), max(lengths)) if variable else (lengths[0], lengths[0])
    info = struct.pack(">HH6xQ", least, most, packed)
    info += hashlib.md5(plain).digest() if md5 is None else md5
    listed = [(0, info), *metadata]
    head = b"".join(
        bytes([kind | 0x80 * (index == len(listed) - 1)]) + len(body).to_bytes(3, "big") + body
        for index, (kind, body) in enumerate(listed)
    )
    frames, at = [], 0
    for index, block in enumerate(blocks):
        frames.append(_flac_frame(block, bits, at if variable else index, variable))
        at += len(block)
    return b"fLaC" + head + b"".join(frames)


def _flac_frame(block: npt.NDArray[Any], bits: int, number: int, variable: bool) -> bytes:
    coded = {8: 1, 12: 2, 16: 4, 20: 5, 24: 6, 32: 7}[bits]
    head = bytes([0xFF, 0xF8 | variable, 0x70, block.shape[1] - 1 << 4 | coded << 1])
    head += chr(number).encode() + struct.pack(">H", len(block) - 1)
    head += bytes([crc8(head)])
    text = "".join(
        "00000010" + "".join(f"{int(value) & (1 << bits) - 1:0{bits}b}" for value in channel)
        for channel in block.T
    )
    text += "0" * (-len(text) % 8)
    frame = head + int(text, 2).to_bytes(len(text) // 8, "big")
    return frame + slow_crc16(frame).to_bytes(2, "big")


def slow_crc16(message: bytes) -> int:
    """FLAC's CRC-16, bit by bit."""
    value = 0
    for byte in message:
        value ^= byte << 8
        for _ in range(8):
            value = value << 1 ^ (0x18005 if value & 0x8000 else 0)
    return value
