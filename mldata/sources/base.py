"""What a source is: a place that raw files come from.

A source is *listed* without reading any content, so that deciding whether anything changed costs one ``stat`` a file.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class FileStat(NamedTuple):
    """What ``stat`` says of a file; equal values mean that its digest may be reused."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


@dataclass(frozen=True)
class Listing:
    """The files of one source, sorted by name.

    Kept as parallel columns of plain values: 50,000 objects with four fields each would cost more than the scan itself.
    """

    names: Sequence[str]
    """Relative to the source's base folder, with ``/``."""
    paths: Sequence[str]
    """Absolute."""
    numbers: array[int]
    """Size, mtime, ctime and inode of each file in turn: the fields of :class:`FileStat`."""
    taken_ns: int
    """Wall clock before the scan began, for the racy-clean rule (see ``mldata.snapshot``)."""
    ignored: Mapping[str, int] = field(default_factory=dict)
    """What was left out, by kind (see ``mldata.litter``)."""

    def __len__(self) -> int:
        return len(self.names)

    def stats(self) -> Iterator[FileStat]:
        """The stat of each file, in order."""
        numbers = iter(self.numbers)
        return map(FileStat, numbers, numbers, numbers, numbers)

    def __iter__(self) -> Iterator[tuple[str, str, FileStat]]:
        return zip(self.names, self.paths, self.stats(), strict=True)

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(self.numbers[0::4])


def folder_of(number: int, count: int) -> str:
    """The folder in which the files of source ``number`` (from 0) stand, where there are ``count`` of them: their names sort in their order."""
    return f"{number:0{len(str(max(count - 1, 0)))}d}"


class Source(Protocol):
    """One entry of ``source:`` in the spec."""

    text: str
    """As the user wrote it."""
    key: str
    """Names this source on this machine: where its stat cache is kept."""
    remote: bool
    """Whether listing or reading it needs the network."""

    def listing(self) -> Listing:
        """List the files now. Raises :class:`mldata.errors.SourceError` when there are none or one cannot be read."""
        ...


@dataclass(frozen=True)
class SourceInfo:
    """What finding a source needs to know without importing it."""

    scheme: str
    """In lower case, without ``://``."""
    module: str
    factory: str
    """Called with the text of the spec and the spec's folder (a ``Path``); gives a :class:`Source`."""
