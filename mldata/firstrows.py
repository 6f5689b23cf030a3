"""The first rows of a source, read without downloading it.

Files are taken in their order, as a build takes them, until there are enough rows. Types are those that a build would find if what was read were all
there is. Invariant: the same state of a source gives the same rows and types, however its bytes come.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from mldata.beginning import Openable, begin, fetch_whole
from mldata.formats import HEAD_BYTES, load_format
from mldata.formats.base import Options
from mldata.formats.choose import Choice, choose
from mldata.formats.unify import unify
from mldata.litter import litter
from mldata.stages.dialects import doubts, settle, summary
from mldata.stages.folders import Folders
from mldata.stages.media import media_schema
from mldata.unpacking import unpack

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.plainfile import PlainFile
    from mldata.sources.base import RemoteFile, RemoteSource, Source

__all__ = ["Chosen", "FirstRows", "chosen_files", "first_rows", "local_files", "read_rows", "remote_files"]

MOST_HEADS = 32
"""Files without a suffix that are looked into."""
MEDIA_BYTES = 16 << 20
"""Bytes of an image or recording that is taken for its header's sake, at most."""


@dataclass
class FirstRows:
    """The beginning of a source. Its rows can be had as long as it is open."""

    kind: str
    """``tabular``, ``images`` or ``audio``."""
    files: list[str]
    """The names of those that are data, in order."""
    read: list[str]
    """Those whose beginning was read."""
    schema: pa.Schema
    rows: int
    """How many there are, at most as many as were asked for."""
    ways: list[dict[str, Any]] = field(default_factory=list)
    """Each way in which the files are written."""
    warnings: list[str] = field(default_factory=list)
    metadata: list[str] = field(default_factory=list)
    """Tables that describe media files."""
    looked: int = 0
    """Rows from which the types were told; 0 where files say them."""
    _parts: Sequence[PlainFile] = ()
    _table: pa.Table | None = None

    def tables(self) -> Iterator[tuple[str, pa.Table]]:
        """The rows under :attr:`schema`, each table with the file that it is of; of a media table its only one, without a name."""
        if self._table is not None:
            yield "", self._table
            return
        left = self.rows
        for file in self._parts:
            for table in file.tables(self.schema):
                if left > 0:
                    yield file.name, table.slice(0, left)
                left -= table.num_rows

    def table(self) -> pa.Table:
        """All of them."""
        import pyarrow as pa

        return pa.concat_tables([table for _, table in self.tables()] or [self.schema.empty_table()])


@contextmanager
def first_rows(
    files: Sequence[Openable],
    rows: int,
    options: Options | None = None,
    format: str = "auto",
    where: str = "",
) -> Iterator[FirstRows]:
    """The first ``rows`` rows of ``files``; with 0 of them the columns alone.

    Args:
        options: of normalize, as far as they are said.
        format: a format's name, or ``auto``.
        where: the source, for messages.

    Raises:
        SourceError, DataError: as a build does. NetworkError, AuthError: a file cannot be had.
    """
    with chosen_files(files, format, where) as chosen:
        yield read_rows(chosen, rows, options or Options())


@dataclass(frozen=True)
class Chosen:
    """Files of a source by what is done with them, archives opened."""

    choice: Choice
    files: Sequence[Openable]
    """All, in order."""
    archives: Collection[str]
    """The folders among their names that stand for archives."""
    warnings: Sequence[str]
    scratch: Path


@contextmanager
def chosen_files(files: Sequence[Openable], format: str, where: str) -> Iterator[Chosen]:
    """Which of ``files`` are data. Arguments and errors as of :func:`first_rows`."""
    with tempfile.TemporaryDirectory(prefix="mldata-") as folder:
        scratch = Path(folder)
        unpacked = unpack(_in_order(files), scratch / "archives")
        found = _in_order(unpacked.files)
        choice, warnings = _choose(found, format, where)
        yield Chosen(choice, found, unpacked.archives, [*unpacked.warnings, *warnings], scratch)


def read_rows(chosen: Chosen, rows: int, options: Options) -> FirstRows:
    """:func:`first_rows` of files that are chosen."""
    made = _tabular(chosen, rows, options) if chosen.choice.kind == "tabular" else _media(chosen, rows)
    made.warnings += chosen.warnings
    return made


def remote_files(source: RemoteSource, listed: Sequence[RemoteFile]) -> tuple[list[Openable], Received]:
    """The files of a source elsewhere, read by the parts that are needed; and how many bytes came."""
    received = Received()

    def at(file: RemoteFile) -> Openable:
        def opened() -> BinaryIO:
            from mldata.download.ranged import RangedFile

            made = RangedFile(source.origin(file), file.size)
            received.files.append(made)
            return cast(BinaryIO, made)

        return Openable(file.name, file.size, opened)

    return [at(file) for file in listed if not _is_litter(file.name)], received


@dataclass
class Received:
    """What came over the network."""

    files: list[Any] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """Of files, so far."""
        return sum(file.received for file in self.files)


def local_files(source: Source) -> list[Openable]:
    """The files of a source on this machine."""
    listing = source.listing()

    def at(name: str, path: str, size: int) -> Openable:
        return Openable(name, size, lambda: open(path, "rb"))

    return [
        at(name, path, size)
        for name, path, size in zip(listing.names, listing.paths, listing.numbers[0::4], strict=True)
    ]


def _is_litter(name: str) -> bool:
    return any(part and litter(part) for part in name.split("/"))


def _in_order(files: Sequence[Openable]) -> list[Openable]:
    return sorted(files, key=lambda file: file.name.encode(errors="surrogateescape"))


def _choose(found: Sequence[Openable], format: str, where: str) -> tuple[Choice, list[str]]:
    """Which files are data, and warnings."""
    heads = 0

    def head(index: int) -> bytes:
        nonlocal heads
        heads += 1
        if heads > MOST_HEADS:
            return b""
        with found[index].open() as data:
            return data.read(HEAD_BYTES)

    choice = choose([file.name for file in found], format, head, where)
    if heads <= MOST_HEADS:
        return choice, []
    return choice, [f"{heads - MOST_HEADS:,} files without a suffix were not looked into, and are left out"]


def _tabular(chosen: Chosen, rows: int, options: Options) -> FirstRows:
    choice, files = chosen.choice, chosen.files
    parts: list[PlainFile] = []
    have = 0
    for i, info in choice.files:
        part = begin(files[i], info, options, rows - have, chosen.scratch / str(len(parts)))
        part.read(1)
        parts.append(part)
        have += sum(piece.rows for piece in part.pieces)
        if have >= rows:
            break
    for part in settle(parts):
        part.read(1)
    have = sum(piece.rows for part in parts for piece in part.pieces)
    text = any(part.text for part in parts) or any(part.info.name in ("json", "jsonl") for part in parts)
    return FirstRows(
        "tabular",
        [files[i].name for i, _ in choice.files],
        [part.name for part in parts],
        unify((part.name, part.text, piece) for part in parts for piece in part.pieces),
        min(have, rows),
        summary(parts),
        list(doubts(parts)),
        looked=have if text else 0,
        _parts=parts,
    )


def _media(chosen: Chosen, rows: int) -> FirstRows:
    """What names and headers of the first files say. The digest, which takes the whole file, is not among it."""
    import pyarrow as pa

    choice, files = chosen.choice, chosen.files
    reader = load_format(choice.files[0][1].name)
    folders = Folders([files[i].name for i, _ in choice.files], chosen.archives)
    whole = media_schema(reader, split=folders.split)
    schema = pa.schema([field for field in whole if field.name != "digest"])
    made, warnings = [], []
    for number, (i, _) in enumerate(choice.files[:rows]):
        file, said = files[i], folders.of(files[i].name)
        header: tuple[object, ...] = (None,) * len(reader.fields)
        size = file.size
        if size is not None and size > MEDIA_BYTES:
            warnings.append(
                f"{file.name} has {size:,} bytes, and its header was not read (more than {MEDIA_BYTES:,})"
            )
        else:
            taken = fetch_whole(file, chosen.scratch / str(number))
            header, size = reader.read(taken), taken.size
        made.append((file.name, said.label, *((said.split,) if folders.split else ()), size, *header))
    columns = [pa.array([row[at] for row in made], field.type) for at, field in enumerate(schema)]
    return FirstRows(
        choice.kind,
        [files[i].name for i, _ in choice.files],
        [row[0] for row in made],
        schema,
        len(made),
        warnings=warnings,
        metadata=[files[i].name for i, _ in choice.metadata],
        _table=pa.Table.from_arrays(columns, schema=schema),
    )
