"""CSV and TSV: records in the file's own dialect, with or without a header, any line end, read strictly.

Every piece is parsed by Arrow's CSV parser into text, and text becomes types by :mod:`mldata.formats.csvtypes`. Arrow's parser counts the
fields of every record and checks UTF-8; quotes are checked when the file is cut (:mod:`mldata.formats.pieces`), since Arrow accepts an open
quote at the end and text behind a closing one. Blank lines are not records, except in a file of one column, where a blank line that
is not at the end is a row without a value. An unquoted value listed in ``nulls`` is null; a quoted one is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import chain
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.csv as pacsv

from mldata.errors import Where, shown
from mldata.formats.base import Options, Piece, Sink, SourceFile, Span, ordered
from mldata.formats.columns import plan_columns
from mldata.formats.csvhead import Header, copy_header, is_damaged_utf8, not_utf8, read_header
from mldata.formats.csvplace import at, bad_record, bad_value, is_comment
from mldata.formats.csvrejects import Sieve
from mldata.formats.csvtypes import convert, forced, typed
from mldata.formats.encodings import BOM
from mldata.formats.forced import BadValue
from mldata.formats.heads import take_records
from mldata.formats.infer import STRING
from mldata.formats.numbers import NumberStyle
from mldata.formats.pieces import BadRecord, Cutter, RawPiece, line_of, quotes_are_regular, record_pattern
from mldata.formats.rejects import Bad, Gathered, bad_cells
from mldata.formats.unify import Column

BLOCK_BYTES = 1 << 20
"""Arrow parses so much at a time: fits the processor's cache, twice as fast as a whole piece at once."""


class Scanned(NamedTuple):
    """A piece of a file as :meth:`Csv.scan` sees it. The first has no rows: it tells of the header alone."""

    header: Header
    rows: int
    """Sound ones."""
    bad: Sequence[Bad]
    data: pa.Buffer | bytes
    start: int = 0
    """Where the piece begins in the file."""


class Csv:
    """The ``csv`` format."""

    text = True
    seeks = False
    name = "csv"
    delimiter = b","
    """What the name of the format stands for; a file may have another."""

    def read(self, file: SourceFile, options: Options, sink: Sink, threads: int) -> list[Piece]:
        """See :class:`~mldata.formats.base.TabularFormat`."""
        with open(file.path, "rb", buffering=0) as handle:
            reader = _Reader(handle, file, options, self.delimiter)
            sink.note(reader.header.facts)
            base: dict[str, Column] = {}

            bad = Gathered(file)

            def finish(number: int, made: tuple[pa.Table, Piece, list[Bad]]) -> Piece:
                sink(number, made[0])
                bad.add(number, made[2])
                return made[1]

            cutter = reader.cut()
            first = next(cutter, None) or RawPiece(0, reader.header.start, pa.py_buffer(b""), False)
            made = reader.piece(first, base)
            # The types of the first piece are where the others start, so that few of them need reading again.
            piece = made[1]
            base.update(
                (f.name, Column(f.type, "", True, f.name in piece.wide, piece.spelling.get(f.name, "")))
                for f in piece.schema
            )
            calls = chain(
                [partial(finish, 0, made)],
                (partial(lambda raw: finish(raw.number, reader.piece(raw, base)), raw) for raw in cutter),
            )
            del made
            whole = first.start + first.data.size >= reader.header.stop
            pieces = list(ordered(calls, lambda call: call(), 1 if whole else threads))
            sink.reject(bad.rejects())
            return pieces

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
            reader = _Reader(handle, file, options, self.delimiter)

            def one(raw: RawPiece) -> int:
                table = reader.conformed(raw, schema)
                sink(raw.number, table)
                return int(table.num_rows)

            return list(ordered(map(reader.load, spans), one, threads))

    def head(self, file: SourceFile, data: BinaryIO, options: Options, rows: int) -> str:
        """See :class:`~mldata.formats.heads.Headed`."""
        with open(file.path, "wb+") as out:
            header = copy_header(data, out, file, self.delimiter, options)
            dialect = header.dialect
            record = record_pattern(dialect.delimiter, dialect.quote, dialect.comment)

            def counts(text: bytes) -> bool:
                return bool(text.strip()) and not is_comment(text, dialect)

            take_records(data, out, header.start, record, counts, rows)
        return self.name

    def scan(self, file: SourceFile, options: Options) -> Iterator[Scanned]:
        """Every piece as text, for whoever wants to know whether the file is sound: bad records are put aside, whatever names the columns have.

        Raises ``DataError`` and ``Recode`` as :meth:`read` does.
        """
        options = replace(options, on_bad_row="reject", types={}, drop=(), rename={}, columns="keep")
        with open(file.path, "rb", buffering=0) as handle:
            header = read_header(handle, file, self.delimiter, options)
            numbered = replace(header, names=[str(number) for number in range(len(header.names))])
            reader = _Reader(handle, file, options, self.delimiter, numbered)
            yield Scanned(header, 0, (), b"")
            for raw in reader.cut():
                texts, bad = reader.texts(raw)
                yield Scanned(header, texts.num_rows, bad, raw.data, raw.start)

    def place(self, file: SourceFile, options: Options, span: Span, row: int) -> Where:
        """Where row number ``row`` of a piece begins."""
        with open(file.path, "rb", buffering=0) as handle:
            return _Reader(handle, file, options, self.delimiter).place(span, row)


class Tsv(Csv):
    """The ``tsv`` format: CSV with tabs."""

    name = "tsv"
    delimiter = b"\t"


class _Reader:
    """Reads one open file."""

    def __init__(
        self, handle: BinaryIO, file: SourceFile, options: Options, own: bytes, header: Header | None = None
    ) -> None:
        self.handle, self.file, self.options = handle, file, options
        self.header = header if header is not None else read_header(handle, file, own, options)
        self.dialect = self.header.dialect
        self.plan = plan_columns(self.header.names, options, file.name)
        self.style = NumberStyle(self.dialect.decimal, self.dialect.thousands)
        self.rejecting = options.on_bad_row == "reject"

    def cut(self) -> Iterator[RawPiece]:
        """The pieces of the file, in order; a record that cannot be cut is named by line and column."""
        try:
            yield from Cutter(
                self.handle,
                self.header.start,
                self.header.stop,
                delimiter=self.dialect.delimiter,
                quote=self.dialect.quote,
                comment=self.dialect.comment,
                end_of_line=self.header.end_of_line,
                target=self.options.piece,
                lenient=self.rejecting,
            )
        except BadRecord as bad:
            hint = "correct the quotes of this record, or set `normalize: {quote: none}` if they mean nothing"
            raise at(self.file, bad.offset, bad.reason, hint) from None

    def load(self, span: Span) -> RawPiece:
        """A piece by its place."""
        self.handle.seek(span.start)
        data = self.handle.read(span.stop - span.start)
        quote = self.dialect.quote
        return RawPiece(span.index, span.start, pa.py_buffer(data), bool(quote) and quote in data)

    def piece(self, raw: RawPiece, base: dict[str, Column]) -> tuple[pa.Table, Piece, list[Bad]]:
        """A piece under its own types, if need be wider ones than ``base`` has; and what was put aside of it."""
        texts, bad = self.texts(raw)
        columns, wide, spelling = [], set(), {}
        for position, name in zip(self.plan.keep, self.plan.final, strict=True):
            text = texts.column(position)
            if name in self.plan.forced:
                columns.append(self._forced(text, name, raw))
                continue
            found = typed(text, base.get(name), self.style)
            columns.append(found.column)
            if found.wide:
                wide.add(name)
            if found.spelling:
                spelling[name] = found.spelling
        table = pa.Table.from_arrays(columns, names=list(self.plan.final))
        span = (raw.start, raw.start + raw.data.size)
        made = Piece(texts.num_rows, span, table.schema, self.plan.names, frozenset(wide), spelling)
        return table, made, bad

    def conformed(self, raw: RawPiece, schema: pa.Schema) -> pa.Table:
        """A piece under ``schema``, which is known to hold it; columns that the file lacks are null."""
        texts, _ = self.texts(raw)
        columns = []
        for field in schema:
            if field.name not in self.plan.final:
                columns.append(pa.nulls(texts.num_rows, field.type))
                continue
            text = texts.column(self.plan.keep[self.plan.final.index(field.name)])
            column = self._forced(text, field.name, raw) if field.name in self.plan.forced else text
            columns.append(convert(column, field.type, self.style))
        return pa.Table.from_arrays(columns, schema=schema)

    def place(self, span: Span, row: int) -> Where:
        """See :meth:`Csv.place`."""
        raw = self.load(span)
        sieve = Sieve(raw.data.to_pybytes(), raw.start, self.dialect, len(self.header.names))
        if self.rejecting and (faults := self._bad_values(self._parsed(sieve.data, raw.quoted))):
            sieve.take_out(faults)
        return Where(self.file.name, line_of(self.file.path, sieve.offset(row))[0])

    def _forced(self, text: pa.ChunkedArray, name: str, raw: RawPiece) -> pa.ChunkedArray:
        kind = self.plan.forced[name]
        try:
            return forced(text, kind, self.options.nulls, self.style)
        except BadValue as bad:
            raise bad_value(raw, bad, name, kind, self.file, self.dialect) from None

    def texts(self, raw: RawPiece) -> tuple[pa.Table, list[Bad]]:
        """All columns of a piece as strings, and what was put aside of it."""
        if self.rejecting and raw.quoted and not self._is_regular(raw):
            return self._sieved(raw)  # Arrow would take an open quote, or text behind a closing one
        data = self._without_comments(raw)
        try:
            texts = self._parsed(data, raw.quoted)
        except pa.ArrowInvalid as error:
            if not self.rejecting:
                width = len(self.header.names)
                bad = bad_record(raw, width, self.file, self.dialect, error)
                raise bad or not_utf8(self.file, self.options) from None
            return self._sieved(raw)
        if self.rejecting and self._bad_values(texts):
            return self._sieved(raw)
        return texts, []

    def _is_regular(self, raw: RawPiece) -> bool:
        return quotes_are_regular(raw.data, self.dialect.delimiter, self.dialect.quote)

    def _sieved(self, raw: RawPiece) -> tuple[pa.Table, list[Bad]]:
        """:meth:`texts` of a piece that has bad records."""
        sieve = Sieve(raw.data.to_pybytes(), raw.start, self.dialect, len(self.header.names))
        if sieve.undecodable and not self._is_utf8:
            raise not_utf8(self.file, self.options)
        texts = self._parsed(sieve.data, raw.quoted)
        if faults := self._bad_values(texts):
            sieve.take_out(faults)
            texts = self._parsed(sieve.data, raw.quoted)
        return texts, sieve.bad

    @cached_property
    def _is_utf8(self) -> bool:
        """Whether the file is UTF-8 but for some records, rather than in another encoding."""
        return self.options.encoding is not None or is_damaged_utf8(self.file)

    def _bad_values(self, texts: pa.Table) -> dict[int, str]:
        """Rows with a value that is not of the type that the spec forces on its column."""
        faults: dict[int, str] = {}
        for name, kind in self.plan.forced.items():
            text = texts.column(self.plan.keep[self.plan.final.index(name)])
            convert = partial(forced, kind=kind, nulls=self.options.nulls, style=self.style)
            for row, value in bad_cells(text, convert).items():
                faults.setdefault(row, f"column {shown(name)}: expected {kind}, found {shown(value)}")
        return faults

    def _parsed(self, data: pa.Buffer, quoted: bool) -> pa.Table:
        """Sound records as columns of text. Raises ``ArrowInvalid``."""
        names = self.header.names
        if not data.size:
            return pa.table([pa.array([], STRING)] * len(names), names=names)
        try:
            return self._parse(data, quoted, BLOCK_BYTES)
        except pa.ArrowInvalid:
            if data.size <= BLOCK_BYTES:
                raise
        return self._parse(data, quoted, data.size + 1)  # a record longer than a block needs a larger one

    def _without_comments(self, raw: RawPiece) -> pa.Buffer:
        comment = self.dialect.comment
        if not comment or comment not in (data := raw.data.to_pybytes()):
            return raw.data
        if not raw.quoted:
            lines = re.compile(rb"(?:(?<=[\r\n])|\A)" + re.escape(comment) + rb"[^\r\n]*(?:\r\n?|\n|\Z)")
            return pa.py_buffer(lines.sub(b"", data))
        records = record_pattern(self.dialect.delimiter, self.dialect.quote, comment).finditer(data)
        return pa.py_buffer(b"".join(one[0] for one in records if not is_comment(one[0], self.dialect)))

    def _parse(self, data: pa.Buffer, quoted: bool, block: int) -> pa.Table:
        names = self.header.names
        if bytes(memoryview(data)[:3]) == BOM:  # Arrow drops one at the start, also where it is data
            data = pa.py_buffer(BOM + data.to_pybytes())
        source = pa.BufferReader(data)
        how = {
            "read_options": pacsv.ReadOptions(
                column_names=names, use_threads=False, block_size=min(block, data.size + 1)
            ),
            "parse_options": pacsv.ParseOptions(
                delimiter=self.dialect.delimiter.decode(),
                quote_char=self.dialect.quote.decode() or False,
                newlines_in_values=quoted,
                ignore_empty_lines=len(names) > 1,
            ),
            "convert_options": pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, STRING),
                null_values=list(self.options.nulls),
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
