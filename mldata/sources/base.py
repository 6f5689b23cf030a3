"""What a source is: a place that raw files come from.

A source is *listed* without reading any content, so that deciding whether anything changed costs one ``stat`` a file.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mldata.sources.info import SourceInfo as SourceInfo

if TYPE_CHECKING:
    from mldata.download.base import Origin
    from store import Digest


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
    digests: Mapping[str, Digest] = field(default_factory=dict)
    """Of the files that are objects of the store already, by name: these need not be read."""
    md5: Mapping[str, str] = field(default_factory=dict)
    """What the files are said to be, by name, where another program says so: they are held against it when they are read."""

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
    """One entry of ``source:`` in the spec: files that this machine can list by itself. See :class:`RemoteSource` for the others."""

    text: str
    """As the user wrote it."""
    key: str
    """Names this source on this machine: where its stat cache is kept."""

    def listing(self) -> Listing:
        """List the files now. Raises :class:`mldata.errors.SourceError` when there are none or one cannot be read."""
        ...


@dataclass(frozen=True)
class RemoteFile:
    """A file that a source elsewhere has."""

    name: str
    """Where it stands in the source's tree, with ``/``. What a place says is not trusted: :func:`mldata.pulling.pull` checks it."""
    place: str
    """What the source needs to find it: a URL, a path within a repository, a key in a bucket."""
    size: int | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    """As the source states them: kinds of :data:`mldata.download.base.DIGESTS`, in lower-case hex."""
    version: str = ""
    """Names this very content there (an ETag, a generation): equal means unchanged. Empty where the place has nothing like it and states
    no digest: such a file is asked for again whenever its source is looked at anew."""


@dataclass(frozen=True)
class Resolved:
    """What a source elsewhere turned out to be at one moment."""

    revision: str
    """One line that pins it in mldata.lock: a commit, a version number, or a digest over what its files' versions are."""
    files: Sequence[RemoteFile]
    """Sorted by name, each name once, at least one."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the manifest tells of it: ``license``, ``homepage``, ``target`` and the like, plain values. The same for the same revision."""
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class About:
    """What ``mldata info`` tells of a source elsewhere without downloading it; None and empty: it does not say."""

    title: str | None = None
    description: str | None = None
    homepage: str | None = None
    license: str | None = None
    size: int | None = None
    """Bytes to download."""
    rows: int | None = None
    splits: Mapping[str, int | None] = field(default_factory=dict)
    """Rows of each part that the source itself has."""
    subsets: Sequence[str] = ()
    features: Sequence[tuple[str, str]] = ()
    """Columns as the source states them: name and type."""
    target: str | None = None
    """The column that is to be foretold."""
    tags: Sequence[str] = ()


class RemoteSource(Protocol):
    """One entry of ``source:`` that needs the network to be listed or read.

    It is looked at once, then mldata.lock pins it; a build with nothing to do never asks for it.
    """

    text: str
    """As the user wrote it; no credential is in it (one that has some is refused)."""
    key: str
    """Names what it means: equal for equal sources, whoever asks."""

    def resolve(self, revision: str | None = None) -> Resolved:
        """Look at it now, reading no content.

        Args:
            revision: what an earlier look found and the lock pins: that very state is wanted. A place that keeps no earlier states gives
                what is there; the caller compares.

        Raises:
            SourceError: there is no such thing, it is empty, or that revision is gone.
            AuthError: it is private or gated, or a token is wrong; says where to accept or log in.
            NetworkError: nothing can be said of it now.
        """
        ...

    def origin(self, file: RemoteFile) -> Origin:
        """Where the bytes of one of its files come from."""
        ...

    def about(self) -> About:
        """What is told of it, in as few requests as that takes. Raises as :meth:`resolve`."""
        ...


@dataclass(frozen=True)
class Query:
    """What ``mldata search`` asks a source for; None: no matter."""

    text: str
    modality: str | None = None
    """``tabular``, ``text``, ``image``, ``audio``, ``video``, ..."""
    task: str | None = None
    license: str | None = None
    min_size: int | None = None
    """Bytes."""
    max_size: int | None = None
    limit: int = 20


@dataclass(frozen=True)
class Hit:
    """A dataset that a search found."""

    source: str
    """What to give to ``mldata add``: ``hf://owner/name``."""
    title: str | None = None
    license: str | None = None
    size: int | None = None
    """Bytes."""
    rows: int | None = None
    downloads: int | None = None
    updated: str | None = None
    """Day, as ``2026-01-31``."""
    tags: Sequence[str] = ()
