"""Reads bytes with a format, the way the normalize stage does, without a store around it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mldata.formats import load_format
from mldata.formats.base import Options, Piece, SourceFile, Span
from mldata.formats.encode import encode, encode_stream
from mldata.formats.unify import same, unify


class Fragments:
    """A sink that keeps fragments as Parquet bytes, as a build would."""

    def __init__(self) -> None:
        self.data: dict[int, bytes] = {}

    def __call__(self, index: int, table: pa.Table) -> None:
        self.data[index] = encode(table).to_pybytes()

    def stream(self, index: int, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
        sink = pa.BufferOutputStream()
        encode_stream(sink, schema, tables)
        self.data[index] = sink.getvalue().to_pybytes()


def source_file(folder: Path, name: str, data: bytes) -> SourceFile:
    """``data`` as an object on disk."""
    path = folder / hashlib.sha256(data).hexdigest()
    path.write_bytes(data)
    return SourceFile(name, path, "0" * 64, len(data))


def read(folder: Path, data: bytes, format: str = "csv", *, threads: int = 1, **options: Any) -> pa.Table:
    """The table that one file becomes: both passes."""
    return read_all(folder, {f"data.{format}": data}, format, threads=threads, **options)


def read_all(
    folder: Path, files: dict[str, bytes], format: str = "csv", *, threads: int = 1, **options: Any
) -> pa.Table:
    """The table that several files of one format become."""
    parts = fragments(folder, files, format, threads=threads, **options)
    return pa.concat_tables([pq.read_table(pa.BufferReader(part)) for part in parts])


def fragments(
    folder: Path, files: dict[str, bytes], format: str = "csv", *, threads: int = 1, **options: Any
) -> list[bytes]:
    """The bytes of every fragment, in order."""
    reader, given = load_format(format), Options(**options)
    read: list[tuple[SourceFile, list[Piece], Fragments]] = []
    for name, data in files.items():
        file, sink = source_file(folder, name, data), Fragments()
        read.append((file, reader.read(file, given, sink, threads), sink))
    schema = unify((file.name, reader.text, piece) for file, pieces, _ in read for piece in pieces)
    found = []
    for file, pieces, sink in read:
        spans = [Span(i, *piece.span) for i, piece in enumerate(pieces) if not same(piece.schema, schema)]
        if spans:
            rows = reader.reread(file, given, schema, spans, sink, threads)
            assert rows == [pieces[span.index].rows for span in spans]
        for index, piece in enumerate(pieces):
            own = piece.own and index not in sink.data
            found.append(file.path.read_bytes() if own else sink.data[index])
    return found
