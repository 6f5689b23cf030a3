"""Preview: what files look like to a build (format, dialect, columns, rows) without building anything.

Everything is read, as a build would, and nothing is kept: a type that only the last row rules out is not shown.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.errors import SourceError, Where
from mldata.formats import HEAD_BYTES, load_format
from mldata.formats.base import Options, Piece, Recode, Reject, SourceFile
from mldata.formats.choose import Choice, choose
from mldata.formats.recode import COMPRESSIONS, compression, recode
from mldata.formats.unify import unify
from mldata.stages.dialects import doubts, settle, summary
from mldata.stages.media import media_schema
from mldata.stages.reading import MOST_LAYERS

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.formats.base import FormatInfo, TabularFormat
    from mldata.sources.base import Source

__all__ = ["Preview", "preview"]


@dataclass
class Preview:
    """What a source is made of."""

    kind: str
    """``tabular``, ``images`` or ``audio``."""
    files: int
    bytes: int
    skipped: list[str]
    rows: int
    columns: list[tuple[str, str]] = field(default_factory=list)
    """Name and Arrow type."""
    read: list[dict[str, Any]] = field(default_factory=list)
    """Each way in which files are written."""
    warnings: list[str] = field(default_factory=list)


def preview(source: Source, options: Options, format: str = "auto", threads: int = 1) -> Preview:
    """Read a source and say what it is.

    Raises:
        SourceError: there is nothing to read. DataError: what is there cannot be read.
    """
    listing = source.listing()
    paths = [Path(path) for path in listing.paths]

    def head(index: int) -> bytes:
        with open(paths[index], "rb") as file:
            return file.read(HEAD_BYTES)

    choice = choose(listing.names, format, head, source.text)
    sizes = list(listing.numbers[0::4])
    made = Preview(
        choice.kind, len(choice.files), listing.size, [listing.names[i] for i in choice.skipped], 0
    )
    if choice.kind == "tabular":
        files = [_File(listing.names[i], paths[i], sizes[i], info, options) for i, info in choice.files]
        _read_tables(made, files, threads)
    else:
        _read_media(made, choice, listing.names, paths, sizes)
    return made


class _File:
    """One file of a table; as :class:`mldata.stages.reading.File`, without a build around it."""

    def __init__(self, name: str, path: Path, size: int, info: FormatInfo, options: Options) -> None:
        self.name, self.path, self.size, self.info, self.options = name, path, size, info, options
        self.notes: dict[str, Any] = {}
        self.sure = True
        self.pieces: list[Piece] = []
        self.text = False

    def again(self, **options: Any) -> None:
        self.options = replace(self.options, **options)

    def read(self, threads: int) -> None:
        if not self.size:
            raise SourceError(
                f"expected {self.info.name} data, found an empty file (0 bytes)", where=Where(self.name)
            )
        reader: TabularFormat = load_format(self.info.name)
        self.text = reader.text
        file, options, found = SourceFile(self.name, self.path, "", self.size), self.options, dict[str, Any]()
        with tempfile.TemporaryDirectory(prefix="mldata-") as scratch:
            for layer in range(MOST_LAYERS + 1):
                sink = _Nowhere()
                try:
                    if (packed := compression(file)) is not None:
                        raise packed
                    self.pieces = reader.read(file, options, sink, threads)
                    break
                except Recode as to:
                    file = self._decoded(file, to, Path(scratch) / str(layer))
                    found["compression" if to.how in COMPRESSIONS else "encoding"] = to.how
                    options = options if to.how in COMPRESSIONS else replace(options, encoding="utf-8")
                    self.sure = self.sure and to.sure
            else:
                raise SourceError(
                    f"expected at most {MOST_LAYERS} layers of compression, found more",
                    where=Where(self.name),
                )
        self.notes = {**sink.notes, **found}

    def _decoded(self, file: SourceFile, to: Recode, target: Path) -> SourceFile:
        with open(target, "wb") as out:
            for data in recode(file, to):
                out.write(data)
            return SourceFile(self.name, target, "", out.tell())


class _Nowhere:
    """A sink that keeps nothing but what is said of the file."""

    def __init__(self) -> None:
        self.notes: dict[str, Any] = {}

    def __call__(self, index: int, table: pa.Table) -> None:
        pass

    def stream(self, index: int, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
        for _ in tables:
            pass

    def reject(self, rows: Sequence[Reject]) -> None:
        pass

    def note(self, facts: Mapping[str, Any]) -> None:
        self.notes.update(facts)


def _read_tables(made: Preview, files: Sequence[_File], threads: int) -> None:
    for file in files:
        file.read(threads)
    for file in settle(files):
        file.read(threads)
    schema = unify((file.name, file.text, piece) for file in files for piece in file.pieces)
    made.rows = sum(piece.rows for file in files for piece in file.pieces)
    made.columns = [(field.name, str(field.type)) for field in schema]
    made.read, made.warnings = summary(files), list(doubts(files))


def _read_media(
    made: Preview, choice: Choice, names: Sequence[str], paths: Sequence[Path], sizes: Sequence[int]
) -> None:
    reader = load_format(choice.files[0][1].name)
    for i, _ in choice.files:
        reader.read(SourceFile(names[i], paths[i], "", sizes[i]))
    made.rows = len(choice.files)
    made.columns = [(field.name, str(field.type)) for field in media_schema(reader)]
