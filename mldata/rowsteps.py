"""The built-in steps of a transform that look at one row at a time: batches in, batches out, in order, holding one.

Each is bound to the schema that it meets before any row is read, so a wrong column name or a type that does not fit is an error at once.

- select, rename, cast: of columns; a cast is exact or an error that names column and value
- filter: keeps the rows for which an expression (:mod:`mldata.expression`) is true
- fill_null: puts a value where there is none
- map: other labels for a column's values. With labels of the column's own kind (text for text, whole numbers for such), values without a
  label stay as they are; otherwise a value without a label is an error. Null stays null, and ``null`` as a label makes null.
- sample by share: each row stays with the same chance; its fate depends on seed, values and place in the fragment, so that other
  fragments do not matter
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.errors import DataError, SpecError
from mldata.expression import columns, parse
from mldata.expressioncode import compile_expression
from mldata.formats.columns import parse_type
from mldata.formats.forced import BadValue, force
from mldata.labels import Labels, encoded
from mldata.nearest import nearest

__all__ = ["ROW_STEPS", "Batches", "Bound", "bind", "check_columns"]

Batches = Iterator[pa.RecordBatch]
Step = Mapping[str, Any]


class Bound(NamedTuple):
    """A step that knows its input's schema."""

    schema: pa.Schema
    """Of what comes out."""
    run: Callable[[Batches], Batches]


def bind(step: Step, schema: pa.Schema) -> Bound:
    """Prepare a step for tables of ``schema``. Raises ``SpecError`` when it does not fit; running may raise ``DataError``."""
    return ROW_STEPS[step["step"]](step, schema)


def check_columns(names: Sequence[str], schema: pa.Schema) -> None:
    """Raise ``SpecError`` for a name that is no column."""
    for name in names:
        if name not in schema.names:
            near = nearest(name, schema.names, 0.5)
            hint = f"did you mean {near!r}?" if near else f"the columns are: {', '.join(schema.names[:50])}"
            raise SpecError(f"expected a column of the table, found {name!r}", hint=hint)


def _each(schema: pa.Schema, change: Callable[[pa.RecordBatch], pa.RecordBatch]) -> Bound:
    return Bound(schema, lambda batches: map(change, batches))


def _select(step: Step, schema: pa.Schema) -> Bound:
    names = step["columns"]
    check_columns(names, schema)
    return _each(pa.schema([schema.field(name) for name in names]), lambda batch: batch.select(names))


def _rename(step: Step, schema: pa.Schema) -> Bound:
    check_columns(list(step["columns"]), schema)
    names = [step["columns"].get(name, name) for name in schema.names]
    for name in names:
        if names.count(name) > 1:
            raise SpecError(f"two columns would be called {name!r}", hint="rename or leave out the other one")
    fields = [field.with_name(name) for field, name in zip(schema, names, strict=True)]
    new = pa.schema(fields)
    return _each(new, lambda batch: pa.RecordBatch.from_arrays(batch.columns, schema=new))


def _cast(step: Step, schema: pa.Schema) -> Bound:
    check_columns(list(step["columns"]), schema)
    kinds = {name: parse_type(kind) for name, kind in step["columns"].items()}
    new = schema
    for name, kind in kinds.items():
        at = schema.get_field_index(name)
        try:
            pa.nulls(0, schema.field(at).type).cast(kind)
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            raise SpecError(
                f"column {name!r} is {schema.field(at).type}, which no cast makes {kind}"
            ) from None
        new = new.set(at, schema.field(at).with_type(kind))

    def change(name: str, column: pa.Array) -> pa.Array:
        if name not in kinds:
            return column
        plain = column.dictionary_decode() if pt.is_dictionary(column.type) else column
        try:
            made = _one(force(pa.chunked_array([plain]), kinds[name]))
            if pt.is_time(made.type):
                made.validate(full=True)  # Arrow's cast of numbers does not look at their size
            return made
        except BadValue as bad:
            raise DataError(f"column {name!r}: expected {kinds[name]}, found {bad.value!r}") from None

    return _columnwise(new, change)


def _columnwise(schema: pa.Schema, change: Callable[[str, pa.Array], pa.Array]) -> Bound:
    """``change`` applied to each column, which has the same name before and after."""

    def run(batch: pa.RecordBatch) -> pa.RecordBatch:
        arrays = [
            change(name, column) for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    return _each(schema, run)


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _filter(step: Step, schema: pa.Schema) -> Bound:
    text = step["expression"]
    tree = parse(text)
    check_columns(columns(tree), schema)
    try:
        mask = compile_expression(tree, schema)
        kind = _evaluated(mask, schema.empty_table().to_batches() or [_no_rows(schema)], schema).type
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, pa.ArrowKeyError) as error:
        raise SpecError(
            f"{text!r} cannot be computed: {_first_line(error)}",
            hint="types are compared as they are: cast a column first, or put the value in quotes to have text",
        ) from None
    if not pt.is_boolean(kind):
        raise SpecError(f"expected a condition, found {text!r}, which is {kind}", hint="compare it: x > 0")

    def change(batch: pa.RecordBatch) -> pa.RecordBatch:
        try:
            return batch.filter(_evaluated(mask, [batch], schema), null_selection_behavior="drop")
        except pa.ArrowInvalid as error:
            raise DataError(f"{text!r} cannot be computed for every row: {_first_line(error)}") from None

    return _each(schema, change)


def _evaluated(expression: Any, batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.Array:
    from pyarrow.acero import Declaration, ProjectNodeOptions, TableSourceNodeOptions

    table = pa.Table.from_batches(batches, schema)
    plan = Declaration.from_sequence(
        [
            Declaration("table_source", TableSourceNodeOptions(table)),
            Declaration("project", ProjectNodeOptions([expression], ["mask"])),
        ]
    )
    return _one(plan.to_table(use_threads=False).column(0))  # one thread: rows keep their order


def _no_rows(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)


def _fill_null(step: Step, schema: pa.Schema) -> Bound:
    check_columns(list(step["values"]), schema)
    fills, new = {}, schema
    for name, value in step["values"].items():
        at = schema.get_field_index(name)
        kind = schema.field(at).type
        if pt.is_null(kind):
            fills[name] = pa.scalar(value)
            new = new.set(at, pa.field(name, fills[name].type))
            continue
        plain = kind.value_type if pt.is_dictionary(kind) else kind
        try:
            text = pt.is_string(plain) or pt.is_large_string(plain) or pt.is_temporal(plain)
            if text != isinstance(value, str):
                raise pa.ArrowInvalid
            fills[name] = pa.scalar(value).cast(plain)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise SpecError(f"column {name!r} is {kind}, which cannot hold {value!r}") from None

    def change(name: str, column: pa.Array) -> pa.Array:
        if name not in fills or not column.null_count:
            return column
        if pt.is_null(column.type):
            return pa.repeat(fills[name], len(column))
        if pt.is_dictionary(column.type):
            return encoded(pc.fill_null(column.dictionary_decode(), fills[name]), column.type)
        return pc.fill_null(column, fills[name])

    return _columnwise(new, change)


def _map(step: Step, schema: pa.Schema) -> Bound:
    check_columns(list(step["labels"]), schema)
    plans, new = {}, schema
    for name, labels in step["labels"].items():
        at = schema.get_field_index(name)
        plan = plans[name] = Labels(name, schema.field(at).type, labels)
        new = new.set(at, pa.field(name, plan.kind, schema.field(at).nullable or None in labels.values()))
    return _columnwise(new, lambda name, column: plans[name](column) if name in plans else column)


def _sample(step: Step, schema: pa.Schema) -> Bound:
    import numpy as np

    from mldata.rowhash import hash_column, hash_rows
    from mldata.splitmix import mix64, row_keys

    edge, seed = int(step["share"] * 2**64), step["seed"]
    try:
        for field in schema:
            hash_column(pa.nulls(0, field.type))
    except TypeError as error:
        raise SpecError(f"a share cannot be taken: {error}", hint="use {sample: {rows: N}}") from None

    def run(batches: Batches) -> Batches:
        start = 0
        for batch in batches:
            keys = row_keys(seed, start, start + batch.num_rows)
            start += batch.num_rows
            keys ^= hash_rows(batch.columns)
            stay = mix64(keys) < np.uint64(edge) if edge < 2**64 else np.ones(len(keys), bool)
            yield batch.filter(pa.array(stay))

    return Bound(schema, run)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


ROW_STEPS: dict[str, Callable[[Step, pa.Schema], Bound]] = {
    "select": _select,
    "rename": _rename,
    "cast": _cast,
    "filter": _filter,
    "fill_null": _fill_null,
    "map": _map,
    "sample": _sample,
}
