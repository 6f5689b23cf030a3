"""The compressed pixels of one frame of a PNG (W3C PNG, third edition, clause 10), through several chunks.

They are inflated here once to learn that they end as they should, checksum included, and are exactly as many as the header promises; they are not kept.
A decoder stops at the last row that it needs and looks at none of that. They are inflated by pieces, and no further than they may go.
"""

from __future__ import annotations

import zlib

from mldata.integrity.base import WARNING, Problem

__all__ = ["PIECE", "Stream"]

PIECE = 1 << 20


class Stream:
    """The compressed pixels of a frame, through several chunks."""

    def __init__(self, expected: int, at: int, frame: int | None) -> None:
        self.expected, self.at, self.frame = expected, at, frame
        self.count = 0
        self.zlib = zlib.decompressobj()
        self.problem: Problem | None = None

    def feed(self, piece: bytes, at: int) -> None:
        if self.problem is not None:
            return
        if self._ended:
            if piece:
                self._tell(
                    "trailing-pixels",
                    f"expected no more compressed pixels, found {len(piece):,} bytes",
                    at,
                    WARNING,
                )
            return
        try:
            while piece and not self._ended and self.count <= self.expected:
                self.count += len(self.zlib.decompress(piece, PIECE))
                piece = self.zlib.unconsumed_tail
        except zlib.error as error:
            self._tell("bad-pixels", f"expected compressed pixels, found: {_reason(error)}", at)
            return
        if self.count > self.expected:
            self._tell("bad-pixels", f"expected {self.expected:,} bytes of pixels, found more", at)
        elif self.zlib.unused_data:
            found = f"{len(self.zlib.unused_data):,} bytes"
            self._tell("trailing-pixels", f"expected no more compressed pixels, found {found}", at, WARNING)

    def end(self) -> Problem | None:
        """What is wrong with all of it."""
        if self.problem is None or self.problem.severity == WARNING:
            if self.count < self.expected:
                self._tell(
                    "premature-end",
                    f"expected {self.expected:,} bytes of pixels, found {self.count:,}",
                    self.at,
                )
            elif not self._ended:
                self._tell(
                    "bad-pixels", "expected the checksum behind the compressed pixels, found none", self.at
                )
        return self.problem

    @property
    def _ended(self) -> bool:
        return self.zlib.eof

    def _tell(self, code: str, message: str, at: int, severity: str = "error") -> None:
        self.problem = Problem(code, message, severity, at, frame=self.frame)


def _reason(error: zlib.error) -> str:
    return str(error).rpartition(": ")[2]
