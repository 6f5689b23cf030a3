"""The streams of an Ogg file: which pages each has, in which link of the chain, and whether they are all there.

Formats: RFC 3533 (grouped and chained streams); the first packet of each codec: Vorbis I, RFC 7845 (Opus), RFC 9639 section 10.1 (FLAC), the Speex manual, Theora.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mldata.integrity.content import Content
from mldata.integrity.faults import Faults
from mldata.integrity.oggpages import NO_GRANULE, Gap, Page, walk_pages

__all__ = ["Stream", "read_streams"]

_MOST_STREAMS = 1000
"""Streams that are told apart; a chain of more is refused."""

_CODECS = {
    b"\x01vorbis": "Vorbis",
    b"OpusHead": "Opus",
    b"\x7fFLAC": "FLAC",
    b"Speex   ": "Speex",
    b"\x80theora": "Theora",
    b"fishead\0": "Skeleton",
    b"OVP80": "VP8",
    b"BBCD\0": "Dirac",
    b"\x80kate\0\0\0": "Kate",
    b"CMML\0\0\0\0": "CMML",
}


@dataclass
class Stream:
    """One logical stream in one link."""

    serial: int
    link: int
    codec: str
    """``unknown`` where its first packet is of none that is known."""
    first: bytes
    """The beginning of its first packet."""
    pages: list[tuple[int, int]] = field(default_factory=list)
    """Where they are in the file."""
    bodies: list[tuple[int, int]] = field(default_factory=list)
    """Where what they hold is."""
    next_sequence: int = 0
    first_granule: int | None = None
    """Of the first page that has one behind those of the headers."""
    last_granule: int = 0
    ended: bool = False


def read_streams(content: Content, faults: Faults) -> list[Stream]:
    """All streams in order; what is wrong with the pages goes to ``faults``."""
    reader = _Reader(content, faults)
    for piece in walk_pages(content):
        if isinstance(piece, Gap):
            reader.gap(piece)
        else:
            reader.page(piece)
    reader.finish()
    return reader.streams


class _Reader:
    """Takes the pages in order."""

    def __init__(self, content: Content, faults: Faults) -> None:
        self._content = content
        self._faults = faults
        self.streams: list[Stream] = []
        self._open: dict[int, Stream] = {}
        self._link = -1
        self._beginning = False
        """Whether only first pages have come in this link."""
        self._index = 0
        self._strangers: set[int] = set()
        self._gaps: list[Gap] = []
        self._unended: list[Stream] = []

    def gap(self, gap: Gap) -> None:
        self._gaps.append(gap)

    def page(self, page: Page) -> None:
        """Put a page to its stream."""
        index, self._index = self._index, self._index + 1
        if not page.intact:
            self._faults.error(
                "bad-crc",
                "expected a page whose checksum holds, found one whose does not",
                offset=page.start,
                frame=index,
            )
        if page.begins and page.intact:
            self._begin(page)
        stream = self._open.get(page.serial)
        if stream is None:
            # The number of a damaged page may be what is damaged.
            if page.intact and page.serial not in self._strangers and len(self._strangers) < _MOST_STREAMS:
                self._strangers.add(page.serial)
                self._faults.error(
                    "missing-bos",
                    "expected the first page of a stream, found a later one: its beginning is missing",
                    offset=page.start,
                    frame=index,
                )
            return
        self._beginning = self._beginning and page.begins
        self._sequence(stream, page, index)
        if page.intact:
            self._granule(stream, page, index)
            if stream.ended:
                self._faults.warning(
                    "after-eos",
                    "expected nothing behind the last page of a stream, found another one",
                    offset=page.start,
                    frame=index,
                )
            stream.ended = page.ends
        stream.pages.append((page.start, page.end))
        stream.bodies.append((page.body, page.end))

    def _begin(self, page: Page) -> None:
        if not self._beginning or page.serial in self._open:
            self._close()
            self._link += 1
            self._beginning = True
        if len(self.streams) >= _MOST_STREAMS:
            self._faults.error(
                "too-many-streams",
                f"expected at most {_MOST_STREAMS:,} streams, found more",
                offset=page.start,
            )
            return
        first = bytes(self._content.data[page.body : min(page.end, page.body + 64)])
        codec = next((name for start, name in _CODECS.items() if first.startswith(start)), "unknown")
        stream = Stream(page.serial, self._link, codec, first, next_sequence=page.sequence)
        self.streams.append(stream)
        self._open[page.serial] = stream

    def _sequence(self, stream: Stream, page: Page, index: int) -> None:
        expected, stream.next_sequence = stream.next_sequence, (page.sequence + 1) & 0xFFFFFFFF
        if page.sequence == expected:
            return
        if not page.intact:
            stream.next_sequence = (expected + 1) & 0xFFFFFFFF
            return
        text = f"expected page {expected:,} of the stream, found page {page.sequence:,}"
        # A recording of a broadcast has the headers of the stream and then what is sent at the time.
        if stream.first_granule is None and page.sequence > expected and stream.pages and not self._gaps:
            self._faults.warning("missing-pages", text, offset=page.start, frame=index)
        else:
            self._faults.error("missing-pages", text, offset=page.start, frame=index)

    def _granule(self, stream: Stream, page: Page, index: int) -> None:
        if page.granule in (0, NO_GRANULE):
            return
        if page.granule < stream.last_granule:
            self._faults.warning(
                "granule-order",
                f"expected a position of at least {stream.last_granule:,}, found {page.granule:,}",
                offset=page.start,
                frame=index,
            )
        if stream.first_granule is None:
            stream.first_granule = page.granule
        stream.last_granule = page.granule

    def _close(self) -> None:
        """End a link."""
        self._unended += [stream for stream in self._open.values() if not stream.ended]
        self._open.clear()

    def finish(self) -> None:
        """Judge what stands between the pages, and the end."""
        self._close()
        size = self._content.size
        whole = not self._faults.broken
        for gap in self._gaps:
            length = gap.end - gap.start
            if gap.end == size and gap.cut:
                self._faults.error(
                    "truncated",
                    f"expected a page of {length + gap.cut:,} bytes, found {length:,}: the end is missing",
                    offset=gap.start,
                )
            elif gap.end == size and self._unended:
                self._faults.error(
                    "bad-page",
                    f"expected pages up to the last one of the stream, found {length:,} bytes that are none",
                    offset=gap.start,
                )
            elif whole:  # no page is missing from the sequences
                code = "trailing-data" if gap.end == size else "junk"
                self._faults.warning(
                    code, f"expected a page, found {length:,} bytes that are none", offset=gap.start
                )
            else:
                self._faults.error(
                    "bad-page", f"expected a page, found {length:,} bytes that are none", offset=gap.start
                )
        if self._unended and not self._faults.broken:
            self._faults.warning(
                "missing-eos",
                f"expected a page that ends the stream, found none in {len(self._unended)} of {len(self.streams)} streams",
                offset=size,
            )
