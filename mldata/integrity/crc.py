"""The checksums inside FLAC frames (RFC 9639, 9.1.8 and 9.3) and Ogg pages (RFC 3533, 6), at the speed of compiled code.

Ogg's CRC-32 is zlib's polynomial with the bits in the other order: bytes are mirrored, and so is the sum. FLAC's CRC-16 is taken of many
frames at the same time: a message is a polynomial, its rest modulo the generator that of its left half, shifted, and its right half, so that pairs of
words become words in a few steps over whole arrays. A message that ends with its own checksum leaves no rest.
"""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from mldata.integrity.content import Content

__all__ = ["CRC16_TABLE", "arc", "crc8", "joined", "ogg_crc", "remainders", "shortest"]

Words = npt.NDArray[np.uint16]

_GENERATOR = 0x18005
"""x^16 + x^15 + x^2 + 1."""
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_BATCH = 1 << 22
"""Bytes of messages that are looked at together."""
_LEAST = 32
"""Rows are this many bytes at least, and a multiple of it."""


def ogg_crc(page: bytes) -> int:
    """The checksum of a page whose own checksum field is zero."""
    mirrored = zlib.crc32(page.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_MIRRORED), "big")


def arc(data: bytes | mmap.mmap, start: int, end: int) -> int:
    """CRC-16/ARC of a stretch, which LAME's header has: FLAC's polynomial with the bits in the other order."""
    rest = 0
    for at in range(start, end, _BATCH):
        piece = data[at : min(at + _BATCH, end)].translate(_MIRRORED)
        row = np.frombuffer(bytes(-len(piece) % _LEAST) + piece, np.uint8).reshape(1, -1)
        rest = joined(rest, _fold(row)[0], len(piece))
    return int.from_bytes(_times(rest, _power(16)).to_bytes(2, "little").translate(_MIRRORED), "big")


def crc8(header: bytes) -> int:
    """Of a FLAC frame's header: x^8 + x^2 + x + 1."""
    value = 0
    for byte in header:
        value = _CRC8[value ^ byte]
    return value


def remainders(content: Content, spans: Sequence[tuple[int, int]]) -> list[int]:
    """What is left of the bytes of each span (start, end) modulo the generator: 0 for a FLAC frame that is whole."""
    data = content.data
    left = [0] * len(spans)
    order = sorted(range(len(spans)), key=lambda index: spans[index][1] - spans[index][0])
    while order:
        batch: list[int] = []
        width = 0
        # From the longest to the shortest: a row is not much longer than its message.
        while order:
            start, end = spans[order[-1]]
            width = width or -(-(end - start) // _LEAST) * _LEAST
            if batch and width * (len(batch) + 1) > _BATCH:
                break
            batch.append(order.pop())
        rows = np.zeros((len(batch), max(width, _LEAST)), np.uint8)
        for row, index in enumerate(batch):
            start, end = spans[index]
            if end > start:  # zeros in front change nothing
                rows[row, -(end - start) :] = np.frombuffer(data[start:end], np.uint8)
        for index, rest in zip(batch, _fold(rows), strict=True):
            left[index] = rest
    return left


def _fold(rows: npt.NDArray[np.uint8]) -> list[int]:
    words: Words = rows.view(">u2").astype(np.uint16)
    bits = 16
    while words.shape[1] > 1:
        if words.shape[1] % 2:
            words = np.concatenate((np.zeros((len(words), 1), np.uint16), words), axis=1)
        words = _shifts(bits)[words[:, 0::2]] ^ words[:, 1::2]
        bits *= 2
    return [int(word) for word in words[:, 0]]


@cache
def _shifts(bits: int) -> Words:
    """Each word, shifted by so many bits, modulo the generator."""
    table = np.zeros(1 << 16, np.uint16)
    for bit in range(16):
        table[1 << bit : 2 << bit] = table[: 1 << bit] ^ _power(bits + bit)
    return table


def joined(left: int, right: int, size: int) -> int:
    """The rest of two messages one after the other, the right one of ``size`` bytes."""
    return _times(left, _power(8 * size)) ^ right


def _power(exponent: int) -> int:
    """x to this power, modulo the generator."""
    value, base = 1, 2
    while exponent:
        if exponent & 1:
            value = _times(value, base)
        base = _times(base, base)
        exponent >>= 1
    return value


def _times(one: int, other: int) -> int:
    value = 0
    while other:
        if other & 1:
            value ^= one
        one <<= 1
        if one >> 16:
            one ^= _GENERATOR
        other >>= 1
    return value


def shortest(message: bytes, least: int) -> int | None:
    """The first length from ``least`` on at which the bytes end with their own checksum."""
    value = 0
    for length, byte in enumerate(message, 1):
        value = ((value << 8) & 0xFFFF) ^ CRC16_TABLE[(value >> 8) ^ byte]
        if not value and length >= least:
            return length
    return None


def _table(width: int, generator: int) -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte << (width - 8)
        for _ in range(8):
            value <<= 1
            if value >> width:
                value ^= generator
        table.append(value)
    return tuple(table)


_CRC8 = _table(8, 0x107)
CRC16_TABLE = _table(16, _GENERATOR)
