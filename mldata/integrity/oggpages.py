"""The pages of an Ogg file, one after the other, and what stands between them.

Format: RFC 3533. Where no page begins, or one is damaged, the walk goes on at the next place where a page begins whose checksum holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mldata.integrity.content import Content
from mldata.integrity.crc import ogg_crc

__all__ = ["NO_GRANULE", "Gap", "Page", "walk_pages"]

_CAPTURE = b"OggS"
_HEAD = 27
"""Bytes of a page in front of its table of segments."""
_TRIES = 5_000
"""Marks without a page behind them that are looked at; a file of nothing else is not worth more time."""
NO_GRANULE = 0xFFFFFFFFFFFFFFFF
"""The position of a page on which no packet ends."""

_CONTINUED, _BOS, _EOS = 1, 2, 4


class Page(NamedTuple):
    """A page."""

    start: int
    end: int
    flags: int
    granule: int
    serial: int
    sequence: int
    body: int
    """Where its packets begin."""
    intact: bool
    """Whether its checksum holds."""

    @property
    def begins(self) -> bool:
        """Whether it is the first of its stream."""
        return bool(self.flags & _BOS)

    @property
    def ends(self) -> bool:
        """Whether it is the last of its stream."""
        return bool(self.flags & _EOS)


class Gap(NamedTuple):
    """Bytes that are no page."""

    start: int
    end: int
    cut: int
    """Bytes that a page which begins here would have, and that the file does not; 0 if none does."""


def walk_pages(content: Content) -> Iterator[Page | Gap]:
    """All of a file, in order."""
    data, at, tries = content.data, 0, _TRIES
    while at < content.size:
        page, lacking = _page(content, at)
        behind = bytes(data[page.end : page.end + 4]) if page else b""
        # A damaged page is one all the same if another one follows where it ends, or nothing.
        if page and (page.intact or not behind or behind == _CAPTURE):
            yield page
            at = page.end
            continue
        start, found = at, None
        while found is None:
            at = data.find(_CAPTURE, at + 1)
            if at < 0 or not tries:
                yield Gap(start, content.size, lacking)
                return
            tries -= 1
            found, _ = _page(content, at)
            if found is not None and not found.intact:
                found = None
        yield Gap(start, at, 0)


def _page(content: Content, at: int) -> tuple[Page | None, int]:
    """The page that begins here, or, of one that is cut short by the end of the file, how many bytes are missing."""
    data = content.data
    head = bytes(data[at : at + _HEAD + 255])
    if head[:4] != _CAPTURE[: len(head)]:
        return None, 0
    if len(head) < _HEAD:
        return None, _HEAD - len(head)
    if head[4]:  # the only version is 0
        return None, 0
    segments = head[26]
    body = at + _HEAD + segments
    end = body + sum(head[_HEAD : _HEAD + segments])
    if end > content.size or body > content.size:
        return None, max(end, body) - content.size
    whole = bytes(data[at:end])
    intact = ogg_crc(whole[:22] + bytes(4) + whole[26:]) == int.from_bytes(whole[22:26], "little")
    granule, serial, sequence = (
        int.from_bytes(head[a:b], "little") for a, b in ((6, 14), (14, 18), (18, 22))
    )
    return Page(at, end, head[5], granule, serial, sequence, body, intact), 0
