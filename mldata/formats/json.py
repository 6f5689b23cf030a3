"""JSON and JSON Lines, in UTF-8, read exactly.

JSON Lines is strict: one object a line. JSON is any file that :mod:`mldata.formats.jsonshape` finds records in. Both are read by Arrow where that is
known to be exact (:mod:`mldata.formats.jsonfast`), and by Python's parser where not (:mod:`mldata.formats.jsonexact`, which says what
becomes of each value). Keys that a record lacks are null; new keys may come at any record. Blank lines are not records.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import BinaryIO, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from mldata.errors import DataError, Where, brief, shown
from mldata.formats.base import Options, Piece, Sink, SourceFile, Span, ordered
from mldata.formats.columns import Plan, plan_columns
from mldata.formats.forced import force
from mldata.formats.heads import FIRST_BYTES, LINE, copy, take_records
from mldata.formats.infer import EXACT
from mldata.formats.jsoncut import Form, JsonPiece, Text, depth_of
from mldata.formats.jsonexact import (
    Clash,
    TooSparse,
    exact_table,
    explain_clash,
    infer,
    place_of,
    put_aside_rows,
    wants_text,
)
from mldata.formats.jsonfast import fast_table
from mldata.formats.jsonfault import Fault, short
from mldata.formats.jsonhead import cut_values
from mldata.formats.jsonrecords import EVERY, KEY, Records
from mldata.formats.jsonrejects import Aside, decoded, encoded
from mldata.formats.jsonshape import BOM, shape_of
from mldata.formats.jsontwins import refuse_twin, twins
from mldata.formats.jsonwalk import pieces
from mldata.formats.pieces import BadRecord, Cutter, line_of
from mldata.formats.rejects import Bad, Gathered, bad_cells
from mldata.formats.typed import Widths, conform, shaped
from mldata.formats.unify import join_types
from mldata.yamlkey import types_setting


class JsonLines:
    """The ``jsonl`` format."""

    text = False
    seeks = False
    name = "jsonl"

    def read(self, file: SourceFile, options: Options, sink: Sink, threads: int) -> list[Piece]:
        """See :class:`~mldata.formats.base.TabularFormat`. The span is in bytes."""
        keys: list[NDArray[np.int64]] = []
        bad = Gathered(file)

        def one(raw: JsonPiece) -> Piece:
            reader = _Reader(raw, options, file)
            piece = reader.first(sink)
            bad.add(raw.number, reader.bad)
            if raw.form is Form.ENTRIES:
                keys.append(reader.keys())
            return piece

        with open(file.path, "rb", buffering=0) as handle:
            made = list(ordered(self._cut(file, options, handle), one, threads))
            if keys and len(same := twins(keys)):
                refuse_twin(file, handle, [piece.span for piece in made], same)
        sink.reject(bad.rejects())
        return made or [one(JsonPiece(0, 0, b"", Form.LINES, 0))]

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
            form = self._form(file, options, handle)

            def one(raw: JsonPiece) -> int:
                return _Reader(raw, options, file).again(schema, sink)

            return list(ordered((_load(handle, form, span) for span in spans), one, threads))

    def head(self, file: SourceFile, data: BinaryIO, options: Options, rows: int) -> str:
        """See :class:`~mldata.formats.heads.Headed`."""
        with open(file.path, "wb+") as out:
            copy(data, out, FIRST_BYTES)
            take_records(data, out, 0, LINE, lambda line: not line.isspace(), rows)
        return self.name

    def example(
        self, file: SourceFile, options: Options, span: Span, column: str, other: pa.DataType
    ) -> tuple[Where, str] | None:
        """Where in the piece the first value of ``column`` is that ``other`` does not go with, and its text."""
        with open(file.path, "rb", buffering=0) as handle:
            raw = _load(handle, self._form(file, options, handle), span)
        return _Reader(raw, options, file).example(column, other)

    def place(self, file: SourceFile, options: Options, span: Span, row: int) -> Where:
        """Where row number ``row`` of a piece begins."""
        with open(file.path, "rb", buffering=0) as handle:
            raw = _load(handle, self._form(file, options, handle), span)
        return _Reader(raw, options, file).place(row)

    def _form(self, file: SourceFile, options: Options, handle: BinaryIO) -> Form | None:
        return Form.LINES

    def _cut(self, file: SourceFile, options: Options, handle: BinaryIO) -> Iterator[JsonPiece]:
        start = len(BOM) if handle.read(len(BOM)) == BOM else 0
        cutter = Cutter(handle, start, file.size, delimiter=None, end_of_line=b"\n", target=options.piece)
        number, at = 0, start
        try:
            for raw in cutter:
                number, at = raw.number + 1, raw.start + raw.data.size
                yield JsonPiece(raw.number, raw.start, raw.data.to_pybytes(), Form.LINES, 0)
        except BadRecord as bad:
            yield JsonPiece(number, at, b"", Form.LINES, 0, bad)


class Json(JsonLines):
    """The ``json`` format."""

    name = "json"

    def head(self, file: SourceFile, data: BinaryIO, options: Options, rows: int) -> str:
        """See :class:`~mldata.formats.heads.Headed`: of an array the first elements, of objects line by line the first lines."""
        with open(file.path, "wb+") as out:
            cut_values(data, out, options.records, rows)
        return self.name

    def _form(self, file: SourceFile, options: Options, handle: BinaryIO) -> Form | None:
        return shape_of(file, handle, options.records)[0].form

    def _cut(self, file: SourceFile, options: Options, handle: BinaryIO) -> Iterator[JsonPiece]:
        shape, start = shape_of(file, handle, options.records)
        return pieces(Text(handle, start, file.size), shape, options.piece)


_ENTRY = re.compile(rb'"(?:[^"\\]++|\\.)*+"[ \t\r\n]*:', re.DOTALL)
"""Begins a piece of an object of records; one of an array may begin with a text, to be put aside."""


class _Reader:
    """Reads one piece."""

    def __init__(self, raw: JsonPiece, options: Options, file: SourceFile) -> None:
        self.raw, self.options, self.file = raw, options, file
        self.rejecting = options.on_bad_row == "reject"
        self._aside: Aside | None = None
        self.table, self.rows, self.plan = self._read()
        self.bad: list[Bad] = list(self._aside.bad(raw.start)) if self._aside is not None else []

    def first(self, sink: Sink) -> Piece:
        """Hand on the records under their own types."""
        # Parquet has no struct without fields: until other pieces tell of some, the column is written as nulls, to be read again.
        table = self.table
        hollow = {at: kind for at, kind in enumerate(table.schema.types) if _filled(kind) != kind}
        for at, kind in hollow.items():
            self.table = self.table.set_column(at, table.field(at).name, pa.nulls(self.rows, _filled(kind)))
        schema = shaped(self.table.schema, self.plan, self.file)
        table = self._conform(schema)
        for at, name in zip(self.plan.keep, self.plan.final, strict=True):
            if at in hollow and name not in self.plan.forced:
                schema = schema.set(schema.get_field_index(name), pa.field(name, hollow[at]))
        widths = Widths()
        widths.look(table)
        sink(self.raw.number, table)
        span = (self.raw.start, self.raw.start + len(self.raw.data))
        return Piece(self.rows, span, schema, self.plan.names, frozenset(widths.wide))

    def again(self, schema: pa.Schema, sink: Sink) -> int:
        """Hand on the records as ``schema``."""
        sink(self.raw.number, self._conform(schema))
        return self.rows

    def keys(self) -> NDArray[np.int64]:
        """Hashes of the keys of an object of records."""
        keys = self.table.column(KEY).to_pylist() if KEY in self.table.column_names else []
        return np.array([hash(key) for key in keys], np.int64)

    def example(self, column: str, other: pa.DataType) -> tuple[Where, str] | None:
        """See :meth:`JsonLines.example`."""
        key = self.plan.names[self.plan.keep[self.plan.final.index(column)]]
        records = self._records(frozenset())
        for at, row in records:
            value = row.get(key)
            if value is None:
                continue
            kind = infer([value])
            wide = not isinstance(value, int) or abs(value) > EXACT
            if join_types(kind, other, wide=wide) is None:
                start, end = place_of(records, at, key)
                return self._where(start), short(records.text[start:end])
        return None

    def place(self, row: int) -> Where:
        """See :meth:`JsonLines.place`."""
        at = next((at for number, (at, _) in enumerate(self._records(EVERY)) if number == row), 0)
        return self._where(at)

    def _conform(self, schema: pa.Schema) -> pa.Table:
        return conform(
            self.table, self.plan, schema, self.options, self.file, rows=self.rows, place=self.place
        )

    def _read(self) -> tuple[pa.Table, int, Plan]:
        if (found := fast_table(self.raw)) is not None:
            plan = self._plan(found[0].column_names)
            goes = all(_goes(found[0].column(at).type, kind) for at, kind in self._forced(plan).items())
            if goes and not (self.rejecting and self._bad_cells(found[0], plan)):
                return *found, plan
        try:
            return self._read_exactly()
        except Fault as fault:
            hint = fault.hint or "correct the place, or the program that wrote it"
            if self.rejecting:
                hint += " (it is not put aside, for where the next record begins cannot be told)"
            reason = fault.reason.encode("utf-8", "backslashreplace").decode()
            raise DataError(reason, where=self._where(fault.at), hint=hint) from None

    def _read_exactly(self) -> tuple[pa.Table, int, Plan]:
        forced: dict[str, pa.DataType] = {}
        if self.options.types:
            names = list(dict.fromkeys(name for _, row in self._records(EVERY) for name in row))
            forced = {names[at]: kind for at, kind in self._forced(self._plan(names)).items()}
        records = self._records(frozenset(forced))
        while True:
            try:
                table, rows = exact_table(records, forced)
            except Clash as clash:
                self._refuse_clash(records, clash)
            except TooSparse as sparse:
                self._refuse_sparse(sparse)
            if self.raw.fault is not None:
                raise DataError(
                    self.raw.fault.reason,
                    where=Where(self.file.name, *line_of(self.file.path, self.raw.fault.offset)),
                    hint="correct the place, or fetch the file again if it should be whole",
                )
            plan = self._plan(table.column_names)
            if records.aside is None or not (cells := self._bad_cells(table, plan)):
                return table, rows, plan
            put_aside_rows(records, cells)

    def _bad_cells(self, table: pa.Table, plan: Plan) -> dict[int, tuple[str, pa.DataType]]:
        """Rows with a value that is not of the type that the spec forces on its column: its key, and the type."""
        found: dict[int, tuple[str, pa.DataType]] = {}
        for at, kind in self._forced(plan).items():
            key = table.column_names[at]
            convert = partial(force, kind=kind, nulls=self.options.nulls)
            for row in bad_cells(table.column(at), convert):
                found.setdefault(row, (key, kind))
        return found

    def _records(self, raw: frozenset[str]) -> Records:
        text = self._text()
        if self.rejecting and self._aside is None:
            self._aside = Aside(text, self.raw.form)
        return Records(text, self.raw.form, raw, self.raw.fault is not None, self._aside)

    def _text(self) -> str:
        data = self.raw.data
        if self.rejecting:
            return decoded(data)
        try:
            return data.decode()
        except UnicodeDecodeError as bad:
            raise DataError(
                f"expected UTF-8, found the byte 0x{data[bad.start]:02x}",
                where=Where(self.file.name, *line_of(self.file.path, self.raw.start + bad.start)),
                hint="convert the file to UTF-8, for example with `iconv -f WINDOWS-1252 -t UTF-8`",
            ) from None

    def _plan(self, names: Sequence[str]) -> Plan:
        return plan_columns(names, self.options, self.file.name)

    def _forced(self, plan: Plan) -> dict[int, pa.DataType]:
        """Types by position in the piece."""
        both = zip(plan.keep, plan.final, strict=True)
        return {at: plan.forced[name] for at, name in both if name in plan.forced}

    def _where(self, at: int) -> Where:
        offset = self.raw.start + len(encoded(self._text()[:at]))
        return Where(self.file.name, *line_of(self.file.path, offset))

    def _refuse_sparse(self, sparse: TooSparse) -> NoReturn:
        at = f"column {shown(sparse.path[0])}" if sparse.path else "the file"
        raise DataError(
            f"expected objects with keys in common, found more than {sparse.keys:,} different ones in "
            f"{sparse.objects:,} objects ({at})",
            where=self._where(0),
            hint="if keys are data, write them as values: an object with a key and a value for each; or, below a column, "
            "keep them as text with `normalize: {types: {COLUMN: string}}` in mldata.yaml",
        )

    def _refuse_clash(self, records: Records, clash: Clash) -> NoReturn:
        reason, first, second = explain_clash(records, clash)
        name = brief(clash.path[0] or "")
        raise DataError(
            f"{reason} at {self._where(first)}, and no type holds both without loss",
            where=self._where(second),
            hint=f"make them one kind of value, or keep them as written with `{types_setting(name, 'string')}` in mldata.yaml",
        )


def _load(handle: BinaryIO, form: Form | None, span: Span) -> JsonPiece:
    """A piece to be read again."""
    handle.seek(span.start)
    data = handle.read(span.stop - span.start)
    of_piece = form or (Form.ENTRIES if _ENTRY.match(data) else Form.ELEMENTS)
    deep = 0 if of_piece is Form.LINES else depth_of(data, lines=False)
    return JsonPiece(span.index, span.start, data, of_piece, deep)


def _goes(found: pa.DataType, forced: pa.DataType) -> bool:
    """Whether a column that Arrow read as ``found`` becomes ``forced`` as its text would."""
    if pt.is_string(found) or pt.is_null(found):
        return True
    return (
        not wants_text(forced)
        and not pt.is_nested(found)
        and (pt.is_boolean(found) or not pt.is_boolean(forced))
    )


def _filled(kind: pa.DataType) -> pa.DataType:
    """``kind`` with null in place of structs without fields."""
    if pt.is_struct(kind):
        fields = [(kind.field(i).name, _filled(kind.field(i).type)) for i in range(kind.num_fields)]
        return pa.struct(fields) if fields else pa.null()
    return pa.list_(_filled(kind.value_type)) if pt.is_list(kind) else kind
