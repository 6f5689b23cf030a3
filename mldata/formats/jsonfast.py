"""JSON records by Arrow's parser, where that gives exactly what :mod:`mldata.formats.jsonexact` gives; None where it may not.

Arrow refuses bad grammar, half surrogates and keys given twice. What it would let pass, or read in another way, is looked for here: text that
is not UTF-8, NaN, integers that became floats, -0, strings that look like times, records that are null or two on a line, and nesting that it has
no stack for.
"""

from __future__ import annotations

import io
import re

import numpy as np
import pyarrow as pa
import pyarrow.json as pj
import pyarrow.types as pt

from mldata.arrays import as_numpy
from mldata.formats.infer import EXACT
from mldata.formats.jsoncut import Cutter, Form, JsonPiece, Text, depth_of
from mldata.formats.jsonexact import FEW_KEYS
from mldata.formats.jsonfault import MAX_DEPTH

SAMPLE_BYTES = 128 << 10
"""Records from which it is learned which strings look like times; what comes later costs a second parse."""

LOOKS, LOOK_BYTES = 16, 16 << 10

_KEY = re.compile(rb'"([^"]*)"[ \t]*:')
_NULL_RECORD = re.compile(rb"[}\]][ \t\r\n]*null")
_MINUS_ZERO = re.compile(rb"[:,\[ \t\r\n]-0[ \t\r\n,}\]]")
_LONG_INTEGER = re.compile(rb"[:,\[ \t\r\n]-?[0-9]{16,}[ \t\r\n,}\]]")
_ROOT = "records"


def fast_table(piece: JsonPiece) -> tuple[pa.Table, int] | None:
    """The records of a piece as a table, and how many they are (a table without columns does not say)."""
    if piece.form is Form.ENTRIES or piece.fault is not None:
        return None
    data = piece.data.strip(b" \t\r\n")
    if not data.startswith(b"{") or not data.endswith(b"}") or not _is_utf8(data) or _has_many_keys(data):
        return None
    wanted: int | None = None
    if piece.form is Form.LINES:
        lines = _tidy(data)
        if lines is None:
            return None
        data, wanted = lines
        if depth_of(data, lines=True) > MAX_DEPTH:
            return None
    elif piece.depth > MAX_DEPTH or (piece.form is Form.VALUES and _NULL_RECORD.search(data)):
        return None
    try:
        found = _parse(data, piece.form, _guess(data, piece.form))
    except (pa.ArrowException, UnicodeDecodeError):
        return None
    if found is None or (wanted is not None and found[1] != wanted):
        return None
    return found if all(_is_exact(column, data) for column in found[0].columns) else None


def _has_many_keys(data: bytes) -> bool:
    """Whether keys may be too many for a table: Arrow makes it all the same. A look at some places, which costs nothing beside parsing."""
    step = max(len(data) // LOOKS, LOOK_BYTES)
    keys = {key for at in range(0, len(data), step) for key in _KEY.findall(data, at, at + LOOK_BYTES)}
    return len(keys) > FEW_KEYS


def _is_utf8(data: bytes) -> bool:
    ends = pa.py_buffer(np.array([0, len(data)], np.int32))
    try:
        pa.StringArray.from_buffers(1, ends, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _tidy(data: bytes) -> tuple[bytes, int] | None:
    """Lines that begin with ``{`` and end with ``}``, and how many; None if not all do.

    ``}`` and ``{`` without a comma between them are the border of two records wherever they stand in JSON, so as many records as
    lines are one a line.
    """
    ends = data.count(b"\n")
    if ends in (data.count(b"}\n{"), data.count(b"}\r\n{")):
        return data, ends + 1
    lines = [line for line in (line.strip(b" \t\r") for line in data.split(b"\n")) if line]
    if all(line[:1] == b"{" and line[-1:] == b"}" for line in lines):
        return b"\n".join(lines), len(lines)
    return None


def _guess(data: bytes, form: Form) -> pa.Schema | None:
    """The schema of the first records; None when these are all."""
    if len(data) <= 2 * SAMPLE_BYTES:
        return None
    sample = next(iter(Cutter(Text(io.BytesIO(data), 0, len(data)), Form.VALUES, SAMPLE_BYTES))).data
    try:
        found = _read(sample, form, None)
    except (pa.ArrowException, UnicodeDecodeError):
        return None
    return found[0].schema if found else None


def _parse(data: bytes, form: Form, sample: pa.Schema | None) -> tuple[pa.Table, int] | None:
    found = _read(data, form, sample)
    if found is None or not any(_times(kind) for kind in found[0].schema.types):
        return found
    # What looks like a time in every record seen is text all the same.
    return _read(data, form, found[0].schema)


def _read(data: bytes, form: Form, like: pa.Schema | None) -> tuple[pa.Table, int] | None:
    """``like`` has the columns in the order of their first record, and says which hold text."""
    texts = _texts(pa.struct(list(like))) if like is not None else None
    schema = pa.schema(list(texts)) if texts is not None else None
    if form is Form.ELEMENTS:
        data = b'{"%s":[%s]}' % (_ROOT.encode(), data)
        schema = pa.schema([(_ROOT, pa.list_(texts))]) if texts is not None else None
    table = pj.read_json(
        pa.BufferReader(data if data.endswith(b"\n") else data + b"\n"),
        read_options=pj.ReadOptions(use_threads=False, block_size=len(data) + 16),
        parse_options=pj.ParseOptions(explicit_schema=schema),
    )
    table.validate()  # arrays of nulls alone come with a wrong length
    rows = table.num_rows
    if form is Form.ELEMENTS:
        if table.column_names != [_ROOT] or rows != 1 or not pt.is_list(table.schema.types[0]):
            return None
        records = table.column(0).chunk(0).flatten()
        if not pt.is_struct(records.type) or records.null_count:
            return None
        rows, names = len(records), [records.type.field(i).name for i in range(records.type.num_fields)]
        columns = dict(zip(names, records.flatten(), strict=True))
    else:
        columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    if like is not None:
        order = [name for name in like.names if name in columns]
        columns = {
            **{name: _ordered(columns[name], like.field(name).type) for name in order},
            **{name: column for name, column in columns.items() if name not in order},
        }
    return pa.Table.from_arrays(list(columns.values()), names=list(columns)), rows


def _times(kind: pa.DataType) -> bool:
    if pt.is_struct(kind):
        return any(_times(kind.field(i).type) for i in range(kind.num_fields))
    return _times(kind.value_type) if pt.is_list(kind) else bool(pt.is_timestamp(kind))


def _texts(kind: pa.DataType) -> pa.DataType | None:
    """The part of a type that is text, to be read as such."""
    if pt.is_struct(kind):
        fields = [(kind.field(i).name, _texts(kind.field(i).type)) for i in range(kind.num_fields)]
        known = [(name, inner) for name, inner in fields if inner is not None]
        return pa.struct(known) if known else None
    if pt.is_list(kind):
        inner = _texts(kind.value_type)
        return pa.list_(inner) if inner is not None else None
    return pa.string() if pt.is_timestamp(kind) or pt.is_string(kind) else None


def _ordered(array: pa.Array, like: pa.DataType) -> pa.Array:
    """Fields of structs in the order of ``like``, then those that it lacks: Arrow puts first what it was told of."""
    kind = array.type
    if pt.is_list(kind) and pt.is_list(like):
        inner = _ordered(array.values, like.value_type)
        return pa.ListArray.from_arrays(
            array.offsets, inner, mask=array.is_null() if array.null_count else None
        )
    if not (pt.is_struct(kind) and pt.is_struct(like)):
        return array
    names = [kind.field(i).name for i in range(kind.num_fields)]
    known = {like.field(i).name: like.field(i).type for i in range(like.num_fields)}
    order = [name for name in known if name in names] + [name for name in names if name not in known]
    children = [array.field(names.index(name)) for name in order]
    children = [
        _ordered(child, known[name]) if name in known else child
        for name, child in zip(order, children, strict=True)
    ]
    if not children:
        return array
    mask = array.is_null() if array.null_count else None
    return pa.StructArray.from_arrays(children, names=order, mask=mask)


def _is_exact(column: pa.ChunkedArray | pa.Array, data: bytes) -> bool:
    """Whether no float of a column may stand for something else than was written."""
    kind = column.type
    if pt.is_struct(kind):
        return all(_is_exact(child, data) for chunk in _chunks(column) for child in chunk.flatten())
    if pt.is_list(kind):
        return all(_is_exact(chunk.flatten(), data) for chunk in _chunks(column))
    if not pt.is_float64(kind):
        return True
    for chunk in _chunks(column):
        values = as_numpy(chunk.drop_null())
        if not np.isfinite(values).all():
            return False
        if (np.abs(values) >= EXACT).any() and _LONG_INTEGER.search(data):
            return False
        if ((values == 0) & np.signbit(values)).any() and _MINUS_ZERO.search(data):
            return False
    return True


def _chunks(column: pa.ChunkedArray | pa.Array) -> list[pa.Array]:
    return column.chunks if isinstance(column, pa.ChunkedArray) else [column]
