"""The chunks of an AVI file (RIFF; OpenDML for more than one of them): whether each is inside of its parent, and the file has them all."""

from __future__ import annotations

from mldata.integrity.base import WARNING, Problem
from mldata.integrity.content import Content

__all__ = ["chunks_of"]

_LISTS = (b"RIFF", b"LIST")


def chunks_of(content: Content) -> list[Problem]:
    """What is wrong with the structure of a file."""
    data, size = content.data, content.size
    problems: list[Problem] = []
    at, found = 0, set[bytes]()
    while at + 12 <= size and data[at : at + 4] == b"RIFF" and data[at + 8 : at + 12] in (b"AVI ", b"AVIX"):
        said = int.from_bytes(data[at + 4 : at + 8], "little")
        stop = at + 8 + said
        if stop > size:
            reason = f"expected {said + 8:,} bytes of RIFF, found {size - at:,} (is the file truncated?)"
            return [Problem("truncated", reason, offset=at)]
        problems += _inside(content, at + 12, min(stop, size), found)
        at = stop + said % 2
    if not problems and b"movi" not in found:
        reason = "expected a list 'movi' with pictures and sounds, found none (is the file truncated?)"
        problems.append(Problem("no-data", reason, offset=size))
    if at < size:
        reason = f"expected the end of the file behind RIFF, found {size - at:,} more bytes"
        problems.append(Problem("trailing-data", reason, WARNING, offset=at))
    return problems


def _inside(content: Content, at: int, stop: int, found: set[bytes]) -> list[Problem]:
    """The chunks of one RIFF; each by its name and size."""
    data = content.data
    while at + 8 <= stop:
        kind, size = bytes(data[at : at + 4]), int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + size > stop:
            said = repr(kind.decode("latin-1"))
            reason = (
                f"expected {size:,} bytes of the chunk {said}, found {stop - at - 8:,} to the end of RIFF"
            )
            return [Problem("truncated" if stop == content.size else "bad-chunk", reason, offset=at)]
        name = bytes(data[at + 8 : at + 12]) if kind in _LISTS else kind
        found.add(name)
        if name == b"movi" and (odd := _between(content, at + 12, at + 8 + size)) is not None:
            reason = "expected a chunk of pictures or sounds, found bytes that are none"
            return [Problem("bad-chunk", reason, WARNING, offset=odd)]
        at += 8 + size + size % 2
    return []


def _between(content: Content, at: int, stop: int) -> int | None:
    """Where the first thing is between two offsets that is no chunk. A decoder looks for the next one behind it, and what is lost goes unsaid."""
    data = content.data
    while at + 8 <= stop:
        head = data[at : at + 12]
        kind, size = head[:4], int.from_bytes(head[4:8], "little")
        if not kind.isascii() or min(kind) < 0x20 or at + 8 + size > stop:
            return at
        at += 12 if kind == b"LIST" and head[8:12] == b"rec " else 8 + size + size % 2
    return None
