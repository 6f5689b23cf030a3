"""Damages bytes, as disks, networks, editors, other programs and attackers do."""

from __future__ import annotations

import bz2
import gzip
import lzma
from random import Random

import pyarrow as pa

SIZES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
PACKERS = {
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}
"""Suffix → what makes such a file."""


def mutated(rng: Random, data: bytes, tokens: list[bytes]) -> bytes:
    """``data`` with some damage: mostly little."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        data = _one(rng, data, tokens)
    return data


def packed(rng: Random, name: str, data: bytes) -> tuple[str, bytes]:
    """A file, compressed at times, and then at times damaged."""
    if rng.random() < 0.85:
        return name, data
    suffix = rng.choice(list(PACKERS))
    for _ in range(rng.choice((1, 1, 1, 1, 2, 4))):
        data = PACKERS[suffix](data)
    if rng.random() < 0.3:
        data = mutated(rng, data, [b"\0", b"\xff"])
    return name + rng.choice(("", suffix)), data


def _one(rng: Random, data: bytes, tokens: list[bytes]) -> bytes:
    at = rng.randrange(len(data) + 1)
    span = min(int(rng.expovariate(0.1)) + 1, len(data))
    way = rng.randrange(9)
    if way <= 1:
        return data[:at] + rng.choice(tokens) + data[at:]
    if way == 2:
        return data[:at] + rng.choice(tokens) + data[at + span :]
    if way == 3:
        return data[:at] + data[at + span :]
    if way == 4:
        return data[:at] + data[at : at + span] * rng.choice((2, 2, 50)) + data[at:]
    if way == 5:
        return data[:at]
    if way == 6:
        other = rng.randrange(len(data) + 1)
        return data[:at] + data[other : other + span] + data[at + span :]
    if way == 7:
        width = rng.choice((1, 2, 4))
        number = rng.choice(SIZES) & ((1 << 8 * width) - 1)
        return data[:at] + number.to_bytes(width, rng.choice(("little", "big"))) + data[at + width :]
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
