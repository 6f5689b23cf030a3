"""Reads files with a tabular format as the normalize stage does, without a store around it.

Files are laid out as a store has them: under their digest, without a suffix.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mldata.formats.base import FormatInfo, Options, Piece, Recode, Reject, SourceFile, Span, TabularFormat
from mldata.formats.encode import encode, encode_stream
from mldata.formats.layers import Layers
from mldata.formats.recode import read_plain, recode
from mldata.formats.unify import same, unify

__all__ = ["Fragments", "make_format", "read_fragments", "read_table", "source_file"]


class Fragments:
    """A :class:`~mldata.formats.base.Sink` that keeps fragments as the Parquet bytes that a build would store."""

    def __init__(self) -> None:
        self.data: dict[int, bytes] = {}
        self.notes: dict[str, Any] = {}
        self.rejects: list[Reject] = []

    def reject(self, rows: Sequence[Reject]) -> None:
        """Keep what the format puts aside."""
        self.rejects += rows

    def note(self, facts: Mapping[str, Any]) -> None:
        """Keep what the format says of the file."""
        self.notes.update(facts)

    def checkpoint(self) -> None:
        """Nothing stops a test."""

    def __call__(self, index: int, table: pa.Table) -> None:
        self.data[index] = encode(table).to_pybytes()

    def stream(self, index: int, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
        """Keep several tables as one fragment."""
        sink = pa.BufferOutputStream()
        encode_stream(sink, schema, tables)
        self.data[index] = sink.getvalue().to_pybytes()


def make_format(info: FormatInfo) -> Any:
    """The format that ``info`` describes: a ``TabularFormat`` or ``MediaFormat`` by its kind."""
    return getattr(import_module(info.module), info.factory)()


def source_file(folder: Path, name: str, data: bytes) -> SourceFile:
    """``data`` as an object below ``folder``, called ``name`` in messages."""
    digest = hashlib.sha256(data).hexdigest()
    path = folder / digest
    path.write_bytes(data)
    return SourceFile(name, path, digest, len(data))


def read_fragments(
    info: FormatInfo, folder: Path, files: Mapping[str, bytes], options: Options, threads: int = 1
) -> list[bytes]:
    """The Parquet bytes of every fragment that ``files`` (content by name) become, in order.

    Raises what the format raises, and ``AssertionError`` where it breaks its protocol.
    """
    reader: TabularFormat = make_format(info)
    read = [_read(reader, source_file(folder, name, data), options, threads) for name, data in files.items()]
    schema = unify((file.name, reader.text, piece) for file, _, pieces, _ in read for piece in pieces)
    found = []
    for file, own_options, pieces, sink in read:
        spans = [Span(i, *piece.span) for i, piece in enumerate(pieces) if not same(piece.schema, schema)]
        if spans:
            rows = reader.reread(file, own_options, schema, spans, sink, threads)
            assert list(rows) == [pieces[span.index].rows for span in spans], (
                "reread gave other counts of rows"
            )
        for index, piece in enumerate(pieces):
            own = piece.own and index not in sink.data
            assert own or index in sink.data, f"piece {index} of {file.name} was not handed to the sink"
            found.append(file.path.read_bytes() if own else sink.data[index])
    return found


def _read(
    reader: TabularFormat, file: SourceFile, options: Options, threads: int
) -> tuple[SourceFile, Options, list[Piece], Fragments]:
    """Read one file, decoded first where the format asks for it."""
    layers = Layers(file.name)
    while True:
        sink = Fragments()
        try:
            return file, options, read_plain(reader, file, options, sink, threads), sink
        except Recode as to:
            file = source_file(file.path.parent, file.name, b"".join(recode(file, to)))
            options = layers.take(to, options, file.size)


def read_table(
    info: FormatInfo, folder: Path, files: Mapping[str, bytes], options: Options, threads: int = 1
) -> pa.Table:
    """The table that ``files`` become. See :func:`read_fragments`."""
    parts = read_fragments(info, folder, files, options, threads)
    return pa.concat_tables([pq.read_table(pa.BufferReader(part)) for part in parts])
