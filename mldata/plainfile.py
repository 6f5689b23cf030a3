"""One file of a table, read without a build around it: what :class:`mldata.stages.reading.File` is within one.

What it is made of can be kept, piece by piece, in a scratch folder; then its rows can be had under the schema of several files.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mldata.formats import load_format
from mldata.formats.base import Options, Piece, Recode, Reject, SourceFile, Span
from mldata.formats.encode import encode, encode_stream
from mldata.formats.layers import Layers
from mldata.formats.recode import read_plain, recode
from mldata.formats.unify import same
from mldata.stages.reading import empty_file

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.formats.base import FormatInfo, TabularFormat

__all__ = ["PlainFile"]


class PlainFile:
    """One file on its way into a table; see :mod:`mldata.stages.dialects` for what is asked of several.

    Args:
        keep: a folder for its rows, its own; None: nothing is kept.
        layers: what was taken off the file already.
        reader: the format that reads it, if that is not ``info``'s.
    """

    def __init__(
        self,
        file: SourceFile,
        info: FormatInfo,
        options: Options,
        keep: Path | None = None,
        layers: Layers | None = None,
        reader: str | None = None,
    ) -> None:
        self.name, self.file, self.info, self.options = file.name, file, info, options
        self.notes: dict[str, Any] = {}
        self.pieces: list[Piece] = []
        self.rejects = 0
        self.text = False
        self._keep, self._reader = keep, reader or info.name
        self._taken = layers or Layers(file.name)
        self._layers = self._taken
        self._decoded_file = file
        self._plain_options = options
        self._numbers = itertools.count()

    def again(self, **options: Any) -> None:
        """See :class:`mldata.stages.dialects.Written`."""
        self.options = replace(self.options, **options)

    def read(self, threads: int) -> None:
        """Read all of it. Raises ``SourceError`` for an empty file, ``DataError`` for one that cannot be read."""
        if not self.file.size:
            raise empty_file(self.name, self.info)
        if self._keep is not None:
            self._read(self._keep, threads)
            return
        with TemporaryDirectory(prefix="mldata-") as scratch:
            self._read(Path(scratch), threads)

    def _read(self, scratch: Path, threads: int) -> None:
        reader: TabularFormat = load_format(self._reader)
        self.text = reader.text
        self._layers = Layers(self.name, list(self._taken.taken), self._taken.sure)
        file, options = self.file, self.options
        while True:
            sink = _Nowhere() if self._keep is None else _Kept(self._keep)
            try:
                self.pieces = read_plain(reader, file, options, sink, threads)
                break
            except Recode as to:
                file = self._decoded(file, to, scratch / f"decoded-{next(self._numbers)}")
                options = self._layers.take(to, options, file.size)
        self._decoded_file, self._plain_options = file, options
        self.notes, self.rejects = {**sink.notes, **self._layers.notes}, sink.rejects

    @property
    def sure(self) -> bool:
        """Whether its encoding is not merely likely."""
        return self._layers.sure

    def tables(self, schema: pa.Schema) -> Iterator[pa.Table]:
        """Its rows under ``schema``, which holds them, a piece at a time. Only of a file that keeps them."""
        import pyarrow.parquet as pq

        assert self._keep is not None
        for index, piece in enumerate(self.pieces):
            path = self._decoded_file.path if piece.own else _place(self._keep, index)
            if not same(piece.schema, schema):
                reader: TabularFormat = load_format(self._reader)
                span = Span(index, *piece.span)
                reader.reread(self._decoded_file, self._plain_options, schema, [span], _Kept(self._keep), 1)
                path = _place(self._keep, index)
            with pq.ParquetFile(path) as source:
                for batch in source.iter_batches(use_threads=False):
                    yield _as_table(batch, schema)

    def _decoded(self, file: SourceFile, to: Recode, target: Path) -> SourceFile:
        with open(target, "wb") as out:
            for data in recode(file, to):
                out.write(data)
            return SourceFile(self.name, target, "", out.tell())


def _as_table(batch: pa.RecordBatch, schema: pa.Schema) -> pa.Table:
    """A batch as a table of exactly ``schema``."""
    import pyarrow as pa

    from mldata.table import conform

    return pa.Table.from_batches([conform(batch, schema)], schema=schema)


def _place(folder: Path, index: int) -> Path:
    return folder / f"piece-{index:05d}.parquet"


class _Nowhere:
    """A sink that keeps nothing but what is said of the file."""

    def __init__(self) -> None:
        self.notes: dict[str, Any] = {}
        self.rejects = 0

    def __call__(self, index: int, table: pa.Table) -> None:
        pass

    def stream(self, index: int, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
        for _ in tables:
            pass

    def reject(self, rows: Sequence[Reject]) -> None:
        self.rejects += len(rows)

    def note(self, facts: Mapping[str, Any]) -> None:
        self.notes.update(facts)

    def checkpoint(self) -> None:
        pass


class _Kept(_Nowhere):
    """A sink that keeps pieces in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __call__(self, index: int, table: pa.Table) -> None:
        _place(self.folder, index).write_bytes(encode(table))

    def stream(self, index: int, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
        with open(_place(self.folder, index), "wb") as out:
            encode_stream(out, schema, tables)
