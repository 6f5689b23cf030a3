"""TFRecord files read without TensorFlow, by the letter of the formats: a second opinion on what is written."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any


def crc32c(data: bytes) -> int:
    """CRC-32 with Castagnoli's polynomial, bit by bit (RFC 3720, appendix B.4)."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    """The CRC as a record has it."""
    value = crc32c(data)
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data: bytes, check: bool = False) -> Iterator[bytes]:
    """The data of each record; ``check``: both CRCs are right (slow)."""
    start = 0
    while start < len(data):
        size, size_crc = struct.unpack_from("<QI", data, start)
        made = data[start + 12 : start + 12 + size]
        (crc,) = struct.unpack_from("<I", data, start + 12 + size)
        if check:
            assert size_crc == masked(data[start : start + 8]) and crc == masked(made)
        yield made
        start += 16 + size
    assert start == len(data)


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Numbers and contents of the fields of a message: varints and length-delimited ones."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        size, at = _varint(data, at)
        if tag & 7 == 2:
            yield tag >> 3, data[at : at + size]
            at += size
        else:
            assert tag & 7 == 0
            yield tag >> 3, size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not data[at - 1] & 0x80:
            return value, at


def features(record: bytes) -> dict[str, list[Any]]:
    """The features of an ``Example``: lists of bytes, floats or integers."""
    made: dict[str, list[Any]] = {}
    for _, all_features in fields(record):
        for _, entry in fields(all_features):
            parts = dict(fields(entry))
            ((kind, content),) = fields(parts[2])
            values = [value for _, value in fields(content)]
            if kind == 2:
                values = [it for packed in values for it in struct.unpack(f"<{len(packed) // 4}f", packed)]
            elif kind == 3:
                values = [it for packed in values for it in _signed(packed)]
            made[parts[1].decode()] = values
    return made


def _signed(packed: bytes) -> Iterator[int]:
    at = 0
    while at < len(packed):
        value, at = _varint(packed, at)
        yield value - (1 << 64) if value >> 63 else value


def record_values(record: bytes) -> dict[str, Any]:
    """The first value of each feature, text for bytes."""
    first = {key: values[0] for key, values in features(record).items()}
    return {key: value.decode() if isinstance(value, bytes) else value for key, value in first.items()}
