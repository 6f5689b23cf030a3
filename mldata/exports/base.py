"""What an export format is: it turns record batches into one file, on the fly.

A format is opened once for each file that it writes and takes batches of any size; the bytes of a file depend on its
rows, the schema and the compression alone, never on how the rows were cut into batches. The stage (``mldata.stages.export``)
reads the table and hands every batch to all files that are being written, so a format never sees the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, runtime_checkable

from mldata.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

__all__ = [
    "Accompanied",
    "Classes",
    "Compression",
    "Earlier",
    "ExportFile",
    "ExportFormat",
    "Exported",
    "Fresh",
    "Kept",
    "Measured",
    "Media",
    "Rewriter",
    "Told",
    "Writing",
    "Written",
]

Classes = Mapping[str, tuple[str, ...]]
"""The distinct values of a column of labels, in ascending order, by its name: the index of a class is its place."""


DEFAULT_CODEC = "zstd"
"""Of formats that compress inside, where nothing is said."""


@dataclass(frozen=True)
class Compression:
    """A codec and its level, as ``compression:`` in the spec has them: ``zstd``, ``zstd:19``, ``none``."""

    codec: str
    level: int | None = None
    """None: the codec's own default."""

    @classmethod
    def parse(cls, text: str, codecs: Mapping[str, range | None], format_name: str) -> Compression:
        """The compression that ``text`` asks of a format.

        Args:
            codecs: what the format has: levels by codec, None for a codec without levels. Empty: the format is not
                compressed, and ``text`` does not apply to it.
            format_name: for the message.

        Raises:
            SpecError: the format lacks the codec or level; the message lists what it has.
        """
        codec, _, level = text.partition(":")
        if not codecs or codec == "none":
            return cls("none")
        levels = codecs.get(codec)
        if codec in codecs and (
            not level or (levels is not None and level.isdecimal() and int(level) in levels)
        ):
            return cls(codec, int(level) if level else None)
        has = ", ".join(
            name if span is None else f"{name}[:{span[0]}-{span[-1]}]" for name, span in codecs.items()
        )
        raise SpecError(
            f"the {format_name} format cannot be compressed with '{text}'; it has {has}, none",
            hint="Change `compression:` below `export:`, or leave the format out.",
        )

    @classmethod
    def of(
        cls,
        asked: str | Mapping[str, str],
        name: str,
        codecs: Mapping[str, range | None],
        wrapped: str | None = None,
    ) -> Compression:
        """The compression of the format ``name``, where ``asked`` is what ``compression:`` says: one for all, or some by format.

        One for all is for formats that compress inside: plain ones stay plain, and those that are ``wrapped`` have their own.

        Raises:
            SpecError: the format lacks the codec or level that it is asked for; the message lists what it has.
        """
        if not isinstance(asked, str):
            own = asked.get(name)
            if own is not None and (wrapped is not None or not codecs):
                cls._check_own(own, name, codecs, wrapped)
            if own is not None:
                return cls.parse(own, codecs, name)
            asked = DEFAULT_CODEC if DEFAULT_CODEC in codecs else "none"
        return cls.parse(asked if wrapped is None else wrapped, codecs, name)

    @staticmethod
    def _check_own(text: str, name: str, codecs: Mapping[str, range | None], wrapped: str | None) -> None:
        """A format of one codec, or of none, has no other."""
        codec = text.partition(":")[0]
        if codec == (wrapped or "none"):
            return
        levels = codecs[wrapped] if wrapped is not None else None
        has = wrapped if levels is None else f"{wrapped}[:{levels[0]}-{levels[-1]}]"
        raise SpecError(
            f"the {name} format cannot be compressed with '{text}'; it has {has or 'no compression'}",
            hint="Change `compression:` below `export:`, or write another format.",
        )

    def __str__(self) -> str:
        return self.codec if self.level is None else f"{self.codec}:{self.level}"


class ExportFile(Protocol):
    """A file that is being written."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows. The batch has the schema that the file was opened with."""
        ...

    def close(self) -> Mapping[str, Any]:
        """Write what is held back and the file's end; leaves the sink open.

        Returns facts that the user is warned about: ``nonfinite``, the number of NaN and infinities written as null.
        """
        ...


@runtime_checkable
class Measured(Protocol):
    """An :class:`ExportFile` that can tell how large it becomes, so that parts are cut into files of about one size.

    Of a file that cannot, the bytes of its values in memory are counted instead.
    """

    def measure(self) -> int:
        """Bytes of the file if it were closed now, before whole-file compression; as near as can be told.

        A function of the rows written so far alone, never of the batches, threads or calls of this method. It is called
        after 1, 2, 4, ... rows and some twenty times more a file, so it may be as slow as writing a few thousand rows.
        """
        ...


class ExportFormat(Protocol):
    """A way to write a table as one file."""

    def unfit(self, kind: pa.DataType) -> bool:
        """Whether the format cannot hold a column of this type."""
        ...

    def open(
        self, sink: BinaryIO, schema: pa.Schema, compression: Compression, threads: int = 1
    ) -> ExportFile:
        """Start a file.

        ``schema`` has no column that is :meth:`unfit`; ``sink`` is written to front to back. Up to ``threads`` may be
        used, which does not change the file. A format that :attr:`~mldata.exports.ExportInfo.embeds` media, or has
        :attr:`~mldata.exports.ExportInfo.options`, is a :class:`Told` and gets them here as ``writing``, by keyword.
        """
        ...


class Media(Protocol):
    """The media files that rows refer to."""

    def read(self, path: str) -> bytes:
        """The content of the file that the column ``path`` of a row names. Raises ``KeyError`` if there is none."""
        ...


@dataclass(frozen=True)
class Writing:
    """What a file is made from, beside its rows."""

    part: str
    kind: str = "tabular"
    """``tabular``, ``images`` or ``audio``."""
    media: Media | None = None
    """None where rows refer to no files."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Those of :attr:`~mldata.exports.ExportInfo.options` that were set."""
    classes: Classes = field(default_factory=dict)
    """For formats that :attr:`~mldata.exports.ExportInfo.wants_classes`."""
    first: int = 0
    """Number in the part of the file's first row: not 0 in later shards."""


@runtime_checkable
class Told(Protocol):
    """A format whose files depend on more than rows, schema and codec."""

    def open(
        self,
        sink: BinaryIO,
        schema: pa.Schema,
        compression: Compression,
        threads: int = 1,
        *,
        writing: Writing,
    ) -> ExportFile:
        """Start a file, as :meth:`ExportFormat.open` does."""
        ...


@dataclass(frozen=True)
class Written:
    """A file that a format has written."""

    path: str
    """In the export folder."""
    part: str
    rows: int
    size: int
    """Bytes."""
    digest: str = ""
    """BLAKE3 of the file's bytes."""


@dataclass(frozen=True)
class Exported:
    """All that a format has written of a dataset."""

    dataset: str
    kind: str
    schema: pa.Schema
    parts: Mapping[str, int]
    """Rows by part, in order; also parts without rows."""
    files: Sequence[Written]
    """Of this format, in the order of parts and shards."""
    classes: Classes = field(default_factory=dict)
    """As in :class:`Writing`."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """As in :class:`Writing`."""


@runtime_checkable
class Accompanied(Protocol):
    """A format that has small files beside its files: indexes, descriptions."""

    def companions(self, exported: Exported) -> Mapping[str, bytes]:
        """Their content by path in the export folder. Depends on ``exported`` alone."""
        ...


@dataclass(frozen=True)
class Kept:
    """Rows that an earlier file has, too: as many as ``rows``, the first of which is number ``start`` there."""

    start: int
    rows: int


@dataclass(frozen=True)
class Fresh:
    """Rows that have to be read."""

    rows: int
    batches: Callable[[], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class Earlier:
    """A file that this format wrote with equal schema and compression, and what the rows of a new one are beside it."""

    path: Path
    total: int
    """Rows of the earlier file."""
    rows: Sequence[Kept | Fresh]
    """In the order of the new file."""


@runtime_checkable
class Rewriter(Protocol):
    """A format that can take over what did not change from an earlier file."""

    def rewrite(self, sink: BinaryIO, schema: pa.Schema, compression: Compression, earlier: Earlier) -> bool:
        """Write to ``sink`` the very bytes that :meth:`ExportFormat.open` would; False when it cannot, and has written nothing."""
        ...
