"""The chunks of RIFF, RF64 and IFF files: four characters, a size, so many bytes, padded to an even number.

RIFF: Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0"; RF64: EBU Tech 3306 and ITU-R BS.2088; IFF: "EA IFF 85".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mldata.integrity.content import Content
from mldata.integrity.faults import Faults

__all__ = ["Chunk", "Chunks", "is_open", "stands_for_unknown", "walk_chunks"]

MOST_CHUNKS = 10_000
"""More are refused: a file of nothing but empty chunks is no recording."""


@dataclass(frozen=True)
class Chunk:
    """One chunk."""

    name: bytes
    start: int
    """Where its content begins."""
    size: int
    """Of its content, as its header or a table of sizes says."""

    @property
    def end(self) -> int:
        """Where its content ends, or would."""
        return self.start + self.size


@dataclass(frozen=True)
class Chunks:
    """The chunks of a file, in order."""

    found: tuple[Chunk, ...]
    end: int
    """Where the last one ends, its padding included, or where nothing more could be read as a chunk."""

    def first(self, name: bytes) -> Chunk | None:
        """The first of this name."""
        return next((chunk for chunk in self.found if chunk.name == name), None)


def walk_chunks(
    content: Content,
    start: int,
    order: Literal["little", "big"],
    faults: Faults,
    large: Mapping[bytes, int] | None = None,
    open_ended: bytes = b"",
) -> Chunks:
    """The chunks from ``start`` on, up to the end of the file, or to where there are none.

    ``large``: sizes that stand in a table elsewhere, used where the header says 0xFFFFFFFF. A chunk ``open_ended`` with a size that only stands for one
    (see :func:`is_open`) is the last.
    """
    data, at = content.data, start
    found: list[Chunk] = []
    while at + 8 <= content.size and len(found) < MOST_CHUNKS:
        name, size = bytes(data[at : at + 4]), int.from_bytes(data[at + 4 : at + 8], order)
        if not _is_name(name):
            before = bytes(data[at - 1 : at + 3])
            if found and found[-1].size % 2 and _is_name(before):  # the padding is not there
                faults.warning(
                    "no-padding",
                    "expected a byte of padding behind a chunk of odd size, found none",
                    offset=at - 1,
                )
                at -= 1
                continue
            break
        if size == 0xFFFFFFFF and large and name in large:
            size = large[name]
        chunk = Chunk(name, at + 8, size)
        found.append(chunk)
        if name == open_ended and is_open(content, chunk, order):
            at = content.size
            break
        at = chunk.end + chunk.size % 2
    return Chunks(tuple(found), min(at, content.size))


def is_open(content: Content, chunk: Chunk, order: Literal["little", "big"]) -> bool:
    """Whether a chunk goes on to the end of the file, since its size only stands for one that was not known when it was written."""
    if not chunk.size:
        return not _plausible(content, chunk, order)
    return stands_for_unknown(chunk.size) and chunk.end > content.size


def stands_for_unknown(size: int) -> bool:
    """Whether a size is one that programs write into a pipe: 0, or about the most that fits in 31 or 32 bits."""
    return size == 0 or 0x7FFFEF00 <= size <= 0x80000000 or size >= 0xFFFFEF00


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and all(32 <= byte < 127 for byte in name) and name != b"    "


def _plausible(content: Content, chunk: Chunk, order: Literal["little", "big"]) -> bool:
    """Whether an empty chunk is followed by another one, or by nothing."""
    head = bytes(content.data[chunk.start : chunk.start + 8])
    if not head:
        return True
    return _is_name(head[:4]) and chunk.start + 8 + int.from_bytes(head[4:], order) <= content.size + 1
