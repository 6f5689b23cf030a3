"""A look at a source without downloading it, or without reading all of it where it is on this machine.

A place elsewhere is asked what it tells of the dataset and lists its files; of these no more is read than columns and the first rows take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mldata.errors import from_elsewhere
from mldata.firstrows import first_rows, local_files, remote_files
from mldata.plainrows import plain_rows

if TYPE_CHECKING:
    from mldata.beginning import Openable
    from mldata.formats.base import Options
    from mldata.sources.base import About, RemoteSource, Source

__all__ = ["Glance", "Seen", "Wish", "glance", "glance_local"]


@dataclass(frozen=True)
class Wish:
    """What is wanted of the content, and how it is to be read."""

    options: Options
    format: str
    rows: int | None = None
    """How many rows; 0: the columns alone; None: nothing of the content."""


@dataclass(frozen=True)
class Seen:
    """What the beginning of the files says."""

    kind: str
    """``tabular``, ``images`` or ``audio``."""
    files: int
    """How many are data."""
    read: Sequence[str]
    """Those whose beginning was read."""
    columns: Sequence[tuple[str, str]]
    """Name and Arrow type."""
    looked: int
    """Rows from which types were told; 0: the files say them."""
    rows: Sequence[Mapping[str, Any]]
    """The first ones, as plain JSON values."""
    ways: Sequence[Mapping[str, Any]]
    """Each way in which files are written."""
    metadata: Sequence[str] = ()
    """Tables that describe media files."""


@dataclass(frozen=True)
class Glance:
    """What is known of a source."""

    source: str
    files: Sequence[tuple[str, int | None]]
    """Names and bytes, as they are listed."""
    about: About | None = None
    """What its place tells; None on this machine."""
    revision: str | None = None
    pinned: bool = False
    """Whether this revision was asked for."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    seen: Seen | None = None
    received: int = 0
    """Bytes of files that came over the network."""
    warnings: Sequence[str] = ()

    @property
    def size(self) -> int | None:
        """Bytes of all files; None if one does not state its size."""
        sizes = [size for _, size in self.files if size is not None]
        return sum(sizes) if len(sizes) == len(self.files) else None


def glance(source: RemoteSource, wish: Wish, revision: str | None = None) -> Glance:
    """Look at a source elsewhere, at a ``revision`` that was found before or as it is now. Raises as :meth:`~mldata.sources.base.RemoteSource.resolve` and :func:`~mldata.firstrows.first_rows`."""
    with from_elsewhere():
        resolved = source.resolve(revision)
        about = source.about()
        files, received = remote_files(source, resolved.files)
        seen, warnings = _seen(files, wish, source.text)
    return Glance(
        source.text,
        [(file.name, file.size) for file in resolved.files],
        about,
        resolved.revision,
        revision is not None,
        resolved.facts,
        seen,
        received.bytes,
        (*resolved.warnings, *warnings),
    )


def glance_local(source: Source, wish: Wish) -> Glance:
    """Look at a source on this machine. Raises as :func:`~mldata.firstrows.first_rows`."""
    files = local_files(source)
    seen, warnings = _seen(files, wish, source.text)
    return Glance(source.text, [(file.name, file.size) for file in files], seen=seen, warnings=warnings)


def _seen(files: Sequence[Openable], wish: Wish, where: str) -> tuple[Seen | None, Sequence[str]]:
    if wish.rows is None:
        return None, ()
    with first_rows(files, wish.rows, wish.options, wish.format, where) as first:
        seen = Seen(
            first.kind,
            len(first.files),
            first.read,
            [(it.name, str(it.type)) for it in first.schema],
            first.looked,
            plain_rows(first.table()),
            first.ways,
            first.metadata,
        )
        return seen, first.warnings
