"""The elements of a Matroska or WebM file (EBML, RFC 8794; Matroska, RFC 9559): whether each is inside of its parent.

A segment or cluster of a live stream may have no size: then it goes on to the next element that cannot be in it.
"""

from __future__ import annotations

from mldata.integrity.base import WARNING, Problem
from mldata.integrity.content import Content

__all__ = ["elements_of"]

_HEADER, _SEGMENT, _CLUSTER, _VOID, _CRC = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0xEC, 0xBF
_TOP = {
    0x114D9B74: "SeekHead", 0x1549A966: "Info", 0x1654AE6B: "Tracks", _CLUSTER: "Cluster", 0x1C53BB6B: "Cues",
    0x1941A469: "Attachments", 0x1043A770: "Chapters", 0x1254C367: "Tags", _VOID: "Void", _CRC: "CRC-32",
}  # fmt: skip
"""Elements of a segment."""
_TRACKS = 0x1654AE6B
_MOST = 1 << 22
"""Elements that are gone past."""


def elements_of(content: Content) -> list[Problem]:
    """What is wrong with the structure of a file."""
    size, at, found = content.size, 0, set[int]()
    segments = 0
    while at < size:
        element = _element(content, at)
        if element is None or element[0] not in (_HEADER, _SEGMENT, _VOID, _CRC):
            break
        kind, body, length = element
        if kind == _SEGMENT:
            segments += 1
            stop = size if length is None else body + length
            if stop > size:
                reason = f"expected {length:,} bytes of the segment, found {size - body:,} (is the file truncated?)"
                return [Problem("truncated", reason, offset=at)]
            problems = _segment(content, body, stop, found)
            if problems:
                return problems
            at = stop
        elif length is None or body + length > size:
            return [Problem("truncated", "expected all of an element, found the end of the file", offset=at)]
        else:
            at = body + length
    if not segments:
        return [
            Problem(
                "truncated",
                "expected a segment behind the header, found none (is the file truncated?)",
                offset=at,
            )
        ]
    for kind, name in ((_TRACKS, "Tracks"), (_CLUSTER, "Cluster")):
        if kind not in found:
            return [Problem("no-data", f"expected an element {name} in the segment, found none", offset=size)]
    if at < size:
        reason = f"expected the end of the file behind the segment, found {size - at:,} more bytes"
        return [Problem("trailing-data", reason, WARNING, offset=at)]
    return []


def _segment(content: Content, at: int, stop: int, found: set[int]) -> list[Problem]:
    """The elements of a segment, and those of clusters that do not say how long they are."""
    cluster = False
    for _ in range(_MOST):
        if at >= stop:
            return []
        element = _element(content, at)
        if element is None or element[1] > stop:
            return [
                Problem("bad-element", "expected an element of EBML, found bytes that are none", offset=at)
            ]
        kind, body, length = element
        if kind not in _TOP and not cluster:
            reason = f"expected an element of a segment, found one of type 0x{kind:X}, which is none"
            return [Problem("bad-element", reason, offset=at)]
        found.add(kind)
        cluster = (
            (cluster and kind not in _TOP)
            or (kind == _CLUSTER and length is None)
            or (cluster and kind in (_VOID, _CRC))
        )
        if length is None:
            if kind != _CLUSTER:
                return [
                    Problem(
                        "bad-element",
                        f"expected the size of an element {_TOP.get(kind, hex(kind))}, found none",
                        offset=at,
                    )
                ]
            at = body
            continue
        if body + length > stop:
            name = _TOP.get(kind, f"of type 0x{kind:X}")
            reason = f"expected {length:,} bytes of an element {name}, found {stop - body:,} (is the file truncated?)"
            return [Problem("truncated", reason, offset=at)]
        if kind == _CLUSTER and (problems := _cluster(content, body, body + length)):
            return problems
        at = body + length
    return [Problem("too-large", f"expected at most {_MOST:,} elements, found more", offset=at)]


def _cluster(content: Content, at: int, stop: int) -> list[Problem]:
    """The elements of a cluster that says how long it is: blocks of pictures and sounds."""
    while at < stop:
        element = _element(content, at)
        if element is None or element[2] is None or element[1] + element[2] > stop:
            return [
                Problem(
                    "bad-element",
                    "expected an element inside of its cluster, found bytes that are none",
                    offset=at,
                )
            ]
        at = element[1] + element[2]
    return []


def _element(content: Content, at: int) -> tuple[int, int, int | None] | None:
    """Type, beginning of the content and its size, None if it is unknown, of the element at an offset."""
    head = bytes(content.data[at : at + 12])
    width = _width(head[:1])
    if width is None or width > 4 or len(head) < width + 1:
        return None
    kind = int.from_bytes(head[:width], "big")
    long = _width(head[width : width + 1])
    if long is None or len(head) < width + long:
        return None
    value = int.from_bytes(head[width : width + long], "big") & ((1 << 7 * long) - 1)
    return kind, at + width + long, None if value == (1 << 7 * long) - 1 else value


def _width(first: bytes) -> int | None:
    """Bytes of a number of variable length, by its first."""
    return 9 - first[0].bit_length() if first and first[0] else None
