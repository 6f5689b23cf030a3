"""The built-in steps of a transform that need the whole table: dedupe, sample by rows, sort.

Dedupe and sample only leave rows out: they say for each fragment which stay, so fragments keep their borders, and one that loses nothing
stays the object that it is. Sort cuts the table anew.

- dedupe: the first of rows with equal values (in the columns ``by``; of all without) stays. Null equals null, NaN equals NaN, -0.0 equals
  0.0. Rows are found by hash and then compared, so none is left out for a collision. Memory: some 40 bytes a row, and one copy of the
  compared columns of each row that has a duplicate.
- sample: exactly ``rows`` rows, drawn by seed and row number. Memory: some 20 bytes a row.
- sort: stable; null and NaN last, in either direction. Memory: the table twice. The only built-in step that holds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.errors import SpecError
from mldata.rowhash import hash_column, hash_rows
from mldata.rowsteps import Batches, check_columns
from mldata.splitmix import row_keys
from mldata.stepflow import read_fragment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

__all__ = ["TableRows", "check_table_step", "kept_rows", "sorted_rows"]

Step = Mapping[str, Any]
SORT_BLOCK = 1 << 18
"""Rows that are put in order in one step of the writing."""


class TableRows:
    """The rows of a table in its fragments' files, read as often as needed."""

    def __init__(self, paths: Sequence[str], rows: Sequence[int], schema: pa.Schema) -> None:
        self.paths, self.schema = paths, schema
        self.starts = list(accumulate(rows, initial=0))

    @property
    def total(self) -> int:
        return self.starts[-1]

    def fragment(self, index: int, columns: Sequence[str] | None = None) -> Batches:
        """Batches of one fragment, all columns or some."""
        schema = self.schema
        if columns is not None:
            schema = pa.schema([schema.field(name) for name in columns])
        return read_fragment(self.paths[index], schema)

    def batches(self, columns: Sequence[str] | None = None) -> Batches:
        """Batches of all fragments."""
        for index in range(len(self.paths)):
            yield from self.fragment(index, columns)


def check_table_step(step: Step, schema: pa.Schema) -> None:
    """Raise ``SpecError`` when ``step`` does not fit tables of ``schema``."""
    if step["step"] == "dedupe":
        check_columns(step["by"], schema)
        try:
            for name in step["by"] or schema.names:
                hash_column(pa.nulls(0, schema.field(name).type))
        except TypeError as error:
            hint = "name the columns that tell rows apart: {dedupe: [id]}"
            raise SpecError(f"rows cannot be compared: {error}", hint=hint) from None
    elif step["step"] == "sort":
        check_columns([name for name, _ in step["by"]], schema)
        for name, _ in step["by"]:
            kind = schema.field(name).type
            try:
                _sorting([(name, False)], pa.table({name: pa.nulls(2, kind)}))
            except (pa.ArrowException, TypeError):
                raise SpecError(f"column {name!r} is {kind}, which has no order") from None


def kept_rows(step: Step, table: TableRows) -> list[Mask | None]:
    """For each fragment, which of its rows stay; None: all."""
    stay = _sampled(step, table) if step["step"] == "sample" else _first_of_equals(step, table)
    masks = [stay[start:stop] for start, stop in pairwise(table.starts)]
    return [None if mask.all() else mask for mask in masks]


def _sampled(step: Step, table: TableRows) -> Mask:
    total, wanted = table.total, step["rows"]
    if wanted >= total:
        return np.ones(total, np.bool_)
    keys = row_keys(step["seed"], 0, total)
    edge = np.partition(keys, wanted - 1)[wanted - 1]
    found: Mask = keys <= edge  # no two keys are equal
    return found


def _first_of_equals(step: Step, table: TableRows) -> Mask:
    names = step["by"] or table.schema.names
    hashes = np.empty(table.total, np.uint64)
    start = 0
    for batch in table.batches(names):
        hashes[start : start + batch.num_rows] = hash_rows(batch.columns)
        start += batch.num_rows
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    del hashes
    new = np.ones(len(order), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    stay = np.empty(len(order), np.bool_)
    stay[order] = new
    if stay.all():
        return stay
    first = np.empty(len(order), np.int64)  # of each row, the first row with its hash
    first[order] = order[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
    _keep_collisions(table, names, stay, first)
    return stay


def _keep_collisions(table: TableRows, names: Sequence[str], stay: Mask, first: NDArray[np.int64]) -> None:
    """Let those rows stay that only have the hash of an earlier one."""
    numbers = np.unique(first[~stay])  # rows that have a duplicate
    wanted = np.zeros(len(stay), np.bool_)
    wanted[numbers] = True
    models = pa.Table.from_batches(
        [batch.filter(pa.array(wanted[start:stop])) for start, stop, batch in _numbered(table, names)],
        pa.schema([table.schema.field(name) for name in names]),
    )
    for start, stop, batch in _numbered(table, names):
        doubtful = np.flatnonzero(~stay[start:stop])
        if len(doubtful):
            places = np.searchsorted(numbers, first[start + doubtful])
            equal = _equal(batch.take(pa.array(doubtful)), models.take(pa.array(places)))
            stay[start + doubtful[~equal]] = True


def _numbered(table: TableRows, names: Sequence[str]) -> Iterator[tuple[int, int, pa.RecordBatch]]:
    start = 0
    for batch in table.batches(names):
        yield start, start + batch.num_rows, batch
        start += batch.num_rows


def _equal(rows: pa.RecordBatch, models: pa.Table) -> Mask:
    """Which rows have the same values."""
    equal = np.ones(rows.num_rows, np.bool_)
    for left, right in zip(rows.columns, models.columns, strict=True):
        a, b = _plain(pa.chunked_array([left])), _plain(right)
        if a.equals(b):
            continue
        pairs = zip(a.to_pylist(), b.to_pylist(), strict=True)
        # NaN is written like NaN.
        equal &= np.fromiter((x == y or repr(x) == repr(y) for x, y in pairs), np.bool_, len(equal))
    return equal


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pt.is_dictionary(column.type) else column


def sorted_rows(step: Step, table: TableRows) -> Batches:
    """All rows in order."""
    whole = pa.Table.from_batches(table.batches(), table.schema)
    indices = _sorting(step["by"], whole)
    for start in range(0, len(indices), SORT_BLOCK):
        yield from whole.take(indices.slice(start, SORT_BLOCK)).to_batches()


def _sorting(by: Sequence[tuple[str, bool]], whole: pa.Table) -> pa.Array:
    """Numbers of the rows in order."""
    keys = pa.table({name: _plain(whole.column(name)) for name, _ in by})
    order = [(name, "descending" if down else "ascending") for name, down in by]
    return pc.sort_indices(keys, sort_keys=order)  # nulls last, by default
