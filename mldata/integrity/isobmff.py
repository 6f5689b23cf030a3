"""The boxes of an ISO base media file (ISO 14496-12; QuickTime is its elder): whether each is inside of its parent, and the samples inside of the file.

Nothing is decoded, and of a box only what is needed is read: the time is that of the tables of samples, however large the file is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from mldata.integrity.base import WARNING, Problem, Unsupported
from mldata.integrity.content import Content

__all__ = ["boxes_of"]

_PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"edts", b"mvex")
_ENCRYPTED = (b"encv", b"enca", b"drms", b"drmi")
_DEEPEST = 8
_MOST_BOXES = 1 << 20
_TOLD = 5


class _Box(NamedTuple):
    kind: bytes
    start: int
    """Of the box."""
    body: int
    """Of what is in it."""
    stop: int


@dataclass
class _Walk:
    content: Content
    problems: list[Problem] = field(default_factory=list)
    kinds: set[bytes] = field(default_factory=set)
    seen: int = 0

    def tell(self, code: str, message: str, offset: int, severity: str = "error") -> None:
        if len(self.problems) < _TOLD:
            self.problems.append(Problem(code, message, severity, offset))


def boxes_of(content: Content) -> list[Problem]:
    """What is wrong with the structure of a file. Raises ``Unsupported`` for an encrypted one."""
    walk = _Walk(content)
    for box in _children(walk, 0, content.size, 0):
        _look(walk, box, 1)
    if not walk.problems:
        if b"moov" not in walk.kinds and b"moof" not in walk.kinds:
            said = "expected a box 'moov', which says where pictures and sounds are, found none (is the file truncated?)"
            walk.tell("no-moov", said, content.size)
        elif not walk.kinds & {b"mdat", b"moof", b"idat"}:
            walk.tell(
                "no-data",
                "expected a box 'mdat' with pictures and sounds, found none (is the file truncated?)",
                content.size,
            )
    return walk.problems


def _children(walk: _Walk, at: int, stop: int, depth: int) -> Iterator[_Box]:
    """The boxes between two offsets, up to the first that is none."""
    data = walk.content.data
    while at < stop:
        head = data[at : min(at + 16, stop)]
        if stop - at < 8 or head[4:8] == bytes(4):
            _rest(walk, at, stop, depth)
            return
        kind, size, body = bytes(head[4:8]), int.from_bytes(head[:4], "big"), at + 8
        if size == 1 and len(head) == 16:
            size, body = int.from_bytes(head[8:16], "big"), at + 16
        elif size == 0:  # to the end
            size = stop - at
        if at + size > stop or size < body - at:
            if not _is_name(kind) and depth == 0 and walk.kinds & {b"moov", b"moof"}:
                walk.tell(
                    "trailing-data",
                    f"expected the end of the file behind the boxes, found {stop - at:,} more bytes",
                    at,
                    WARNING,
                )
                return
            whole = "the file" if depth == 0 else "its box"
            said = (
                f"expected {size:,} bytes of a box {_shown(kind)}, found {stop - at:,} to the end of {whole}"
            )
            walk.tell("truncated" if depth == 0 and size > stop - at else "bad-box", said, at)
            return
        walk.seen += 1
        if walk.seen > _MOST_BOXES:
            walk.tell("too-large", f"expected at most {_MOST_BOXES:,} boxes, found more", at)
            return
        walk.kinds.add(kind)
        yield _Box(kind, at, body, at + size)
        at += size


def _rest(walk: _Walk, at: int, stop: int, depth: int) -> None:
    """What is behind the last box and is none. QuickTime ends lists of them with four zero bytes."""
    if depth == 0:
        rest = bytes(walk.content.data[at : min(stop, at + 4096)])
        what = "zero bytes" if not rest.strip(b"\0") else "bytes that are no box"
        walk.tell(
            "trailing-data",
            f"expected the end of the file behind the boxes, found {stop - at:,} {what}",
            at,
            WARNING,
        )
    elif stop - at > 8 and bytes(walk.content.data[at : at + 32]).strip(b"\0"):
        walk.tell("bad-box", f"expected a box, found {stop - at:,} bytes that are none", at)


def _look(walk: _Walk, box: _Box, depth: int) -> None:
    if box.kind in _PARENTS and depth < _DEEPEST:
        for inner in _children(walk, box.body, box.stop, depth):
            _look(walk, inner, depth + 1)
    elif box.kind in (b"stco", b"co64"):
        _offsets(walk, box, 4 if box.kind == b"stco" else 8)
    elif box.kind == b"stsd" and walk.content.data[box.body + 12 : box.body + 16] in _ENCRYPTED:
        raise Unsupported("expected a film in the clear, found an encrypted one")


def _offsets(walk: _Walk, box: _Box, width: int) -> None:
    """The places of chunks of samples must be in the file."""
    data = walk.content.data
    count = int.from_bytes(data[box.body + 4 : box.body + 8], "big")
    if box.body + 8 + count * width > box.stop:
        walk.tell(
            "bad-box",
            f"expected {count:,} offsets in the box {_shown(box.kind)}, found room for fewer",
            box.start,
        )
        return
    places = np.frombuffer(data, f">u{width}", count, box.body + 8) if count else np.zeros(0, np.uint64)
    beyond = np.flatnonzero(places >= walk.content.size)
    first, place, many = (int(beyond[0]), int(places[beyond[0]]), len(beyond)) if len(beyond) else (0, 0, 0)
    del places  # a mapped file cannot be closed while it is looked at
    if many:
        said = f"expected the data of {count:,} chunks in the file, found {many:,} that are beyond its end (chunk {first:,} at {place:,})"
        walk.tell("bad-offset", said, box.start)


def _is_name(kind: bytes) -> bool:
    return all(0x20 <= byte < 0x7F or byte == 0xA9 for byte in kind)


def _shown(kind: bytes) -> str:
    return repr(kind.decode("latin-1"))
