"""What a FLAC stream says of itself: rate, channels, bits, number and MD5 of its samples.

Format: RFC 9639, 8.2 (STREAMINFO).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from mldata.integrity.samples import Block

__all__ = ["UNSET", "Hasher", "StreamInfo", "read_stream_info"]

UNSET = bytes(16)
"""An MD5 that was not computed."""


@dataclass(frozen=True)
class StreamInfo:
    """The STREAMINFO block."""

    least_frame: int
    """Bytes; 0: not known. :attr:`most_frame` too."""
    most_frame: int
    sample_rate: int
    channels: int
    bits: int
    total: int
    """Samples of each channel; 0: not known."""
    md5: bytes


def read_stream_info(block: bytes) -> StreamInfo:
    """From its 34 bytes."""
    packed = int.from_bytes(block[10:18], "big")
    return StreamInfo(
        int.from_bytes(block[4:7], "big"),
        int.from_bytes(block[7:10], "big"),
        packed >> 44,
        (packed >> 41 & 7) + 1,
        (packed >> 36 & 31) + 1,
        packed & 0xFFFFFFFFF,
        block[18:34],
    )


class Hasher:
    """The MD5 of samples as FLAC counts it: interleaved, signed, little-endian, in whole bytes."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._md5 = hashlib.md5(usedforsecurity=False)

    def __call__(self, block: Block) -> None:
        """Add samples that are aligned to the left."""
        if block.dtype.kind != "i":
            return
        size = -(-self._bits // 8)
        plain = block >> (8 * block.itemsize - self._bits) if 8 * block.itemsize != self._bits else block
        if size in (1, 2, 4):
            self._md5.update(plain.astype(f"<i{size}", copy=False).data)
        else:
            whole = plain.astype("<i4", copy=False).view(np.uint8).reshape(-1, 4)[:, :size]
            self._md5.update(np.ascontiguousarray(whole).data)

    def digest(self) -> bytes:
        return self._md5.digest()
