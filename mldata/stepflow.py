"""Steps that run one after the other over one stream of rows, counting the rows between them; and the fragments that come out.

A fragment's bytes depend on the rows and their schema only as far as the stream is cut alike: the reader cuts by the file's own row groups,
:func:`pieces` by rows and bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from mldata.errors import DataError, MldataError, SpecError
from mldata.formats.encode import encode_stream
from mldata.rowsteps import Batches, Bound, bind
from mldata.table import BATCH_BYTES, BATCH_ROWS, bounded_rows, conform

__all__ = ["Flow", "StepBinder", "bind_steps", "pieces", "read_fragment", "write_cut", "write_whole"]

PIECE_ROWS = 1 << 20
PIECE_BYTES = 64 << 20
"""A row group, and where a table is cut anew a fragment, has at most so many rows and about so many Arrow bytes."""

StepBinder = Callable[[Mapping[str, Any], pa.Schema], Bound]


@dataclass
class Flow:
    """Bound steps in order."""

    schema: pa.Schema
    """Of what comes out."""
    bound: list[Bound]
    rows: list[int]
    """Rows before each step and after the last, as counted so far."""

    def run(self, batches: Batches) -> Batches:
        """The rows that come out of ``batches``."""
        batches = self._counted(batches, 0)
        for number, step in enumerate(self.bound, 1):
            batches = self._counted(step.run(batches), number)
        return batches

    def _counted(self, batches: Batches, place: int) -> Batches:
        for batch in batches:
            self.rows[place] += batch.num_rows
            yield batch


def bind_steps(
    steps: Sequence[Mapping[str, Any]], schema: pa.Schema, first: int, binder: StepBinder = bind
) -> Flow:
    """``steps`` bound to ``schema``; ``first`` is the number of the first in the spec, counted from 1, for messages."""
    bound = []
    for number, step in enumerate(steps, first):
        try:
            made = binder(step, schema)
        except MldataError as error:
            raise located(error, number, step) from None
        except pa.ArrowException as error:
            raise located(SpecError(f"the columns do not allow it: {error}"), number, step) from None
        bound.append(Bound(made.schema, _told(made.run, number, step)))
        schema = made.schema
    return Flow(schema, bound, [0] * (len(steps) + 1))


def located(
    error: MldataError, number: int, step: Mapping[str, Any], source: str | None = None
) -> MldataError:
    """``error`` with the step, unless it has a place already."""
    if error.where is None:
        error.where = f"transform, step {number} ({step['step']})"
    return error


def _told(
    run: Callable[[Batches], Batches], number: int, step: Mapping[str, Any]
) -> Callable[[Batches], Batches]:
    def told(batches: Batches) -> Batches:
        try:
            yield from run(batches)
        except MldataError as error:
            raise located(error, number, step) from None
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise located(DataError(f"the values do not allow it: {error}"), number, step) from None

    return told


def read_fragment(path: str, schema: pa.Schema) -> Batches:
    """The rows of a fragment's file, conforming to ``schema``."""
    with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
        rows = bounded_rows(file.metadata, BATCH_ROWS, BATCH_BYTES)
        for batch in file.iter_batches(rows, columns=schema.names, use_threads=False):
            yield conform(batch, schema)


def pieces(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Batches put together, and cut, to tables that are neither small nor large."""
    held: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            part = _fitting(batch.slice(start), PIECE_ROWS - rows, PIECE_BYTES - size)
            if part is not None:
                held.append(part)
                rows, size, start = rows + part.num_rows, size + part.nbytes, start + part.num_rows
            elif not held:
                held, rows, start = (
                    [batch.slice(start, 1)],
                    1,
                    start + 1,
                )  # one row that is larger than a piece
            if part is None or rows >= PIECE_ROWS:
                yield pa.Table.from_batches(held, schema)
                held, rows, size = [], 0, 0
    if held:
        yield pa.Table.from_batches(held, schema)


def _fitting(batch: pa.RecordBatch, rows: int, size: int) -> pa.RecordBatch | None:
    """The first rows of ``batch``, at most ``rows`` of at most ``size`` bytes; None when not even one fits."""
    part = batch.slice(0, min(rows, max(1, batch.num_rows * size // max(batch.nbytes, 1))))
    while part.nbytes > size:
        if part.num_rows == 1:
            return None
        part = part.slice(0, part.num_rows // 2)
    return part


def write_whole(file: BinaryIO, schema: pa.Schema, batches: Batches) -> None:
    """One fragment of all ``batches``."""
    with file:
        encode_stream(file, schema, map(_even, pieces(batches, schema)))


def write_cut(create: Callable[[int], BinaryIO], schema: pa.Schema, batches: Batches) -> list[int]:
    """A fragment for each piece of ``batches``, at least one; rows of each."""
    made: list[int] = []
    for table in pieces(batches, schema):
        with create(len(made)) as file:
            encode_stream(file, schema, [_even(table)])
        made.append(table.num_rows)
    if not made:
        with create(0) as file:
            encode_stream(file, schema, [])
        made.append(0)
    return made


def _even(table: pa.Table) -> pa.Table:
    """Dictionaries of the chunks as one, as one fragment has."""
    return table.unify_dictionaries().combine_chunks()
