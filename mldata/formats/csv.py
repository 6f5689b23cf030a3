"""CSV and TSV: RFC 4180 records in UTF-8 with a header, any line end, read strictly.

Every piece is parsed by Arrow's CSV parser into text, and text becomes types by :mod:`mldata.formats.infer`. Arrow's parser counts the fields
of every record and checks UTF-8; quotes are checked when the file is cut (:mod:`mldata.formats.pieces`), since Arrow accepts an open quote at
the end and text behind a closing one. Blank lines are not records, except in a file of one column, where a blank line that
is not at the end is a row without a value. An unquoted value listed in ``nulls`` is null; a quoted one is text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv as pacsv

from mldata.formats.base import Options, Piece, Sink, SourceFile, Span, ordered
from mldata.formats.columns import Plan, plan_columns
from mldata.formats.csvhead import BOM, Header, read_header
from mldata.formats.csvplace import at, bad_record, bad_value
from mldata.formats.forced import BadValue, force
from mldata.formats.infer import STRING, TEXT_TYPES, Typed, infer, parse
from mldata.formats.pieces import BadRecord, Cutter, RawPiece
from mldata.formats.unify import Column, join

BLOCK_BYTES = 1 << 20
"""Arrow parses so much at a time: fits the processor's cache, twice as fast as a whole piece at once."""


class Csv:
    """The ``csv`` format."""

    text = True
    delimiter = b","

    def read(self, file: SourceFile, options: Options, sink: Sink, threads: int) -> list[Piece]:
        """See :class:`~mldata.formats.base.TabularFormat`."""
        with open(file.path, "rb", buffering=0) as handle:
            header = read_header(handle, file, self.delimiter)
            plan = plan_columns(header.names, options, file.name)
            base: dict[str, Column] = {}

            def typed(raw: RawPiece) -> tuple[pa.Table, Piece]:
                texts = self._texts(raw, header, options, file)
                return self._piece(raw, texts, plan, options, file, base)

            def finish(number: int, made: tuple[pa.Table, Piece]) -> Piece:
                sink(number, made[0])
                return made[1]

            cutter = self._cut(handle, header, options, file)
            first = next(cutter, None) or RawPiece(0, header.start, pa.py_buffer(b""), False)
            made = typed(first)
            # The types of the first piece are where the others start, so that few of them need reading again.
            piece = made[1]
            base.update(
                (f.name, Column(f.type, "", True, f.name in piece.wide, piece.spelling.get(f.name, "")))
                for f in piece.schema
            )
            if first.start + first.data.size >= header.stop:
                return [finish(0, made)]
            calls = chain(
                [partial(finish, 0, made)],
                (partial(lambda raw: finish(raw.number, typed(raw)), raw) for raw in cutter),
            )
            del made
            return list(ordered(calls, lambda call: call(), threads))

    def reread(
        self,
        file: SourceFile,
        options: Options,
        schema: pa.Schema,
        spans: Sequence[Span],
        sink: Sink,
        threads: int,
    ) -> list[int]:
        """See :class:`~mldata.formats.base.TabularFormat`."""
        with open(file.path, "rb", buffering=0) as handle:
            header = read_header(handle, file, self.delimiter)
            plan = plan_columns(header.names, options, file.name)

            def load(span: Span) -> RawPiece:
                handle.seek(span.start)
                data = handle.read(span.stop - span.start)
                return RawPiece(span.index, span.start, pa.py_buffer(data), b'"' in data)

            def one(raw: RawPiece) -> int:
                texts = self._texts(raw, header, options, file)
                columns = []
                for field in schema:
                    if field.name not in plan.final:
                        columns.append(pa.nulls(texts.num_rows, field.type))
                        continue
                    text = texts.column(plan.keep[plan.final.index(field.name)])
                    forced = plan.forced.get(field.name)
                    column = self._forced(text, forced, field.name, raw, options, file) if forced else text
                    columns.append(_convert(column, field.type))
                sink(raw.number, pa.Table.from_arrays(columns, schema=schema))
                return int(texts.num_rows)

            return list(ordered(map(load, spans), one, threads))

    def _cut(
        self, handle: BinaryIO, header: Header, options: Options, file: SourceFile
    ) -> Iterator[RawPiece]:
        """The pieces of the file, in order; a record that cannot be cut is named by line and column."""
        try:
            yield from Cutter(
                handle,
                header.start,
                header.stop,
                delimiter=self.delimiter,
                end_of_line=header.end_of_line,
                target=options.piece,
            )
        except BadRecord as bad:
            raise at(file, bad.offset, bad.reason, "correct the quotes of this record") from None

    def _texts(self, raw: RawPiece, header: Header, options: Options, file: SourceFile) -> pa.Table:
        """All columns of a piece as strings."""
        names = header.names
        if not raw.data.size:
            return pa.table([pa.array([], STRING)] * len(names), names=names)
        try:
            return self._parse(raw, names, options, BLOCK_BYTES)
        except pa.ArrowInvalid as error:
            if raw.data.size <= BLOCK_BYTES:
                raise bad_record(raw, len(names), file, self.delimiter, error) from None
        try:  # a record longer than a block cannot be parsed in blocks
            return self._parse(raw, names, options, raw.data.size + 1)
        except pa.ArrowInvalid as error:
            raise bad_record(raw, len(names), file, self.delimiter, error) from None

    def _parse(self, raw: RawPiece, names: list[str], options: Options, block: int) -> pa.Table:
        data = raw.data
        if bytes(memoryview(data)[:3]) == BOM:  # Arrow drops one at the start, also where it is data
            data = pa.py_buffer(BOM + data.to_pybytes())
        source = pa.BufferReader(data)
        how = {
            "read_options": pacsv.ReadOptions(
                column_names=names, use_threads=False, block_size=min(block, data.size + 1)
            ),
            "parse_options": pacsv.ParseOptions(
                delimiter=self.delimiter.decode(),
                newlines_in_values=raw.quoted,
                ignore_empty_lines=len(names) > 1,
            ),
            "convert_options": pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, STRING),
                null_values=list(options.nulls),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        }
        if data.size >= BLOCK_BYTES:
            return pacsv.read_csv(source, **how)
        with pacsv.open_csv(
            source, **how
        ) as reader:  # starts three times faster, which is what a small file takes
            return reader.read_all()

    def _piece(
        self,
        raw: RawPiece,
        texts: pa.Table,
        plan: Plan,
        options: Options,
        file: SourceFile,
        base: dict[str, Column],
    ) -> tuple[pa.Table, Piece]:
        columns, wide, spelling = [], set(), {}
        for position, name in zip(plan.keep, plan.final, strict=True):
            text = texts.column(position)
            if name in plan.forced:
                columns.append(self._forced(text, plan.forced[name], name, raw, options, file))
                continue
            typed = _typed(text, base.get(name))
            columns.append(typed.column)
            if typed.wide:
                wide.add(name)
            if typed.spelling:
                spelling[name] = typed.spelling
        table = pa.Table.from_arrays(columns, names=list(plan.final))
        span = (raw.start, raw.start + raw.data.size)
        return table, Piece(texts.num_rows, span, table.schema, plan.names, frozenset(wide), spelling)

    def _forced(
        self,
        text: pa.ChunkedArray,
        kind: pa.DataType,
        name: str,
        raw: RawPiece,
        options: Options,
        file: SourceFile,
    ) -> pa.ChunkedArray:
        try:
            return force(text, kind, options.nulls)
        except BadValue as bad:
            raise bad_value(raw, bad, name, kind, file, self.delimiter) from None


class Tsv(Csv):
    """The ``tsv`` format: CSV with tabs."""

    delimiter = b"\t"


def _typed(text: pa.ChunkedArray, base: Column | None) -> Typed:
    """Under the type of the first piece where that fits, else under the join with it."""
    if base is None or pa.types.is_null(base.type):
        return infer(text)
    if (typed := parse(text, base.type)) is not None:
        return typed
    own = infer(text)
    joined = join(base, Column(own.column.type, "", True, own.wide, own.spelling)).type
    return parse(text, joined) or own


def _convert(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """A column of text (or a forced one) under the table's type, which is known to hold it."""
    if column.type == kind:
        return column
    if (
        column.type == STRING
        and (typed := parse(column, kind) if kind in TEXT_TYPES else infer(column)) is not None
    ):
        column = typed.column
    return column if column.type == kind else column.cast(kind)
